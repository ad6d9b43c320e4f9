"""Stopping with one click, RFC 8058: a mail program posts for its owner; a person who follows the link presses a
button. Looking stops nothing, nor does a scanner that sends the form without pressing the button."""

from flask import Blueprint, Response, abort, request

from bot.flows import one_tap
from bot.web.client.pages import page
from bot.web.guard import open_to_all
from bot.web.here import ctx, now

blueprint = Blueprint("stopping", __name__, url_prefix="/c/stop")


@blueprint.get("/<token>")
@open_to_all
def show(token: str) -> Response:
    """A button."""
    form = one_tap.stop_form(ctx(), token)
    if form is None:
        abort(404)
    return page("client/stop.html", 200, form)


@blueprint.post("/<token>")
@open_to_all
def stop(token: str) -> Response:
    """No more is sent, from the moment this is answered."""
    if request.form.get("List-Unsubscribe") != "One-Click" and "sure" not in request.form:
        return show(token)
    form = one_tap.stop(ctx(), token, now())
    if form is None:
        abort(404)
    return page("client/stopped.html", 200, form)
