"""Exports: answers, messages, alerts, with a reason that is kept in the audit trail."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime

from bot.flows import privacy
from bot.flows.context import Context
from bot.store import exports, practices
from bot.store.practices import Practice

KINDS = exports.COLUMNS
TOLD = ("answers", "alerts")  # messages hold nothing that a client said


def export(
    ctx: Context, practice: Practice, kind: str, reason: str, form: str, who: str, now: datetime
) -> Iterator[str]:
    """The lines of an export (form csv or jsonl), written down in the audit trail with its reason first. The privacy
    contact is told."""
    with ctx.store.transaction() as tx:
        practices.note(tx, practice.id, who, f"export {kind}", practice.id, now, words=reason)
        if kind in TOLD:
            privacy.tell(ctx, tx, practice, kind, now)
    with ctx.store.transaction(write=False) as tx:
        found = exports.rows(tx, practice.id, kind)
    if form == "jsonl":
        for row in found:
            yield json.dumps(row, ensure_ascii=False) + "\n"
        return
    yield _csv_line(list(KINDS[kind]))
    for row in found:
        yield _csv_line([row[name] for name in KINDS[kind]])


def _csv_line(values: list[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(value) for value in values])
    return out.getvalue()


def _harmless(value: object) -> object:
    """A spreadsheet must not run what a reference begins with (CSV injection, OWASP)."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return "" if value is None else value
