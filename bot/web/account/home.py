"""The front door: everyone to the page their work begins with."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from bot.flows import accounts_page
from bot.web.guard import open_to_all, signed_in
from bot.web.here import ctx

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@open_to_all
def show() -> Response:
    """To the first page of one's role, or to the sign-in page."""
    me = signed_in()
    return redirect(accounts_page.first_page(ctx(), me) if me else "/sign-in", code=303)
