"""Clients: the list, one client's record, adding and changing them, and the page of their own that each step has which
takes something back: it says first what happens."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bot.flows import client_record, people_page
from bot.flows.client_record import Record
from bot.flows.managing import Refused
from bot.flows.people_page import AT_ONCE, Asked
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.manager import wording
from surveys.page_wording import PageWords, page_words

blueprint = Blueprint("clients", __name__, url_prefix="/people")


@blueprint.get("")
@allow("manager")
def everyone() -> str:
    """The list, searched and filtered by what stands in the address."""
    args = request.args
    page = args.get("page", "1")
    asked = Asked(
        text=args.get("q", "")[:100],
        only=args.get("only", "all"),
        therapist_id=args.get("therapist", ""),
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
    )
    found = people_page.people(ctx(), me(), asked, now())
    return render_template("manager/people.html", found=found, at_once=AT_ONCE, words=words(), wording=wording)


@blueprint.route("/clients/new", methods=["GET", "POST"])
@allow("manager")
def new() -> Response | str | tuple[str, int]:
    """Add a client."""
    practice = me().practice
    first = {"language": practice.language, "timezone": practice.timezone, "channel": "sms"}
    if request.method == "GET":
        return _form(None, first, {})
    typed = request.form.to_dict()
    try:
        client_id = client_record.add(ctx(), me(), typed, now())
    except Refused as refused:
        return _form(None, typed, refused.problems), 422
    flash(f"{typed['client_ref'].strip()} is added.")
    return to_record(client_id)


@blueprint.get("/clients/<client_id>")
@allow("manager")
def record(client_id: str) -> Response | str:
    """One client."""
    found = client_record.record(ctx(), me(), client_id, now())
    if found.client.merged_into:
        return to_record(found.client.merged_into)
    stands, until = people_page.stands(found.client, now()), people_page.paused_until(found.client, now())
    return render_template(
        "manager/client.html", found=found, client=found.client, stands=stands, until=until, words=words(),
        wording=wording, consequences=consequences(found),
    )  # fmt: skip


@blueprint.route("/clients/<client_id>/edit", methods=["GET", "POST"])
@allow("manager")
def edit(client_id: str) -> Response | str | tuple[str, int]:
    """Change a client's data."""
    found = client_record.record(ctx(), me(), client_id, now())
    if request.method == "GET":
        return _form(found, client_record.as_typed(found.client, me().practice.timezone), {})
    typed = request.form.to_dict()
    try:
        changed = client_record.change(ctx(), me(), client_id, typed, now())
    except Refused as refused:
        return _form(found, {**typed, "client_ref": found.client.client_ref}, refused.problems), 422
    flash("Saved." if changed else "Nothing was different.")
    return to_record(client_id)


def words() -> PageWords:
    """Dates as the practice reads them."""
    practice = me().practice
    return page_words("en", practice.timezone)


def to_record(client_id: str) -> Response:
    """Back to a client's page, after something was done."""
    return redirect(url_for("clients.record", client_id=client_id), code=303)


def consequences(found: Record) -> list[str]:
    """What is taken back when this client is asked nothing more, in words."""
    hanging, said = found.hanging, []
    if count := len(hanging.planned):
        due = words().moment(min(hanging.planned))
        many = f"{count} planned check-ins are taken back, the next of them due" if count > 1 else (
            "One planned check-in is taken back, due")  # fmt: skip
        said.append(f"{many} {due}.")
    if hanging.waiting:
        said.append("A message that waits to be sent is not sent." if hanging.waiting == 1 else
                    f"{hanging.waiting} messages that wait to be sent are not sent.")  # fmt: skip
    return said or ["Nothing is planned or waiting now, so nothing is taken back."]


def _form(found: Record | None, typed: dict[str, str], wrong: dict[str, str]) -> str:
    therapists = [("", "Choose"), *((each.id, each.name) for each in client_record.therapists(ctx(), me()))]
    return render_template(
        "manager/client_form.html", found=found, typed=typed, wrong=wrong, wording=wording,
        therapist_choices=therapists,
    )  # fmt: skip
