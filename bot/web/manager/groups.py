"""Rapport over time for groups large enough that nobody can be told apart."""

from datetime import date

from flask import Blueprint, render_template, request

from bot.flows import groups
from bot.flows.groups import Groups
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.manager import lines
from bot.web.manager.lines import Line

blueprint = Blueprint("groups", __name__, url_prefix="/groups")
NAMES = {
    "all": "Everyone",
    "language=en": "In English",
    "language=es": "In Spanish",
    "language=fr": "In French",
    "channel=sms": "By text message",
    "channel=mail": "By e-mail",
}


@blueprint.get("")
@allow("manager")
def show() -> str:
    """One group, month by month."""
    found = groups.show(ctx(), me(), request.args.get("group", "all"), now())
    labels = {feeling: ctx().instruments.questions[feeling].labels["en"].capitalize() for feeling in found.feelings}
    return render_template(
        "manager/groups.html",
        found=found,
        names=NAMES,
        labels=labels,
        pictures=[_picture(found, feeling, labels[feeling]) for feeling in found.feelings],
        month=month,
        choices=ctx().instruments.choices["en"],
    )


def month(name: str) -> str:
    """A month as "September 2026"."""
    return f"{date.fromisoformat(f'{name}-01'):%B %Y}"


def _picture(found: Groups, feeling: str, label: str) -> Line:
    means = []
    for name in found.months:
        cell = found.cells.get((feeling, name))
        means.append((f"{date.fromisoformat(f'{name}-01'):%b}", cell.shown.mean if cell and cell.shown else None))
    known = [mean for _, mean in means if mean is not None]
    summary = f"From {known[0]:.1f} to {known[-1]:.1f} over {len(known)} months shown." if known else "No month shown."
    return lines.draw(feeling, label, summary, means)
