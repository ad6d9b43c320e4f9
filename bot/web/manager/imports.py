"""Importing a file, with a preview of every row. Nothing of it is stored before it is confirmed."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from bot.flows import import_preview
from bot.flows.import_preview import OUTCOMES, Handed
from bot.flows.managing import Refused
from bot.flows.row_checks import COLUMNS
from bot.web.guard import allow, me
from bot.web.here import ctx, now

blueprint = Blueprint("imports", __name__, url_prefix="/import")
AT_ONCE = 100  # rows on one page
KINDS = [("therapists", "Therapists"), ("roster", "Clients (roster)"), ("appointments", "Appointments")]


@blueprint.route("", methods=["GET", "POST"])
@allow("manager")
def start() -> Response | str | tuple[str, int]:
    """Choose a file."""
    if request.method == "GET":
        return _page(request.args.get("kind", "roster"), {})
    kind, file = request.form.get("kind", ""), request.files.get("file")
    try:
        raw = file.read() if file else b""
        if not raw:
            raise Refused({"file": "Choose a file."})
        draft_id = import_preview.hand_in(ctx(), me(), kind, raw, now())
    except Refused as refused:
        return _page(kind, refused.problems), 422
    return redirect(url_for("imports.show", draft_id=draft_id), code=303)


@blueprint.get("/<draft_id>")
@allow("manager")
def show(draft_id: str) -> str:
    """What each row would do; after it was confirmed, what came of it."""
    handed = import_preview.show(ctx(), me(), draft_id, now())
    only, page = _only(handed), request.args.get("page", "1")
    lines = [each for each in handed.lines if each.outcome == only]
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    pages = max(1, -(-len(lines) // AT_ONCE))
    number = min(max(1, number), pages)
    return render_template(
        "manager/imports_result.html" if handed.taken else "manager/imports_preview.html",
        handed=handed,
        only=only,
        lines=lines[(number - 1) * AT_ONCE : number * AT_ONCE],
        page=number,
        pages=pages,
        kind=dict(KINDS)[handed.kind],
    )


@blueprint.post("/<draft_id>")
@allow("manager")
def confirm(draft_id: str) -> Response:
    """Take the good rows."""
    import_preview.confirm(ctx(), me(), draft_id, now())
    flash("The file is taken in.")
    return redirect(url_for("imports.show", draft_id=draft_id), code=303)


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> tuple[str, int]:
    """Said on the page that the file was chosen on."""
    return _page(
        "roster", {"file": "The file is larger than 5 MB: take it in by parts, each with the header line."}
    ), 413


def _only(handed: Handed) -> str:
    """Which rows are shown: those asked for, else the first kind of which there are any."""
    counts = handed.counts
    asked = request.args.get("only", "")
    return asked if asked in OUTCOMES else next((each for each in OUTCOMES if counts[each]), "same")


def _page(kind: str, wrong: dict[str, str]) -> str:
    return render_template("manager/imports.html", kinds=KINDS, kind=kind, wrong=wrong, columns=COLUMNS)
