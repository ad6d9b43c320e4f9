"""Setting up: what each step lacks, and a test text to oneself that counts as nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.flows import readiness, setting_up, settings
from bot.flows.access import Me
from bot.flows.context import Context
from bot.flows.setting_up import LACKS, STEP_OF
from bot.flows.settings import BadSetting
from bot.sandbox import Sandbox
from bot.store import people, practices
from bot.store.practices import FIRST_NAME
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.weeks import send

NOW = MONDAY_NOON
OWN = "+12025550177"
SET = {
    "duty_hours": "Mon-Fri 8-20",
    "local_lines": "call 911, or call/text 988",
    "not_for_appraisal": "yes",
}


@pytest.fixture
def dana(practice: Riverside) -> Me:
    with practice.ctx.store.transaction(write=False) as tx:
        person = people.get(tx, practice.practice.id, practice.staff["Dana"])
    return Me(person, practice.practice, frozenset({"manager"}), True, "a session")


def lacking(practice: Riverside) -> dict[str, tuple[str, ...]]:
    with practice.ctx.store.transaction(write=False) as tx:
        found = setting_up.steps(practice.ctx, tx, practices.get(tx, practice.practice.id))
    return {step.name: step.missing for step in found if not step.done}


def finished(practice: Riverside) -> bool:
    with practice.ctx.store.transaction(write=False) as tx:
        return setting_up.setup_finished(practice.ctx, tx, practices.get(tx, practice.practice.id))


def test_a_practice_made_on_first_use_lacks_every_step(ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        made = practices.add(tx, FIRST_NAME, NOW)
        found = setting_up.steps(ctx, tx, made)
    assert [step.name for step in found if step.done] == []
    assert all(step.missing for step in found)


def test_what_going_live_needs_has_a_step_each(ctx: Context) -> None:
    """The gate's own list, so that nothing it asks for is without a form."""
    with ctx.store.transaction() as tx:
        made = practices.add(tx, FIRST_NAME, NOW)
        keys = {each.partition(":")[0] for each in readiness.missing_for_going_live(tx, made)}
    assert keys == set(LACKS) == set(STEP_OF)


def test_each_step_is_done_once_it_lacks_nothing(practice: Riverside, ctx: Context, dana: Me) -> None:
    assert set(lacking(practice)) == {"hours", "danger", "fairness", "test", "first"}
    settings.set_practice(ctx, practice.practice, SET, NOW, dana.person.id)
    assert set(lacking(practice)) == {"hours", "test", "first"}
    assert not finished(practice)
    setting_up.agree_hours(ctx, dana, {"hours": "10:00-18:00"}, NOW)
    assert finished(practice)
    practice.visit("Ana", NOW - timedelta(hours=1), now=NOW)
    assert set(lacking(practice)) == {"test"}


def test_hours_once_agreed_stay_agreed_whatever_they_become(practice: Riverside, ctx: Context, dana: Me) -> None:
    setting_up.agree_hours(ctx, dana, {"hours": "09:00-20:00"}, NOW)
    settings.set_schedule(ctx, practice.practice, {"hours": "default"}, NOW)
    assert "hours" not in lacking(practice)


def test_hours_or_days_set_by_a_command_were_looked_at(practice: Riverside, ctx: Context) -> None:
    settings.set_schedule(ctx, practice.practice, {"delay_minutes": "60"}, NOW)
    assert "hours" in lacking(practice)
    settings.set_schedule(ctx, practice.practice, {"hours": "09:00-20:00"}, NOW)
    assert "hours" not in lacking(practice)


def test_clients_who_have_not_agreed_leave_the_step_open(practice: Riverside, ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        tx.run("update client set consent_at = null")
    assert lacking(practice)["clients"] == ("a client who has agreed",)


def test_the_first_check_in_is_told_with_its_client_and_time(practice: Riverside, ctx: Context, dana: Me) -> None:
    practice.visit("Ben", NOW - timedelta(minutes=30), now=NOW)
    practice.visit("Ana", NOW - timedelta(hours=1), now=NOW)
    first = setting_up.progress(ctx, dana).reached.first
    assert first is not None
    assert (first.client_ref, first.due_at) == ("C-Ana", NOW + timedelta(hours=1))


def test_the_texts_are_shown_as_a_name_would_sign_them(practice: Riverside, ctx: Context) -> None:
    welcome, check_in = setting_up.samples(ctx, practice.practice, "Riverside Rooms")
    assert welcome.text.startswith("Riverside Rooms: ")
    assert check_in.text.startswith("Riverside Rooms")
    assert (welcome.segments, check_in.segments) == (3, 1)
    with pytest.raises(BadSetting, match="sms_name can't be used"):
        setting_up.samples(ctx, practice.practice, "Riverside Counseling Rooms")


def test_a_test_text_goes_at_once_and_counts_as_nothing(
    practice: Riverside, ctx: Context, dana: Me, sandbox: Sandbox
) -> None:
    midnight = NOW + timedelta(hours=12)
    trial = setting_up.read_test(ctx, dana, "(202) 555-0177")
    assert setting_up.send_test(ctx, dana, trial.number, midnight)
    send(practice, midnight)
    assert [(text.to, text.body) for text in sandbox.book.all()] == [(OWN, trial.sample.text)]
    assert practice.rows("select state, client_id from outbox") == [{"state": "sent", "client_id": None}]
    assert practice.rows("select * from check_in") == []
    assert "test" not in lacking(practice)


def test_a_second_press_within_the_minute_sends_nothing_more(practice: Riverside, ctx: Context, dana: Me) -> None:
    assert setting_up.send_test(ctx, dana, OWN, NOW)
    assert not setting_up.send_test(ctx, dana, OWN, NOW + timedelta(seconds=5))
    assert len(practice.rows("select id from outbox")) == 1


def test_no_more_than_ten_test_texts_go_out_in_a_day(practice: Riverside, ctx: Context, dana: Me) -> None:
    for minute in range(10):
        assert setting_up.send_test(ctx, dana, OWN, NOW + timedelta(minutes=minute))
    with pytest.raises(BadSetting, match="10 test texts within a day"):
        setting_up.send_test(ctx, dana, OWN, NOW + timedelta(minutes=30))
    assert setting_up.send_test(ctx, dana, OWN, NOW + timedelta(days=1, hours=1))


@pytest.mark.parametrize(
    ("number", "words"),
    [("", "is empty"), ("12", "is not a phone number"), (PHONES["Ana"], "belongs to a client")],
)
def test_a_number_that_cannot_get_a_test_is_refused_in_words(
    practice: Riverside, ctx: Context, dana: Me, number: str, words: str
) -> None:
    with pytest.raises(BadSetting, match=words):
        setting_up.send_test(ctx, dana, number, NOW)
    assert practice.rows("select * from outbox") == []


def test_a_number_known_to_another_practice_is_not_told_apart_from_any_other(
    practice: Riverside, ctx: Context, dana: Me
) -> None:
    with ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", NOW)
        tx.run("update client set practice_id = :o where id = :c", {"o": other.id, "c": practice.clients["Ana"]})
    assert setting_up.send_test(ctx, dana, PHONES["Ana"], NOW)


def test_where_texts_are_not_set_up_it_says_so(practice: Riverside, ctx: Context, dana: Me) -> None:
    with pytest.raises(BadSetting, match="aren't set up"):
        setting_up.read_test(replace(ctx, channels={}), dana, OWN)


@pytest.mark.parametrize(
    ("key", "value"), [("segment_price", "cheap"), ("segment_price", "1e3"), ("segment_currency", "dollars")]
)
def test_a_price_that_cannot_be_meant_is_refused(practice: Riverside, ctx: Context, key: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"{key} must be"):
        settings.set_practice(ctx, practice.practice, {key: value}, NOW)
