"""Therapists and other people of the practice, and its API tokens."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bot.flows import accounts, colleagues, new_address
from bot.flows.accounts import InviteResult
from bot.flows.managing import Refused
from bot.flows.settings import BadSetting
from bot.web.guard import allow, me
from bot.web.here import ctx, now
from bot.web.manager import wording
from bot.web.manager.clients import words

blueprint = Blueprint("staff", __name__, url_prefix="/people")
ROLES = [
    ("therapist", "Therapist", "sees what their own clients answered, and gets the notes about them"),
    ("supervisor", "Supervisor", "learns that a note has waited for days, not what it says"),
    ("manager", "Manager", "sets things up and looks after people; sees no answers"),
]


@blueprint.route("/staff", methods=["GET", "POST"])
@allow("manager")
def everyone() -> Response | str | tuple[str, int]:
    """The list, and inviting somebody."""
    if request.method == "GET":
        return _list({}, {})
    typed = request.form.to_dict()
    try:
        done = colleagues.invite(ctx(), me(), typed, now())
    except Refused as refused:
        return _list(typed, refused.problems), 422
    return _invited(done)


@blueprint.route("/staff/<person_id>", methods=["GET", "POST"])
@allow("manager")
def one(person_id: str) -> Response | str | tuple[str, int]:
    """One person: name and number."""
    if request.method == "GET":
        return _one(person_id, {}, {})
    typed = request.form.to_dict()
    try:
        colleagues.change(ctx(), me(), person_id, typed, now())
    except Refused as refused:
        return _one(person_id, typed, refused.problems), 422
    flash("Saved.")
    return _to(person_id)


@blueprint.post("/staff/<person_id>/address")
@allow("manager")
def address(person_id: str) -> Response | tuple[str, int]:
    """Another mail address, which its owner confirms; or taking that back."""
    if "withdraw" in request.form:
        done = new_address.withdraw(ctx(), me(), person_id, now())
        flash("Nothing changes: the link that was mailed works no more." if done else "None was waiting any more.")
        return _to(person_id)
    typed = request.form.to_dict()
    try:
        new_address.ask(ctx(), me(), person_id, typed.get("email", ""), now())
    except Refused as refused:
        return _one(person_id, {"email": typed.get("email", "")}, refused.problems), 422
    flash("A link is on its way to the new address. It changes once they have confirmed it there.")
    return _to(person_id)


@blueprint.post("/staff/<person_id>/roles")
@allow("manager")
def roles(person_id: str) -> Response | tuple[str, int]:
    """What they do."""
    try:
        changed = colleagues.set_roles(ctx(), me(), person_id, set(request.form.getlist("role")), now())
    except Refused as refused:
        return _one(person_id, {}, refused.problems), 422
    flash("Saved. They sign in anew." if changed else "Nothing was different.")
    return _to(person_id)


@blueprint.post("/staff/<person_id>/invite")
@allow("manager")
def again(person_id: str) -> Response | str | tuple[str, int]:
    """A fresh invitation."""
    try:
        return _invited(colleagues.invite_again(ctx(), me(), person_id, now()))
    except Refused as refused:
        return _one(person_id, {}, refused.problems), 422


@blueprint.route("/staff/<person_id>/leave", methods=["GET", "POST"])
@allow("manager")
def leave(person_id: str) -> Response | str | tuple[str, int]:
    """They have left, or are back: what happens, and a button."""
    found = colleagues.one(ctx(), me(), person_id)
    if request.method == "GET":
        return render_template("manager/staff_leave.html", found=found, wrong={})
    try:
        colleagues.set_active(ctx(), me(), person_id, not found.person.active, now())
    except Refused as refused:
        return render_template("manager/staff_leave.html", found=found, wrong=refused.problems), 422
    flash("They are noted as having left." if found.person.active else "They are back.")
    return _to(person_id)


@blueprint.route("/staff/<person_id>/lost-phone", methods=["GET", "POST"])
@allow("manager")
def lost_phone(person_id: str) -> Response | str:
    """They lost phone and codes: what beginning again means, and a button."""
    if request.method == "GET":
        return render_template("manager/staff_lost_phone.html", found=colleagues.one(ctx(), me(), person_id))
    try:
        accounts.forget_second_factor(ctx(), me(), person_id, now())
    except BadSetting as refused:
        flash(str(refused), "bad")
        return _to(person_id)
    flash("They begin again from a mailed link.")
    return _to(person_id)


@blueprint.route("/tokens", methods=["GET", "POST"])
@allow("manager")
def tokens() -> str | tuple[str, int]:
    """API tokens. A new one is shown once, on the page that made it."""
    made, wrong = "", {}
    if request.method == "POST":
        try:
            made = colleagues.new_token(ctx(), me(), request.form.get("name", ""), now())
        except Refused as refused:
            wrong = refused.problems
    found = colleagues.tokens(ctx(), me())
    page = render_template("manager/staff_tokens.html", tokens=found, made=made, wrong=wrong, words=words())
    return (page, 422) if wrong else page


@blueprint.post("/tokens/<token_id>/revoke")
@allow("manager")
def revoke(token_id: str) -> Response:
    """A token opens nothing more."""
    colleagues.revoke(ctx(), me(), token_id, now())
    flash("The token opens nothing more.")
    return redirect(url_for("staff.tokens"), code=303)


def _to(person_id: str) -> Response:
    return redirect(url_for("staff.one", person_id=person_id), code=303)


def _invited(done: InviteResult) -> Response | str:
    """Mailed; or, where no mail can be sent, the link to hand on, shown once."""
    if not done.mailed:
        return render_template("manager/staff_link.html", done=done)
    flash(f"An invitation is on its way to {done.email}. It works once, within seven days.")
    return _to(done.person_id)


def _list(typed: dict[str, str], wrong: dict[str, str]) -> str:
    found = colleagues.everyone(ctx(), me())
    return render_template("manager/staff.html", found=found, typed=typed, wrong=wrong, wording=wording, roles=ROLES)


def _one(person_id: str, typed: dict[str, str], wrong: dict[str, str]) -> str:
    found = colleagues.one(ctx(), me(), person_id)
    shown = {"name": found.person.name, "phone": found.person.phone} | typed
    return render_template(
        "manager/staff_one.html", found=found, typed=shown, wrong=wrong, wording=wording, roles=ROLES,
        waiting=new_address.waiting(ctx(), me(), person_id, now()),
    )  # fmt: skip
