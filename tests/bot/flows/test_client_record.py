"""What a manager does to one client, and what they never can."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.flows import client_export, client_record, people_page
from bot.flows.access import Me, NotHere
from bot.flows.managing import Refused
from bot.flows.people_page import Asked
from bot.store import people, practices, roster
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.letters import text
from tests.support.managing import manager
from tests.support.weeks import WELL, weekly

NOW = MONDAY_NOON
EMA = {
    "client_ref": "C-Ema", "name": "Ema Ortiz", "phone": "(202) 555-0144", "email": "", "language": "es",
    "timezone": "", "channel": "sms", "consent_at": "2026-08-01", "consent_source": "paper",
}  # fmt: skip


@pytest.fixture
def dana(practice: Riverside) -> Me:
    return manager(practice.ctx, practice.practice, practice.staff["Dana"])


def typed(practice: Riverside, whose: str, /, **changes: str) -> dict[str, str]:
    return client_record.as_typed(practice.client(whose), practice.practice.timezone) | changes


def wrong(practice: Riverside, dana: Me, name: str, **changes: str) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        client_record.change(practice.ctx, dana, practice.clients[name], typed(practice, name, **changes), NOW)
    return refused.value.problems


def test_a_client_is_added_with_where_their_consent_comes_from(practice: Riverside, dana: Me) -> None:
    added = client_record.add(practice.ctx, dana, EMA | {"therapist_id": practice.staff["Ines"]}, NOW)
    found = client_record.record(practice.ctx, dana, added, NOW)
    assert (found.client.phone, found.client.language, found.client.consent_source) == ("+12025550144", "es", "paper")
    assert found.therapist
    assert found.therapist.name == "Ines"
    assert [(what, source) for what, source, _ in found.events] == [("given", "paper")]


def test_every_field_that_cannot_be_used_is_named(practice: Riverside, dana: Me) -> None:
    with pytest.raises(Refused) as refused:
        client_record.add(practice.ctx, dana, EMA | {"phone": "12", "timezone": "Mars", "client_ref": "C-Ana"}, NOW)
    assert set(refused.value.problems) == {"phone", "timezone", "client_ref", "therapist_id"}
    assert all(text[0].isupper() and text.endswith(".") for text in refused.value.problems.values())


def test_a_changed_number_is_a_change_and_the_same_again_is_none(practice: Riverside, dana: Me) -> None:
    ana = practice.clients["Ana"]
    for changed in (True, False):
        fields = typed(practice, "Ana", phone="+1 202 555 0150")
        assert client_record.change(practice.ctx, dana, ana, fields, NOW) == changed
    assert practice.client("Ana").phone == "+12025550150"


def test_consent_is_not_taken_back_by_an_empty_date(practice: Riverside, dana: Me) -> None:
    assert set(wrong(practice, dana, "Ana", consent_at="")) == {"consent_at"}
    assert practice.client("Ana").consent_at


def test_consent_without_saying_how_is_refused(practice: Riverside, dana: Me) -> None:
    assert set(wrong(practice, dana, "Ana", consent_at="2026-09-01", consent_source="")) == {"consent_source"}


def test_saving_the_same_day_leaves_the_hour_of_consent_as_it_was(practice: Riverside, dana: Me) -> None:
    before = practice.client("Ana").consent_at
    client_record.change(practice.ctx, dana, practice.clients["Ana"], typed(practice, "Ana", name="Ana B."), NOW)
    assert practice.client("Ana").consent_at == before


def test_nothing_a_manager_can_do_lifts_a_stop(practice: Riverside, dana: Me) -> None:
    """Not a new number, nor new consent, nor taking them back into care."""
    ana = practice.clients["Ana"]
    practice.visit("Ana", NOW)
    assert client_record.opt_out(practice.ctx, dana, ana, NOW)
    assert practice.check_ins("Ana") == []
    fields = typed(practice, "Ana", phone="+12025550150", email="new@clients.example", consent_at="2026-09-07")
    client_record.change(practice.ctx, dana, ana, fields, NOW)
    client_record.set_state(practice.ctx, dana, ana, "on_hold", NOW)
    client_record.set_state(practice.ctx, dana, ana, "active", NOW)
    client_record.pause(practice.ctx, dana, ana, "", NOW)
    assert practice.client("Ana").stopped
    assert practice.check_ins("Ana") == []
    assert not client_record.opt_out(practice.ctx, dana, ana, NOW)


def test_a_pause_leaves_out_what_falls_due_in_it_and_ends(practice: Riverside, dana: Me) -> None:
    ana = practice.clients["Ana"]
    practice.visit("Ana", NOW)
    client_record.pause(practice.ctx, dana, ana, "2026-09-10", NOW)
    assert practice.client("Ana").paused_until == datetime(2026, 9, 10, 4, 0, tzinfo=UTC)
    assert practice.check_ins("Ana") == []
    client_record.pause(practice.ctx, dana, ana, "", NOW)
    assert [each.state for each in practice.check_ins("Ana")] == ["planned"]


def answered_weeks(practice: Riverside) -> datetime:
    """Six weeks of Ana's answers, her texts known as hers; when the last came."""
    at = weekly(practice, "Ana", WELL)
    with practice.ctx.store.transaction() as tx:
        tx.run("update inbox set client_id = :id", {"id": practice.clients["Ana"]})
    return at


@pytest.mark.parametrize("until", ["2026-09-07", "2025-01-01", "soon", "9999-99-99"])
def test_a_pause_ends_on_a_day_to_come(practice: Riverside, dana: Me, until: str) -> None:
    with pytest.raises(Refused):
        client_record.pause(practice.ctx, dana, practice.clients["Ana"], until, NOW)


def test_what_hangs_on_a_client_is_told_before_it_is_taken_back(practice: Riverside, dana: Me) -> None:
    practice.visit("Ana", NOW)
    hanging = client_record.record(practice.ctx, dana, practice.clients["Ana"], NOW).hanging
    assert hanging.planned == [NOW + timedelta(hours=2)]
    assert not hanging.open
    client_record.set_state(practice.ctx, dana, practice.clients["Ana"], "discharged", NOW)
    assert client_record.record(practice.ctx, dana, practice.clients["Ana"], NOW).hanging.planned == []


def test_a_client_moves_with_their_coming_appointments_and_the_new_therapist_starts_fresh(
    practice: Riverside, dana: Me
) -> None:
    at = weekly(practice, "Ana", WELL)
    coming = practice.visit("Ana", at + timedelta(days=7), status="booked", now=at)
    assert client_record.coming_with(practice.ctx, dana, practice.clients["Ana"], at) == 1
    assert client_record.move(practice.ctx, dana, practice.clients["Ana"], practice.staff["Ines"], at) == 1
    assert practice.client("Ana").therapist_id == practice.staff["Ines"]
    visits = practice.rows("select appointment_ref, therapist_id from appointment where therapist_id = :t",
                           t=practice.staff["Ines"])  # fmt: skip
    assert [row["appointment_ref"] for row in visits] == [coming]


def test_a_client_moves_only_to_another_therapist_of_the_practice(practice: Riverside, dana: Me) -> None:
    for person in (practice.staff["Theo"], practice.staff["Dana"], "nobody"):
        with pytest.raises(Refused):
            client_record.move(practice.ctx, dana, practice.clients["Ana"], person, NOW)


def test_opening_a_record_is_written_down(practice: Riverside, dana: Me) -> None:
    client_record.record(practice.ctx, dana, practice.clients["Ana"], NOW)
    rows = practice.rows("select who, about from audit where what = 'client''s record opened'")
    assert rows == [{"who": practice.staff["Dana"], "about": practice.clients["Ana"]}]


def test_a_managers_export_holds_everything_but_answers_and_words(practice: Riverside, dana: Me) -> None:
    at = answered_weeks(practice)
    file = client_export.by_manager(practice.ctx, dana, practice.clients["Ana"], "Ana asked for it", at)
    held = json.loads(file.text)
    assert held["client"]["name"] == "Ana"
    assert len(held["appointments"]) == len(held["check_ins"]) == len(held["messages_from_them"]) == len(WELL)
    assert not {"answers", "words", "notes", "texts_to_them"} & set(held)
    assert "5 5 4" not in file.text


def test_her_own_therapists_export_holds_those_too(practice: Riverside) -> None:
    at = answered_weeks(practice)
    theo = manager(practice.ctx, practice.practice, practice.staff["Theo"], "therapist")
    held = json.loads(client_export.by_therapist(practice.ctx, theo, practice.clients["Ana"], "she asked", at).text)
    assert [row["heard"] for row in held["answers"]] == [scores[0] for scores in WELL]
    assert held["words"][0]["text"] == "5 5 4"
    for name, roles in (("Ines", ["therapist"]), ("Dana", ["manager"]), ("Dana", ["supervisor"])):
        other = manager(practice.ctx, practice.practice, practice.staff[name], *roles)
        with pytest.raises(NotHere):
            client_export.by_therapist(practice.ctx, other, practice.clients["Ana"], "curious", at)


def test_a_former_therapists_answers_are_not_in_a_new_ones_export(practice: Riverside, dana: Me) -> None:
    at = answered_weeks(practice)
    client_record.move(practice.ctx, dana, practice.clients["Ana"], practice.staff["Ines"], at)
    ines = manager(practice.ctx, practice.practice, practice.staff["Ines"], "therapist")
    file = client_export.by_therapist(practice.ctx, ines, practice.clients["Ana"], "she asked", at)
    assert json.loads(file.text)["answers"] == []


def test_what_belongs_to_no_check_in_is_a_new_therapists_from_the_first_visit_on(practice: Riverside, dana: Me) -> None:
    """What Ana texted of her own accord while she was with Theo stays between the two."""
    text(practice, "I would rather not tell Ines", NOW)
    client_record.move(practice.ctx, dana, practice.clients["Ana"], practice.staff["Ines"], NOW + timedelta(hours=1))
    ines = manager(practice.ctx, practice.practice, practice.staff["Ines"], "therapist")

    def held() -> dict[str, list[dict[str, str]]]:
        file = client_export.by_therapist(practice.ctx, ines, practice.clients["Ana"], "she asked", NOW)
        return dict(json.loads(file.text))

    assert (held()["words"], held()["texts_to_them"]) == ([], [])
    practice.visit("Ana", NOW + timedelta(days=7), therapist="Ines", now=NOW)
    text(practice, "Nice room", NOW + timedelta(days=8))
    assert [row["text"] for row in held()["words"]] == ["Nice room"]
    assert "rather not" not in str(held())


def test_an_export_needs_a_reason_which_is_kept_sealed(practice: Riverside, dana: Me) -> None:
    with pytest.raises(Refused):
        client_export.by_manager(practice.ctx, dana, practice.clients["Ana"], " ", NOW)
    client_export.by_manager(practice.ctx, dana, practice.clients["Ana"], "Ana asked for it", NOW)
    [note] = practice.rows("select words_sealed from audit where what like 'export%'")
    assert note["words_sealed"]
    assert "asked" not in str(note["words_sealed"])


def test_nobody_but_a_manager_of_the_practice_gets_anywhere(practice: Riverside) -> None:
    with practice.ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", NOW)
    theo = manager(practice.ctx, practice.practice, practice.staff["Theo"], "therapist")
    dana = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    stranger = Me(dana.person, other, frozenset({"manager"}), True, "s")
    for me in (theo, stranger):
        with pytest.raises(NotHere):
            client_record.record(practice.ctx, me, practice.clients["Ana"], NOW)
        with pytest.raises(NotHere):
            client_record.set_state(practice.ctx, me, practice.clients["Ana"], "died", NOW)
        with pytest.raises(NotHere):
            client_export.by_manager(practice.ctx, me, practice.clients["Ana"], "a reason", NOW)


def refs(practice: Riverside, dana: Me, **asked: str) -> list[str]:
    return [line.client.client_ref for line in people_page.people(practice.ctx, dana, Asked(**asked), NOW).lines]


def test_the_list_is_searched_by_name_reference_number_and_address(practice: Riverside, dana: Me) -> None:
    assert refs(practice, dana) == ["C-Ana", "C-Ben", "C-Chidi"]
    assert refs(practice, dana, text="AN") == ["C-Ana"]
    assert refs(practice, dana, text="c-b") == ["C-Ben"]
    assert refs(practice, dana, text="555 0103") == ["C-Chidi"]
    assert refs(practice, dana, text="ben@clients") == ["C-Ben"]
    assert refs(practice, dana, text="zoe") == []


def test_the_list_is_filtered_by_how_clients_stand(practice: Riverside, dana: Me) -> None:
    client_record.opt_out(practice.ctx, dana, practice.clients["Ana"], NOW)
    client_record.pause(practice.ctx, dana, practice.clients["Ben"], "2026-09-20", NOW)
    with practice.ctx.store.transaction() as tx:
        tx.run("update client set consent_at = null where id = :id", {"id": practice.clients["Chidi"]})
        ines = people.by_email(tx, practice.practice.id, "ines@riverside.example")
        assert ines
        roster.set_therapist(tx, practice.practice.id, practice.clients["Chidi"], ines.id)
    assert refs(practice, dana, only="stopped") == ["C-Ana"]
    assert refs(practice, dana, only="paused") == ["C-Ben"]
    assert refs(practice, dana, only="no_consent") == ["C-Chidi"]
    assert refs(practice, dana, only="asked") == []
    assert refs(practice, dana, therapist_id=ines.id) == ["C-Chidi"]
    counts = people_page.people(practice.ctx, dana, Asked(), NOW).counts
    assert (counts["all"], counts["stopped"], counts["paused"], counts["no_consent"]) == (3, 1, 1, 1)


def test_long_lists_come_in_pages(practice: Riverside, dana: Me, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_page, "AT_ONCE", 2)
    first = people_page.people(practice.ctx, dana, Asked(), NOW)
    last = people_page.people(practice.ctx, dana, Asked(page=99), NOW)
    assert (len(first.lines), first.pages, last.asked.page) == (2, 2, 2)
    assert [line.client.client_ref for line in last.lines] == ["C-Chidi"]
