"""The interface for a practice's own system: appointments in, with a token made by `attune token new`."""

from flask import Blueprint, Response, jsonify, request

from bot.flows import intake
from bot.store import practices
from bot.web.here import ctx, now

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
MOST = 5_000


@blueprint.post("/appointments")
def appointments() -> tuple[Response, int]:
    """A list of objects with the CSV's keys; every good one is taken, every bad one named by its place."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    with ctx().store.transaction(write=False) as tx:
        practice_id = practices.of_token(tx, token) if token else None
        practice = practices.get(tx, practice_id) if practice_id else None
    if practice is None:
        return jsonify(error="This needs the header 'Authorization: Bearer TOKEN'; see `attune token new`."), 401
    found = request.get_json(silent=True)
    if not isinstance(found, list) or len(found) > MOST:
        return jsonify(error=f"The body must be a JSON list of at most {MOST} appointments."), 400
    taken = intake.take_rows(ctx(), practice, "appointments", intake.table_rows(found, "appointments"), now())
    problems = [{"row": p.line, "column": p.column, "problem": p.text} for p in taken.problems]
    counts = {"new": taken.new, "changed": taken.changed, "same": taken.same}
    refused_all = problems and not any(counts.values())
    return jsonify(counts | {"problems": problems}), 422 if refused_all else 200
