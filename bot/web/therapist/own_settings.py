"""A therapist's own settings: sensitivity, quiet times, cover, digest."""

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.flows import own_settings
from bot.flows.own_settings import BadOwnSetting
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from surveys.page_wording import page_words

blueprint = Blueprint("own_settings", __name__)


@blueprint.get("/settings")
@allow("therapist")
def show() -> str:
    """The settings as they are."""
    return _page()


@blueprint.post("/settings")
@allow("therapist")
def save() -> Response | tuple[str, int]:
    """Keep them all, or say what is wrong with which."""
    try:
        changed = own_settings.save(ctx(), me(), request.form, now())
    except BadOwnSetting as error:
        return _page(error.problems), 422
    flash("Your settings are kept." if changed else "Nothing was changed.")
    return redirect("settings", code=303)


def _page(problems: dict[str, str] | None = None) -> str:
    found = own_settings.show(ctx(), me())
    return render_template(
        "therapist/settings.html",
        found=found,
        fields={**found.fields, **({name: request.form.get(name, "") for name in found.fields} if problems else {})},
        problems=problems or {},
        words=page_words("en", me().practice.timezone),
    )
