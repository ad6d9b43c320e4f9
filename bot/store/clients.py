"""Clients: who they are, how they are reached, what they agreed to, whether they said STOP."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.store.engine import Row, Tx
from bot.store.sql import epoch, listed, moment, new_id

PARAMETERS = 10_000  # in one statement; engines allow some thirty thousand


@dataclass(frozen=True)
class Client:
    """One client. `stopped`: they said STOP, or one of their addresses is on our suppression list.

    `talked_at`: when their therapist last talked with them about how it is going between the two. `discreet`: texts
    to them are a bare link. `merged_into`: they turned out to be this other client. `erased`: nothing of them is left.
    """

    id: str
    practice_id: str
    client_ref: str
    name: str
    phone: str
    email: str
    language: str
    timezone: str
    channel: str
    consent_at: datetime | None
    therapist_id: str | None
    state: str
    paused_until: datetime | None
    halted: bool
    welcomed: bool
    stopped: bool
    talked_at: datetime | None = None
    consent_source: str = ""
    discreet: bool = False
    merged_into: str | None = None
    erased: bool = False

    @property
    def consented(self) -> bool:
        """Whether they have agreed."""
        return self.consent_at is not None

    @property
    def address(self) -> str:
        """Where they are written to, by their channel; empty when that is missing."""
        return self.phone if self.channel == "sms" else self.email

    def by(self, channel: str) -> "Client":
        """The same client, as reached by this channel."""
        return replace(self, channel=channel)


@dataclass(frozen=True)
class Entry:
    """A client as a roster row gives them, checked and normalised."""

    client_ref: str
    name: str
    phone: str
    email: str
    language: str
    timezone: str
    channel: str
    consent_at: datetime | None
    therapist_id: str

    @property
    def address(self) -> str:
        """Where they are written to, by their channel."""
        return self.phone if self.channel == "sms" else self.email


def get(tx: Tx, practice_id: str, client_id: str) -> Client:
    """One client of the practice. Raises KeyError."""
    found = many(tx, practice_id, [client_id])
    if not found:
        raise KeyError(client_id)
    return found[0]


def many(tx: Tx, practice_id: str, client_ids: Sequence[str]) -> list[Client]:
    """The named clients of the practice, by reference."""
    among, params = listed("id", client_ids)
    rows = tx.all(  # practice_id as it stands would lead SQLite through the whole practice
        f"select * from client where practice_id || '' = :practice and id in {among}",
        {"practice": practice_id, **params},
    )
    return sorted(_clients(tx, rows), key=lambda client: client.client_ref)


def of_therapist(tx: Tx, practice_id: str, therapist_id: str) -> list[Client]:
    """Every client who is with this therapist now, whatever their state, by reference."""
    rows = tx.all(
        "select * from client where practice_id = :p and therapist_id = :t order by client_ref",
        {"p": practice_id, "t": therapist_id},
    )
    return _clients(tx, rows)


def ids(tx: Tx, practice_id: str) -> list[str]:
    """The ids of every client of the practice."""
    rows = tx.all("select id from client where practice_id = :p order by id", {"p": practice_id})
    return [row["id"] for row in rows]


def roster(tx: Tx, practice_id: str) -> list[Client]:
    """Every client of the practice by reference, but for those merged into another or erased."""
    rows = tx.all(
        "select * from client where practice_id = :p and merged_into is null and erased_at is null order by client_ref",
        {"p": practice_id},
    )
    return _clients(tx, rows)


def refs(tx: Tx, practice_id: str) -> dict[str, str]:
    """client_ref to id, for the whole practice; the reference of one who was merged leads to who is kept."""
    sql = "select client_ref, coalesce(merged_into, id) as id from client where practice_id = :p and erased_at is null"
    rows = tx.all(sql, {"p": practice_id})
    return {row["client_ref"]: row["id"] for row in rows}


def by_address(tx: Tx, address: str) -> list[Client]:
    """Everyone who is reached at a number or mail address, over all practices (a reply names no practice)."""
    among, params = listed("i", tx.sealer.indexes(address))
    # whoever turned out to be another client is still written to, and writes, from where they were
    rows = tx.all(
        "select * from client where id in (select coalesce(merged_into, id) from client "
        f"where phone_index in {among} or email_index in {among})",
        params,
    )
    return sorted(_clients(tx, rows), key=lambda client: client.id)


def sharing(tx: Tx, client: Client) -> list[tuple[str, str]]:
    """Other clients who are reached at the same address, over all practices: practice id and client id each."""
    if not client.address:
        return []
    among, params = listed("i", tx.sealer.indexes(client.address))
    rows = tx.all(
        "select practice_id, id from client where id <> :id and merged_into is null "
        f"and (phone_index in {among} or email_index in {among})",
        {"id": client.id, **params},
    )
    return sorted(((row["practice_id"], row["id"]) for row in rows), key=lambda pair: pair[1])


def save(tx: Tx, practice_id: str, entry: Entry, now: datetime, source: str = "roster") -> tuple[str, str]:
    """Add a client or bring them up to date. Returns their id and "new", "changed" or "same". `source`: where a date
    of consent in it comes from.

    Consent is never taken back by an empty cell; STOP is kept on its own list and no import lifts it. A row about
    someone who was merged into another client changes nothing.
    """
    row = tx.one(
        "select * from client where practice_id = :p and client_ref = :ref",
        {"p": practice_id, "ref": entry.client_ref},
    )
    if row is None:
        return _add(tx, practice_id, entry, now, source), "new"
    if row["merged_into"]:
        return row["merged_into"], "same"
    found = _clients(tx, [row])[0]
    if _same(found, entry):
        return found.id, "same"
    _write(tx, found.id, entry, found.consent_at)
    if entry.consent_at and entry.consent_at != found.consent_at:
        note_consent(tx, practice_id, found.id, entry.address, "given", source, now)
        _set(tx, practice_id, found.id, "consent_source", source)
    return found.id, "changed"


def stop(tx: Tx, practice_id: str, address: str, source: str, now: datetime) -> None:
    """Put an address on the suppression list."""
    newest, *older = tx.sealer.indexes(address)
    among, params = listed("i", older)
    tx.run(f"delete from suppression where practice_id = :p and address_index in {among}", {"p": practice_id, **params})
    row_id = new_id()
    row = {
        "id": row_id,
        "practice_id": practice_id,
        "address_sealed": tx.seal("suppression", "address", row_id, address),
        "address_index": newest,
        "stopped_at": epoch(now),
        "source": source,
    }
    tx.insert(
        "suppression",
        row,
        "on conflict (practice_id, address_index) do update set "
        "stopped_at = excluded.stopped_at, lifted_at = null, source = excluded.source",
    )


def lift_stop(tx: Tx, practice_id: str, address: str, now: datetime) -> bool:
    """Take an address off the suppression list; False if it wasn't on it, or was put there after `now`: a text that
    was fetched late takes back no newer STOP."""
    among, params = listed("i", tx.sealer.indexes(address))
    sql = f"""update suppression set lifted_at = :now
               where practice_id = :p and lifted_at is null and stopped_at <= :now and address_index in {among}"""
    return tx.run(sql, {"now": epoch(now), "p": practice_id, **params}) > 0


def mark_stopped(tx: Tx, practice_id: str, client_id: str, stopped_at: datetime | None) -> None:
    """The person said STOP (or, with None, came back): it holds for them also under a new number."""
    _set(tx, practice_id, client_id, "stopped_at", epoch(stopped_at) if stopped_at else None)


def is_stopped(tx: Tx, practice_id: str, address: str) -> bool:
    """Whether an address is on the suppression list."""
    return (practice_id, address.casefold()) in _suppressed(tx, [address])


def note_consent(
    tx: Tx, practice_id: str, client_id: str | None, address: str | None, what: str, source: str, now: datetime
) -> None:
    """Keep when, how and for which address consent was given, stopped or restored."""
    event_id = new_id()
    row = {"id": event_id, "practice_id": practice_id, "client_id": client_id, "what": what, "at": epoch(now)}
    tx.insert(
        "consent_event",
        row | {"source": source, "address_sealed": tx.seal("consent_event", "address", event_id, address)},
    )


def mark_welcomed(tx: Tx, practice_id: str, client_id: str, now: datetime) -> None:
    """The provider has taken the welcome text."""
    _set(tx, practice_id, client_id, "welcomed_at", epoch(now))


def halt(tx: Tx, practice_id: str, client_id: str, now: datetime) -> None:
    """No check-ins until a clinician resumes them (after danger)."""
    _set(tx, practice_id, client_id, "halted_at", epoch(now))


def resume(tx: Tx, practice_id: str, client_id: str) -> None:
    """A clinician lets check-ins go on."""
    _set(tx, practice_id, client_id, "halted_at", None)


def set_state(tx: Tx, practice_id: str, client_id: str, state: str) -> None:
    """active, on_hold, discharged or died."""
    _set(tx, practice_id, client_id, "state", state)


def set_talked(tx: Tx, practice_id: str, client_id: str, talked_at: datetime | None) -> None:
    """When rapport was last talked about."""
    _set(tx, practice_id, client_id, "talked_at", epoch(talked_at) if talked_at else None)


def drop_address(tx: Tx, practice_id: str, client_id: str, channel: str) -> None:
    """Forget an address that belongs to someone else (wrong number)."""
    column = "phone" if channel == "sms" else "email"
    sql = f"""update client set {column}_sealed = null, {column}_index = null
               where id = :id and practice_id = :p"""
    tx.run(sql, {"id": client_id, "p": practice_id})


def _set(tx: Tx, practice_id: str, client_id: str, column: str, value: str | int | None) -> None:
    sql = f"update client set {column} = :value where id = :id and practice_id = :p"
    tx.run(sql, {"value": value, "id": client_id, "p": practice_id})


def _add(tx: Tx, practice_id: str, entry: Entry, now: datetime, source: str) -> str:
    client_id = new_id()
    row = {
        "id": client_id,
        "practice_id": practice_id,
        "client_ref": entry.client_ref,
        "consent_source": source if entry.consent_at else None,
        "created_at": epoch(now),
    }
    tx.insert("client", row | _columns(tx, client_id, entry, entry.consent_at))
    if entry.consent_at:
        note_consent(tx, practice_id, client_id, entry.address, "given", source, now)
    return client_id


def _write(tx: Tx, client_id: str, entry: Entry, consent_before: datetime | None) -> None:
    columns = _columns(tx, client_id, entry, entry.consent_at or consent_before)
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    tx.run(f"update client set {changes} where id = :id", {**columns, "id": client_id})


def _columns(tx: Tx, client_id: str, entry: Entry, consent_at: datetime | None) -> dict[str, str | int | None]:
    return {
        "name_sealed": tx.seal("client", "name", client_id, entry.name),
        "phone_sealed": tx.seal("client", "phone", client_id, entry.phone),
        "phone_index": tx.sealer.index(entry.phone) if entry.phone else None,
        "email_sealed": tx.seal("client", "email", client_id, entry.email),
        "email_index": tx.sealer.index(entry.email) if entry.email else None,
        "language": entry.language,
        "timezone": entry.timezone,
        "channel": entry.channel,
        "consent_at": epoch(consent_at) if consent_at else None,
        "therapist_id": entry.therapist_id,
    }


def _same(found: Client, entry: Entry) -> bool:
    fields = ("name", "phone", "email", "language", "timezone", "channel", "therapist_id")
    same = all(getattr(found, name) == getattr(entry, name) for name in fields)
    return same and entry.consent_at in (None, found.consent_at)


def _suppressed(tx: Tx, addresses: Iterable[str]) -> set[tuple[str, str]]:
    """(practice, address in small letters) for each address that is on a list, under whichever key."""
    known = {index: address.casefold() for address in addresses for index in tx.sealer.indexes(address)}
    indexes, rows = list(known), []
    for start in range(0, max(1, len(indexes)), PARAMETERS):
        among, params = listed("i", indexes[start : start + PARAMETERS])
        rows += tx.all(
            f"select practice_id, address_index from suppression where lifted_at is null and address_index in {among}",
            params,
        )
    return {(row["practice_id"], known[row["address_index"]]) for row in rows}


def _clients(tx: Tx, rows: Sequence[Row]) -> list[Client]:
    opened = [{c: tx.open("client", c, r["id"], r[f"{c}_sealed"]) for c in ("name", "phone", "email")} for r in rows]
    suppressed = _suppressed(tx, {own[c] for own in opened for c in ("phone", "email") if own[c]})
    return [
        _client(row, own, any((row["practice_id"], own[c].casefold()) in suppressed for c in ("phone", "email")))
        for row, own in zip(rows, opened, strict=True)
    ]


def _client(row: Row, opened: dict[str, str], suppressed: bool) -> Client:
    plain = ("id", "practice_id", "client_ref", "language", "timezone", "channel", "therapist_id", "state")
    return Client(
        **opened,
        **{name: row[name] for name in plain},
        consent_at=moment(row["consent_at"]),
        paused_until=moment(row["paused_until"]),
        halted=row["halted_at"] is not None,
        welcomed=row["welcomed_at"] is not None,
        stopped=suppressed or row["stopped_at"] is not None,
        talked_at=moment(row["talked_at"]),
        consent_source=row["consent_source"] or "",
        discreet=bool(row["discreet"]),
        merged_into=row["merged_into"],
        erased=row["erased_at"] is not None,
    )
