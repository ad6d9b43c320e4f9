"""Schedules, with a preview of what would change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.flows import looking_ahead, rule_pages, schedules
from bot.flows.rule_pages import Opened
from bot.flows.schedules import CantUndo, Look
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.manager import rule_form
from bot.web.manager.rule_form import Fields
from surveys import rule_wording
from surveys.keys import BadSchedule
from surveys.page_wording import page_words
from surveys.preview import Day

blueprint = Blueprint("schedules", __name__, url_prefix="/schedules")

Page = str | tuple[str, int] | Response
SCOPES = {"therapists": "therapist", "clients": "client"}
CHANNELS = (
    ("", "Each client's own way"),
    ("sms", "By text only"),
    ("mail", "By mail only"),
    ("sms,mail", "By text first, then by mail"),
    ("mail,sms", "By mail first, then by text"),
)


@dataclass(frozen=True)
class Cell:
    """One day of the calendar; nothing is said of days gone by."""

    date: date
    day: Day | None


@blueprint.get("")
@allow("manager")
def show() -> Page:
    """The practice's rule, whose rules differ, and what was changed."""
    return _practice_page({})


@blueprint.get("/<any(therapists, clients):kind>/<owner_id>")
@allow("manager")
def own(kind: str, owner_id: str) -> Page:
    """What differs for one therapist or client."""
    seen_at = now() if request.method == "GET" else None  # not what only asks for the headers
    opened = rule_pages.opened(ctx(), me(), SCOPES[kind], owner_id, seen_at)
    return _rule_page(opened, rule_form.fields_of(opened.standing.shown))


@blueprint.get("/clients")
@allow("manager")
def find_client() -> Page:
    """To a client's own rule, by reference."""
    ref = request.args.get("ref", "").strip()
    client_id = rule_pages.client_named(ctx(), me(), ref)
    if client_id is None:
        said = f"{ref} is not on the roster." if ref else "Give the client's reference."
        return _practice_page({"ref": said}, ref), 422
    return redirect(f"/schedules/clients/{client_id}", code=303)


@blueprint.post("/preview")
@allow("manager")
def preview_practice() -> Page:
    """What the practice's rule would do as typed. Nothing is stored."""
    return _preview("practice", "")


@blueprint.post("/<any(therapists, clients):kind>/<owner_id>/preview")
@allow("manager")
def preview_own(kind: str, owner_id: str) -> Page:
    """The same for one therapist's or client's rule."""
    return _preview(SCOPES[kind], owner_id)


@blueprint.post("")
@allow("manager")
def save_practice() -> Page:
    """Save the practice's rule as it was previewed."""
    return _save("practice", "")


@blueprint.post("/<any(therapists, clients):kind>/<owner_id>")
@allow("manager")
def save_own(kind: str, owner_id: str) -> Page:
    """Save one therapist's or client's rule as it was previewed."""
    return _save(SCOPES[kind], owner_id)


@blueprint.get("/undo")
@allow("manager")
def look_back() -> Page:
    """What taking the last change back would do."""
    try:
        change, look = schedules.look_back(ctx(), me().practice.id, now())
    except CantUndo as error:
        flash(str(error), "bad")
        return redirect("/schedules", code=303)
    past = rule_pages.told(ctx(), me(), change)
    return render_template("manager/schedules_undo.html", past=past, **_shown(look))


@blueprint.post("/undo")
@allow("manager")
def undo() -> Page:
    """Take the last change back."""
    try:
        schedules.undo(ctx(), me().practice.id, request.form.get("change", ""), me().person.id, now())
    except CantUndo as error:
        flash(str(error), "bad")
    else:
        flash("The last change was taken back, and what isn't sent yet is planned anew.")
    return redirect("/schedules", code=303)


def _preview(scope: str, owner_id: str) -> Page:
    opened = rule_pages.opened(ctx(), me(), scope, owner_id)
    live = request.headers.get("HX-Request") == "true"
    typed, drop = rule_form.typed(request.form, scope), "as_below" in request.form
    if drop:  # back to what the rule lies over
        texts = {**opened.standing.below, "holidays": "", "paused_until": ""}
        shown = rule_form.fields_of(texts)
        typed = rule_form.Typed(shown, {key: text for key, text in texts.items() if key in typed.texts})
    try:
        look = schedules.look(ctx(), opened.practice.id, opened.standing.place, typed.texts, now(), drop=drop)
    except BadSchedule as error:
        if live:
            return render_template(
                "manager/schedules_preview.html", bad=rule_form.told(error.problems), labels=LABELS, look=None
            )
        return _rule_page(opened, typed.fields, rule_form.told(error.problems)), 422
    if live:
        return render_template("manager/schedules_preview.html", save_path=_path(opened), **_shown(look))
    return _rule_page(opened, typed.fields, look=look)


def _save(scope: str, owner_id: str) -> Page:
    opened = rule_pages.opened(ctx(), me(), scope, owner_id)
    typed, place = rule_form.typed(request.form, scope), opened.standing.place
    try:
        mark = request.form.get("mark", "")
        if schedules.save(ctx(), opened.practice.id, place, typed.texts, mark, me().person.id, now()):
            flash("Saved. What isn't sent yet is planned anew.")
            return redirect(_path(opened), code=303)
        look = schedules.look(ctx(), opened.practice.id, place, typed.texts, now())
    except BadSchedule as error:
        return _rule_page(opened, typed.fields, rule_form.told(error.problems)), 422
    flash("Nothing was saved yet: this is not what was looked at before. Look at what it does now.", "bad")
    return _rule_page(opened, typed.fields, look=look), 422


def _practice_page(problems: Mapping[str, str], ref: str = "") -> str:
    opened = rule_pages.opened(ctx(), me(), "practice", "")
    return _rule_page(opened, rule_form.fields_of(opened.standing.shown), problems, ref=ref)


def _rule_page(
    opened: Opened, fields: Fields, problems: Mapping[str, str] | None = None, look: Look | None = None, ref: str = ""
) -> str:
    scope = opened.standing.place.scope
    return render_template(
        "manager/schedules.html",
        opened=opened,
        scope=scope,
        path=_path(opened),
        save_path=_path(opened),
        f=fields,
        wrong=problems or {},
        bad_lines=[f"{LABELS.get(key, 'Client')}: {text}" for key, text in (problems or {}).items()],
        channels=CHANNELS,
        days=tuple(zip(rule_form.DAYS, rule_wording.WEEKDAYS, strict=True)),
        below={key: rule_wording.say(key, text) for key, text in opened.standing.below.items()},
        all=rule_pages.overview(ctx(), me()) if scope == "practice" else None,
        ref=ref,
        **(_shown(look) if look else _words(opened)),
    )


def _path(opened: Opened) -> str:
    place = opened.standing.place
    return "/schedules" if place.scope == "practice" else f"/schedules/{place.scope}s/{place.id}"


def _words(opened: Opened | None = None) -> dict[str, Any]:
    practice = opened.practice if opened else me().practice
    return {"words": page_words("en", practice.timezone), "look": None, "labels": LABELS}


def _shown(look: Look) -> dict[str, Any]:
    """What the preview's part of a page needs."""
    made = look.preview
    return {
        **_words(),
        "look": look,
        "made": made,
        "weeks": _weeks(made.days),
        "texts": looking_ahead.price_of(me().practice, made.bill),
        "texts_now": looking_ahead.price_of(me().practice, made.bill_now),
    }


def _weeks(days: list[Day]) -> list[list[Cell]]:
    """Whole weeks from Monday to Sunday around the days looked at."""
    known = {day.day: day for day in days}
    monday = days[0].day - timedelta(days=days[0].day.weekday())
    dates = [monday + timedelta(days=each) for each in range((days[-1].day - monday).days // 7 * 7 + 7)]
    cells = [Cell(each, known.get(each)) for each in dates]
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]


LABELS = rule_wording.LABELS
