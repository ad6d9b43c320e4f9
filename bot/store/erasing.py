"""Erasing one client: names, numbers, addresses, words and answers go; bare rows stay, so that counts do."""

from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch

GONE = "erased"
_WHOSE = "client_id = :c and practice_id = :p"
_OF_ALERTS = f"alert_id in (select id from alert where {_WHOSE})"
# A therapist's weekly letter may name clients by initials or code.
_OF_WEEKS = f"kind = 'week' and person_id in (select therapist_id from check_in where {_WHOSE})"
_DELETED = (
    f"delete from answer where check_in_id in (select id from check_in where {_WHOSE}) and practice_id = :p",
    f"delete from reading_mark where inbox_id in (select id from inbox where {_WHOSE}) and practice_id = :p",
    f"delete from answer_link where {_WHOSE}",
    f"delete from belief where {_WHOSE}",
    f"delete from to_assess where {_WHOSE}",
    "delete from schedule_rule where practice_id = :p and scope = 'client' and scope_id = :c",
    "delete from schedule_change where practice_id = :p and scope = 'client' and scope_id = :c",
    "delete from import_draft where practice_id = :p",
)
_BLANKED = (
    f"update consent_event set address_sealed = null where {_WHOSE}",
    f"update check_in set prompted = '', feelings = '', remind_at = null where {_WHOSE}",
    f"""update alert set explanation_sealed = null, note_sealed = null, done_sealed = null, inbox_id = null,
               next_step_at = null, resolved_at = coalesce(resolved_at, :now) where {_WHOSE}""",
    f"""update check_in set state = 'cancelled', reason = '{GONE}', closed_at = :now
         where {_WHOSE} and state in ('planned', 'asked', 'reminded', 'partly_answered')""",
    f"""update outbox set state = 'skipped', reason = '{GONE}', claim_token = null, look_at = null
         where (({_WHOSE}) or ({_OF_ALERTS})) and state in ('due', 'claimed', 'in_doubt', 'needs_person')""",
)
# What came from their number before anyone knew whose it was, and what answered it.
_REACHED = (
    "update inbox set client_id = :c where practice_id = :p and address_index = :i and client_id is null",
    """update outbox set client_id = :c, dedupe = 'erased ' || id
        where practice_id = :p and address_index = :i and client_id is null and person_id is null""",
    "delete from undeliverable where practice_id = :p and address_index = :i",
)
_CLIENT = """update client set client_ref = :ref, name_sealed = :name, phone_sealed = null, phone_index = null,
                 email_sealed = null, email_index = null, consent_at = null, consent_source = null,
                 state = 'discharged', therapist_id = null, paused_until = null, stopped_at = null, halted_at = null,
                 welcomed_at = null, talked_at = null, digits = null, discreet = 0, erased_at = :now
               where id = :c and practice_id = :p"""


def erase(tx: Tx, practice_id: str, client_id: str, address_indexes: list[str], now: datetime) -> bool:
    """Erase a client, and those merged into them; False if they are unknown or erased already.

    `address_indexes`: where they were reached and nobody else is, so that what came from there goes too. The STOP
    list isn't touched: it keeps the number, sealed, so that nobody writes to it again.
    """
    sql = "select * from client where practice_id = :p and erased_at is null and (id = :c or merged_into = :c)"
    found = tx.all(sql, {"p": practice_id, "c": client_id})
    for row in found:
        _erase_rows(tx, practice_id, row, now)
    for index in address_indexes:
        for sql in _REACHED:
            tx.run(sql, {"c": client_id, "p": practice_id, "i": index})
    for row in found:
        _blank_words(tx, {"c": row["id"], "p": practice_id})
    return bool(found)


def ids_of(tx: Tx, practice_id: str, client_id: str) -> list[str]:
    """A client's id, and those of the rows merged into theirs."""
    sql = "select id from client where practice_id = :p and (id = :c or merged_into = :c) order by id"
    return [row["id"] for row in tx.all(sql, {"p": practice_id, "c": client_id})]


def everyone(tx: Tx) -> list[tuple[str, str]]:
    """Practice and id of everyone who was erased."""
    rows = tx.all("select practice_id, id from client where erased_at is not null order by id")
    return [(row["practice_id"], row["id"]) for row in rows]


def leftovers(tx: Tx, practice_id: str, client_id: str) -> list[str]:
    """Every sealed text, index and reference that belongs to a client now: what must not be found afterwards."""
    whose = {"c": client_id, "p": practice_id}
    columns = {
        "client": ("name_sealed", "phone_sealed", "phone_index", "email_sealed", "email_index", "client_ref"),
        "consent_event": ("address_sealed",),
        "appointment": ("appointment_ref",),
        "inbox": ("sender_sealed", "body_sealed", "reading_sealed", "address_index"),
        "outbox": ("address_sealed", "subject_sealed", "body_sealed", "html_sealed", "address_index"),
        "alert": ("explanation_sealed", "note_sealed", "done_sealed"),
        "belief": ("belief_sealed",),
    }
    found = []
    for table, names in columns.items():
        where = "id = :c and practice_id = :p" if table == "client" else _WHOSE
        rows = tx.all(f"select {', '.join(names)} from {table} where {where}", whose)
        found += [row[name] for row in rows for name in names if row[name]]
    return found


def _erase_rows(tx: Tx, practice_id: str, row: Row, now: datetime) -> None:
    whose = {"c": row["id"], "p": practice_id}
    for sql in _BLANKED:
        tx.run(sql, {**whose, "now": epoch(now)})
    for sql in _DELETED:
        tx.run(sql, whose)
    for visit in tx.all(f"select id from appointment where {_WHOSE}", whose):
        tx.run("update appointment set appointment_ref = :ref where id = :id and practice_id = :p",
               {"ref": f"{GONE} {visit['id']}", "id": visit["id"], "p": practice_id})  # fmt: skip
    name = tx.sealer.seal(f"client|name|{row['id']}", "")
    tx.run(_CLIENT, {**whose, "ref": f"{GONE} {row['id']}", "name": name, "now": epoch(now)})


def _blank_words(tx: Tx, whose: dict[str, str]) -> None:
    """Messages keep when and by which channel; what a column must hold is an empty text, sealed. The provider's id
    stays: without it a message fetched once more would come in anew."""
    for each in tx.all(f"select id from inbox where {_WHOSE}", whose):
        sealed = {c: tx.sealer.seal(f"inbox|{c}|{each['id']}", "") for c in ("sender", "body")}
        tx.run(
            """update inbox set sender_sealed = :sender, body_sealed = :body, address_index = null,
                      reading_sealed = null, kind = 'erased' where id = :id and practice_id = :p""",
            {**sealed, "id": each["id"], "p": whose["p"]},
        )
    for each in tx.all(f"select id, person_id from outbox where ({_WHOSE}) or ({_OF_ALERTS}) or ({_OF_WEEKS})", whose):
        _blank_message(tx, each, whose["p"])


def _blank_message(tx: Tx, row: Row, practice_id: str) -> None:
    """A letter to one of our own people loses its words, and keeps its address."""
    sealed = {c: tx.sealer.seal(f"outbox|{c}|{row['id']}", "") for c in ("address", "body")}
    address = "" if row["person_id"] else "address_sealed = :address, address_index = 'erased', "
    sql = f"""update outbox set {address}subject_sealed = null, body_sealed = :body, html_sealed = null
               where id = :id and practice_id = :p"""
    tx.run(sql, {"id": row["id"], "p": practice_id, **sealed})
