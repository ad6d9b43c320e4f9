"""Delivery: what was planned, sent, answered, skipped, and what needs a person."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bot.flows import delivery_page
from bot.flows.delivery_page import Delivery, Rate
from bot.flows.managing import Refused
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.manager import bars, wording
from bot.web.manager.bars import Picture
from bot.web.manager.clients import words

blueprint = Blueprint("delivery", __name__, url_prefix="/delivery")
CHANNELS = {"sms": "Text message", "mail": "E-mail", "": "Unknown"}
HOURS_SHOWN = range(7, 22)


@blueprint.get("")
@allow("manager")
def show() -> str:
    """The last four weeks."""
    found = delivery_page.show(ctx(), me(), now())
    return render_template(
        "manager/delivery.html", found=found, pictures=_pictures(found), channels=CHANNELS, words=words(),
        minutes=minutes, short=short,
    )  # fmt: skip


@blueprint.get("/skipped")
@allow("manager")
def skipped() -> str:
    """Who wasn't asked for one reason."""
    reason = request.args.get("reason", "")
    found = delivery_page.skipped(ctx(), me(), reason, now())
    return render_template("manager/delivery_skipped.html", found=found, reason=reason)


@blueprint.route("/messages/<message_id>", methods=["GET", "POST"])
@allow("manager")
def message(message_id: str) -> Response | str | tuple[str, int]:
    """A message of which nobody knows whether it went out: how to find out, and saying so."""
    if request.method == "GET":
        return _message(message_id, {})
    verdict = request.form.get("verdict", "")
    try:
        delivery_page.settle(ctx(), me(), message_id, verdict, now())
    except Refused:
        return _message(message_id, {"verdict": "Choose what you found."}), 422
    flash("Noted: it went out." if verdict == "sent" else "It is sent again, if it is still wanted.")
    return redirect(url_for("delivery.show"), code=303)


def minutes(count: int | None) -> str:
    """A wait in words: "12 min", "3 h", "2 days"."""
    if count is None:
        return "—"
    if count < 100:
        return f"{count} min"
    return f"{round(count / 60)} h" if count < 48 * 60 else f"{round(count / 1440)} days"


def short(day: date) -> str:
    """A day as "7 Sep"."""
    return f"{day.day} {day:%b}"


def _message(message_id: str, wrong: dict[str, str]) -> str:
    found, whom = delivery_page.stuck(ctx(), me(), message_id)
    kind = delivery_page.kind_of(found)
    return render_template(
        "manager/delivery_message.html", found=found, whom=whom, kind=wording.MESSAGES.get(kind, "a notice"),
        wrong=wrong, words=words(), channels=CHANNELS,
    )  # fmt: skip


def _pictures(found: Delivery) -> list[Picture]:
    hours = {int(rate.name): rate for rate in found.hours}
    shown = range(min([*hours, *HOURS_SHOWN]), max([*hours, *HOURS_SHOWN]) + 1)
    rates = [(f"{hour}", hours.get(hour, Rate("", 0, 0, None))) for hour in shown]
    stops = [(short(week), float(stopped)) for week, stopped, _ in found.stops]
    return [
        bars.shares("rate", "Answered, by the hour they were asked", _best(found.hours),
                    [(name, rate.share if rate.asked else None) for name, rate in rates]),
        bars.counts("wait", "Hours until they answered, by the hour they were asked", "Median hours; see the table.",
                    [(name, (rate.minutes or 0) / 60) for name, rate in rates]),
        bars.counts("stops", "Opted out, by week", f"{sum(n for _, n, _ in found.stops)} in twelve weeks.", stops),
    ]  # fmt: skip


def _best(rates: list[Rate]) -> str:
    known = [rate for rate in rates if rate.asked >= 10]
    if not known:
        return "Too few yet to compare hours."
    best = max(known, key=lambda rate: rate.share)
    return f"Most often answered when asked at {int(best.name)} o'clock: {best.share:.0%} of {best.asked}."
