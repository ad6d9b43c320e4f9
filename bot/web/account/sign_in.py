"""The way in and out: a mailed link, a link that was handed over, a password. Passkeys have a file of their own."""

from flask import Blueprint, redirect, render_template, request, session
from werkzeug.wrappers import Response

from bot.flows import access, accounts
from bot.web.account.entering import browser, enter, remember
from bot.web.account.limits import account, limiter, network
from bot.web.guard import first_step, me, open_to_all, signed_in
from bot.web.here import ctx, now

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@open_to_all
def show() -> Response | str:
    """Where everyone starts."""
    if signed_in():
        return redirect("/", code=303)
    remember(request.args.get("back", ""))
    return render_template("account/sign_in.html", mails="mail" in ctx().channels)


@blueprint.post("/sign-in")
@open_to_all
@limiter.limit("60 per hour", key_func=network)
@limiter.limit("5 per hour", key_func=account)
def ask() -> str:
    """Mail a link to whoever's address that is. The answer is the same whosever it is, or nobody's."""
    accounts.ask_for_link(ctx(), request.form.get("email", ""), now())
    return render_template("account/asked.html", email=request.form.get("email", "").strip())


@blueprint.get("/sign-in/<token>")
@open_to_all
def offer(token: str) -> tuple[str, int]:
    """A page with one button: mail scanners follow links, but press nothing."""
    found = accounts.opened(ctx(), token, now())
    if found is None:
        return render_template("account/spent.html"), 410
    return render_template("account/offer.html", found=found, token=token), 200


@blueprint.post("/sign-in/<token>")
@open_to_all
@limiter.limit("60 per 15 minutes", key_func=network)
def follow(token: str) -> Response | tuple[str, int]:
    """The button was pressed: the link is used up, and the browser is signed in."""
    secret = accounts.follow(ctx(), token, browser(), now())
    return enter(secret) if secret else (render_template("account/spent.html"), 410)


@blueprint.post("/sign-out")
@first_step
def out() -> Response:
    """End this browser's session."""
    access.sign_out(ctx(), me(), now())
    session.clear()
    return redirect("/sign-in", code=303)
