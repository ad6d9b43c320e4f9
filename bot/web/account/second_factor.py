"""The second factor: a code from an app, or a passkey."""

from flask import Blueprint, render_template

from bot.web.guard import own_account

blueprint = Blueprint("second_factor", __name__, url_prefix="/account/second-factor")


@blueprint.get("")
@own_account
def show() -> str:
    """Setting it up, or being asked for it."""
    return render_template("message.html", heading="Second step", text="")
