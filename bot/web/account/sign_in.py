"""The way in and out."""

from flask import Blueprint, redirect, render_template, session
from werkzeug.wrappers import Response

from bot.flows import access
from bot.web.guard import SECRET, me, open_to_all, own_account
from bot.web.here import ctx, now

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@open_to_all
def show() -> str:
    """Where everyone starts."""
    return render_template("message.html", heading="Sign in", text="Open the link you were given.")


@blueprint.post("/sign-out")
@own_account
def out() -> Response:
    """End this browser's session."""
    access.sign_out(ctx(), me(), now())
    session.pop(SECRET, None)
    return redirect("/sign-in", code=303)
