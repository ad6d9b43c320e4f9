"""A backup while others write, and coming back from one without sending anything again."""

import errno
import os
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config import Config
from bot.flows import asking, backups, context, intake
from bot.flows.context import Context
from bot.flows.tables import TableRow
from bot.sandbox import Sandbox
from bot.sandbox.book import OUTBOUND
from bot.sandbox.faults import Fault
from bot.store import SqliteEngine, StoreError, doubts, sqlite, system
from bot.store.seal import Sealer
from bot.worker import tick_once
from migrations import STEPS
from tests.conftest import ACCOUNT_SID, PUBLIC_URL, TOKEN
from tests.support.cast import PHONES, Riverside, riverside
from tests.support.weeks import At

START = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)  # a Monday, eight in New York
STEP = timedelta(hours=6)
HOUR = timedelta(hours=1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """With a clock that the test holds, so that what the provider says about times is right."""
    with Sandbox(PUBLIC_URL, ACCOUNT_SID, TOKEN, start_at=START.timestamp(), held=True) as running:
        yield running


def refuses(*_: object) -> None:
    raise OSError(errno.EPERM, "no second names here")


def the_backup(ctx: Context, tmp_path: Path, now: datetime = START, name: str = "copy.db") -> str:
    path = str(tmp_path / name)
    backups.backup(ctx, path, now)
    return path


def work(ctx: Context, sandbox: Sandbox, now: datetime) -> None:
    """All that a worker does at this moment, by the provider's clock as well."""
    if now.timestamp() > sandbox.clock.now():
        sandbox.clock.jump(now.timestamp())
    tick_once(ctx, At(now))


def calendar(now: datetime, weeks: int = 2) -> list[TableRow]:
    """What the practice's own system exports at this moment: every visit, attended once it is over."""
    rows = []
    for week in range(weeks):
        for day, name in enumerate(PHONES):
            ends_at = START + timedelta(weeks=week, days=day, hours=4)
            cells = {
                "appointment_ref": f"V-{week}-{name}",
                "client_ref": f"C-{name}",
                "therapist_email": "theo@riverside.example",
                "starts_at": (ends_at - timedelta(minutes=50)).isoformat(),
                "ends_at": ends_at.isoformat(),
                "status": "attended" if ends_at <= now else "booked",
            }
            rows.append(TableRow(len(rows) + 1, cells))
    return rows


def texts(sandbox: Sandbox) -> Counter[tuple[str, str, int]]:
    """How often each client got the same words in the same week (0: any week, for the welcome)."""
    found: Counter[tuple[str, str, int]] = Counter()
    for message in sandbox.book.all():
        if message.direction == OUTBOUND:
            sent = datetime.fromtimestamp(message.created_at, UTC)
            week = 0 if "STOP" in message.body and "reads" in message.body else (sent - START).days // 7 + 1
            found[message.client, message.body, week] += 1
    return found


def live_on(ctx: Context, practice: Riverside, sandbox: Sandbox, since: datetime, until: datetime) -> None:
    """The calendar comes in and a worker works, every six hours."""
    now = since
    while now <= until:
        intake.take_rows(ctx, practice.practice, "appointments", calendar(now), now)
        work(ctx, sandbox, now)
        now += STEP


@pytest.mark.parametrize(("saved", "lost"), [(0, 1), (0, 3), (1, 2), (3, 9), (5, 6), (27, 29)])
def test_nobody_gets_a_message_again_that_went_out_after_the_backup(
    ctx: Context, practice: Riverside, sandbox: Sandbox, tmp_path: Path, saved: int, lost: int
) -> None:
    """Backed up after so many steps of six hours, lost after so many; then the calendar comes in again."""
    live_on(ctx, practice, sandbox, START, START + STEP * saved)
    path = the_backup(ctx, tmp_path, START + STEP * saved + HOUR)
    if lost > saved:
        live_on(ctx, practice, sandbox, START + STEP * (saved + 1), START + STEP * lost)
    before = texts(sandbox)
    back = START + STEP * lost + 2 * HOUR
    backups.restore(ctx, path, back, force=True)
    live_on(ctx, practice, sandbox, back, START + timedelta(weeks=2))
    after = texts(sandbox)
    assert max(after.values()) == 1, [key for key, times in after.items() if times > 1]
    assert before, "something must have been sent for this to mean anything"
    assert len(after) > len(before), "check-ins must go on after a restore"


def test_whoever_was_welcomed_after_the_backup_is_not_welcomed_again(
    ctx: Context, practice: Riverside, sandbox: Sandbox, tmp_path: Path
) -> None:
    path = the_backup(ctx, tmp_path)
    live_on(ctx, practice, sandbox, START, START + STEP * 2)
    [welcome] = [key for key in texts(sandbox) if key[0] == PHONES["Ana"] and key[2] == 0]
    backups.restore(ctx, path, START + STEP * 3, force=True)
    live_on(ctx, practice, sandbox, START + STEP * 3, START + timedelta(days=9))
    assert texts(sandbox)[welcome] == 1
    assert practice.client("Ana").welcomed
    assert sum(times for (phone, _, week), times in texts(sandbox).items() if phone == PHONES["Ana"] and week == 2) > 0


def test_a_question_that_waited_and_never_went_out_is_sent_once_that_is_certain(
    ctx: Context, practice: Riverside, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The look-up comes first: two empty looks, well apart."""
    practice.visit("Ana", START, now=START)
    at = START + 2 * HOUR
    with ctx.store.transaction() as tx:
        tx.run("update client set welcomed_at = 1")
    asking.ask_due(ctx, at)
    assert practice.rows("select kind, state from outbox") == [{"kind": "check_in", "state": "due"}]
    path = the_backup(ctx, tmp_path, at)
    assert backups.restore(ctx, path, at, force=True) == backups.Restored(check_ins=0, messages=1)
    for minutes, sent in ((1, 0), (3, 0), (6, 0), (9, 0), (12, 1), (60, 1)):
        work(ctx, sandbox, at + timedelta(minutes=minutes))
        assert sum(texts(sandbox).values()) == sent, minutes


def test_what_fell_due_and_was_asked_after_the_backup_is_not_asked_again(
    ctx: Context, practice: Riverside, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Planned before the backup, sent after it."""
    practice.visit("Ana", START, now=START)
    path = the_backup(ctx, tmp_path, START + HOUR)
    work(ctx, sandbox, START + 2 * HOUR)
    sent = texts(sandbox)
    assert len(sent) == 2, "the welcome and the question"
    assert backups.restore(ctx, path, START + 3 * HOUR, force=True) == backups.Restored(check_ins=1, messages=1)
    for hours in (3, 4, 5, 20):
        work(ctx, sandbox, START + hours * HOUR)
    assert texts(sandbox) == sent
    assert practice.client("Ana").welcomed
    [check_in] = practice.check_ins("Ana")
    assert (check_in.state, check_in.reason) == ("cancelled", doubts.REASON)


def test_what_was_already_in_doubt_at_the_backup_is_found_though_it_went_out_before(
    ctx: Context, practice: Riverside, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The attempt began an hour before the backup: a look-up from the backup on would not see it."""
    practice.visit("Ana", START, now=START)
    with ctx.store.transaction() as tx:
        tx.run("update client set welcomed_at = 1")
    sandbox.faults.plan(Fault("accept_then_503"))
    work(ctx, sandbox, START + 2 * HOUR)
    assert practice.rows("select state from outbox") == [{"state": "in_doubt"}]
    path = the_backup(ctx, tmp_path, START + 3 * HOUR)
    backups.restore(ctx, path, START + 4 * HOUR, force=True)
    for minutes in (5, 30, 60):
        work(ctx, sandbox, START + 4 * HOUR + timedelta(minutes=minutes))
    assert sum(texts(sandbox).values()) == 1
    assert practice.check_ins("Ana")[0].state == "asked"


def test_a_copy_made_by_other_means_sends_nothing_again_either(
    ctx: Context, practice: Riverside, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It doesn't say when it was made."""
    live_on(ctx, practice, sandbox, START, START + STEP)
    copy = tmp_path / "cp.db"
    ctx.store.copy_to(str(copy))
    live_on(ctx, practice, sandbox, START + 2 * STEP, START + 6 * STEP)
    backups.restore(ctx, str(copy), START + 7 * STEP, force=True)
    live_on(ctx, practice, sandbox, START + 7 * STEP, START + timedelta(weeks=1))
    assert max(texts(sandbox).values()) == 1


def test_no_reminder_goes_to_someone_who_may_have_answered_since(
    ctx: Context, practice: Riverside, sandbox: Sandbox, tmp_path: Path
) -> None:
    practice.visit("Ana", START, now=START)
    work(ctx, sandbox, START + 2 * HOUR)
    assert practice.check_ins("Ana")[0].remind_at, "a reminder must be planned"
    path = the_backup(ctx, tmp_path, START + 3 * HOUR)
    backups.restore(ctx, path, START + 20 * HOUR, force=True)
    assert practice.check_ins("Ana")[0].remind_at is None


def test_an_appointment_that_ends_after_the_restore_is_asked_about_as_ever(
    ctx: Context, practice: Riverside, sandbox: Sandbox, tmp_path: Path
) -> None:
    backups.restore(ctx, the_backup(ctx, tmp_path), START, force=True)
    intake.take_rows(ctx, practice.practice, "appointments", calendar(START + 5 * HOUR), START + 5 * HOUR)
    assert [check_in.state for check_in in practice.check_ins("Ana")] == ["planned"]


def test_an_appointment_known_to_the_backup_and_unchanged_keeps_its_plan(
    ctx: Context, practice: Riverside, tmp_path: Path
) -> None:
    """What it planned for later had not been sent by then."""
    later = calendar(START + 5 * HOUR)
    intake.take_rows(ctx, practice.practice, "appointments", later, START + 5 * HOUR)
    path = the_backup(ctx, tmp_path, START + 5 * HOUR)
    backups.restore(ctx, path, START + 5 * HOUR, force=True)
    intake.take_rows(ctx, practice.practice, "appointments", later, START + 5 * HOUR)
    assert [check_in.state for check_in in practice.check_ins("Ana")] == ["planned"]


def test_a_backup_is_whole_while_others_write(ctx: Context, practice: Riverside, tmp_path: Path) -> None:
    """Two rows are always written together: no copy may hold one without the other."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with ctx.store.transaction() as tx:
                system.set_value(tx, "left", str(number))
                system.set_value(tx, "right", str(number))
        ctx.store.close()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    paths = [the_backup(ctx, tmp_path, name=f"{n}.db") for n in range(5)]
    stop.set()
    for writer in writers:
        writer.join()
    for path in paths:
        copy = SqliteEngine(path, ctx.store.sealer)
        with copy.transaction(write=False) as tx:
            assert system.value(tx, "left") == system.value(tx, "right")
        copy.close()


def test_a_backup_is_for_its_owner_alone_and_leaves_nothing_beside_it(
    ctx: Context, practice: Riverside, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    the_backup(ctx, folder)
    assert os.listdir(folder) == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_holds_no_name_number_or_word_in_the_open(ctx: Context, practice: Riverside, tmp_path: Path) -> None:
    raw = Path(the_backup(ctx, tmp_path)).read_bytes()
    assert b"C-Ana" in raw, "references are in the open, so that this looks in the right place"
    for secret in (b"Chidi\x00", b"+12025550101", b"2025550101", b"clients.example", b"riverside.example"):
        assert secret not in raw


def test_a_backup_does_not_overwrite(ctx: Context, practice: Riverside, tmp_path: Path) -> None:
    path = the_backup(ctx, tmp_path)
    with pytest.raises(StoreError, match="is there already"):
        backups.backup(ctx, path, START + HOUR)
    with pytest.raises(StoreError, match="its folder isn't there"):
        backups.backup(ctx, str(tmp_path / "nowhere" / "a.db"), START)


@pytest.mark.parametrize("second_names", [True, False])
def test_two_backups_at_once_to_one_name_leave_one_whole_copy(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second_names: bool
) -> None:
    """The second begins and ends while the first looks at its copy. Where the disk knows no second names, the first
    takes the name over: whole as well."""
    path, looks = str(tmp_path / "copy.db"), backups._refuse_broken

    def meanwhile(part: str, of: Context) -> None:
        monkeypatch.setattr(backups, "_refuse_broken", looks)
        backups.backup(ctx, path, START + HOUR)
        looks(part, of)

    monkeypatch.setattr(backups, "_refuse_broken", meanwhile)
    if second_names:
        with pytest.raises(StoreError, match="is there already"):
            backups.backup(ctx, path, START)
    else:
        monkeypatch.setattr(os, "link", refuses)
        backups.backup(ctx, path, START)
    assert [name for name in os.listdir(tmp_path) if name.startswith("copy")] == ["copy.db"]
    with opened(Path(path), ctx) as copy, copy.transaction(write=False) as tx:
        of = START + HOUR if second_names else START
        assert system.value(tx, backups.BACKED_UP_AT) == str(int(of.timestamp()))
        assert len(tx.all("select * from client")) == 3
    with ctx.store.transaction(write=False) as tx:
        assert system.value(tx, backups.GOOD_BACKUP_AT) == str(int(of.timestamp()))


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_a_backup_does_not_take_a_name_with_something_left_beside_it(
    ctx: Context, practice: Riverside, tmp_path: Path, ending: str
) -> None:
    """SQLite would take it for a part of the backup, and old rows would come back."""
    (tmp_path / f"copy.db{ending}").write_bytes(b"of a file that is gone")
    with pytest.raises(StoreError, match=f"copy.db{ending} is left over .* move it away"):
        the_backup(ctx, tmp_path)
    assert [name for name in os.listdir(tmp_path) if name.startswith("copy")] == [f"copy.db{ending}"]
    with ctx.store.transaction(write=False) as tx:
        assert system.value(tx, backups.GOOD_BACKUP_AT) is None


def test_an_empty_copy_is_no_backup(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own check finds nothing wrong with it."""
    monkeypatch.setattr(SqliteEngine, "copy_to", lambda _, path: Path(path).touch())
    with pytest.raises(StoreError, match=r"The copy isn't whole: .* lacks its tables"):
        the_backup(ctx, tmp_path)
    assert [name for name in os.listdir(tmp_path) if name.startswith("copy")] == []


def test_a_backup_that_fails_leaves_nothing_behind(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteEngine, "integrity", lambda _: "row 7 missing from index")
    with pytest.raises(StoreError, match="row 7 missing"):
        backups.backup(ctx, str(tmp_path / "copy.db"), START)
    assert [name for name in os.listdir(tmp_path) if name.startswith("copy")] == []


def everything(ctx: Context) -> list[dict[str, object]]:
    with ctx.store.transaction(write=False) as tx:
        return [*tx.all("select * from installation order by 1"), *tx.all("select * from client order by id")]


def opened(path: Path, ctx: Context) -> closing[SqliteEngine]:
    """Closed again, so that nothing is left beside it."""
    return closing(SqliteEngine(str(path), ctx.store.sealer))


def newer(path: Path, ctx: Context) -> None:
    """A backup of a program that has had one step more."""
    with opened(path, ctx) as copy, copy.transaction() as tx:
        tx.run("insert into _sqlite_migrations (migration_set, name, applied_at) values ('attune', '9999_x', '2027')")


def cut(path: Path, _ctx: Context) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scratched(path: Path, _ctx: Context) -> None:
    raw = bytearray(path.read_bytes())
    for place in random.Random(1).sample(range(4096, len(raw)), 4000):
        raw[place] ^= 0xFF
    path.write_bytes(bytes(raw))


def damaged_within(path: Path, _ctx: Context) -> None:
    """One page, of a table that nobody looks at while restoring."""
    raw = bytearray(path.read_bytes())
    consent = re.search(rb"given.{1,8}roster", raw, re.DOTALL)
    assert consent
    page = consent.start() // 4096 * 4096
    raw[page : page + 8] = bytes(8)
    path.write_bytes(bytes(raw))


def junk(path: Path, _ctx: Context) -> None:
    path.write_bytes(b"no database at all" * 300)


def empty(path: Path, _ctx: Context) -> None:
    path.write_bytes(b"")


def another_programs(path: Path, ctx: Context) -> None:
    path.unlink()
    with opened(path, ctx) as copy, copy.transaction() as tx:
        tx.run("create table songs (name text)")


def missing(path: Path, _ctx: Context) -> None:
    path.unlink()


def of_another_key(path: Path, ctx: Context) -> None:
    path.unlink()
    other = replace(ctx, store=SqliteEngine(str(path), Sealer(("another-key-that-is-long-enough-too",))))
    other.store.migrate()
    riverside(other)
    other.store.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (newer, "upgraded by a newer Attune"),
        (cut, "isn't a whole backup"),
        (scratched, "isn't a whole backup"),
        (damaged_within, "isn't a whole backup"),
        (junk, "isn't a whole backup"),
        (empty, "isn't a whole backup"),
        (another_programs, "isn't a whole backup"),
        (missing, "isn't there"),
        (of_another_key, "sealed with a key that is not in SECRET_KEY"),
    ],
)
def test_a_file_that_cannot_be_restored_is_refused_and_nothing_changes(
    ctx: Context, practice: Riverside, tmp_path: Path, spoil: object, words: str
) -> None:
    assert len(STEPS) >= 1
    path = Path(the_backup(ctx, tmp_path))
    spoil(path, ctx)
    before = everything(ctx)
    with pytest.raises(StoreError, match=words):
        backups.restore(ctx, str(path), START)
    assert everything(ctx) == before
    assert not [name for name in os.listdir(tmp_path) if "restoring" in name or "before-" in name]


def test_the_database_itself_is_no_backup(ctx: Context, practice: Riverside) -> None:
    with pytest.raises(StoreError, match="is the database itself"):
        backups.restore(ctx, ctx.store.path, START)


def test_the_database_that_was_there_is_kept_beside_it(ctx: Context, practice: Riverside, tmp_path: Path) -> None:
    path = the_backup(ctx, tmp_path)
    practice.visit("Ana", START)
    backups.restore(ctx, path, START)
    assert practice.rows("select * from appointment") == []
    [kept] = tmp_path.glob("attune.db.before-*[0-9]")
    with SqliteEngine(str(kept), ctx.store.sealer).transaction(write=False) as tx:
        assert len(tx.all("select * from appointment")) == 1


@pytest.mark.parametrize("second_names", [True, False])
def test_each_database_that_was_there_is_kept_though_all_went_within_a_second(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second_names: bool
) -> None:
    path = the_backup(ctx, tmp_path)
    if not second_names:
        monkeypatch.setattr(os, "link", refuses)
    for visits in (1, 2, 3):
        for day in range(visits):
            practice.visit("Ana", START + timedelta(days=day))
        backups.restore(ctx, path, START)
    kept = []
    for each in tmp_path.glob("attune.db.before-*[0-9]"):
        with opened(each, ctx) as old, old.transaction(write=False) as tx:
            kept.append(len(tx.all("select * from appointment")))
    assert sorted(kept) == [1, 2, 3]


def test_a_kept_database_gets_no_name_with_something_beside_it(
    ctx: Context, practice: Riverside, tmp_path: Path
) -> None:
    path = the_backup(ctx, tmp_path)
    (tmp_path / f"attune.db.before-{START:%Y%m%d-%H%M%S}-wal").write_bytes(b"of another")
    backups.restore(ctx, path, START)
    assert [each.name[-2:] for each in tmp_path.glob("attune.db.before-*[0-9]")] == ["-2"]


def test_of_two_restores_at_once_the_second_is_refused_and_the_first_comes_to_its_end(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would prepare one file, and a copy in which nothing is in doubt could take the place."""
    path, makes_safe, refused = the_backup(ctx, tmp_path), backups._made_safe, []
    practice.visit("Ana", START)

    def meanwhile(*given: object) -> backups.Restored:
        with pytest.raises(StoreError, match="Another restore is at work") as found:
            backups.restore(ctx, path, START, force=True)
        refused.append(found.value)
        return makes_safe(*given)

    monkeypatch.setattr(backups, "_made_safe", meanwhile)
    backups.restore(ctx, path, START)
    assert len(refused) == 1
    with ctx.store.transaction(write=False) as tx:
        assert system.value(tx, backups.RESTORED_AT)
    [kept] = tmp_path.glob("attune.db.before-*[0-9]")
    with opened(kept, ctx) as old, old.transaction(write=False) as tx:
        assert len(tx.all("select * from appointment")) == 1
    monkeypatch.setattr(backups, "_made_safe", makes_safe)
    backups.restore(ctx, path, START)


def test_a_machine_without_a_database_is_brought_back(ctx: Context, practice: Riverside, tmp_path: Path) -> None:
    path = the_backup(ctx, tmp_path)
    url = f"sqlite:///{tmp_path}/elsewhere/attune.db"
    fresh = context.build(replace(ctx.config, database_url=url))
    os.mkdir(tmp_path / "elsewhere")
    backups.restore(fresh, path, START)
    assert os.listdir(tmp_path / "elsewhere") == ["attune.db"]
    with fresh.store.transaction(write=False) as tx:
        assert len(tx.all("select * from client")) == 3


def test_a_restore_that_dies_at_the_last_step_has_changed_nothing(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that must be put in doubt is, before the copy takes the database's place."""
    path = the_backup(ctx, tmp_path)
    before = everything(ctx)
    doubted = []

    def dies(*_: object) -> None:
        part = SqliteEngine(f"{ctx.store.path}.restoring", ctx.store.sealer)
        with part.transaction(write=False) as tx:
            doubted.append(system.value(tx, backups.RESTORED_AT))
        part.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(backups, "_set_aside", dies)
    with pytest.raises(KeyboardInterrupt):
        backups.restore(ctx, path, START)
    assert doubted == [str(int(START.timestamp()))]
    assert everything(ctx) == before


@pytest.mark.parametrize("second_names", [True, False])
def test_until_the_new_database_is_there_the_old_one_is(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second_names: bool
) -> None:
    """Where the disk knows no second names, the old one has to make room first, and is kept as well."""
    path = the_backup(ctx, tmp_path)
    practice.visit("Ana", START)
    there = []

    def looks(part: str, target: str) -> None:
        there.append(os.path.exists(target))
        move(part, target)

    move = backups._move
    monkeypatch.setattr(backups, "_move", looks)
    if not second_names:
        monkeypatch.setattr(os, "link", refuses)
    backups.restore(ctx, path, START)
    assert there == [second_names]
    assert practice.rows("select * from appointment") == []
    [kept] = tmp_path.glob("attune.db.before-*[0-9]")
    with SqliteEngine(str(kept), ctx.store.sealer).transaction(write=False) as tx:
        assert len(tx.all("select * from appointment")) == 1


def hot_journal(path: str) -> bytes:
    """What a crash in the middle of a transaction leaves: pages as they were before it."""
    conn = sqlite.sqlite3.connect(path, isolation_level=None)
    conn.execute("pragma journal_mode=delete")
    conn.execute("update client set client_ref = 'of the old one, ' || id")
    for statement in ("pragma synchronous=off", "begin", "update client set client_ref = id"):
        conn.execute(statement)
    left = Path(f"{path}-journal").read_bytes()
    conn.execute("rollback")
    conn.close()
    return left


def log_of(path: str) -> bytes:
    """What a change leaves in the log until it is brought into the file."""
    conn = sqlite.sqlite3.connect(path, isolation_level=None)
    conn.execute("pragma journal_mode=wal")
    conn.execute("update client set client_ref = 'of the old one, ' || id")
    left = Path(f"{path}-wal").read_bytes()
    conn.close()
    return left


def test_what_lay_beside_the_old_database_is_no_part_of_the_new_one(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that a crash left would be played back into whatever file has the name. SQLite does away with it where
    it can open the old database: here it can't."""
    path = the_backup(ctx, tmp_path)
    ctx.store.close()
    Path(f"{ctx.store.path}-journal").write_bytes(hot_journal(ctx.store.path))
    monkeypatch.setattr(backups, "_close_up", lambda _store: None)
    backups.restore(ctx, path, START, force=True)
    assert practice.client("Ana").client_ref == "C-Ana"
    assert ctx.store.integrity() == "ok"
    assert len(list(tmp_path.glob("attune.db.before-*-journal"))) == 1


@pytest.mark.parametrize("ending", ["-journal", "-wal"])
def test_what_lies_beside_a_backup_is_never_played_into_it(
    ctx: Context, practice: Riverside, tmp_path: Path, ending: str
) -> None:
    """It may belong to a file that had the name before, and nothing in it tells."""
    path, before = the_backup(ctx, tmp_path), everything(ctx)
    other = the_backup(ctx, tmp_path, name="other.db")
    left = hot_journal(other) if ending == "-journal" else log_of(other)
    Path(path + ending).write_bytes(left)
    with pytest.raises(StoreError, match=f"copy.db{ending} lies beside it.* move it away"):
        backups.restore(ctx, path, START)
    assert everything(ctx) == before
    assert Path(path + ending).read_bytes() == left
    os.truncate(path + ending, 0)
    backups.restore(ctx, path, START)
    assert practice.client("Ana").client_ref == "C-Ana"


def test_a_database_copied_with_its_log_is_restored_once_both_are_one_file(
    ctx: Context, practice: Riverside, tmp_path: Path
) -> None:
    """What the refusal says to do. A backup of it would say that nothing went out before today."""
    practice.visit("Ana", START)
    copy = tmp_path / "raw.db"
    for ending in ("", "-wal"):
        Path(f"{copy}{ending}").write_bytes(Path(f"{ctx.store.path}{ending}").read_bytes())
    with pytest.raises(StoreError, match=f"DATABASE_URL=sqlite:///{copy} attune migrate"):
        backups.restore(ctx, str(copy), START)
    with opened(copy, ctx) as raw:
        assert raw.migrate() == []
    backups.restore(ctx, str(copy), START)
    assert len(practice.rows("select * from appointment")) == 1


def test_a_copy_that_could_not_be_brought_into_one_file_does_not_take_the_place(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was put in doubt is in the file beside it, which isn't moved: all would go out again."""
    path, before = the_backup(ctx, tmp_path), everything(ctx)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    readers = []

    def somebody_reads(store: SqliteEngine, *_: object) -> int:
        reader = sqlite.connect(store.path, store._gate).conn
        reader.execute("begin")
        readers.append((reader, reader.execute("select count(*) from outbox").fetchone()))
        return 0

    monkeypatch.setattr(backups.erasing, "erase_again", somebody_reads)
    with pytest.raises(StoreError, match="couldn't be brought into one file"):
        backups.restore(ctx, path, START)
    readers[0][0].close()
    assert everything(ctx) == before
    assert not [name for name in os.listdir(tmp_path) if "restoring" in name or "before-" in name]


def test_where_a_restore_was_cut_off_no_empty_database_is_made(
    ctx: Context, practice: Riverside, tmp_path: Path
) -> None:
    """It would look as if all had gone well, and answer clients as if nobody knew them."""
    store = SqliteEngine(str(tmp_path / "elsewhere" / "attune.db"), ctx.store.sealer)
    os.mkdir(tmp_path / "elsewhere")
    backups.refuse_cut_off(store)
    (tmp_path / "elsewhere" / "attune.db.restoring").write_bytes(b"half a copy")
    with pytest.raises(StoreError, match="A restore was cut off"):
        backups.refuse_cut_off(store)
    store.migrate()
    backups.refuse_cut_off(store)


@pytest.mark.parametrize(
    ("worker", "ago", "refused"),
    [
        (f"{socket.gethostname()}-{os.getpid()}-abc", 10, True),
        (f"{socket.gethostname()}-{os.getpid()}-abc", -10, True),
        (f"{socket.gethostname()}-{os.getpid()}-abc", 3600, False),
        (f"{socket.gethostname()}-999999999-abc", 10, False),
        ("another-host-77-abc", 10, True),
        ("another-host-77-abc", 300, False),
    ],
    ids=["here", "here, clock ahead", "here, long ago", "here, ended", "elsewhere", "elsewhere, silent"],
)
def test_a_restore_waits_for_workers_to_stop(
    ctx: Context, practice: Riverside, tmp_path: Path, worker: str, ago: int, refused: bool
) -> None:
    path = the_backup(ctx, tmp_path)
    with ctx.store.transaction() as tx:
        system.beat(tx, worker, START - timedelta(seconds=ago))
    if not refused:
        backups.restore(ctx, path, START)
        return
    with pytest.raises(StoreError, match="A worker is still running"):
        backups.restore(ctx, path, START)
    backups.restore(ctx, path, START, force=True)


def test_a_restore_waits_for_the_web_to_stop(ctx: Context, practice: Riverside, tmp_path: Path, config: Config) -> None:
    from werkzeug.serving import make_server

    from bot.web import create_app

    path = the_backup(ctx, tmp_path)
    server = make_server("127.0.0.1", 0, create_app(ctx, At(START)), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    busy = replace(ctx, config=replace(ctx.config, port=server.server_port))
    try:
        with pytest.raises(StoreError, match="web is still running on port"):
            backups.restore(busy, path, START)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    backups.restore(busy, path, START)


def test_a_web_that_takes_a_connection_and_is_too_busy_to_answer_is_still_running(
    ctx: Context, practice: Riverside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "PATIENCE", 0.2)
    path = the_backup(ctx, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        busy = replace(ctx, config=replace(ctx.config, port=silent.getsockname()[1]))
        with pytest.raises(StoreError, match="web is still running on port"):
            backups.restore(busy, path, START)
    backups.restore(busy, path, START)
