"""The pages: a guide, a phone for every client, a mailbox. Server-rendered; they work without JavaScript."""

from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bot.sandbox import guide, phones, reading
from bot.sandbox.book import INBOUND, OUTBOUND
from bot.sandbox.mailbox import Mail
from bot.sandbox.parts import Parts, here

OWN_PAGES = "default-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
A_MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups allow-popups-to-escape-sandbox"
)
READY = {3: ("5, 4 n 5 thx!", "2 4 2"), 4: ("5, 4 n 5 and 4 thx!", "2 4 2 2")}  # replies, by numbers asked for
STEPS_AHEAD = {"hour": 3600, "day": 86400, "week": 7 * 86400}
PATIENCE = 5.0  # seconds a page waits for what a move of the clock sets going

pages = Blueprint("pages", __name__, template_folder="templates", static_folder="static")


@pages.before_app_request
def refuse_other_sites() -> None:
    """Another web page open in the same browser has no business here."""
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "none") not in (
        "same-origin",
        "none",
    ):
        abort(403)


@pages.after_app_request
def protect(response: Response) -> Response:
    """Nothing from other hosts, nothing inline; a mail's own policy stands."""
    response.headers.setdefault("Content-Security-Policy", OWN_PAGES)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@pages.app_template_filter("at")
def at(epoch: float, zone: str, form: str = "%a %d %b %Y, %H:%M") -> str:
    """An instant on the wall clock of a zone."""
    return datetime.fromtimestamp(epoch, ZoneInfo(zone)).strftime(form)


@pages.app_context_processor
def the_time() -> dict[str, object]:
    """What the frame around every page shows."""
    clock = here().clock
    return {"now": clock.now(), "next_due": clock.next_due(), "held": clock.held, "zone": here().zone}


@pages.get("/")
def home() -> str:
    """The guide, and everyone's phone."""
    parts = here()
    messages, mails = parts.book.all(), parts.mailbox.all()
    numbers = list(dict.fromkeys([*parts.owners, *(m.client for m in messages)]))
    about = numbers[0] if numbers else ""
    name = parts.owner(about).name or "the client"
    return render_template(
        "guide.html",
        steps=guide.steps(messages, mails, phone=about, name=name, directed=parts.director is not None),
        director=parts.director,
        name=name,
        phones=[(number, parts.owner(number), parts.book.with_client(number)) for number in numbers],
        mails=len(mails),
    )


@pages.get("/phone/<number>")
def phone(number: str) -> str:
    """One client's phone."""
    return _phone(here(), number)


@pages.post("/phone/<number>")
def reply(number: str) -> AnyResponse | tuple[str, int]:
    """The client sends what was typed."""
    body = request.form.get("body", "").strip()
    if not body:
        return _phone(here(), number, problem="There is nothing to send yet: write something first."), 400
    phones.text(here(), number, body)
    return redirect(f"/phone/{number}", 303)


def _phone(parts: Parts, number: str, problem: str = "") -> str:
    messages = parts.book.with_client(number)
    asked = [count for m in messages if m.direction == OUTBOUND and (count := reading.how_many_asked(m.body)) in READY]
    return render_template(
        "phone.html",
        number=number,
        owner=parts.owner(number),
        line=parts.book.line_to(number),
        messages=messages,
        ready=(*READY[asked[-1] if asked else 4], "not great today tbh", "STOP"),
        inbound=INBOUND,
        problem=problem,
        director=parts.director if number in parts.owners else None,
    )


@pages.post("/move")
def move() -> AnyResponse:
    """Move the clock on, by a step or to what comes next, and wait a little for what that sets going."""
    clock, to = here().clock, request.form.get("to", "")
    due = clock.next_due()
    if to in STEPS_AHEAD:
        clock.jump(clock.now() + STEPS_AHEAD[to])
    elif to == "next" and due is not None and due > clock.now():
        clock.jump(due)
    clock.wait_idle(PATIENCE)
    back = urlsplit(request.referrer or "/").path
    return redirect(back if back.startswith(("/phone/", "/mailbox")) else "/", 303)


@pages.post("/play")
def play() -> AnyResponse:
    """Make something happen for real: a visit ends, weeks go by."""
    director, number = here().director or abort(404), request.form.get("phone", "")
    director.do(request.form.get("what", ""), number)
    return redirect(f"/phone/{number}" if number in here().owners else "/", 303)


@pages.get("/mailbox")
def mailbox() -> str:
    """All mails, newest first."""
    return render_template("mailbox.html", mails=here().mailbox.all()[::-1])


@pages.get("/mailbox/<int:mail_id>")
def mail(mail_id: int) -> str:
    """One mail: its headers, its text, and its HTML in a frame that can do nothing."""
    return render_template("mail.html", mail=_mail(mail_id))


@pages.get("/mailbox/<int:mail_id>/html")
def mail_html(mail_id: int) -> Response:
    """A mail's HTML alone, under a policy that lets it load and run nothing; its links open a new page."""
    found = _mail(mail_id)
    response = Response(f'<!doctype html><base target="_blank">{found.html}', mimetype="text/html")
    response.headers["Content-Security-Policy"] = A_MAIL
    return response


def _mail(mail_id: int) -> Mail:
    return here().mailbox.get(mail_id) or abort(404)
