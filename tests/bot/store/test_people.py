"""Therapists, managers and contacts: found by address, each role by itself."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import Store, people
from tests.support.practice_rows import NOW, Small
from tests.support.racers import SECRET, store_at

EMAIL = "ines@riverside.example"


@pytest.fixture
def small(store: Store) -> Small:
    return Small(store)


def save(store: Store, small: Small, name: str = "Ines", phone: str | None = None, email: str = EMAIL) -> str:
    with store.transaction() as tx:
        return people.save(tx, small.id, name=name, email=email, phone=phone, now=NOW)[1]


def test_importing_people_twice_is_the_same(store: Store, small: Small) -> None:
    """The second time nothing is changed, whatever the case of the address."""
    assert [save(store, small), save(store, small), save(store, small, email=EMAIL.upper())] == ["new", "same", "same"]


def test_an_empty_number_takes_the_number_away(store: Store, small: Small) -> None:
    """Notes about danger must not go on to a number that has become someone else's."""
    save(store, small, phone="+12025550177")
    assert save(store, small, phone="") == "changed"
    with store.transaction(write=False) as tx:
        found = people.by_email(tx, small.id, EMAIL)
        assert found
        assert found.phone == ""


def test_a_changed_name_or_number_is_taken_and_a_missing_number_is_no_change(store: Store, small: Small) -> None:
    """A therapists' file has no numbers; it must not take away the one that was set for danger."""
    assert save(store, small) == "new"
    assert save(store, small, phone="+12025550177") == "changed"
    assert save(store, small) == "same"
    assert save(store, small, name="Ines M.") == "changed"
    with store.transaction(write=False) as tx:
        found = people.by_email(tx, small.id, EMAIL)
    assert found is not None
    assert (found.name, found.phone) == ("Ines M.", "+12025550177")


def test_people_are_found_and_not_doubled_after_a_change_of_key(path: Path, store: Store, small: Small) -> None:
    """By an index under the old key; importing the same file again is still "same"."""
    save(store, small)
    rotated = store_at(path, "a-newer-secret-for-tests-of-good-length", SECRET)
    assert save(rotated, small) == "same"
    assert save(rotated, small, name="Ines M.") == "changed"
    with rotated.transaction(write=False) as tx:
        assert len(tx.all("select id from person")) == 2


def test_a_person_has_any_number_of_roles(store: Store, small: Small) -> None:
    """Given twice is given once; taking one leaves the others."""
    with store.transaction() as tx:
        assert people.give_role(tx, small.id, small.theo, "therapist")
        assert not people.give_role(tx, small.id, small.theo, "therapist")
        people.give_role(tx, small.id, small.theo, "duty")
        people.take_role(tx, small.id, "therapist")
        assert people.with_role(tx, small.id, "therapist") == []
        assert [person.id for person in people.with_role(tx, small.id, "duty")] == [small.theo]


def test_who_has_left_holds_no_role(store: Store, small: Small) -> None:
    """An alert must go to somebody who is there."""
    with store.transaction() as tx:
        people.give_role(tx, small.id, small.theo, "duty")
        tx.run("update person set active = 0 where id = :id", {"id": small.theo})
        assert people.with_role(tx, small.id, "duty") == []
        assert not people.get(tx, small.id, small.theo).active


def test_the_oldest_holder_of_a_role_comes_first(store: Store, small: Small) -> None:
    """So that who is asked first doesn't change from day to day."""
    with store.transaction() as tx:
        later, _ = people.save(tx, small.id, name="Ines", email=EMAIL, now=NOW + timedelta(days=1))
        for person_id in (later, small.theo):
            people.give_role(tx, small.id, person_id, "duty")
        assert [person.name for person in people.with_role(tx, small.id, "duty")] == ["Theo", "Ines"]


def test_a_practice_does_not_see_the_people_of_another(store: Store, small: Small) -> None:
    """The same address in two practices is two people."""
    other = Small(store, "Hillside")
    with store.transaction() as tx:
        with pytest.raises(KeyError):
            people.get(tx, other.id, small.theo)
        assert people.by_email(tx, other.id, "theo@riverside.example") is None
        _, outcome = people.save(tx, other.id, name="Theo", email="theo@riverside.example", now=NOW)
        assert outcome == "new"
        people.give_role(tx, small.id, small.theo, "duty")
        assert people.with_role(tx, other.id, "duty") == []
