"""One's own account at a glance."""

from flask import Blueprint, flash, redirect, render_template
from werkzeug.wrappers import Response

from bot.flows import accounts_page
from bot.web.guard import me, own_account
from bot.web.here import ctx, now
from surveys.page_wording import page_words

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
@own_account
def show() -> str:
    """How one signs in, and where one is signed in."""
    found = accounts_page.overview(ctx(), me(), now())
    words = page_words("en", me().practice.timezone)
    return render_template("account/overview.html", found=found, words=words, now=now())


@blueprint.post("/sessions/<sign_in_id>/end")
@own_account
def end(sign_in_id: str) -> Response:
    """One browser is signed out."""
    accounts_page.end_session(ctx(), me(), sign_in_id, now())
    flash("That browser is signed out.")
    return redirect("/account", code=303)


@blueprint.post("/sessions/end-others")
@own_account
def end_others() -> Response:
    """Every other browser is signed out."""
    ended = accounts_page.end_others(ctx(), me(), now())
    flash("Every other browser is signed out." if ended else "You weren't signed in anywhere else.")
    return redirect("/account", code=303)
