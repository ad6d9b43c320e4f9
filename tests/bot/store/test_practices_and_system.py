"""Practices with their tokens and audit trail, and what the installation keeps about itself."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import Store, practices, system
from surveys.wording import why_not_name
from tests.support.practice_rows import NOW, Small


def test_a_practice_reads_back_as_it_was_saved(store: Store) -> None:
    """Every field, and only for this practice."""
    with store.transaction() as tx:
        other = practices.add(tx, "Hillside", NOW)
        made = practices.add(tx, "Riverside", NOW)
        changed = replace(
            made, name="Riverside Counseling", sms_name="Riverside", country="GB", timezone="Europe/London",
            language="fr", schedule={"digits": "3"}, settings={"duty_hours": "always"},
        )  # fmt: skip
        practices.save(tx, changed)
        assert practices.get(tx, made.id) == changed
        assert practices.get(tx, other.id) == other
        assert [practice.name for practice in practices.every(tx)] == ["Hillside", "Riverside Counseling"]
        with pytest.raises(KeyError):
            practices.get(tx, "nobody's")


def test_the_first_practice_makes_itself_once(store: Store) -> None:
    """A small practice needs no setting up: US, New York, English."""
    with store.transaction() as tx:
        made = practices.first(tx, NOW)
        assert practices.first(tx, NOW + timedelta(days=1)) == made
        assert (made.country, made.timezone, made.language) == ("US", "America/New_York", "en")


@pytest.mark.parametrize(
    "name", ["Riverside", "Riverside Counseling of Washington", "Café ☕", "Back`tick", "Our practice"]
)
def test_a_new_practice_signs_its_texts_with_a_name_that_can_be_sent(store: Store, name: str) -> None:
    """Its own where that fits a text, else a neutral one: never one that `attune practice set` would refuse."""
    with store.transaction() as tx:
        made = practices.add(tx, name, NOW)
    assert why_not_name(made.sms_name) is None
    assert (made.sms_name == name) == (why_not_name(name) is None)


def test_a_token_opens_its_own_practice_and_is_not_stored(store: Store, path: Path) -> None:
    """What is stored of it can't be used; a revoked or made-up one opens nothing."""
    small = Small(store)
    with store.transaction() as tx:
        token = practices.new_token(tx, small.id, "booking system", NOW)
        assert practices.of_token(tx, token) == small.id
        for wrong in ("", token[:-1], token.upper(), f"{token} "):
            assert practices.of_token(tx, wrong) is None
    store.checkpoint()
    assert token.encode() not in path.read_bytes()
    with store.transaction() as tx:
        tx.run("update api_token set revoked_at = 1")
        assert practices.of_token(tx, token) is None


def test_the_audit_trail_keeps_who_did_what_and_seals_what_they_said_of_it(store: Store) -> None:
    """A reason is free text: it may hold a client's name."""
    small = Small(store)
    with store.transaction() as tx:
        practices.note(tx, small.id, "command", "export answers", small.id, NOW, words="for Ana's complaint")
        row = tx.one("select * from audit")
        assert row is not None
        assert "complaint" not in str(row)
        assert (row["who"], row["what"], row["about"]) == ("command", "export answers", small.id)
        assert tx.open("audit", "words", row["id"], row["words_sealed"]) == "for Ana's complaint"


def test_the_last_beat_is_the_youngest_of_all_workers(store: Store) -> None:
    """Silence is noticed when every worker is silent; those long gone are forgotten."""
    with store.transaction() as tx:
        assert system.last_beat(tx) is None
        system.beat(tx, "one", NOW)
        system.beat(tx, "two", NOW - timedelta(days=3))
        assert system.last_beat(tx) == NOW
        system.beat(tx, "one", NOW + timedelta(seconds=30))
        system.forget_workers(tx, NOW)
        assert system.last_beat(tx) == NOW + timedelta(seconds=30)
        assert [row["id"] for row in tx.all("select id from worker")] == ["one"]


def test_each_sender_has_a_pace_of_its_own(store: Store) -> None:
    """And when the next is due is told in whole seconds, never too early."""
    with store.transaction() as tx:
        assert (system.free_at(tx, "+15005550006"), system.busy_until(tx)) == (0, 0)
        system.set_free_at(tx, "+15005550006", 5_001)
        system.set_free_at(tx, "+15005550006", 6_001)
        system.set_free_at(tx, "+15005550007", 1_000)
        assert system.free_at(tx, "+15005550006") == 6_001
        assert system.busy_until(tx) == 7


def test_a_fact_about_the_installation_is_replaced_by_the_next(store: Store) -> None:
    """The time of the last backup, for one."""
    with store.transaction() as tx:
        assert system.value(tx, "backed_up_at") is None
        for at in ("1", "2"):
            system.set_value(tx, "backed_up_at", at)
        assert system.value(tx, "backed_up_at") == "2"
