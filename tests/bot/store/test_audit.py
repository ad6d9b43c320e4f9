"""The audit trail: whoever changes, removes, inserts or reorders entries without the key is found out."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.config import Config
from bot.flows import context, operating
from bot.store import Tx, audit, practices, reseal, system
from bot.store.seal import Sealer
from tests.support.cast import MONDAY_NOON

Change = Callable[[Tx, random.Random, int], None]
TIMES, ENTRIES, SEED = 1_000, 40, 20_260_907
COLUMNS = ("at", "who", "what", "about", "words_sealed", "said", "practice_id", "chain", "id")


@pytest.fixture
def trail(config: Config) -> tuple[context.Context, str]:
    """A practice whose trail has forty entries, and another one with a few."""
    ctx = context.build(config)
    ctx.store.migrate()
    with ctx.store.transaction() as tx:
        ours, theirs = (practices.add(tx, name, MONDAY_NOON).id for name in ("Riverside", "Hillside"))
        for at in range(ENTRIES):
            told = MONDAY_NOON + timedelta(minutes=at // 2)
            audit.note(tx, ours, f"person {at % 5}", f"did {at % 7}", f"row {at}", told, "because" * (at % 3))
            if at % 9 == 0:
                audit.note(tx, theirs, "person", "did", "row", told)
    return ctx, ours


def pick(tx: Tx, rng: random.Random, practice_id: str, n: int = 1) -> list[dict[str, object]]:
    rows = tx.all("select * from audit where practice_id = :p order by seq", {"p": practice_id})
    return rng.sample(rows, n)


def flip(tx: Tx, rng: random.Random, practice_id: str) -> None:
    """One field of one entry, changed in one place, or swapped with a neighbour's."""
    first, second = pick(tx, rng, practice_id, 2)
    column = rng.choice(COLUMNS)
    other = tx.one("select id from practice where id <> :p", {"p": practice_id})
    assert other
    value = first[column]
    if column == "practice_id":
        tx.run("update audit set seq = null where practice_id = :o and seq = :s", {"o": other["id"], "s": first["seq"]})
        changed: object = other["id"]
    elif isinstance(value, int):
        changed = value + rng.choice((-60, 1, 3600))
    elif column == "words_sealed" and value and rng.random() < 0.3:
        changed = None
    elif value is None or (column not in ("id", "chain") and rng.random() < 0.3 and second[column] != value):
        changed = second[column] or "x"
    else:
        at = rng.randrange(len(str(value)))
        changed = f"{str(value)[:at]}{'0' if str(value)[at] != '0' else '1'}{str(value)[at + 1 :]}"
    tx.run(f"update audit set {column} = :v where id = :id", {"v": changed, "id": first["id"]})


def delete(tx: Tx, rng: random.Random, practice_id: str) -> None:
    """One entry, several, or the last ones; sometimes the numbers are closed up after it."""
    if rng.random() < 0.4:
        tx.run("delete from audit where practice_id = :p and seq > :s", {"p": practice_id, "s": rng.randrange(ENTRIES)})
        return
    for row in pick(tx, rng, practice_id, rng.randint(1, 3)):
        tx.run("delete from audit where id = :id", {"id": row["id"]})
    if rng.random() < 0.5:
        rows = tx.all("select id from audit where practice_id = :p order by seq", {"p": practice_id})
        for seq, row in enumerate(rows, 1):
            tx.run("update audit set seq = :s where id = :id", {"s": seq, "id": row["id"]})


def reorder(tx: Tx, rng: random.Random, practice_id: str) -> None:
    """Two entries change places: by number, by number and hash, or by all that they say."""
    first, second = pick(tx, rng, practice_id, 2)
    columns = rng.choice((("seq",), ("seq", "chain"), ("who", "what", "about", "at")))
    if columns[0] == "seq":
        tx.run("update audit set seq = -1 where id = :id", {"id": first["id"]})
    for row, other in ((second, first), (first, second)):
        told = ", ".join(f"{column} = :{column}" for column in columns)
        tx.run(f"update audit set {told} where id = :id", {**{c: other[c] for c in columns}, "id": row["id"]})


class _Undo(Exception):
    pass


@pytest.mark.parametrize("change", [flip, delete, reorder])
def test_a_thousand_changes_are_found(trail: tuple[context.Context, str], change: Change) -> None:
    """A thousand in all, each made in the database by somebody who has no key, and taken back afterwards."""
    ctx, practice_id = trail
    rng, missed = random.Random(f"{SEED} {change.__name__}"), []
    with ctx.store.transaction() as tx:
        for n in range(TIMES // 3 + 1):
            try:
                with tx.savepoint():
                    change(tx, rng, practice_id)
                    if not audit.verify(tx, practice_id).broken:
                        missed.append(n)
                    raise _Undo
            except _Undo:
                pass
        whole = audit.verify(tx, practice_id)
    assert not missed, f"seed {SEED}"
    assert (whole.entries, whole.broken) == (ENTRIES, ())


def test_what_was_changed_is_named_by_its_number(trail: tuple[context.Context, str]) -> None:
    ctx, practice_id = trail
    with ctx.store.transaction() as tx:
        tx.run("update audit set what = 'nothing' where practice_id = :p and seq in (7, 21)", {"p": practice_id})
        tx.run("delete from audit where practice_id = :p and seq in (30, 40)", {"p": practice_id})
        assert audit.verify(tx, practice_id).broken == (7, 21, 30, 40)


def test_words_are_erased_by_an_entry_of_their_own_and_in_no_other_way(trail: tuple[context.Context, str]) -> None:
    """Of an erased client nothing that was said is left, and the trail is whole all the same."""
    ctx, practice_id = trail
    with ctx.store.transaction() as tx:
        audit.note(tx, practice_id, "dana", "export", "ana", MONDAY_NOON, "Ana asked for it")
        audit.note(tx, practice_id, "dana", "export", "ben", MONDAY_NOON, "Ben asked for it")
        audit.erase_words(tx, practice_id, "dana", "ana", MONDAY_NOON)
        assert not audit.verify(tx, practice_id).broken
        left = tx.all("select about, words_sealed from audit where what = 'export' order by seq")
        assert [(row["about"], row["words_sealed"] is None) for row in left] == [("ana", True), ("ben", False)]
        audit.note(tx, practice_id, "dana", "export", "ana", MONDAY_NOON, "again")
        assert not audit.verify(tx, practice_id).broken
        tx.run("update audit set words_sealed = null where about in ('ben', 'ana')")
        assert audit.verify(tx, practice_id).broken == (ENTRIES + 2, ENTRIES + 4)


def test_an_entry_that_nobody_chained_is_found(trail: tuple[context.Context, str]) -> None:
    ctx, practice_id = trail
    row = {"id": "f" * 32, "practice_id": practice_id, "at": 1, "who": "x", "what": "x", "about": "x"}
    for at, seq in enumerate((None, ENTRIES + 1, 0)):
        with ctx.store.transaction() as tx:
            tx.run("delete from audit where who = 'x'")
            tx.insert("audit", row | {"id": f"{at:032x}", "seq": seq, "chain": "x" * 73})
            assert audit.verify(tx, practice_id).broken


def test_without_its_head_a_trail_is_not_whole(trail: tuple[context.Context, str]) -> None:
    """Nor with another practice's, or with one of a key that isn't ours."""
    ctx, practice_id = trail
    name = f"audit head {practice_id}"
    with ctx.store.transaction() as tx:
        other = tx.one("select value from installation where name like 'audit head%' and name <> :n", {"n": name})
        assert other
        for text in (
            other["value"],
            "nonsense",
            Sealer(["another secret"]).seal("installation|audit head|x", "[1, 2]"),
        ):
            system.set_value(tx, name, text)
            assert audit.verify(tx, practice_id).broken
        tx.run("delete from installation where name = :n", {"n": name})
        assert audit.verify(tx, practice_id).broken


def test_going_on_makes_nothing_good(trail: tuple[context.Context, str]) -> None:
    """Whoever takes off the end of a trail, and what tells of it, is still found out when entries follow."""
    ctx, practice_id = trail
    with ctx.store.transaction() as tx:
        tx.run("delete from audit where practice_id = :p and seq > 30", {"p": practice_id})
        tx.run("delete from installation where name = :n", {"n": f"audit head {practice_id}"})
        for _ in range(3):
            audit.note(tx, practice_id, "w", "did", "x", MONDAY_NOON)
        assert audit.verify(tx, practice_id).broken == (31,)


def test_an_entry_of_another_past_does_not_fit(trail: tuple[context.Context, str]) -> None:
    """A backup was restored and other things were done since; what was written before that is put back in its place."""
    ctx, practice_id = trail
    with ctx.store.transaction() as tx:
        try:
            with tx.savepoint():
                audit.note(tx, practice_id, "w", "did this", "x", MONDAY_NOON)
                past = tx.one("select * from audit where practice_id = :p and what = 'did this'", {"p": practice_id})
                raise _Undo
        except _Undo:
            pass
        for what in ("did that", "and more"):
            audit.note(tx, practice_id, "w", what, "x", MONDAY_NOON)
        assert past
        tx.run("delete from audit where practice_id = :p and seq = :s", {"p": practice_id, "s": past["seq"]})
        tx.insert("audit", past)
        assert audit.verify(tx, practice_id).broken


def test_what_was_written_before_there_was_a_chain_is_chained_with_the_next_entry(config: Config) -> None:
    ctx = context.build(config)
    ctx.store.migrate()
    with ctx.store.transaction() as tx:
        practice_id = practices.add(tx, "Riverside", MONDAY_NOON).id
        for at in (3, 1, 2):
            row = {"id": f"{at:032x}", "practice_id": practice_id, "at": at, "who": "w", "what": "did", "about": "x"}
            tx.insert("audit", row)
        assert audit.verify(tx, practice_id) == audit.Trail(3, "", ())
        audit.note(tx, practice_id, "w", "did", "x", MONDAY_NOON)
        assert audit.verify(tx, practice_id).entries == 4
        assert not audit.verify(tx, practice_id).broken
        tx.run("update audit set at = 5 where id = :id", {"id": f"{2:032x}"})
        assert audit.verify(tx, practice_id).broken == (2,)


def test_a_change_of_key_leaves_the_trail_whole_and_no_older_key_is_needed_after_it(
    trail: tuple[context.Context, str], config: Config
) -> None:
    newer = "a newer secret that is long enough"
    practice_id = trail[1]
    both = context.build(replace(config, secrets=(newer, *config.secrets)))
    alone = context.build(replace(config, secrets=(newer,)))
    with both.store.transaction() as tx:
        assert not audit.verify(tx, practice_id).broken
        audit.note(tx, practice_id, "w", "did", "x", MONDAY_NOON, "words")
        assert reseal.left(tx)
    with alone.store.transaction(write=False) as tx:
        assert audit.verify(tx, practice_id).broken
    assert not reseal.reseal(both.store).broken
    with alone.store.transaction(write=False) as tx:
        assert audit.verify(tx, practice_id).entries == ENTRIES + 1
        assert not audit.verify(tx, practice_id).broken
        assert not reseal.left(tx)


def test_a_change_of_key_does_not_make_good_what_was_changed(
    trail: tuple[context.Context, str], config: Config
) -> None:
    both = context.build(replace(config, secrets=("a newer secret that is long enough", *config.secrets)))
    with both.store.transaction() as tx:
        tx.run("update audit set who = 'x' where seq = 3 and practice_id = :p", {"p": trail[1]})
    assert reseal.reseal(both.store).broken == [f"audit trail of practice {trail[1]}"]
    with both.store.transaction(write=False) as tx:
        assert audit.verify(tx, trail[1]).broken == (3,)
        assert reseal.left(tx)


def test_the_doctor_tells_how_long_a_trail_is_and_when_it_was_changed(trail: tuple[context.Context, str]) -> None:
    ctx, practice_id = trail

    def said() -> dict[str, tuple[str, str]]:
        findings = operating.doctor(ctx, MONDAY_NOON)
        return {each.subject: (each.level, each.text) for each in findings if "trail" in each.subject}

    level, text = said()["audit trail of Riverside"]
    assert (level, text.startswith("is whole: 40 entries, the last one ")) == ("good", True)
    with ctx.store.transaction() as tx:
        tx.run("delete from audit where seq = 12 and practice_id = :p", {"p": practice_id})
    assert said()["audit trail of Riverside"][0] == "bad"
    assert said()["audit trail of Hillside"][0] == "good"
