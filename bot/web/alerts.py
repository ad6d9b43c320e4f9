"""The page behind the link of an alert's mail: what changed, the trend, what often helps, "I'll take it on"."""

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bot.flows import alerting, standing, viewing
from bot.flows.links import AlertLink, read_alert_link
from bot.flows.settings import BadSetting
from bot.flows.viewing import AlertView
from bot.web import trend
from bot.web.guard import open_to_all
from bot.web.here import ctx, now
from surveys.page_wording import PageWords, page_words

blueprint = Blueprint("alerts", __name__, url_prefix="/a")
LONGEST_NOTE = 2_000


@blueprint.get("/<token>")
@open_to_all
def show(token: str) -> Response:
    """The alert, for the one person whose link it is, while the link lives. A HEAD leaves no trace."""
    link = _link(token)
    if link.expired(now()):
        return _expired(link, token, 410)
    view = viewing.alert_view(ctx(), link, now(), record=request.method == "GET")
    if view is None:
        abort(404)
    return _page(view, token)


@blueprint.post("/<token>")
@open_to_all
def acknowledge(token: str) -> AnyResponse:
    """The person takes it on, with a note if they like. Words that came too late are shown back, not lost."""
    link = _link(token)
    if link.expired(now()):
        return _expired(link, token, 410)
    note = "\n".join(request.form.get("note", "").strip().splitlines())[:LONGEST_NOTE]
    done = alerting.acknowledge(ctx(), link, note, now())
    view = viewing.alert_view(ctx(), link, now(), record=False)
    if view is None:
        abort(404)
    if not done and note and not view.taken_by_me:
        return _page(view, token, 409, too_late=note)
    return redirect(token, code=303)  # relative: the page may be open under another name than PUBLIC_URL


@blueprint.post("/<token>/resume")
@open_to_all
def resume(token: str) -> AnyResponse:
    """A clinician lets check-ins go on after danger."""
    link = _link(token)
    if link.expired(now()):
        return _expired(link, token, 410)
    view = viewing.alert_view(ctx(), link, now(), record=False)
    if view is None:
        abort(404)
    if view.paused:
        try:
            standing.resume(ctx(), view.practice, view.client_ref, link.person_id, now())
        except BadSetting:  # stopped or discharged meanwhile: the page no longer offers it
            abort(409)
    return redirect(f"../{token}", code=303)


@blueprint.post("/<token>/again")
@open_to_all
def again(token: str) -> Response:
    """A fresh link, mailed to the same person; whoever holds an old link learns nothing by it."""
    link = _link(token)
    if not alerting.send_again(ctx(), link, now()):
        abort(404)
    return _expired(link, token, 200, sent=True)


def _link(token: str) -> AlertLink:
    link = read_alert_link(ctx().config, token)
    if link is None:
        abort(404)
    return link


def _page(view: AlertView, token: str, code: int = 200, too_late: str = "") -> Response:
    words = page_words(view.practice.language, view.practice.timezone)
    charts, told = [], []
    if view.trend:
        charts = trend.draw(view.trend, ctx().instruments, words)
        told = trend.tell(view.trend, ctx().instruments, words)
    choices = ctx().instruments.choices[words.language]
    return _render(
        "alert.html", code, words, view=view, token=token, too_late=too_late, charts=charts, told=told, choices=choices
    )


def _expired(link: AlertLink, token: str, code: int, sent: bool = False) -> Response:
    practice = viewing.practice_of(ctx(), link)
    if practice is None:
        abort(404)
    words = page_words(practice.language, practice.timezone)
    return _render("expired.html", code, words, practice=practice, token=token, sent=sent)


def _render(template: str, code: int, words: PageWords, **values: object) -> Response:
    page = render_template(template, words=words, language=words.language, **values)
    response = Response(page, status=code)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
