"""Confirming a new mail address from a link that was mailed there."""

from flask import Blueprint, flash, redirect, render_template
from werkzeug.wrappers import Response

from bot.flows import new_address
from bot.web.account.limits import limiter, network
from bot.web.guard import open_to_all
from bot.web.here import ctx, now

blueprint = Blueprint("new_address", __name__, url_prefix="/new-address")


@blueprint.get("/<token>")
@open_to_all
def offer(token: str) -> tuple[str, int]:
    """Whose address becomes which, and a button: mail scanners follow links, but press nothing."""
    asked = new_address.opened(ctx(), token, now())
    return render_template("account/new_address.html", asked=asked, token=token), 200 if asked else 410


@blueprint.post("/<token>")
@open_to_all
@limiter.limit("60 per 15 minutes", key_func=network)
def confirm(token: str) -> Response | tuple[str, int]:
    """It is theirs: they sign in by it from now on."""
    if not new_address.confirm(ctx(), token, now()):
        return render_template("account/new_address.html", asked=None, token=token), 410
    flash("Your new address is confirmed. Sign in with it from now on.")
    return redirect("/sign-in", code=303)
