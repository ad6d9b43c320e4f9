"""Steps that take something back or reach someone: each on a page that says what happens, and a button."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bot.flows import client_export, client_record, erasing, merging
from bot.flows.access import NotHere
from bot.flows.client_export import File
from bot.flows.managing import Refused
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.manager import wording
from bot.web.manager.clients import consequences, to_record, words

blueprint = Blueprint("client_steps", __name__)
STATES = ("active", "on_hold", "discharged", "died")
DONE = {
    "active": "They are in care: check-ins are planned again.",
    "on_hold": "They are on hold and asked nothing.",
    "discharged": "They are discharged and asked nothing more.",
    "died": "It is noted. Nothing more is sent.",
}


@blueprint.route("/people/clients/<client_id>/state/<state>", methods=["GET", "POST"])
@allow("manager")
def state(client_id: str, state: str) -> Response | str:
    """In care, on hold, discharged, died."""
    if state not in STATES:
        raise NotHere
    if request.method == "GET":
        return _page(client_id, state)
    done = client_record.set_state(ctx(), me(), client_id, state, now())
    flash(DONE[state] if done else "It was so before.")
    return to_record(client_id)


@blueprint.route("/people/clients/<client_id>/stop", methods=["GET", "POST"])
@allow("manager")
def stop(client_id: str) -> Response | str:
    """They told the practice that they want no more."""
    if request.method == "GET":
        return _page(client_id, "stop")
    done = client_record.opt_out(ctx(), me(), client_id, now())
    flash("They have opted out: nothing more is sent." if done else "They had opted out before.")
    return to_record(client_id)


@blueprint.route("/people/clients/<client_id>/pause", methods=["GET", "POST"])
@allow("manager")
def pause(client_id: str) -> Response | str | tuple[str, int]:
    """No check-ins until a day, or the end of that."""
    if request.method == "GET":
        return _page(client_id, "pause")
    until = "" if request.form.get("end") else request.form.get("until", "").strip()
    try:
        if not until and not request.form.get("end"):
            raise Refused({"until": "Choose a day."})
        client_record.pause(ctx(), me(), client_id, until, now())
    except Refused as refused:
        return _page(client_id, "pause", refused), 422
    flash("Check-ins are paused." if until else "The pause has ended.")
    return to_record(client_id)


@blueprint.route("/people/clients/<client_id>/move", methods=["GET", "POST"])
@allow("manager")
def move(client_id: str) -> Response | str | tuple[str, int]:
    """To another therapist, who starts fresh."""
    if request.method == "GET":
        return _page(client_id, "move")
    try:
        count = client_record.move(ctx(), me(), client_id, request.form.get("therapist_id", ""), now())
    except Refused as refused:
        return _page(client_id, "move", refused), 422
    moved = {0: "", 1: " One coming appointment moved with them."}
    flash("They have another therapist now." + moved.get(count, f" {count} coming appointments moved with them."))
    return to_record(client_id)


@blueprint.route("/people/clients/<client_id>/merge", methods=["GET", "POST"])
@allow("manager")
def merge(client_id: str) -> Response | str | tuple[str, int]:
    """One client who stands in the roster twice: choose the other row, look at what would happen, do it."""
    if request.method == "POST":
        try:
            merging.merge(ctx(), me(), client_id, request.form.get("merged_id", ""), now())
        except Refused as refused:
            return _page(client_id, "merge", refused), 422
        flash("The two are one client now.")
        return to_record(client_id)
    other = request.args.get("with", "").strip()
    if not other:
        return _page(client_id, "merge")
    try:
        return _page(client_id, "merge", plan=merging.preview(ctx(), me(), client_id, other))
    except Refused as refused:
        return _page(client_id, "merge", refused), 422


@blueprint.route("/people/clients/<client_id>/erase", methods=["GET", "POST"])
@allow("manager")
def erase(client_id: str) -> Response | str | tuple[str, int]:
    """For good: everything that says who they are or what they wrote."""
    if request.method == "GET":
        return _page(client_id, "erase")
    try:
        erasing.erase(ctx(), me(), client_id, request.form.get("ref", ""), now())
    except Refused as refused:
        return _page(client_id, "erase", refused), 422
    flash("They are erased.")
    return redirect(url_for("clients.everyone"), code=303)


@blueprint.route("/people/clients/<client_id>/record", methods=["GET", "POST"])
@allow("manager")
def export(client_id: str) -> Response | str | tuple[str, int]:
    """What is stored about them, without answers and words."""
    if request.method == "GET":
        return _page(client_id, "export")
    try:
        return _handed(client_export.by_manager(ctx(), me(), client_id, request.form.get("reason", ""), now()))
    except Refused as refused:
        return _page(client_id, "export", refused), 422


@blueprint.route("/clients/<client_id>/record", methods=["GET", "POST"])
@allow("therapist")
def export_all(client_id: str) -> Response | str | tuple[str, int]:
    """What is stored about their own client, with answers and words."""
    if request.method == "GET":
        client = client_export.own(ctx(), me(), client_id)
        return render_template("manager/client_export_own.html", client=client, wrong={})
    try:
        return _handed(client_export.by_therapist(ctx(), me(), client_id, request.form.get("reason", ""), now()))
    except Refused as refused:
        client = client_export.own(ctx(), me(), client_id)
        return render_template("manager/client_export_own.html", client=client, wrong=refused.problems), 422


def _page(client_id: str, step: str, refused: Refused | None = None, plan: merging.Merge | None = None) -> str:
    found = client_record.record(ctx(), me(), client_id, now())
    if found.client.merged_into:
        raise NotHere
    return render_template(
        "manager/client_step.html",
        step=step,
        found=found,
        client=found.client,
        plan=plan,
        wrong=refused.problems if refused else {},
        typed=request.values,
        consequences=consequences(found),
        coming=client_record.coming_with(ctx(), me(), client_id, now()) if step == "move" else 0,
        therapists=client_record.therapists(ctx(), me()) if step == "move" else [],
        words=words(),
        wording=wording,
    )


def _handed(file: File) -> Response:
    response = Response(file.text, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response
