"""Clients: found by address, brought up to date by the roster, and never asked again after STOP."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import Store, clients
from tests.support.practice_rows import ANA, NOW, Small
from tests.support.racers import SECRET, store_at

NEW_KEY = "a-newer-secret-for-tests-of-good-length"


@pytest.fixture
def small(store: Store) -> Small:
    return Small(store)


@pytest.fixture
def rotated(path: Path, store: Store) -> Store:
    """The same database after a change of key: the new one first, the old one still known."""
    return store_at(path, NEW_KEY, SECRET)


def test_the_same_row_twice_changes_nothing(small: Small) -> None:
    """Importing the same file twice is "same"."""
    assert [small.take(), small.take()] == ["new", "same"]


@pytest.mark.parametrize(
    "change",
    [{"name": "Anna"}, {"phone": "+12025550109"}, {"email": ""}, {"language": "es"}, {"timezone": "Europe/Paris"},
     {"channel": "mail"}, {"consent_at": NOW + timedelta(days=1)}],
)  # fmt: skip
def test_any_change_is_taken(small: Small, change: dict[str, object]) -> None:
    """Each column of the roster is brought up to date, and then it is the same again."""
    small.take()
    assert [small.take(**change), small.take(**change)] == ["changed", "same"]
    client = small.client()
    assert all(getattr(client, name) == value for name, value in change.items())


def test_consent_is_never_taken_back_by_an_empty_cell(small: Small) -> None:
    """A file without the column's value leaves the date as it was."""
    small.take()
    assert small.take(consent_at=None) == "same"
    assert small.take(consent_at=None, name="Anna") == "changed"
    assert small.client().consent_at == NOW


def test_consent_is_kept_with_its_date_and_address(small: Small) -> None:
    """When, how and for which address: that of the row that gave it, not the one before."""
    small.take(consent_at=None)
    small.take(phone="+12025550109", consent_at=NOW)
    with small.store.transaction(write=False) as tx:
        event = tx.one("select * from consent_event")
        assert event is not None
        assert tx.open("consent_event", "address", event["id"], event["address_sealed"]) == "+12025550109"
        assert (event["what"], event["at"], event["source"]) == ("given", int(NOW.timestamp()), "roster")


def test_stop_holds_for_the_address(small: Small) -> None:
    """From the moment it is stored, and for whoever is reached there, now or later."""
    small.take()
    small.stop(ANA.phone)
    small.take(client_ref="C-2", name="Ben")
    assert small.client("C-1").stopped
    assert small.client("C-2").stopped


def test_stop_from_an_address_nobody_has_yet_holds_for_whoever_gets_it(small: Small) -> None:
    """A stranger's STOP is kept: a roster that brings the number later doesn't undo it."""
    small.stop(ANA.phone)
    small.take()
    assert small.client().stopped


def test_stop_holds_for_the_person_under_a_new_number(small: Small) -> None:
    """Who said STOP has said it; a roster with another number for them is no new consent."""
    small.take()
    client_id = small.client().id
    with small.store.transaction() as tx:
        clients.stop(tx, small.id, ANA.phone, "reply", NOW)
        clients.mark_stopped(tx, small.id, client_id, NOW)
    small.take(phone="+12025550109", consent_at=NOW + timedelta(days=1))
    assert small.client().stopped


def test_stop_by_mail_holds_whatever_the_case_of_the_address(small: Small) -> None:
    """Ana@Clients.Example and ana@clients.example are one mailbox."""
    small.take(channel="mail")
    small.take(client_ref="C-2", email="ANA@clients.example", phone="", channel="mail")
    small.stop("Ana@Clients.Example")
    assert small.client("C-1").stopped
    assert small.client("C-2").stopped


def test_start_lifts_what_stop_put_on_the_list(small: Small) -> None:
    """And a second STOP holds again."""
    small.take()
    small.stop(ANA.phone)
    with small.store.transaction() as tx:
        assert clients.lift_stop(tx, small.id, ANA.phone, NOW)
        assert not clients.lift_stop(tx, small.id, ANA.phone, NOW)
        assert not clients.is_stopped(tx, small.id, ANA.phone)
    assert not small.client().stopped
    small.stop(ANA.phone)
    assert small.client().stopped


def test_stop_said_before_a_change_of_key_holds_for_a_client_taken_in_after_it(small: Small, rotated: Store) -> None:
    """The list was written under the old key, the client's number is under the new one."""
    small.stop(ANA.phone)
    with rotated.transaction() as tx:
        clients.save(tx, small.id, small.entry(), NOW)
        assert clients.is_stopped(tx, small.id, ANA.phone)
    assert small.client(store=rotated).stopped


def test_stop_said_after_a_change_of_key_holds_for_a_client_taken_in_before_it(small: Small, rotated: Store) -> None:
    """The list is written under the new key, the client's number is under the old one."""
    small.take()
    small.stop(ANA.phone, rotated)
    assert small.client(store=rotated).stopped


def test_start_after_a_change_of_key_lifts_a_stop_from_before_it(small: Small, rotated: Store) -> None:
    """And stopping again leaves one row for the address, not one for each key."""
    small.take()
    small.stop(ANA.phone)
    with rotated.transaction() as tx:
        assert clients.lift_stop(tx, small.id, ANA.phone, NOW)
    assert not small.client(store=rotated).stopped
    small.stop(ANA.phone, rotated)
    assert small.client(store=rotated).stopped
    with rotated.transaction(write=False) as tx:
        assert len(tx.all("select id from suppression")) == 1


def test_a_client_is_found_by_an_address_stored_under_an_older_key(small: Small, rotated: Store) -> None:
    """A reply that comes after the change of key is still the client's."""
    small.take()
    with rotated.transaction(write=False) as tx:
        assert [client.client_ref for client in clients.by_address(tx, ANA.phone)] == ["C-1"]


def test_two_clients_on_one_phone_are_seen_as_such_under_different_keys(small: Small, rotated: Store) -> None:
    """They are asked one after the other; one was taken in before the change of key, one after."""
    small.take()
    with rotated.transaction() as tx:
        ben, _ = clients.save(tx, small.id, small.entry(client_ref="C-2", name="Ben"), NOW)
    ana = small.client("C-1", rotated)
    with rotated.transaction(write=False) as tx:
        assert clients.sharing(tx, ana) == [(small.id, ben)]
        assert clients.sharing(tx, clients.get(tx, small.id, ben)) == [(small.id, ana.id)]


def test_someone_without_an_address_shares_it_with_nobody(small: Small) -> None:
    """No number isn't a number two people have."""
    for ref in ("C-1", "C-2"):
        small.take(client_ref=ref, phone="", channel="sms")
    with small.store.transaction(write=False) as tx:
        assert clients.sharing(tx, clients.get(tx, small.id, clients.refs(tx, small.id)["C-1"])) == []


def test_a_wrong_number_is_forgotten_and_the_rest_stays(small: Small) -> None:
    """The number belongs to someone else; nobody is found by it any more."""
    small.take()
    client = small.client()
    with small.store.transaction() as tx:
        clients.drop_address(tx, small.id, client.id, "sms")
        assert clients.by_address(tx, ANA.phone) == []
    assert small.client() == replace(client, phone="")


def test_a_practice_neither_sees_nor_stops_the_clients_of_another(store: Store, small: Small) -> None:
    """Every call takes the practice: another's ids lead nowhere, and STOP is per practice."""
    other = Small(store, "Hillside")
    small.take()
    other.take()
    ana = small.client()
    small.stop(ANA.phone)
    assert not other.client().stopped
    with store.transaction() as tx:
        with pytest.raises(KeyError):
            clients.get(tx, other.id, ana.id)
        assert clients.many(tx, other.id, [ana.id]) == []
        clients.halt(tx, other.id, ana.id, NOW)
        clients.set_state(tx, other.id, ana.id, "died")
        clients.mark_stopped(tx, other.id, ana.id, None)
        clients.drop_address(tx, other.id, ana.id, "sms")
        assert not clients.lift_stop(tx, other.id, ANA.phone, NOW)
    assert small.client() == replace(ana, stopped=True)


def test_a_reply_is_looked_up_over_all_practices(store: Store, small: Small) -> None:
    """A number may be a client's of two practices; the text names neither."""
    other = Small(store, "Hillside")
    small.take()
    other.take()
    with store.transaction(write=False) as tx:
        found = clients.by_address(tx, ANA.phone)
    assert {client.practice_id for client in found} == {small.id, other.id}


def test_danger_halts_until_somebody_resumes(small: Small) -> None:
    """And each state is read back as it was set."""
    small.take()
    client_id = small.client().id
    with small.store.transaction() as tx:
        clients.halt(tx, small.id, client_id, NOW)
        clients.mark_welcomed(tx, small.id, client_id, NOW)
        clients.set_state(tx, small.id, client_id, "on_hold")
    assert (small.client().halted, small.client().welcomed, small.client().state) == (True, True, "on_hold")
    with small.store.transaction() as tx:
        clients.resume(tx, small.id, client_id)
    assert not small.client().halted


def test_where_a_client_is_written_to_follows_their_channel(small: Small) -> None:
    """Text to the phone, mail to the address."""
    small.take()
    assert small.client().address == ANA.phone
    small.take(channel="mail")
    assert small.client().address == ANA.email
