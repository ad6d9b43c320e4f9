"""Alerts: what changed, what helps, what was done, and what came of it. And, for supervisors, what has waited long."""

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.flows import notes
from bot.flows.settings import BadSetting
from bot.web import trend
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.therapist.caseload import feeling_labels
from surveys.page_wording import page_words

blueprint = Blueprint("notes", __name__)
THANKS = {"": "Taken back.", "helpful": "Thank you.", "not_helpful": "Thank you.", "false": "Thank you."}


@blueprint.get("/notes")
@allow("therapist")
def show_all() -> str:
    """Every note of the therapist's: waiting, followed, ended."""
    found = notes.entries(ctx(), me())
    return render_template(
        "therapist/notes.html",
        groups=[(state, [each for each in found if each.state == state]) for state in notes.STATES],
        labels=feeling_labels(),
        words=page_words("en", me().practice.timezone),
        now=now(),
    )


@blueprint.get("/notes/<alert_id>")
@allow("therapist")
def show(alert_id: str) -> str:
    """One note. A HEAD leaves no trace."""
    return _page(alert_id, record=request.method == "GET")


@blueprint.post("/notes/<alert_id>")
@allow("therapist")
def take_on(alert_id: str) -> Response | tuple[str, int]:
    """Take it on, with a few words if they like. Words that came too late are shown back, not lost."""
    words = _given("note")
    if not notes.take_on(ctx(), me(), alert_id, words, now()) and words:
        return _page(alert_id, record=False, too_late=words), 409
    return redirect(alert_id, code=303)


@blueprint.post("/notes/<alert_id>/done")
@allow("therapist")
def done(alert_id: str) -> Response:
    """What was done about it, and whether it was talked about with the client."""
    notes.say_done(ctx(), me(), alert_id, _given("done"), bool(request.form.get("talked")), now())
    flash("Kept. Only you can read it.")
    return redirect(f"../{alert_id}", code=303)


@blueprint.post("/notes/<alert_id>/verdict")
@allow("therapist")
def verdict(alert_id: str) -> Response:
    """What they think of the note."""
    given = request.form.get("verdict", "")
    notes.say_verdict(ctx(), me(), alert_id, given, now())
    flash(THANKS.get(given, "Thank you."))
    return redirect(f"../{alert_id}", code=303)


@blueprint.post("/notes/<alert_id>/resume")
@allow("therapist")
def resume(alert_id: str) -> Response:
    """Let check-ins go on after danger."""
    try:
        done = notes.resume(ctx(), me(), alert_id, now())
    except BadSetting as error:
        flash(str(error), "bad")
        return redirect(f"../{alert_id}", code=303)
    flash("Check-ins go on from the next visit." if done else "Nothing was changed: nothing holds them up any more.")
    return redirect(f"../{alert_id}", code=303)


@blueprint.get("/waiting")
@allow("supervisor")
def waiting() -> str:
    """For whom a note has waited so long that supervisors were told; nothing of what it says."""
    return render_template("therapist/waiting.html", waits=notes.waiting_long(ctx(), me(), now()))


def _page(alert_id: str, record: bool, too_late: str = "") -> str:
    found = notes.page(ctx(), me(), alert_id, now(), record=record)
    shown, words = found.view.trend, page_words("en", me().practice.timezone)
    return render_template(
        "therapist/note.html",
        page=found,
        view=found.view,
        alert=found.view.alert,
        client=found.client,
        spoken=page_words(me().practice.language, me().practice.timezone).language,
        charts=trend.draw(shown, ctx().instruments, words) if shown else [],
        choices=ctx().instruments.choices["en"],
        too_late=too_late,
        words=words,
        now=now(),
        longest=notes.LONGEST,
    )


def _given(name: str) -> str:
    return "\n".join(request.form.get(name, "").strip().splitlines())[: notes.LONGEST]
