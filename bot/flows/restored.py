"""After a restore: what the backup doesn't know of may have been asked already, whatever leads to planning it anew."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bot.flows.speaking import text_to
from bot.store import Tx, clients, doubts, practices, system
from bot.store.sql import moment_of
from surveys.instrument import Instruments, load_all
from surveys.wording import Say

BACKED_UP_AT, RESTORED_AT = "backed_up_at", "restored_at"


def leave_unasked(tx: Tx, practice_id: str, refs: Iterable[str], now: datetime) -> None:
    """Close what was planned about appointments that came in, or changed, after a restore but had ended before it:
    they may have been asked about. `refs`: the appointments' references."""
    restored = system.value(tx, RESTORED_AT)
    if restored is None:
        return
    since = moment_of(int(system.value(tx, BACKED_UP_AT) or 0))
    for row in doubts.close_about(tx, practice_id, refs, moment_of(int(restored)), now):
        if message_id := doubt_welcome(tx, load_all(), row, now):
            doubts.put(tx, practice_id, message_id, since - doubts.KEEP_ASKING, now)


def doubt_welcome(tx: Tx, instruments: Instruments, row: dict[str, Any], now: datetime) -> str | None:
    """Whoever may have been asked may have been welcomed: queue the text, to be looked up. Should the provider not
    have it, it isn't sent either, since its check-in is closed. Mail can't be looked up."""
    client = clients.get(tx, row["practice_id"], row["client_id"])
    if client.welcomed or client.channel != "sms" or not client.address:
        return None
    practice = practices.get(tx, row["practice_id"])
    return text_to(tx, instruments, practice, client, Say("welcome"), f"welcome:{row['id']}", now, row["id"])
