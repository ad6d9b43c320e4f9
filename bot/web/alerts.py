"""The page behind the link of an alert's mail: what changed, the trend, what often helps, "I'll take it on"."""

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bot.flows import alerting, viewing
from bot.flows.links import AlertLink, read_alert_link
from bot.web import trend
from bot.web.here import ctx, now

blueprint = Blueprint("alerts", __name__, url_prefix="/a")
LONGEST_NOTE = 2_000


@blueprint.get("/<token>")
def show(token: str) -> Response:
    """The alert, for the one person whose link it is, while the link lives."""
    link = _link(token)
    if link.expired(now()):
        return _page("expired.html", 410, token=token, sent=False)
    view = viewing.alert_view(ctx(), link, now())
    if view is None:
        abort(404)
    charts = [trend.draw(view, feeling, ctx().instruments) for feeling in view.feelings]
    return _page("alert.html", 200, view=view, charts=charts, token=token)


@blueprint.post("/<token>")
def acknowledge(token: str) -> AnyResponse:
    """The person takes it on, with a note if they like."""
    link = _link(token)
    if link.expired(now()):
        return _page("expired.html", 410, token=token, sent=False)
    note = request.form.get("note", "").strip()[:LONGEST_NOTE]
    alerting.acknowledge(ctx(), link, note, now())
    return redirect(f"{ctx().config.public_url}/a/{token}", code=303)


@blueprint.post("/<token>/again")
def again(token: str) -> Response:
    """A fresh link, mailed to the same person; whoever holds an old link learns nothing by it."""
    alerting.send_again(ctx(), _link(token), now())
    return _page("expired.html", 200, token=token, sent=True)


def _link(token: str) -> AlertLink:
    link = read_alert_link(ctx().config, token)
    if link is None:
        abort(404)
    return link


def _page(template: str, code: int, **values: object) -> Response:
    response = Response(render_template(template, **values), status=code)
    response.headers["X-Robots-Tag"] = "noindex"
    return response
