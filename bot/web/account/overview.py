"""One's own account at a glance."""

from flask import Blueprint, render_template

from bot.web.guard import own_account

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
@own_account
def show() -> str:
    """How one signs in, and where one is signed in."""
    return render_template("account/overview.html")
