"""One client: trend, appointments, alerts, replies and how they were read."""

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.flows import client_page, holding, rereading
from bot.flows.settings import BadSetting
from bot.flows.viewing import Trend
from bot.web import trend
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.therapist.caseload import feeling_labels
from surveys import reading_words
from surveys.page_wording import PageWords, page_words

blueprint = Blueprint("client", __name__, url_prefix="/clients")


@blueprint.get("/<client_id>")
@allow("therapist")
def show(client_id: str) -> str:
    """A client's page; `all` shows more than the latest visits and replies. A HEAD leaves no trace."""
    everything = bool(request.args.get("all"))
    found = client_page.page(ctx(), me(), client_id, now(), everything=everything, record=request.method == "GET")
    words = _words()
    return render_template(
        "therapist/client.html",
        page=found,
        client=found.client,
        words=words,
        now=now(),
        labels=feeling_labels(),
        reading=reading_words,
        **_pictures(found.trend, words),
    )


@blueprint.get("/<client_id>/print")
@allow("therapist")
def to_print(client_id: str) -> str:
    """The page to look at together with the client. A HEAD leaves no trace."""
    found = client_page.printed(ctx(), me(), client_id, now(), record=request.method == "GET")
    words = _words()
    return render_template(
        "therapist/print.html",
        name=found.client.name.split()[0] if found.client.name.split() else "",
        client=found.client,
        words=words,
        now=now(),
        **_pictures(found.trend, words),
    )


@blueprint.post("/<client_id>/talked")
@allow("therapist")
def talked(client_id: str) -> Response:
    """The two have talked about how it is going between them."""
    client_page.talked(ctx(), me(), client_id, now())
    flash("Noted: you talked about it today.")
    return redirect(f"../{client_id}", code=303)


@blueprint.post("/<client_id>/pause")
@allow("therapist")
def pause(client_id: str) -> Response:
    """Nothing is asked until they let check-ins go on."""
    done = holding.pause(ctx(), me(), client_id, now())
    flash("Check-ins are paused until you let them go on." if done else "They were paused already.")
    return redirect(f"../{client_id}#next", code=303)


@blueprint.post("/<client_id>/go-on")
@allow("therapist")
def go_on(client_id: str) -> Response:
    """Check-ins follow the visits again."""
    try:
        done = holding.go_on(ctx(), me(), client_id, now())
    except BadSetting as error:
        flash(str(error), "bad")
    else:
        flash("Check-ins go on from the next visit." if done else "Nothing was changed: nothing holds them up.")
    return redirect(f"../{client_id}#next", code=303)


@blueprint.post("/<client_id>/replies/<inbox_id>")
@allow("therapist")
def reread(client_id: str, inbox_id: str) -> Response:
    """A reply was misread, or another reading of its words counts from now on."""
    if request.form.get("misread"):
        done = rereading.misread(ctx(), me(), client_id, inbox_id, now())
        told = "Its answers count no more. They are kept, and you can pick a reading again at any time."
    else:
        done = rereading.pick(ctx(), me(), client_id, inbox_id, request.form.get("reading", ""), now())
        told = "This reading counts now. The other is kept, and you can change it back at any time."
    flash(told if done else "Nothing was changed: it was so already.")
    return redirect(f"../../{client_id}#reply-{inbox_id}", code=303)


def _words() -> PageWords:
    return page_words("en", me().practice.timezone)


def _pictures(found: Trend, words: PageWords) -> dict[str, object]:
    return {
        "charts": trend.draw(found, ctx().instruments, words),
        "told": trend.tell(found, ctx().instruments, words),
        "choices": ctx().instruments.choices["en"],
    }
