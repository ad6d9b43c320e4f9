"""What the store is asked only now and then, on whichever engine: by a restore, a change of key, a worker between two
passes, the pages of an account. `make test-postgres` fails where a function of the store was never tried on a server.
"""

from datetime import timedelta

import pytest

from bot.flows import backups
from bot.flows.context import Context
from bot.store import (
    Tx,
    alerts,
    attempts,
    audit,
    check_ins,
    clients,
    erasing,
    inbox,
    open_store,
    outbox,
    passkeys,
    people,
    reseal,
    sends,
    system,
)
from bot.store.inbox import Inbound
from tests.support import canaries
from tests.support.canaries import MONDAY

NEWER = "a-newer-secret-for-tests-of-good-length"
LATER = MONDAY + timedelta(hours=1)
ANA = "+12025550188"


@pytest.fixture
def filled(ctx: Context) -> tuple[Context, str, str]:
    """A practice in which everything has happened once; its id and its client's."""
    practice_id = canaries.fill(ctx)
    with ctx.store.transaction(write=False) as tx:
        return ctx, practice_id, clients.refs(tx, practice_id)["C-1"]


def check_in_of(tx: Tx, practice_id: str, client_id: str) -> check_ins.CheckIn:
    found = check_ins.latest_asked(tx, practice_id, client_id)
    assert found is not None
    return found


def test_a_change_of_key_leaves_nothing_under_the_old_one(filled: tuple[Context, str, str]) -> None:
    """Every field, index and trail, and two rows about one number become one."""
    ctx, practice_id, _ = filled
    with ctx.store.transaction() as tx:
        audit.note(tx, practice_id, "person", "exported answers", "practice", LATER, "asked by the board")
        before, trail = canaries.opened(tx), audit.verify(tx, practice_id)
    both = open_store(ctx.config.database_url, (NEWER, *ctx.config.secrets))
    newer = open_store(ctx.config.database_url, (NEWER,))
    with newer.transaction() as tx:
        clients.stop(tx, practice_id, canaries.STRANGER, "sms", LATER)
    with both.transaction() as tx:
        assert len(tx.all("select id from suppression")) == 2
        assert reseal.left(tx) > 20
        assert audit.stale(tx, practice_id)
    assert reseal.reseal(both).broken == []
    with newer.transaction(write=False) as tx:
        assert len(tx.all("select id from suppression")) == 1
        assert set(canaries.opened(tx).splitlines()) == set(before.splitlines())
        renewed = audit.verify(tx, practice_id)
        assert (renewed.entries, renewed.broken) == (trail.entries, ())
        assert reseal.left(tx) == 0
    for store in (both, newer):
        store.close()


def test_after_a_restore_nothing_that_was_due_goes_out(filled: tuple[Context, str, str]) -> None:
    """What waited is in doubt, and what is due and wasn't asked is closed."""
    ctx, practice_id, client_id = filled
    with ctx.store.transaction() as tx:
        tx.run("update outbox set state = 'due', due_at = 0 where kind = 'check_in'")
        assert sends.due_counts(tx, MONDAY)["sms", False] >= 1
        done = backups.put_in_doubt(tx, ctx, LATER)
        assert done.messages >= 1
        assert {row["state"] for row in tx.all("select state from outbox where kind = 'check_in'")} == {"in_doubt"}
        assert outbox.next_due(tx) is not None
        assert erasing.leftovers(tx, practice_id, client_id)
        assert erasing.everyone(tx) == []
        tx.run("update client set erased_at = 1 where id = :id", {"id": client_id})
        assert erasing.everyone(tx) == [(practice_id, client_id)]


def test_a_worker_knows_what_comes_next(filled: tuple[Context, str, str]) -> None:
    """The next step of an alert, the sender who is furthest ahead, what waits for a person, and who else works."""
    ctx, _, _ = filled
    with ctx.store.transaction() as tx:
        tx.run("update alert set next_step_at = :at", {"at": int(LATER.timestamp())})
        assert alerts.next_due(tx) == LATER
        system.set_free_at(tx, "+15005550006", int(LATER.timestamp()) * 1000 - 1)
        waiting = tx.run("update outbox set state = 'needs_person' where kind = 'check_in'")
        assert outbox.need_a_person(tx) == waiting > 0
        assert system.busy_until(tx) == int(LATER.timestamp())
        assert system.beats(tx, MONDAY, LATER) == [
            str(row["id"]) for row in tx.all("select id from worker order by id")
        ]


def test_an_alert_from_before_each_knew_its_message_finds_it_by_its_moment(filled: tuple[Context, str, str]) -> None:
    """All that came at that second and might have opened it."""
    ctx, practice_id, client_id = filled
    with ctx.store.transaction() as tx:
        [alert] = alerts.of_client(tx, practice_id, client_id)
        known = alerts.written_from(tx, alert)
        tx.run("update alert set inbox_id = null")
        assert alerts.written_from(tx, alert) == known == [ANA]


def test_a_form_about_a_check_in_is_counted_and_the_newest_message_known(filled: tuple[Context, str, str]) -> None:
    """And where the question went."""
    ctx, practice_id, client_id = filled
    with ctx.store.transaction() as tx:
        check_in = check_in_of(tx, practice_id, client_id)
        assert outbox.latest_address(tx, practice_id, check_in.id) == ANA
        assert inbox.count_by_form(tx, practice_id, check_in.id) == 0
        row_id = inbox.remember(tx, practice_id, Inbound("web", "form-1", ANA, "5 5 5"), LATER)
        assert row_id
        inbox.note_reading(tx, row_id, client_id=client_id, check_in_id=check_in.id, kind="answer", reading="{}")
        assert inbox.count_by_form(tx, practice_id, check_in.id) == 1
        assert inbox.is_latest(tx, practice_id, check_in.id, "web", "form-1")
        assert not inbox.is_latest(tx, practice_id, check_in.id, "sms", "form-1")


def test_tries_are_counted_and_forgotten(ctx: Context) -> None:
    """Once is the first time in so long."""
    with ctx.store.transaction() as tx:
        assert attempts.once(tx, "a mail", timedelta(hours=1), MONDAY)
        assert not attempts.once(tx, "a mail", timedelta(hours=1), MONDAY)
        attempts.clear(tx, "a mail")
        assert attempts.once(tx, "a mail", timedelta(hours=1), MONDAY)


def test_a_passkey_is_kept_found_counted_and_forgotten(filled: tuple[Context, str, str]) -> None:
    """By what the browser offers."""
    ctx, practice_id, _ = filled
    with ctx.store.transaction() as tx:
        theo = people.by_email(tx, practice_id, "theobald@wrenfield.example")
        assert theo is not None
        assert passkeys.add(tx, practice_id, theo.id, "credential", "key", 0, "phone", MONDAY)
        assert not passkeys.add(tx, practice_id, theo.id, "credential", "key", 0, "phone", MONDAY)
        found = passkeys.find(tx, "credential")
        assert found is not None
        passkeys.used(tx, found.id, 7, LATER)
        [now] = passkeys.of_person(tx, practice_id, theo.id)
        assert (now.sign_count, now.used_at, now.name) == (7, LATER, "phone")
        assert passkeys.remove(tx, practice_id, theo.id, found.id)
        assert passkeys.find(tx, "credential") is None
