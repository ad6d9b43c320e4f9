"""Signing in by a password, and setting one."""

from flask import Blueprint, flash, redirect, render_template, request, session
from werkzeug.wrappers import Response

from bot.flows import accounts_passwords as passwords
from bot.flows.accounts_passwords import BadPassword
from bot.web.account.entering import browser, enter
from bot.web.account.limits import account, limiter, network
from bot.web.guard import me, open_to_all, own_account
from bot.web.here import ctx, now

blueprint = Blueprint("passwords", __name__)
CHOICE, CHOICE_LIFE = "choice", 300  # seconds in which to say for which practice
WRONG = "Address or password isn't right."


@blueprint.post("/sign-in/password")
@open_to_all
@limiter.limit("60 per 15 minutes", key_func=network)
@limiter.limit("40 per day", key_func=account)
@limiter.limit("10 per 15 minutes", key_func=account)
def sign_in() -> Response | str | tuple[str, int]:
    """The first of two steps. Who has the same password in several practices says for which one they come."""
    username = request.form.get("username", "")
    found = passwords.places(ctx(), username, request.form.get("password", ""))
    if not found:
        mails = "mail" in ctx().channels
        page = render_template("account/sign_in.html", wrong=WRONG, username=username.strip(), mails=mails)
        return page, 422
    if len(found) > 1:
        session[CHOICE] = [int(now().timestamp()), [[p.practice.id, p.person.id] for p in found]]
        return render_template("account/which.html", places=found)
    return _enter(found[0].practice.id, found[0].person.id)


@blueprint.post("/sign-in/practice")
@open_to_all
@limiter.limit("60 per 15 minutes", key_func=network)
def choose() -> Response:
    """For which practice they come, among those where the password was right a moment ago."""
    at, offered = session.pop(CHOICE, [0, []])
    wanted = request.form.get("practice", "")
    who = next((person for practice, person in offered if practice == wanted), None)
    if who is None or not 0 <= now().timestamp() - at <= CHOICE_LIFE:
        return redirect("/sign-in", code=303)
    return _enter(wanted, who)


@blueprint.get("/account/password")
@own_account
def show() -> Response | str:
    """Setting or changing one's password."""
    if not me().strong:
        flash("Before you set a password, set up a second step.", "bad")
        return redirect("/account/second-factor", code=303)
    return render_template("account/password.html")


@blueprint.post("/account/password")
@own_account
def save() -> Response | tuple[str, int]:
    """The new password is kept, and every other session ends."""
    password, again = request.form.get("password", ""), request.form.get("again", "")
    try:
        if password != again:
            raise BadPassword("The two aren't the same.")
        passwords.set_password(ctx(), me(), password, now())
    except BadPassword as error:
        return render_template("account/password.html", wrong=str(error)), 422
    flash("Your password is set. You were signed out everywhere else.")
    return redirect("/account", code=303)


def _enter(practice_id: str, person_id: str) -> Response:
    secret = passwords.sign_in(ctx(), practice_id, person_id, browser(), now())
    return enter(secret) if secret else redirect("/sign-in", code=303)
