"""How often alerts were useful, practice-wide, and how often they are false or missed."""

from flask import Blueprint, render_template

from bot.flows import insight
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from surveys import notes
from surveys.page_wording import page_words

blueprint = Blueprint("insight", __name__)


@blueprint.get("/insight")
@allow("manager", "therapist", "supervisor")
def show() -> str:
    """The practice's figures, where they say nothing about one person."""
    return render_template(
        "therapist/insight.html",
        found=insight.insight(ctx(), me(), now()),
        rule=notes,
        words=page_words("en", me().practice.timezone),
    )
