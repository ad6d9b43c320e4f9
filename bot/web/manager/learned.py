"""What the signal has learned from the practice: seen before it takes effect, and declined if unwanted."""

from flask import Blueprint, flash, redirect, render_template
from werkzeug.wrappers import Response

from bot.flows import learning
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from surveys.page_wording import page_words

blueprint = Blueprint("learned", __name__, url_prefix="/learned")


@blueprint.get("")
@allow("manager")
def show() -> str:
    """Every attempt, newest first, in words."""
    return render_template(
        "manager/learned.html", found=learning.attempts(ctx(), me()), words=page_words("en", me().practice.timezone)
    )


@blueprint.get("/<model_id>/decline")
@allow("manager")
def sure(model_id: str) -> str:
    """What declining it would mean."""
    return render_template("manager/decline_model.html", model=learning.attempt(ctx(), me(), model_id))


@blueprint.post("/<model_id>/decline")
@allow("manager")
def decline(model_id: str) -> Response:
    """Things stay, or are again, as Attune came."""
    done = learning.decline(ctx(), me(), model_id, now())
    flash("Declined. Attune's own picture of what is usual is used." if done else "It had ended before.", "good")
    return redirect("/learned", code=303)
