"""Setting up: the steps from nothing to the first planned check-in."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.flows import accounts, setting_up, settings
from bot.flows.settings import BadSetting
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.manager import rule_form
from surveys import alerting
from surveys.keys import BadSchedule
from surveys.page_wording import page_words
from surveys.rule_wording import WEEKDAYS

blueprint = Blueprint("setup", __name__, url_prefix="/setup")

Page = str | tuple[str, int] | Response
# What each step's form may change, by the keys of `attune practice set`.
KEYS = {
    "practice": ("name", "country", "timezone", "language"),
    "sender": ("sms_name", "segment_price", "segment_currency"),
    "danger": (
        *("duty_name", "duty_email", "duty_phone", "duty_hours", "local_lines"),
        *("second_name", "second_email", "second_phone", "second_contact_minutes"),
    ),
    "fairness": ("not_for_appraisal",),
}
MAILS = ("alert_client", "alert_picture", "supervisor_after_days", "privacy_name", "privacy_email")


@blueprint.get("")
@allow("manager")
def show() -> Page:
    """How far the practice is, and what is missing."""
    return render_template("manager/setup.html", **_around())


@blueprint.get("/mails")
@allow("manager")
def mails() -> Page:
    """What mails to the practice's own people say, and who is told what: no step, since all of it has a default."""
    return _mails(_mail_settings(), {})


@blueprint.post("/mails")
@allow("manager")
def save_mails() -> Page:
    """Save those that differ."""
    stored = _mail_settings()
    typed = {key: request.form.get(key, stored[key]).strip() for key in MAILS}
    if not typed["privacy_email"]:
        typed["privacy_name"] = ""
    changed = {key: text for key, text in typed.items() if text != stored[key]}
    if {"privacy_name", "privacy_email"} & set(changed) and typed["privacy_email"]:
        changed |= {key: typed[key] for key in ("privacy_name", "privacy_email")}
    try:
        if changed:
            settings.set_practice(ctx(), me().practice, changed, now(), me().person.id)
    except BadSetting as error:
        return _mails(typed, _by_key(error)), 422
    flash("Saved." if changed else "Nothing was different.")
    return redirect("/setup/mails", code=303)


def _mails(fields: Mapping[str, str], wrong: Mapping[str, str]) -> str:
    low, high = alerting.SUPERVISOR_LIMITS
    days = [(str(n), f"{n} working days") for n in range(low, high + 1)]
    return render_template("manager/setup_mails.html", f=fields, wrong=wrong, days=days)


def _mail_settings() -> dict[str, str]:
    """What stands in that form."""
    stored = _stored()
    return {key: stored[key] for key in MAILS}


@blueprint.get("/<step>")
@allow("manager")
def open_step(step: str) -> Page:
    """One step's form."""
    return _step_page(step, _stored())


@blueprint.post("/<any(practice, sender, danger, fairness):step>")
@allow("manager")
def save_step(step: str) -> Page:
    """Save a step that is settings of the practice."""
    typed = {key: request.form.get(key, "").strip() for key in KEYS[step]}
    if step == "sender" and "look" in request.form:
        return _look_at_texts(typed)
    try:
        settings.set_practice(ctx(), me().practice, _without_empty_contacts(typed), now(), me().person.id)
    except BadSetting as error:
        return _step_page(step, {**_stored(), **typed}, _by_key(error)), 422
    return _onwards(step)


@blueprint.post("/hours")
@allow("manager")
def save_hours() -> Page:
    """Save the hours and days in which clients may be written to."""
    typed = rule_form.typed(request.form, "practice")
    changes = {key: typed.texts[key] for key in ("hours", "days")}
    try:
        setting_up.agree_hours(ctx(), me(), changes, now())
    except BadSchedule as error:
        return _step_page("hours", {**_stored(), **typed.fields}, rule_form.told(error.problems)), 422
    return _onwards("hours")


@blueprint.post("/therapists")
@allow("manager")
def invite() -> Page:
    """Add a therapist, who gets a mail with a link; where no mail can be sent, the link is shown to be handed on."""
    typed = {key: request.form.get(key, "").strip() for key in ("therapist_name", "therapist_email")}
    try:
        done = accounts.invite(
            ctx(), me(), me().practice, "therapist", typed["therapist_email"], typed["therapist_name"], now()
        )
    except BadSetting as error:
        return _step_page("therapists", {**_stored(), **typed}, {"therapist_email": str(error)}), 422
    if done.link:
        return _step_page("therapists", _stored(), handed=done)
    flash(f"{done.name} is added, and gets a mail with a link to sign in.")
    return redirect("/setup/therapists", code=303)


@blueprint.post("/test")
@allow("manager")
def test() -> Page:
    """Show a test text first; send it when that is confirmed."""
    number = request.form.get("number", "")
    try:
        if "confirmed" not in request.form:
            return _step_page("test", {**_stored(), "number": number}, trial=setting_up.read_test(ctx(), me(), number))
        queued = setting_up.send_test(ctx(), me(), number, now())
    except BadSetting as error:
        return _step_page("test", {**_stored(), "number": number}, {"number": str(error)}), 422
    flash("The test text is on its way." if queued else "A test text was queued a moment ago already.")
    return redirect("/setup/test", code=303)


def _look_at_texts(typed: Mapping[str, str]) -> Page:
    """The texts as signed with the name that was typed; nothing is saved."""
    try:
        shown = setting_up.samples(ctx(), me().practice, typed["sms_name"])
    except BadSetting as error:
        return _step_page("sender", {**_stored(), **typed}, _by_key(error)), 422
    return _step_page("sender", {**_stored(), **typed}, samples=shown)


def _step_page(step: str, fields: Mapping[str, Any], problems: Mapping[str, str] | None = None, **more: Any) -> str:
    around = _around()
    this = next((each for each in around["progress"].steps if each.name == step), None)
    if this is None:
        abort(404)
    if step == "sender":
        more = {"samples": setting_up.samples(ctx(), me().practice), **more}
    if step == "danger":
        more = {"after_therapist": _after_therapist(fields.get("second_contact_minutes") or ""), **more}
    return render_template(
        f"manager/setup_{step}.html", step=this, f=fields, wrong=problems or {}, days=_days(), **around, **more
    )


def _after_therapist(chosen: str) -> list[tuple[str, str]]:
    """What can be chosen for the second contact; minutes that were set by a command stay among them."""
    minutes = {0, 5, 10, alerting.SECOND_AFTER} | ({int(chosen)} if re.fullmatch("[0-9]{1,2}", chosen) else set())
    return [
        (str(n), f"{n} minutes after the therapist" if n else "together with the therapist") for n in sorted(minutes)
    ]


def _around() -> dict[str, Any]:
    """What every page of setting up shows: the progress, and the practice's own clock."""
    progress = setting_up.progress(ctx(), me())
    return {"progress": progress, "words": page_words("en", progress.practice.timezone)}


def _stored() -> dict[str, Any]:
    """What stands in the forms: settings, and the hours of the rule."""
    practice = setting_up.progress(ctx(), me()).practice
    return {
        **settings.show_practice(ctx().store, practice),
        **{key: rule_form.fields_of(settings.show_schedule(practice))[key] for key in ("opens", "closes", "days")},
        "number": me().person.phone,
        "default_lines": ctx().instruments.lines_of(practice.country).text["en"],
    }


def _days() -> list[tuple[str, str]]:
    return list(zip(rule_form.DAYS, WEEKDAYS, strict=True))


def _without_empty_contacts(typed: Mapping[str, str]) -> dict[str, str]:
    """A contact left empty altogether stays as it is, unless somebody holds the role and the address was taken out."""
    kept = dict(typed)
    for role in ("duty", "second"):
        parts = [f"{role}_{part}" for part in ("name", "email", "phone")]
        if not any(typed.get(key) for key in parts):
            held = f"{role}_email" in typed and _stored()[f"{role}_email"]
            kept = {key: text for key, text in kept.items() if key not in parts} | (
                {f"{role}_email": ""} if held else {}
            )
    return kept


def _by_key(error: BadSetting) -> dict[str, str]:
    """A sentence for each field, from a line for each key."""
    found = {}
    for line in str(error).splitlines():
        key, _, text = line.partition(" ")
        found[key] = f"This {text}"
    return found


def _onwards(step: str) -> Response:
    """To the next step that lacks something, else to the overview."""
    flash("Saved.")
    ahead = setting_up.progress(ctx(), me()).next
    return redirect(f"/setup/{ahead.name}" if ahead and ahead.name != step else "/setup", code=303)
