"""One client who stood in the roster twice: nothing is lost, and the stricter of two wishes holds."""

from datetime import datetime, timedelta

import pytest

from bot.flows import client_record, intake, merging, receiving
from bot.flows.access import Me, NotHere
from bot.flows.managing import Refused
from bot.store import alerts, clients, inbox
from bot.store.inbox import Inbound
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.managing import manager
from tests.support.weeks import WELL, assess, weekly

NOW = MONDAY_NOON


@pytest.fixture
def dana(practice: Riverside) -> Me:
    return manager(practice.ctx, practice.practice, practice.staff["Dana"])


def merge(practice: Riverside, dana: Me, kept: str = "Ana", merged: str = "Ben", now: datetime = NOW) -> None:
    merging.merge(practice.ctx, dana, practice.clients[kept], practice.clients[merged], now)


def owners(practice: Riverside, table: str) -> set[object]:
    return {row["client_id"] for row in practice.rows(f"select client_id from {table} where client_id is not null")}


def test_appointments_check_ins_replies_and_notes_are_the_kept_ones(practice: Riverside, dana: Me) -> None:
    at = weekly(practice, "Ben", [*WELL, None])
    with practice.ctx.store.transaction() as tx:
        where = {"practice_id": practice.practice.id, "client_id": practice.clients["Ben"]}
        opened = alerts.open_alert(
            tx, **where, therapist_id=practice.staff["Theo"], kind="call", explanation="", check_in_id=None, now=at
        )
    merge(practice, dana, now=at)
    ana = {practice.clients["Ana"]}
    assert {table: owners(practice, table) for table in ("appointment", "check_in", "alert")} == {
        "appointment": ana,
        "check_in": ana,
        "alert": ana,
    }
    with practice.ctx.store.transaction(write=False) as tx:
        assert alerts.get(tx, practice.practice.id, opened).waiting


def test_what_is_believed_is_made_anew_from_both_histories(practice: Riverside, dana: Me) -> None:
    weekly(practice, "Ana", WELL)
    at = weekly(practice, "Ben", WELL, start=NOW + timedelta(weeks=8))
    assess(practice, at)
    merge(practice, dana, now=at)
    marks = practice.rows("select client_id from to_assess")
    assert marks == [{"client_id": practice.clients["Ana"]}]
    assess(practice, at)
    assert owners(practice, "belief") <= {practice.clients["Ana"]}


def test_the_preview_says_what_then_happens(practice: Riverside, dana: Me) -> None:
    at = weekly(practice, "Ben", WELL)
    plan = merging.preview(practice.ctx, dana, practice.clients["Ana"], " C-Ben ")
    assert (plan.kept.client_ref, plan.merged.client_ref) == ("C-Ana", "C-Ben")
    assert plan.moved["appointments"] == plan.moved["check_ins"] == len(WELL)
    assert practice.client("Ben").merged_into is None
    merge(practice, dana, now=at)
    ana = practice.client("Ana")
    assert (ana.phone, ana.consent_at, ana.state) == (plan.phone, plan.consent_at, plan.state)


@pytest.mark.parametrize(("kept", "merged"), [("Ana", "Ben"), ("Ben", "Ana")])
def test_a_stop_of_either_holds_for_both(practice: Riverside, dana: Me, kept: str, merged: str) -> None:
    client_record.opt_out(practice.ctx, dana, practice.clients["Ben"], NOW)
    merge(practice, dana, kept, merged)
    assert practice.client(kept).stopped


def test_a_stop_from_an_address_that_is_left_behind_holds_too(practice: Riverside, dana: Me) -> None:
    """It stood on the list of addresses only; Ana keeps another number."""
    with practice.ctx.store.transaction() as tx:
        clients.stop(tx, practice.practice.id, "+12025550102", "provider", NOW)
    merge(practice, dana)
    assert practice.client("Ana").phone == "+12025550101"
    assert practice.client("Ana").stopped


@pytest.mark.parametrize(("kept", "merged"), [("Ana", "Ben"), ("Ben", "Ana")])
def test_without_the_consent_of_both_there_is_none(practice: Riverside, dana: Me, kept: str, merged: str) -> None:
    with practice.ctx.store.transaction() as tx:
        tx.run("update client set consent_at = null where id = :id", {"id": practice.clients["Ben"]})
    merge(practice, dana, kept, merged)
    assert practice.client(kept).consent_at is None


def test_the_later_of_two_consents_holds(practice: Riverside, dana: Me) -> None:
    later = NOW - timedelta(days=3)
    with practice.ctx.store.transaction() as tx:
        tx.run("update client set consent_at = :at where id = :id",
               {"at": int(later.timestamp()), "id": practice.clients["Ben"]})  # fmt: skip
    merge(practice, dana)
    assert practice.client("Ana").consent_at == later


def test_danger_in_either_still_waits_for_a_clinician(practice: Riverside, dana: Me) -> None:
    with practice.ctx.store.transaction() as tx:
        clients.halt(tx, practice.practice.id, practice.clients["Ben"], NOW)
    merge(practice, dana)
    assert practice.client("Ana").halted


def test_someone_on_hold_or_dead_in_one_row_is_so_in_the_other(practice: Riverside, dana: Me) -> None:
    client_record.set_state(practice.ctx, dana, practice.clients["Ben"], "died", NOW)
    merge(practice, dana)
    assert practice.client("Ana").state == "died"


def test_open_notes_about_rapport_in_both_become_one(practice: Riverside, dana: Me) -> None:
    with practice.ctx.store.transaction() as tx:
        for name in ("Ana", "Ben"):
            alerts.open_alert(
                tx, practice.practice.id, client_id=practice.clients[name], therapist_id=practice.staff["Theo"],
                kind="rapport", explanation="", check_in_id=None, now=NOW,
            )  # fmt: skip
    merge(practice, dana)
    assert len(practice.rows("select id from alert where resolved_at is null")) == 1
    assert owners(practice, "alert") == {practice.clients["Ana"]}


def test_the_row_set_aside_keeps_its_reference_and_where_they_could_be_reached(practice: Riverside, dana: Me) -> None:
    merge(practice, dana)
    ben = practice.client("Ben")
    assert (ben.name, ben.phone, ben.merged_into) == ("", "+12025550102", practice.clients["Ana"])
    assert ben.therapist_id is None


def test_files_that_still_name_it_lead_to_who_is_kept(practice: Riverside, dana: Me) -> None:
    """The practice's own system knows nothing of the merge."""
    merge(practice, dana)
    header = "appointment_ref,client_ref,therapist_email,starts_at,ends_at,status\n"
    row = "V-9,C-Ben,theo@riverside.example,2026-09-07T10:00:00-04:00,2026-09-07T10:50:00-04:00,attended\n"
    taken = intake.take_file(practice.ctx, practice.practice, "appointments", (header + row).encode(), NOW)
    assert taken.new == 1
    assert owners(practice, "check_in") == {practice.clients["Ana"]}
    roster = (
        "client_ref,name,phone,email,language,timezone,channel,consent_at,therapist_email\n"
        "C-Ben,Ben,+12025550102,,en,,sms,2026-08-01,theo@riverside.example\n"
    )
    taken = intake.take_file(practice.ctx, practice.practice, "roster", roster.encode(), NOW)
    assert (taken.new, taken.changed, taken.same) == (0, 0, 1)
    assert practice.client("Ben").name == ""


def test_a_reply_from_the_other_number_still_finds_them(practice: Riverside, dana: Me) -> None:
    """Ana's row had no number: the one she was known by under the other is hers now."""
    with practice.ctx.store.transaction() as tx:
        clients.drop_address(tx, practice.practice.id, practice.clients["Ana"], "sms")
    merge(practice, dana)
    with practice.ctx.store.transaction(write=False) as tx:
        assert [client.id for client in clients.by_address(tx, "+12025550102")] == [practice.clients["Ana"]]
        assert inbox.of_client(tx, practice.practice.id, practice.clients["Ben"]) == []


def test_what_cannot_be_merged_is_said_in_words(practice: Riverside, dana: Me) -> None:
    ana = practice.clients["Ana"]
    for ref in ("C-Ana", "C-nobody"):
        with pytest.raises(Refused):
            merging.preview(practice.ctx, dana, ana, ref)
    merge(practice, dana)
    with pytest.raises(NotHere):
        merging.merge(practice.ctx, dana, practice.clients["Ben"], practice.clients["Chidi"], NOW)


def test_one_merged_into_one_who_is_merged_ends_at_the_last(practice: Riverside, dana: Me) -> None:
    merge(practice, dana, "Ben", "Chidi")
    merge(practice, dana, "Ana", "Ben")
    assert practice.client("Chidi").merged_into == practice.clients["Ana"]


def test_what_comes_from_the_number_set_aside_is_from_who_is_kept(practice: Riverside, dana: Me) -> None:
    """A STOP from there above all."""
    merge(practice, dana)
    receiving.receive(practice.ctx, Inbound("sms", "SM" + "5" * 32, "+12025550102", "please stop texting me"), NOW)
    assert practice.client("Ana").stopped


def test_of_two_notes_that_meet_in_a_merge_the_open_one_goes_on(practice: Riverside, dana: Me) -> None:
    """The signal looks at the one that hasn't ended, whichever is newer."""
    with practice.ctx.store.transaction() as tx:
        for name, at in (("Ana", NOW), ("Ben", NOW + timedelta(days=1))):
            alerts.open_alert(
                tx, practice.practice.id, client_id=practice.clients[name], therapist_id=practice.staff["Theo"],
                kind="rapport", explanation="{}", check_in_id=None, now=at,
            )  # fmt: skip
    merge(practice, dana)
    with practice.ctx.store.transaction(write=False) as tx:
        latest = alerts.latest(tx, practice.practice.id, practice.clients["Ana"], practice.staff["Theo"], "rapport")
    assert latest
    assert latest.resolved_at is None
