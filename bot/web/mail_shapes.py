"""A raw mail out of what providers wrap it in. Whatever is in no wrapping known here is taken as the mail itself.

Postmark posts JSON with RawEmail (where "include raw email content" is ticked), Mailgun a form with body-mime, SendGrid
a form with email, Amazon SES its notification by SNS with content.
"""

import base64
import binascii
import json
from typing import Any
from urllib.parse import urlsplit

from flask import Request

FIELDS = ("body-mime", "email")


def unwrapped(request: Request) -> bytes:
    """The mail as it came; empty where the wrapping holds none."""
    raw = request.get_data(cache=True)
    if (form := next((request.form[name] for name in FIELDS if name in request.form), None)) is not None:
        return _bytes(form)
    found = _object(raw)
    if not found:
        return raw
    if "Message" in found:  # SNS
        found = _object(_bytes(found["Message"]))
    if isinstance(found.get("RawEmail"), str):
        return _bytes(found["RawEmail"])
    return _of_ses(found)


def subscription_of(request: Request) -> str:
    """Where to confirm that Amazon may post here, if that is what it asks; empty for anything else."""
    found = _object(request.get_data(cache=True))
    address = str(found.get("SubscribeURL", "")) if found.get("Type") == "SubscriptionConfirmation" else ""
    host = urlsplit(address).hostname or ""
    return address if address.startswith("https://") and host.endswith(".amazonaws.com") else ""


def _of_ses(found: dict[str, Any]) -> bytes:
    content = found.get("content")
    if not isinstance(content, str):
        return b""
    receipt = found.get("receipt")
    action = receipt.get("action") if isinstance(receipt, dict) else None
    if str(action.get("encoding", "") if isinstance(action, dict) else "").upper() != "BASE64":
        return _bytes(content)
    try:
        return base64.b64decode(content)
    except binascii.Error:
        return b""


def _object(raw: bytes) -> dict[str, Any]:
    """The JSON object in it; empty where there is none. No mail begins with a brace: a header can't."""
    if raw.lstrip()[:1] != b"{":
        return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _bytes(text: object) -> bytes:
    return str(text).encode("utf-8", "surrogatepass")
