"""For tests and the demo's director, as JSON: the provider's book, a client who texts, faults, the clock."""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest

from bot.sandbox import phones
from bot.sandbox.faults import Fault
from bot.sandbox.mailbox import Mail
from bot.sandbox.parts import here

LONGEST_WAIT = 30.0  # seconds a caller may wait for the clock

admin = Blueprint("admin", __name__)


@admin.get("/clock")
def now() -> Response:
    """The time and the version. With `?after=VERSION&wait=SECONDS` it waits until something has happened."""
    clock = here().clock
    after = request.args.get("after", type=int)
    if after is not None:
        clock.wait_beyond(after, min(request.args.get("wait", 1.0, float), LONGEST_WAIT))
    return jsonify(now=clock.now(), version=clock.version)


@admin.post("/clock/report")
def report() -> tuple[str, int]:
    """A worker ended a pass."""
    body = _body("who", "version", "busy")
    due = body.get("next_due")
    here().clock.report(
        str(body["who"]),
        version=int(body["version"]),
        busy=bool(body["busy"]),
        next_due=None if due is None else float(due),
    )
    return "", 204


@admin.post("/clock/jump")
def jump() -> Response:
    """Move the clock forward."""
    clock = here().clock
    try:
        clock.jump(float(_body("to")["to"]))
    except (TypeError, ValueError) as error:
        raise BadRequest(str(error)) from error
    return jsonify(now=clock.now(), version=clock.version)


@admin.post("/clock/forget")
def forget() -> tuple[str, int]:
    """A worker was ended: don't wait for it."""
    here().clock.forget(str(_body("who")["who"]))
    return "", 204


@admin.get("/clock/idle")
def idle() -> Response:
    """Whether everyone is through; with `?wait=SECONDS` it waits for that. `next_due`: what comes next."""
    clock = here().clock
    clock.wait_idle(min(request.args.get("wait", 0.0, float), LONGEST_WAIT))
    return jsonify(idle=clock.idle(), waiting_for=clock.waiting_for(), next_due=clock.next_due(), now=clock.now())


@admin.get("/sandbox/messages")
def messages() -> Response:
    """The book, oldest first."""
    return jsonify([message.as_row() for message in here().book.all()])


@admin.get("/sandbox/mails")
def mails() -> Response:
    """Every mail that came, oldest first."""
    return jsonify([_mail(mail) for mail in here().mailbox.all()])


@admin.post("/sandbox/text")
def text() -> Response:
    """A client texts; answers with the webhook's HTTP status (0: no answer)."""
    body = _body("from", "body")
    message = phones.text(here(), str(body["from"]), str(body["body"]))
    return jsonify(sid=message.sid, webhook=message.answered)


@admin.get("/sandbox/faults")
def faults() -> Response:
    """The faults still to come."""
    return jsonify(here().faults.coming())


@admin.post("/sandbox/faults")
def plan_fault() -> Response:
    """Make a fault happen to the next `next` messages."""
    try:
        body = {"next": 1, "seconds": 5, "code": 30003} | _body("kind")
        fault = Fault(str(body["kind"]), int(body["next"]), float(body["seconds"]), int(body["code"]))
        here().faults.plan(fault)
    except (TypeError, ValueError) as error:
        raise BadRequest(str(error)) from error
    return jsonify(here().faults.coming())


@admin.errorhandler(BadRequest)
def bad_request(error: BadRequest) -> tuple[Response, int]:
    """What is wrong with the request, in words."""
    return jsonify(error=error.description), 400


def _body(*needed: str) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or any(name not in body for name in needed):
        raise BadRequest(f"send JSON with {', '.join(needed)}")
    return body


def _mail(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "at": mail.at,
        "from": mail.sender,
        "to": list(mail.recipients),
        "subject": mail.subject,
        "message_id": mail.message.get("Message-ID"),
        "text": mail.text,
        "html": mail.html,
        "raw": mail.raw.decode("utf-8", "replace"),
    }
