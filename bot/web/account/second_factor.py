"""The second step: a code from an app, a recovery code, or a passkey."""

import segno
from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.flows import accounts_second as second
from bot.flows.accounts_second import BadCode
from bot.web.account.entering import browser, carry, enter, wanted
from bot.web.account.limits import limiter, person
from bot.web.guard import first_step, me, own_account
from bot.web.here import ctx, now

blueprint = Blueprint("second_factor", __name__, url_prefix="/account/second-factor")


@blueprint.get("")
@first_step
def show() -> Response | str:
    """Being asked for it, or setting it up."""
    if me().half_way:
        return render_template("account/second_step.html")
    return _setting_up()


@blueprint.post("")
@first_step
@limiter.limit("20 per day", key_func=person)
@limiter.limit("6 per 15 minutes", key_func=person)
def take() -> Response | tuple[str, int]:
    """The second step is taken, with a code."""
    if not me().half_way:
        return redirect("/", code=303)
    try:
        done = second.take(ctx(), me(), request.form.get("code", ""), browser(), now())
    except BadCode as error:
        return render_template("account/second_step.html", wrong=str(error)), 422
    return enter(done.secret)


@blueprint.post("/app")
@own_account
@limiter.limit("20 per 15 minutes", key_func=person)
def set_up() -> Response | str | tuple[str, int]:
    """An app is set up, once its first code proves that it has the secret."""
    form = request.form
    try:
        done = second.set_up(ctx(), me(), form.get("sealed", ""), form.get("code", ""), browser(), now())
    except BadCode as error:
        return _setting_up(wrong=str(error), sealed=form.get("sealed", "")), 422
    if done.secret:
        carry(done.secret)
    if done.codes:
        return render_template("account/codes.html", codes=done.codes, onward=wanted())
    flash("Your app is set up. From now on you are asked for its code.")
    return redirect("/account", code=303)


@blueprint.post("/codes")
@own_account
@limiter.limit("10 per hour", key_func=person)
def codes() -> Response | str:
    """New recovery codes, shown this once."""
    try:
        made = second.new_codes(ctx(), me(), now())
    except BadCode as error:
        flash(str(error), "bad")
        return redirect("/account", code=303)
    return render_template("account/codes.html", codes=made, onward="/account")


def _setting_up(wrong: str = "", sealed: str = "") -> str:
    try:
        offer = second.offer(ctx(), me(), sealed)
    except BadCode:
        offer = second.offer(ctx(), me())
    picture = segno.make(offer.uri, error="m").svg_data_uri(scale=4, light="#ffffff", border=4)
    typed = " ".join(offer.secret[at : at + 4] for at in range(0, len(offer.secret), 4))
    return render_template("account/second_setup.html", offer=offer, picture=picture, typed=typed, wrong=wrong)
