"""The interface for a practice's own system: appointments in, with a token made by `attune token new`."""

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from bot.flows import intake
from bot.flows.intake import Problem
from bot.store import practices
from bot.store.practices import Practice
from bot.web.guard import open_to_all
from bot.web.here import ctx, now

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
MOST = 5_000
EXPECTED = f"The body must be a JSON list of at most {MOST} appointments, each an object with the CSV file's keys."


@blueprint.post("/appointments")
@open_to_all
def appointments() -> tuple[Response, int]:
    """A list of objects with the CSV's keys; every good one is taken, every bad one named by its place.

    200, also when some were refused; 422 when all were.
    """
    practice = _practice()
    if practice is None:
        response = jsonify(error="This needs the header 'Authorization: Bearer TOKEN'; see `attune token new`.")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response, 401
    found = _list()
    if found is None or len(found) > MOST:
        return jsonify(error=EXPECTED), 400
    taken = intake.take_rows(ctx(), practice, "appointments", intake.table_rows(found, "appointments"), now())
    counts = {"new": taken.new, "changed": taken.changed, "same": taken.same}
    refused_all = taken.problems and not any(counts.values())
    return jsonify(counts | {"problems": [_shown(each) for each in taken.problems]}), 422 if refused_all else 200


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> tuple[Response, int]:
    """In JSON like every other answer here."""
    return jsonify(error=f"The body is too large; send it in parts. {EXPECTED}"), 413


def _practice() -> Practice | None:
    """Whose token came with the request."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    with ctx().store.transaction(write=False) as tx:
        practice_id = practices.of_token(tx, token.strip())
        return practices.get(tx, practice_id) if practice_id else None


def _list() -> list[object] | None:
    try:
        found = request.get_json(force=True, silent=True)
    except RecursionError:  # nested a thousand deep
        return None
    return found if isinstance(found, list) else None


def _shown(problem: Problem) -> dict[str, str | int]:
    return {"row": problem.line, "column": problem.column, "problem": problem.text}
