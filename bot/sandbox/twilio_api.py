"""Twilio's REST API for messages: create, list and fetch, with its fields, errors and paging."""

import re
import socket
import struct
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, jsonify, request

from bot.sandbox.book import INBOUND, LONGEST_VALIDITY, OUTBOUND, Line, Message
from bot.sandbox.deliveries import API_VERSION
from bot.sandbox.parts import Parts, here
from bot.sandbox.twilio_errors import MAGIC_FROM, MAGIC_TO, TwilioError

PHONE = re.compile(r"\+[1-9]\d{6,14}")
SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
LONGEST_BODY = 1600
PRICE = 0.0079  # dollars a segment, about what a US long code pays

api = Blueprint("twilio", __name__, url_prefix=f"/{API_VERSION}/Accounts/<account_sid>")


@api.errorhandler(TwilioError)
def answer_error(error: TwilioError) -> Response:
    """An error in Twilio's shape."""
    answer = jsonify(error.as_json())
    answer.status_code = error.status
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    if error.status == 429:
        answer.headers["Retry-After"] = "1"
    return answer


@api.before_request
def authenticate() -> None:
    """Only the account with one of its tokens may ask, and only about itself."""
    account, given = here().account, request.authorization
    if not given or given.username != account.sid or given.password not in account.tokens:
        raise TwilioError(20003)
    if (request.view_args or {}).get("account_sid") != account.sid:
        raise TwilioError(20404, path=request.path)


@api.post("/Messages.json")
def create(account_sid: str) -> tuple[Response, int]:
    """Take a message to be sent."""
    parts = here()
    _refuse_by_fault(parts)
    line, client, body = _line(), request.form.get("To", ""), request.form.get("Body", "")
    try:
        _check(parts, line, client, body)
    except TwilioError as refusal:
        parts.book.refuse(client, refusal.code)
        raise
    message = parts.book.add(
        line,
        client,
        body,
        OUTBOUND,
        "accepted" if line.messaging_service_sid else "queued",
        validity=_validity(),
        status_callback=_status_callback(),
    )
    parts.clock.happened()
    parts.deliveries.deliver(message.sid)
    _answer_by_fault(parts)
    return jsonify(as_resource(message, account_sid)), 201


@api.get("/Messages/<sid>.json")
def fetch(account_sid: str, sid: str) -> Response:
    """One message as it stands."""
    message = here().book.get(sid)
    if message is None:
        raise TwilioError(20404, path=request.path)
    return jsonify(as_resource(message, account_sid))


@api.get("/Messages.json")
def listing(account_sid: str) -> Response:
    """Messages that fit the filters, newest first, a page at a time."""
    found = [message for message in _listed(here()) if _fits(message)]
    found.reverse()
    size = min(max(request.args.get("PageSize", 50, int), 1), 1000)
    page = max(request.args.get("Page", 0, int), 0)
    shown = found[page * size : (page + 1) * size]
    return jsonify(
        messages=[as_resource(message, account_sid) for message in shown],
        page=page,
        page_size=size,
        start=page * size,
        end=page * size + max(len(shown) - 1, 0),
        uri=_page_uri(page, size),
        first_page_uri=_page_uri(0, size),
        next_page_uri=_page_uri(page + 1, size) if len(found) > (page + 1) * size else None,
        previous_page_uri=_page_uri(page - 1, size) if page else None,
    )


def as_resource(message: Message, account_sid: str) -> dict[str, Any]:
    """A message in the fields of Twilio's Message resource."""
    uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{message.sid}"
    assigned = message.status != "accepted"  # until a service has picked a number, segments aren't counted
    return {
        "sid": message.sid,
        "account_sid": account_sid,
        "messaging_service_sid": message.line.messaging_service_sid,
        "from": message.sender if assigned else None,
        "to": message.to,
        "body": message.body,
        "status": message.status,
        "direction": message.direction,
        "num_segments": str(message.segments if assigned else 0),
        "num_media": "0",
        "price": f"{-PRICE * message.segments:.5f}" if message.sent_at is not None else None,
        "price_unit": "USD",
        "error_code": message.error_code,
        "error_message": message.error_message,
        "date_created": _rfc2822(message.created_at),
        "date_updated": _rfc2822(message.updated_at),
        "date_sent": _rfc2822(message.sent_at) if message.sent_at is not None else None,
        "api_version": API_VERSION,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
    }


def _rfc2822(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(at), UTC))


def _line() -> Line:
    """What to send with: a messaging service picks our one number unless a number is asked for."""
    service, sender = request.form.get("MessagingServiceSid"), request.form.get("From")
    if not service and not sender:
        raise TwilioError(21603)
    if service and not SERVICE.fullmatch(service):
        raise TwilioError(21701)
    return Line(sender or here().account.line.sender, service or None)


def _check(parts: Parts, line: Line, client: str, body: str) -> None:
    """Raises the error Twilio answers to a request it won't take."""
    facts = {"to": client, "sender": line.sender}
    if not client:
        raise TwilioError(21604)
    if not PHONE.fullmatch(client):
        raise TwilioError(21211, **facts)
    if line.sender in MAGIC_FROM or not PHONE.fullmatch(line.sender):
        raise TwilioError(MAGIC_FROM.get(line.sender, 21212), **facts)
    if client in MAGIC_TO or client == line.sender:
        raise TwilioError(MAGIC_TO.get(client, 21266), **facts)
    if not body:
        raise TwilioError(21602)
    if len(body) > LONGEST_BODY:
        raise TwilioError(21617)
    if parts.book.is_opted_out(line, client):
        raise TwilioError(21610)


def _validity() -> int:
    given = request.form.get("ValidityPeriod", str(LONGEST_VALIDITY))
    if not re.fullmatch(r"\d{1,5}", given) or not 1 <= int(given) <= LONGEST_VALIDITY:
        raise TwilioError(21624)
    return int(given)


def _status_callback() -> str:
    url = request.form.get("StatusCallback", "")
    if url and not _is_address(url):
        raise TwilioError(21609, url=url)
    return url


def _is_address(url: str) -> bool:
    """Whether Twilio would post to it: a host without underscores."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "_" not in str(parts.hostname)
    except ValueError:  # an unfinished IPv6 host, say
        return False


def _listed(parts: Parts) -> list[Message]:
    """What a listing knows of: Twilio's own replies never, and under a fault nothing too young."""
    messages = [m for m in parts.book.all() if m.direction in (INBOUND, OUTBOUND)]
    if "To" in request.args and (lag := parts.faults.take("list_lag")):
        latest = parts.clock.now() - lag.seconds
        messages = [m for m in messages if m.created_at <= latest]
    return messages


def _fits(message: Message) -> bool:
    wanted = request.args
    if wanted.get("To", message.to) != message.to or wanted.get("From", message.sender) != message.sender:
        return False
    dates = {name: wanted[name] for name in ("DateSent", "DateSent<", "DateSent>") if name in wanted}
    return all(_in_time(message, name, value) for name, value in dates.items())


def _in_time(message: Message, name: str, value: str) -> bool:
    """Whether it was sent on, by or from a date or moment in UTC. What isn't sent yet has no date to fit."""
    if message.sent_at is None:
        return False
    try:
        start = datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        return True  # Twilio leaves out a filter it can't read
    whole_day = (start.hour, start.minute, start.second) == (0, 0, 0)  # how Twilio's clients send a mere date
    end = start + (timedelta(days=1) if whole_day else timedelta(seconds=1))
    since, until = message.sent_at >= start.timestamp(), message.sent_at < end.timestamp()
    return {"DateSent": since and until, "DateSent<": until, "DateSent>": since}[name]


def _page_uri(page: int, size: int) -> str:
    filters = {name: value for name, value in request.args.items() if not name.startswith("Page")}
    return f"{request.path}?{urlencode(filters | {'PageSize': size, 'Page': page})}"


def _refuse_by_fault(parts: Parts) -> None:
    if parts.faults.take("429"):
        raise TwilioError(20429)
    if parts.faults.take("503"):
        raise TwilioError(20503)
    if parts.faults.take("reset"):
        _cut()


def _answer_by_fault(parts: Parts) -> None:
    if slow := parts.faults.take("slow"):
        time.sleep(slow.seconds)
    if parts.faults.take("accept_then_503"):
        raise TwilioError(20503)
    if parts.faults.take("lose_answer"):
        _cut()


def _cut() -> NoReturn:
    """Cut the connection: what is still to be written goes nowhere, and the client sees a reset."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
    raise TwilioError(20503)
