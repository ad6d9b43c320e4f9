"""Passkeys: the browser asks for options, makes or uses a key, and hands in the answer (static/passkey.js)."""

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, jsonify, redirect, request, session
from werkzeug.wrappers import Response as AnyResponse

from bot.flows import accounts_passkeys as passkeys
from bot.flows.accounts_passkeys import BadPasskey, Question
from bot.web.account.entering import browser, carry, enter
from bot.web.account.limits import limiter, network, person
from bot.web.guard import me, open_to_all, own_account
from bot.web.here import ctx, now

blueprint = Blueprint("passkeys", __name__)
ASKED = "passkey"
Answer = Response | tuple[Response, int]


@blueprint.post("/sign-in/passkey/options")
@open_to_all
@limiter.limit("200 per 15 minutes", key_func=network)
def to_sign_in() -> Response:
    """What the browser is to sign."""
    return _ask(passkeys.ask_to_sign_in(ctx()))


@blueprint.post("/sign-in/passkey")
@open_to_all
@limiter.limit("100 per 15 minutes", key_func=network)
def sign_in() -> Answer:
    """It has signed: the browser is signed in, both steps at once."""
    challenge, asked_at = _asked()
    try:
        secret = passkeys.sign_in(ctx(), request.get_json(silent=True), challenge, asked_at, browser(), now())
    except BadPasskey as error:
        return jsonify(problem=str(error)), 422
    return jsonify(go=enter(secret).location)


@blueprint.post("/account/passkeys/options")
@own_account
@limiter.limit("20 per 15 minutes", key_func=person)
def to_add() -> Answer:
    """What the browser is to make a key for."""
    try:
        return _ask(passkeys.ask_to_add(ctx(), me()))
    except BadPasskey as error:
        return jsonify(problem=str(error)), 422


@blueprint.post("/account/passkeys")
@own_account
def add() -> Answer:
    """The key it made is kept."""
    given, (challenge, asked_at) = request.get_json(silent=True), _asked()
    name = str(given.pop("name", "")) if isinstance(given, dict) else ""
    try:
        secret = passkeys.add(ctx(), me(), given, challenge, asked_at, name, browser(), now())
    except BadPasskey as error:
        return jsonify(problem=str(error)), 422
    if secret:
        carry(secret)
    flash("The passkey is added. From now on it signs you in, without mail or code.")
    return jsonify(go="/account")


@blueprint.post("/account/passkeys/<passkey_id>/remove")
@own_account
def remove(passkey_id: str) -> AnyResponse:
    """A key is forgotten."""
    try:
        passkeys.remove(ctx(), me(), passkey_id, now())
    except BadPasskey as error:
        flash(str(error), "bad")
    else:
        flash("The passkey is removed. It can be deleted from the device as well.")
    return redirect("/account", code=303)


def _ask(question: Question) -> Response:
    session[ASKED] = [question.challenge, int(now().timestamp())]
    return Response(question.options, mimetype="application/json")


def _asked() -> tuple[str, datetime]:
    """What this browser was asked last, and when; it can answer once."""
    challenge, at = session.pop(ASKED, ["", 0])
    return challenge, datetime.fromtimestamp(at, UTC)
