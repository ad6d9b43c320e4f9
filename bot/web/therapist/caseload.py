"""The caseload: who needs attention first, and why."""

from flask import Blueprint, render_template, request

from bot.flows import caseload
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.therapist.spark import spark
from surveys.page_wording import page_words

blueprint = Blueprint("caseload", __name__)


@blueprint.get("/caseload")
@allow("therapist")
def show() -> str:
    """The therapist's own clients, those who need attention first."""
    return _page("")


@blueprint.post("/caseload")
@allow("therapist")
def find() -> str:
    """Those of a name. A post, since an address with a client's name in it ends up in histories and logs."""
    return _page(request.form.get("q", "").strip())


def _page(search: str) -> str:
    found = caseload.lines(ctx(), me(), now(), search)
    labels = feeling_labels()
    return render_template(
        "therapist/caseload.html",
        first=[line for line in found if not line.reason.calm],
        others=[line for line in found if line.reason.calm],
        sparks={line.client.id: spark(line, labels) for line in found},
        search=search,
        labels=labels,
        words=page_words("en", me().practice.timezone),
        now=now(),
    )


def feeling_labels() -> dict[str, str]:
    """What each feeling is called on these pages, which are in English."""
    return {feeling: question.labels["en"] for feeling, question in ctx().instruments.questions.items()}
