"""Twilio's webhooks. Signed by Twilio or refused; every field in its strict form or refused.

The form matters although the signature covers it: the signature runs over names and values joined together,
so the same signature also fits fields cut or joined at other places. What a text says ends where From begins.
https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

import re

from flask import Blueprint, Response, abort, request

from bot import log
from bot.channels.signatures import is_signed
from bot.flows import delivery, receiving
from bot.flows.delivery import Status
from bot.store.inbox import Inbound
from bot.web.guard import open_to_all
from bot.web.here import ctx, now

blueprint = Blueprint("twilio", __name__, url_prefix="/webhooks/twilio")

SID = r"(SM|MM)[0-9a-f]{32}"
NUMBER = r"\+[1-9][0-9]{3,14}|[0-9]{3,8}"
INBOUND = {
    "MessageSid": SID,
    "From": NUMBER,
    "To": NUMBER,
    "Body": r"(?s).{0,10000}",
}
STATUS = {
    "MessageSid": SID,
    "MessageStatus": r"accepted|scheduled|queued|sending|sent|receiving|received|delivered|undelivered|failed|read|"
    r"canceled|partially_delivered",
}
# These are checked where they are there. The two older names of the id must say the same as MessageSid.
ALSO = {
    "AccountSid": r"AC[0-9A-Za-z]+",
    "SmsSid": SID,
    "SmsMessageSid": SID,
    "MessagingServiceSid": r"(MG[0-9A-Za-z]+)?",
    "NumMedia": r"[0-9]{1,2}",
    "NumSegments": r"[0-9]{1,2}",
    "OptOutType": r"(STOP|START|HELP)?",
    "ErrorCode": r"[0-9]{0,6}",
    "SmsStatus": r"[a-z_]+",
    "ApiVersion": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
FIELD_NAME = r"[A-Za-z][A-Za-z0-9]{0,63}"
# Where another field's beginning stands inside a field, it was joined to it, or a text was cut at a place of its own.
SWALLOWED = re.compile(r"Body|From[+0-9]|To[+0-9]|Message(Sid|Status)[A-Za-z]")


@blueprint.post("/sms")
@open_to_all
def sms() -> Response:
    """A client's text. Answered 200 only once it is on disk; the reply goes out through the outbox."""
    form = _signed_form(INBOUND)
    inbound = Inbound(
        channel="sms",
        provider_id=form["MessageSid"],
        sender=form["From"],
        body=form["Body"].replace("\x00", ""),
        opt_out_type=form.get("OptOutType", ""),
    )
    receiving.receive(ctx(), inbound, now())
    return Response("<Response/>", mimetype="text/xml")


@blueprint.post("/status")
@open_to_all
def status() -> Response:
    """What became of a text of ours."""
    form = _signed_form(STATUS)
    attempt_id = request.args.get("attempt", "")
    if attempt_id and not re.fullmatch(r"[0-9a-f]{32}", attempt_id):
        _refuse("attempt")
    code = int(form.get("ErrorCode") or 0)
    delivery.report(ctx(), Status(attempt_id, form["MessageSid"], form["MessageStatus"], code), now())
    return Response("", status=204)


def _signed_form(required: dict[str, str]) -> dict[str, str]:
    """The fields of a form that Twilio signed; refuses with 403 whatever isn't."""
    form, config = request.form, ctx().config
    query = request.query_string.decode("ascii", "replace")
    url = config.public_url + request.path + (f"?{query}" if query else "")  # the address Twilio was given
    signed = is_signed(config.twilio_auth_tokens, url, form, dict(request.headers))
    if request.mimetype != "application/x-www-form-urlencoded" or not signed:
        _refuse("signature")
    fields = {}
    for name, values in form.lists():
        pattern = required.get(name) or ALSO.get(name, r"(?s).*")
        if len(values) != 1 or not re.fullmatch(FIELD_NAME, name) or not re.fullmatch(pattern, values[0]):
            _refuse("form")
        fields[name] = values[0]
    same_id = {fields.get(name, fields.get("MessageSid")) for name in ("MessageSid", "SmsSid", "SmsMessageSid")}
    ours = fields.get("AccountSid", config.twilio_account_sid) == config.twilio_account_sid
    if required.keys() - fields.keys() or len(same_id) != 1 or not ours or _is_recut(fields):
        _refuse("form")
    return fields


def _is_recut(fields: dict[str, str]) -> bool:
    """Whether fields may have been cut elsewhere than Twilio did, under the same signature.

    It joins them sorted by name, and sends none between Body and From: one there was cut from the text. Fields we
    don't know are let through, since Twilio adds some, unless they hold the beginning of one that we need.
    """
    if "Body" in fields and any("Body" < name < "From" for name in fields):
        return True
    known = {*INBOUND, *STATUS, *ALSO}
    return any(
        SWALLOWED.search(value if name in known else name + value) for name, value in fields.items() if name != "Body"
    )


def _refuse(what: str) -> None:
    log.get().warning("webhook refused", what=what)
    abort(403)
