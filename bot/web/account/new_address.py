"""Confirming a new mail address from a link that was mailed there."""

from flask import Blueprint, flash, redirect, render_template
from werkzeug.wrappers import Response

from bot.flows import new_address
from bot.web.account.limits import limiter, network
from bot.web.guard import open_to_all, signed_in
from bot.web.here import ctx, now

blueprint = Blueprint("new_address", __name__, url_prefix="/new-address")


@blueprint.get("/<token>")
@open_to_all
def offer(token: str) -> tuple[str, int]:
    """Whose address becomes which, and a button: mail scanners follow links, but press nothing."""
    return _page(token)


@blueprint.post("/<token>")
@open_to_all
@limiter.limit("60 per 15 minutes", key_func=network)
def confirm(token: str) -> Response | tuple[str, int]:
    """It is theirs: they sign in by it from now on."""
    if not new_address.confirm(ctx(), token, signed_in(), now()):
        return _page(token, refused=True)
    flash("Your new address is confirmed. Sign in with it from now on.")
    return redirect("/sign-in", code=303)


def _page(token: str, refused: bool = False) -> tuple[str, int]:
    """The button; what somebody does first who alone may press it; or word that the link is used up."""
    asked = new_address.opened(ctx(), token, now())
    may = asked is not None and asked.may(signed_in())
    page = render_template("account/new_address.html", asked=asked, may=may, token=token)
    return page, 410 if asked is None else 403 if refused else 200
