"""Erased is erased: in the file, in its log, in free pages, and after a restore of an older backup."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.flows import backups, client_export, client_record, erasing, people_page
from bot.flows.access import Me, NotHere
from bot.flows.context import Context
from bot.flows.managing import Refused
from bot.flows.people_page import Asked
from bot.store import SqliteEngine, alerts, audit, inbox, outbox, practices
from bot.store import erasing as rows
from bot.store.inbox import Inbound
from tests.support import canaries
from tests.support.canaries import CANARIES
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.letters import text
from tests.support.managing import manager
from tests.support.weeks import WELL, alerts_of, weekly

NOW = canaries.MONDAY + timedelta(hours=1)
HERS = ("a client's name", "a client's number", "a client's address", "a client's words", "words of danger")


class Filled:
    """A database into which every canary went by the product's own doors, and its manager."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.practice_id = canaries.fill(ctx)
        with ctx.store.transaction(write=False) as tx:
            practice = practices.get(tx, self.practice_id)
            self.client_id = str(tx.all("select id from client where client_ref = 'C-1'")[0]["id"])
            person_id = str(tx.all("select person_id from person_role where role = 'duty'")[0]["person_id"])
        self.me = manager(ctx, practice, person_id)

    def readable(self) -> set[str]:
        """Which canaries can still be read by whoever has the key."""
        with self.ctx.store.transaction(write=False) as tx:
            text = canaries.opened(tx)
        return {what for what, canary in CANARIES.items() if canary in text}

    def sealed(self) -> list[str]:
        """Every sealed text, index and reference of the client, as it stands in the file."""
        with self.ctx.store.transaction(write=False) as tx:
            return rows.leftovers(tx, self.practice_id, self.client_id)

    def in_files(self, texts: list[str]) -> list[str]:
        """Which of these stand anywhere in the database, its log or free pages."""
        assert isinstance(self.ctx.store, SqliteEngine)
        path = Path(self.ctx.store.path)
        held = b"".join(path.with_name(path.name + end).read_bytes() for end in ("", "-wal")
                        if path.with_name(path.name + end).exists())  # fmt: skip
        return [text for text in texts if text.encode() in held]

    def erase(self) -> None:
        erasing.erase(self.ctx, self.me, self.client_id, "C-1", NOW)


@pytest.fixture
def filled(ctx: Context) -> Filled:
    return Filled(ctx)


def test_nothing_of_theirs_can_be_read_any_more_and_all_else_can(filled: Filled) -> None:
    before = filled.readable()
    assert before.issuperset(HERS)
    filled.erase()
    assert before - filled.readable() == {*HERS, "a therapist's note"}


def test_not_one_byte_of_theirs_is_left_in_the_file_its_log_or_free_pages(filled: Filled) -> None:
    texts = [text for text in filled.sealed() if len(text) > 8]
    assert len(texts) > 20
    assert filled.in_files(texts), "the search finds what is there"
    filled.erase()
    assert filled.in_files(texts) == []


def test_counts_stay_as_they_were(filled: Filled) -> None:
    tables = ("client", "appointment", "check_in", "inbox", "outbox", "alert", "consent_event")

    def counted() -> dict[str, object]:
        with filled.ctx.store.transaction(write=False) as tx:
            return {name: tx.all(f"select count(*) as n from {name}")[0]["n"] for name in tables}

    before = counted()
    filled.erase()
    assert counted() == before


def test_on_a_shared_phone_the_others_messages_stay(practice: Riverside) -> None:
    """And so does what nobody could tell the sender of."""
    with practice.ctx.store.transaction() as tx:
        index = tx.sealer.index("+12025550101")
        tx.run("update client set phone_sealed = null, phone_index = :i where client_ref = 'C-Ben'", {"i": index})
        sealed = tx.seal("client", "phone", practice.clients["Ben"], "+12025550101")
        tx.run("update client set phone_sealed = :s where client_ref = 'C-Ben'", {"s": sealed})
        for n, name in enumerate(("Ana", "Ben", "")):
            found = Inbound("sms", f"SM{n}", "+12025550101", f"words of {name or 'somebody'}")
            inbox_id = inbox.remember(tx, practice.practice.id, found, MONDAY_NOON)
            assert inbox_id
            inbox.note_reading(tx, inbox_id, client_id=practice.clients.get(name), check_in_id=None, kind="other",
                               reading="{}")  # fmt: skip
    me = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", MONDAY_NOON)
    with practice.ctx.store.transaction(write=False) as tx:
        text = canaries.opened(tx)
    assert "words of Ana" not in text
    assert "words of Ben" in text
    assert "words of somebody" in text


def test_what_came_from_their_number_before_anyone_knew_whose_it_was_goes_too(practice: Riverside) -> None:
    with practice.ctx.store.transaction() as tx:
        found = Inbound("sms", "SM1", "+12025550101", "words of somebody")
        assert inbox.remember(tx, practice.practice.id, found, MONDAY_NOON)
    me = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", MONDAY_NOON)
    with practice.ctx.store.transaction(write=False) as tx:
        assert "words of somebody" not in canaries.opened(tx)


def test_letters_about_them_lose_their_words_and_keep_whom_they_went_to(filled: Filled) -> None:
    filled.erase()
    sql = """select o.* from outbox o join alert a on a.id = o.alert_id where a.client_id is not null"""
    with filled.ctx.store.transaction(write=False) as tx:
        letters = [outbox.message_of(tx, row) for row in tx.all(sql)]
    assert letters
    assert {(letter.subject, letter.body, letter.html) for letter in letters} == {("", "", "")}
    assert all("@" in letter.address for letter in letters if letter.channel == "mail")


def test_what_was_said_about_them_in_the_audit_trail_goes_and_the_trail_stays_whole(practice: Riverside) -> None:
    me = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    client_export.by_manager(practice.ctx, me, practice.clients["Ana"], "Ana's sister asked", MONDAY_NOON)
    erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", MONDAY_NOON)
    assert practice.rows("select 1 from audit where words_sealed is not null") == []
    with practice.ctx.store.transaction(write=False) as tx:
        assert audit.verify(tx, practice.practice.id).broken == ()


def test_a_backup_made_before_brings_nothing_back(filled: Filled, tmp_path: Path) -> None:
    """The list of who was erased is beside the database, and no part of the backup."""
    texts = [text for text in filled.sealed() if len(text) > 8]
    backups.backup(filled.ctx, str(tmp_path / "older.db"), NOW)
    filled.erase()
    backups.restore(filled.ctx, str(tmp_path / "older.db"), NOW + timedelta(hours=1), force=True)
    assert not filled.readable() & set(HERS)
    assert filled.in_files(texts) == []


def test_a_copy_put_back_by_hand_is_found_when_a_worker_starts(filled: Filled, tmp_path: Path) -> None:
    store = filled.ctx.store
    assert isinstance(store, SqliteEngine)
    store.checkpoint()
    older = Path(store.path).read_bytes()
    filled.erase()
    store.close()
    Path(store.path).write_bytes(older)
    assert erasing.at_start(filled.ctx, NOW) == 1
    assert not filled.readable() & set(HERS)
    assert erasing.at_start(filled.ctx, NOW) == 0


def test_a_line_cut_off_by_a_power_cut_hides_no_other(filled: Filled) -> None:
    store = filled.ctx.store
    assert isinstance(store, SqliteEngine)
    Path(erasing.list_beside(store.path)).write_text('{"practice": "half a li')
    filled.erase()
    assert erasing.at_start(filled.ctx, NOW) == 0
    assert Path(erasing.list_beside(store.path)).read_text().count("client") == 1


def test_the_list_holds_ids_only_and_is_its_owners_alone(filled: Filled) -> None:
    filled.erase()
    assert isinstance(filled.ctx.store, SqliteEngine)
    path = Path(erasing.list_beside(filled.ctx.store.path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert not any(canary in path.read_text() for canary in CANARIES.values())


def test_a_stop_of_theirs_still_holds_for_whoever_has_the_number(practice: Riverside) -> None:
    """It is the one thing that stays, sealed, so that nobody writes to the number again."""
    me = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    client_record.opt_out(practice.ctx, me, practice.clients["Ana"], MONDAY_NOON)
    erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", MONDAY_NOON)
    typed = {"client_ref": "C-new", "name": "Ana", "phone": "+12025550101", "channel": "sms",
             "therapist_id": practice.staff["Theo"]}  # fmt: skip
    again = client_record.add(practice.ctx, me, typed, MONDAY_NOON)
    assert client_record.record(practice.ctx, me, again, MONDAY_NOON).client.stopped


def test_the_reference_must_be_typed(practice: Riverside) -> None:
    me = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    for typed in ("", "C-Ben", "c-ana"):
        with pytest.raises(Refused):
            erasing.erase(practice.ctx, me, practice.clients["Ana"], typed, MONDAY_NOON)
    assert practice.client("Ana").name == "Ana"


@pytest.mark.parametrize(("words", "kind"), [("I want to kill myself", "danger"), ("CALL", "call")])
def test_whoever_wrote_of_danger_or_wants_a_call_is_erased_only_once_somebody_has_taken_it_up(
    practice: Riverside, words: str, kind: str
) -> None:
    """Whoever is to look needs to know whom it is about. The manager isn't told what it is."""
    text(practice, words, MONDAY_NOON)
    me = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    with pytest.raises(Refused) as refused:
        erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", MONDAY_NOON)
    assert refused.value.problems["ref"] == "Something they wrote waits for somebody to look at it: that comes first."
    assert practice.client("Ana").name == "Ana"
    assert isinstance(practice.ctx.store, SqliteEngine)
    assert not Path(erasing.list_beside(practice.ctx.store.path)).exists(), "nor by the next start of a worker"
    (alert,) = alerts_of(practice, "Ana", kind)
    with practice.ctx.store.transaction() as tx:
        alerts.acknowledge(tx, practice.practice.id, alert.id, practice.staff["Theo"], "Called.", MONDAY_NOON)
    erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", MONDAY_NOON)
    assert practice.client("Ana").erased


def test_an_erased_client_is_nowhere_and_nothing_goes_to_them(practice: Riverside) -> None:
    at = weekly(practice, "Ana", WELL)
    practice.visit("Ana", at, now=at)
    me = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", at)
    with pytest.raises(NotHere):
        client_record.record(practice.ctx, me, practice.clients["Ana"], at)
    with pytest.raises(NotHere):
        erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", at)
    refs = [line.client.client_ref for line in people_page.people(practice.ctx, me, Asked(), at).lines]
    assert refs == ["C-Ben", "C-Chidi"]
    assert practice.rows("select 1 from outbox where state in ('due', 'claimed')") == []
    assert practice.rows("select 1 from check_in where state = 'planned'") == []
    assert practice.rows("select 1 from answer") == []


def test_another_practices_manager_can_erase_nobody_here(practice: Riverside, ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", MONDAY_NOON)
    me = Me(manager(ctx, practice.practice, practice.staff["Dana"]).person, other, frozenset({"manager"}), True, "s")
    with pytest.raises(NotHere):
        erasing.erase(ctx, me, practice.clients["Ana"], "C-Ana", MONDAY_NOON)


def test_danger_that_comes_in_while_the_list_is_written_is_still_told_to_somebody(
    practice: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits its turn: what looked whether anything is owed erases, too, and then the number is a stranger's."""
    came = threading.Event()

    def write() -> None:
        text(practice, "I want to kill myself", MONDAY_NOON)
        came.set()

    writer, append = threading.Thread(target=write), erasing._append

    def append_slowly(*given: Any) -> None:
        append(*given)
        writer.start()
        came.wait(1)

    monkeypatch.setattr(erasing, "_append", append_slowly)
    me = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    erasing.erase(practice.ctx, me, practice.clients["Ana"], "C-Ana", MONDAY_NOON)
    writer.join()
    waiting = practice.rows("select client_id, next_step_at from alert where resolved_at is null")
    assert [(row["client_id"], row["next_step_at"] is None) for row in waiting] == [(None, False)]


def test_whoever_was_listed_and_not_erased_stays_while_what_they_wrote_since_waits(practice: Riverside) -> None:
    """As after a power cut between the two. Once it is taken up, the next start goes on."""
    ctx, at = practice.ctx, MONDAY_NOON
    erasing._append(erasing.list_of(ctx), [(practice.practice.id, practice.clients["Ana"])], at)
    text(practice, "I want to kill myself", at + timedelta(minutes=1))
    assert erasing.at_start(ctx, at + timedelta(minutes=2)) == 0
    (alert,) = alerts_of(practice, "Ana", "danger")
    assert alert.waiting
    with ctx.store.transaction() as tx:
        alerts.acknowledge(tx, practice.practice.id, alert.id, practice.staff["Theo"], "Called.", at)
    assert erasing.at_start(ctx, at + timedelta(minutes=3)) == 1
    assert practice.client("Ana").erased


def test_a_backup_from_before_their_danger_was_taken_up_brings_nothing_back(
    practice: Riverside, tmp_path: Path
) -> None:
    ctx, later = practice.ctx, MONDAY_NOON + timedelta(days=1)
    text(practice, "I want to kill myself", MONDAY_NOON)
    backups.backup(ctx, str(tmp_path / "older.db"), MONDAY_NOON)
    (alert,) = alerts_of(practice, "Ana", "danger")
    with ctx.store.transaction() as tx:
        alerts.acknowledge(tx, practice.practice.id, alert.id, practice.staff["Theo"], "Called.", MONDAY_NOON)
    me = manager(ctx, practice.practice, practice.staff["Dana"])
    erasing.erase(ctx, me, practice.clients["Ana"], "C-Ana", later)
    backups.restore(ctx, str(tmp_path / "older.db"), later, force=True)
    assert practice.client("Ana").erased
