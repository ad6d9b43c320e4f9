"""A message comes in: what is kept, what is stored, who is answered and who is told."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.flows import alerting, asking, receiving, standing
from bot.flows.context import Context
from bot.flows.planning import replan
from bot.flows.settings import BadSetting
from bot.store import check_ins, clients, outbox, practices
from bot.store.clients import Entry
from bot.store.outbox import Draft
from surveys import replies, schedule
from tests.support.cast import PHONES, Riverside
from tests.support.talk import STRANGER, Talk, at

NOON = at("09-07 12:00")  # a Monday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PLAN_TO_DIE = "i want to kill myself"


@pytest.fixture
def talk(ctx: Context, practice: Riverside) -> Talk:
    return Talk(ctx, practice)


@pytest.fixture
def shared(talk: Talk) -> Talk:
    """Ana's phone is Ben's too."""
    move_to(talk, "Ben", PHONES["Ana"])
    return talk


def move_to(talk: Talk, name: str, phone: str) -> None:
    """A roster row that gives a client another phone."""
    entry = Entry(
        f"C-{name}", name, phone, f"{name.lower()}@clients.example", "en", "America/New_York", "sms",
        NOON - 30 * DAY, talk.practice.staff["Theo"],
    )  # fmt: skip
    with talk.ctx.store.transaction() as tx:
        clients.save(tx, talk.id, entry, NOON)


def put(talk: Talk, name: str, kind: str, check_in_id: str | None = None) -> str:
    """A message to a client waits in the outbox."""
    draft = Draft(
        kind, f"{kind}:{name}", "sms", PHONES[name], "...", client_id=talk.practice.clients[name],
        check_in_id=check_in_id,
    )  # fmt: skip
    with talk.ctx.store.transaction() as tx:
        found = outbox.put(tx, talk.id, draft, NOON, NOON)
    assert found
    return found


def begin(talk: Talk, message_id: str) -> None:
    """The provider is being called for this message, and its answer isn't in."""
    with talk.ctx.store.transaction() as tx:
        tx.run(
            "update outbox set state = 'in_doubt', attempt_id = 'a1' where id = :id",
            {"id": message_id},
        )


def count(talk: Talk, table: str) -> int:
    return len(talk.practice.rows(f"select 1 from {table}"))


# ---------------------------------------------------------------------------------- answers


def test_a_full_answer_is_stored_thanked_and_marked_for_the_signal(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    talk.text("Ana", "5 4 5", NOON + HOUR)
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 5}
    assert talk.last("Ana").state == "answered"
    assert talk.said("Ana") == ["thanks"]
    marks = talk.practice.rows("select client_id, therapist_id from to_assess")
    assert marks == [{"client_id": talk.practice.clients["Ana"], "therapist_id": talk.practice.staff["Theo"]}]


def test_what_is_missing_is_asked_for_once(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    for minute, body in enumerate(["5 4", "?!", "?!"]):
        talk.text("Ana", body, NOON + timedelta(minutes=minute))
    assert talk.said("Ana") == ["ask_rest"]
    assert "Got heard 5, respected 4." in talk.messages("Ana")[0].body
    talk.text("Ana", "2", NOON + HOUR)
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 2}
    assert talk.said("Ana") == ["ask_rest", "thanks"]


def test_what_cannot_be_read_is_explained_once(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    for minute in range(3):
        talk.text("Ana", "?!", NOON + timedelta(minutes=minute))
    assert talk.said("Ana") == ["explain"]
    assert talk.last("Ana").state == "asked"


def test_the_second_answer_within_a_day_replaces_the_first_and_both_are_kept(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    talk.text("Ana", "1 1 1", NOON)
    talk.text("Ana", "5 4 5", NOON + 23 * HOUR)
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 5}
    assert count(talk, "answer") == 6
    assert talk.said("Ana") == ["thanks", "replaced"]


def test_the_day_is_counted_from_the_first_answer(talk: Talk) -> None:
    """A new set must not open another day for the next one."""
    talk.asked("Ana", NOON)
    for hours, body in [(0, "1 1 1"), (23, "2 2 2"), (25, "5 5 5")]:
        talk.text("Ana", body, NOON + hours * HOUR)
    assert set(talk.answers("Ana").values()) == {2}


def test_all_ones_from_a_usually_high_rater_are_asked_about_once(talk: Talk) -> None:
    for week in range(3):
        talk.asked("Ana", NOON + 7 * week * DAY)
        talk.text("Ana", "1 1 1" if week == 2 else "5 4 5", NOON + 7 * week * DAY + HOUR)
    assert talk.said("Ana") == ["thanks", "thanks", "confirm_low"]
    assert set(talk.answers("Ana").values()) == {1}
    talk.text("Ana", "5 5 5", NOON + 14 * DAY + 2 * HOUR)
    assert set(talk.answers("Ana").values()) == {5}


def test_a_late_reply_hears_once_that_the_check_in_has_closed(talk: Talk) -> None:
    """Also when the worker hasn't closed it yet."""
    talk.asked("Ana", NOON)
    late = NOON + 73 * HOUR
    talk.text("Ana", "5 4 5", late)
    asking.expire_due(talk.ctx, late)
    talk.text("Ana", "5 4 5", late + HOUR)
    assert talk.said("Ana") == ["closed"]
    assert talk.answers("Ana") == {}
    assert [kept.kind for kept in talk.kept("Ana")] == ["late", "late"]


def test_a_reply_nobody_asked_for_is_told_so_once_a_day(talk: Talk) -> None:
    for hours in (0, 1, 24):
        talk.text("Ana", "hello there", NOON + hours * HOUR)
        talk.text(STRANGER, "hello there", NOON + hours * HOUR)
    assert talk.said("Ana") == ["unexpected"] * 2
    assert talk.said(STRANGER) == ["unexpected"] * 2


def test_a_skip_needs_no_reminder(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    talk.asked("Ana", NOON)
    monkeypatch.setattr(replies, "parse", reads_as("skip"))
    talk.text("Ana", "skip", NOON)
    assert talk.said("Ana") == ["thanks"]
    assert talk.last("Ana").remind_at is None


def test_prompts_leave_the_times_of_a_check_in_alone(talk: Talk) -> None:
    check_in = talk.asked("Ana", NOON)
    with talk.ctx.store.transaction() as tx:
        check_ins.set_state(tx, talk.id, check_in.id, "reminded", NOON + HOUR)
    talk.text("Ana", "?!", NOON + 2 * HOUR)
    row = talk.practice.rows("select reminded_at, prompted from check_in")[0]
    assert row == {"reminded_at": int((NOON + HOUR).timestamp()), "prompted": "explain"}


def reads_as(kind: str, **flags: bool) -> Any:
    def parse(text: str, *, asked: Any, **_: Any) -> replies.Reply:
        given = {"opt_out": False, "crisis": False, "call": False, **flags}
        return replies.Reply(kind=kind, scores=(None,) * len(asked), comment=None, note=None, because=(), **given)

    return parse


# ---------------------------------------------------------------------------------- once


def test_a_text_delivered_twice_counts_once(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    assert talk.text("Ana", "5 4 5", NOON, provider_id="SM1")
    assert not talk.text("Ana", "5 4 5", NOON + 8 * DAY, provider_id="SM1")
    assert (count(talk, "inbox"), count(talk, "answer"), talk.said("Ana")) == (1, 3, ["thanks"])


def test_a_text_delivered_many_times_at_once_counts_once(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    taken: list[bool] = []
    go = threading.Barrier(6)

    def deliver() -> None:
        go.wait()
        taken.append(talk.text("Ana", "5 4 5", NOON, provider_id="SM1"))

    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 5 + [True]
    assert (count(talk, "inbox"), count(talk, "answer"), talk.said("Ana")) == (1, 3, ["thanks"])


def test_parts_that_come_at_the_same_time_are_all_counted(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    threads = [threading.Thread(target=talk.text, args=("Ana", body, NOON)) for body in ("5 5 5", "?!", "4 4 4")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(talk.answers("Ana").values()) in ({5}, {4})
    assert count(talk, "answer") == 6


@pytest.mark.parametrize(
    "body",
    ["", " ", "5 4 5\x00", "\ud83d\ude00\ud83d", "\u202e5 4 5\u202c", "x" * 1600, "5\n4\n5", "\u200b", "💯" * 800],
    ids=["empty", "blank", "nul", "half an emoji", "rtl", "1,600", "lines", "zero width", "many emoji"],
)
def test_odd_text_is_kept_as_it_came(talk: Talk, body: str) -> None:
    talk.asked("Ana", NOON)
    assert talk.text("Ana", body, NOON)
    assert [kept.body for kept in talk.kept("Ana")] == [body]
    assert talk.kept("Ana")[0].kind != "unread"
    assert talk.alerts() == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=60))
def test_any_text_is_taken_in(talk: Talk, body: str) -> None:
    assert talk.text(STRANGER, body, NOON)


# ---------------------------------------------------------------------------------- STOP and START


def test_stop_ends_everything_in_its_own_transaction(talk: Talk) -> None:
    """What is open, planned or waiting is over when the STOP is stored; only its confirmation goes out."""
    check_in = talk.asked("Ana", NOON)
    waiting = put(talk, "Ana", "reminder", check_in.id)
    talk.practice.visit("Ana", NOON + 6 * DAY, now=NOON + 6 * DAY)
    assert [each.state for each in talk.practice.check_ins("Ana")] == ["asked", "planned"]
    talk.text("Ana", "STOP", NOON + HOUR)
    assert talk.practice.client("Ana").stopped
    assert [(c.state, c.reason) for c in talk.practice.check_ins("Ana")] == [("cancelled", schedule.STOPPED)]
    assert talk.practice.rows("select state from outbox where id = :id", id=waiting) == [{"state": "skipped"}]
    assert talk.said("Ana")[1:] == ["stopped"]
    assert [row["what"] for row in consent(talk)] == ["given", "stopped"]
    reasons = {row["not_asked"] for row in talk.practice.rows("select not_asked from appointment")}
    assert schedule.STOPPED in reasons


def consent(talk: Talk) -> list[dict[str, object]]:
    ana = talk.practice.clients["Ana"]
    return talk.practice.rows("select what, source from consent_event where client_id = :c order by at, id", c=ana)


def test_stop_beats_planning_begun_before_it(talk: Talk) -> None:
    talk.text("Ana", "STOP", NOON)
    talk.practice.visit("Ana", NOON - 3 * HOUR, now=NOON)
    replan(talk.ctx, talk.id, talk.practice.clients.values(), NOON)
    assert talk.practice.check_ins("Ana") == []


def test_stop_between_the_welcome_and_the_question_leaves_no_question(talk: Talk) -> None:
    """The check-in has a message already, so it stays, cancelled and with its reason."""
    talk.practice.visit("Ana", NOON - 3 * HOUR, now=NOON)
    asking.ask_due(talk.ctx, NOON)
    assert talk.said("Ana") == ["welcome"]
    talk.text("Ana", "STOP", NOON)
    assert [(c.state, c.reason) for c in talk.practice.check_ins("Ana")] == [("cancelled", schedule.STOPPED)]
    assert asking.ask_due(talk.ctx, NOON + HOUR) == 0
    assert talk.said("Ana") == ["welcome", "stopped"]


@pytest.mark.parametrize("word", ["STOP", "START", "HELP"])
def test_where_the_provider_answered_we_do_not(talk: Talk, word: str) -> None:
    if word == "START":
        talk.text("Ana", "STOP", NOON, opt_out_type="STOP")
    talk.text("Ana", word, NOON + HOUR, opt_out_type=word)
    assert talk.said("Ana") == []
    assert talk.practice.client("Ana").stopped is (word == "STOP")


def test_stop_is_confirmed_once_however_often_it_is_said(talk: Talk) -> None:
    for hours in range(3):
        talk.text("Ana", "stop", NOON + hours * HOUR)
    assert talk.said("Ana") == ["stopped"]


def test_after_stop_nothing_is_answered_and_all_is_kept(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    talk.text("Ana", "stop", NOON)
    for minute, body in enumerate(["5 4 5", "help", "the room was cold", "call"], start=1):
        talk.text("Ana", body, NOON + timedelta(minutes=minute))
    assert talk.said("Ana") == ["stopped"]
    assert len(talk.kept("Ana")) == 5


def test_start_brings_back_check_ins(talk: Talk) -> None:
    talk.text("Ana", "stop", NOON)
    talk.practice.visit("Ana", NOON, now=NOON)
    assert talk.practice.check_ins("Ana") == []
    talk.text("Ana", "start", NOON + HOUR)
    assert not talk.practice.client("Ana").stopped
    assert [each.state for each in talk.practice.check_ins("Ana")] == ["planned"]
    assert talk.said("Ana") == ["stopped", "started"]
    assert [row["what"] for row in consent(talk)] == ["given", "stopped", "restored"]


def test_stop_holds_for_every_practice_that_texts_this_number_and_so_does_start(talk: Talk) -> None:
    with talk.ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", NOON)
        entry = Entry(
            "H-1", "Ana", PHONES["Ana"], "", "en", "America/New_York", "sms", NOON, talk.practice.staff["Theo"]
        )
        elsewhere, _ = clients.save(tx, other.id, entry, NOON)
    for word, stopped in (("stop", True), ("start", False)):
        talk.text("Ana", word, NOON)
        with talk.ctx.store.transaction(write=False) as tx:
            assert clients.get(tx, other.id, elsewhere).stopped is stopped
        assert talk.practice.client("Ana").stopped is stopped


# ---------------------------------------------------------------------------------- danger


def test_danger_is_answered_told_and_pauses_check_ins(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    talk.text("Ana", PLAN_TO_DIE, NOON)
    assert talk.alerts() == [("danger", "Ana")]
    assert talk.said("Ana") == ["crisis"]
    text = talk.messages("Ana")[0].body
    assert "911" in text
    assert "kill" not in text
    assert talk.practice.client("Ana").halted
    assert [(c.state, c.reason) for c in talk.practice.check_ins("Ana")] == [("cancelled", schedule.HALTED)]
    talk.practice.visit("Ana", NOON + 7 * DAY, now=NOON + 7 * DAY)
    assert [c.state for c in talk.practice.check_ins("Ana")] == ["cancelled"]


def test_the_reasons_that_managers_see_do_not_name_danger(talk: Talk) -> None:
    check_in = talk.asked("Ana", NOON)
    put(talk, "Ana", "reminder", check_in.id)
    talk.text("Ana", PLAN_TO_DIE, NOON)
    told = talk.practice.rows("select reason from outbox union select reason from check_in")
    assert {row["reason"] for row in told} == {None, schedule.HALTED}


def test_danger_goes_out_at_once_at_any_hour_and_other_replies_wait_for_the_hours(talk: Talk) -> None:
    from bot.flows import sending

    night = at("09-07 23:30")
    talk.text("Ana", PLAN_TO_DIE, night)
    talk.text("Ben", "hello there", night)
    for message in sending.claim(talk.ctx, "w", night):
        sending.deliver(talk.ctx, message, night)
    states = {m.kind: (m.state, m.due_at) for name in ("Ana", "Ben") for m in talk.messages(name)}
    assert states["crisis"][0] == "sent"
    assert states["unexpected"] == ("due", at("09-08 09:00"))


def test_danger_with_stop_gets_one_last_text_with_both(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "parse", reads_as("crisis", crisis=True, opt_out=True))
    talk.text("Ana", "stop it all, i want to die", NOON)
    assert talk.said("Ana") == ["crisis_stopped"]
    assert talk.alerts() == [("danger", "Ana")]
    client = talk.practice.client("Ana")
    assert (client.stopped, client.halted) == (True, True)
    assert outbox_states(talk, "Ana") == ["due"]


def outbox_states(talk: Talk, name: str) -> list[str]:
    return [message.state for message in talk.messages(name)]


def test_danger_after_stop_is_told_to_the_duty_contact_too_and_not_answered(talk: Talk) -> None:
    talk.text("Ana", "stop", NOON)
    talk.text("Ana", PLAN_TO_DIE, NOON + HOUR)
    assert talk.alerts() == [("danger", "Ana"), ("danger_unknown", "Ana")]
    assert talk.said("Ana") == ["stopped"]


@pytest.mark.parametrize("state", ["discharged", "on_hold", "died"])
def test_danger_from_someone_no_longer_asked_is_told_to_the_duty_contact_too(talk: Talk, state: str) -> None:
    standing.set_state(talk.ctx, talk.practice.practice, "C-Ana", state, "command", NOON)
    talk.text("Ana", PLAN_TO_DIE, NOON)
    assert talk.alerts() == [("danger", "Ana"), ("danger_unknown", "Ana")]
    assert talk.said("Ana") == ["crisis"]


def test_danger_from_a_number_nobody_knows_is_told_to_the_duty_contact(talk: Talk) -> None:
    talk.text(STRANGER, PLAN_TO_DIE, NOON)
    assert talk.alerts() == [("danger_unknown", None)]
    assert talk.said(STRANGER) == ["crisis"]
    alerting.climb_due(talk.ctx, NOON)
    told = {row["person_id"] for row in talk.practice.rows("select person_id from outbox where alert_id is not null")}
    assert told == {talk.practice.staff["Dana"]}


def test_danger_told_twice_is_one_alert_while_it_waits(talk: Talk) -> None:
    for minute in range(3):
        talk.text("Ana", PLAN_TO_DIE, NOON + timedelta(minutes=minute))
    assert talk.alerts() == [("danger", "Ana")]


def test_a_practices_own_words_of_danger_count(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, ...]] = []
    real = replies.parse

    def parse(text: str, **more: Any) -> replies.Reply:
        given.append(more["also_crisis"])
        return real(text, **more)

    monkeypatch.setattr(replies, "parse", parse)
    settings_ = {"crisis_words": "the bridge, the red pills ,"}
    with talk.ctx.store.transaction() as tx:
        tx.run("update practice set settings = :s", {"s": json.dumps(settings_)})
    talk.text("Ana", "hello", NOON)
    assert given[0] == ("the bridge", "the red pills")


def test_check_ins_go_on_when_a_clinician_resumes_them(talk: Talk) -> None:
    talk.text("Ana", PLAN_TO_DIE, NOON)
    talk.practice.visit("Ana", NOON, now=NOON)
    assert talk.practice.check_ins("Ana") == []
    with talk.ctx.store.transaction() as tx:
        tx.run("update alert set acknowledged_at = 1, next_step_at = null")
    assert standing.resume(talk.ctx, talk.practice.practice, "C-Ana", "command", NOON + HOUR)
    assert not talk.practice.client("Ana").halted
    assert [each.state for each in talk.practice.check_ins("Ana")] == ["planned"]
    assert not standing.resume(talk.ctx, talk.practice.practice, "C-Ana", "command", NOON + HOUR)


def test_only_the_client_can_take_a_stop_back(talk: Talk) -> None:
    talk.text("Ana", "stop", NOON)
    with pytest.raises(BadSetting, match="START"):
        standing.resume(talk.ctx, talk.practice.practice, "C-Ana", "command", NOON)
    with pytest.raises(BadSetting, match="roster"):
        standing.resume(talk.ctx, talk.practice.practice, "C-Nobody", "command", NOON)


# ---------------------------------------------------------------------------------- standing


def test_discharge_cancels_what_is_planned_and_what_waits(talk: Talk) -> None:
    talk.practice.visit("Ana", NOON, now=NOON)
    waiting = put(talk, "Ana", "thanks")
    assert standing.set_state(talk.ctx, talk.practice.practice, "C-Ana", "discharged", "command", NOON)
    assert talk.practice.check_ins("Ana") == []
    assert talk.practice.rows("select state, reason from outbox where id = :id", id=waiting) == [
        {"state": "skipped", "reason": schedule.DISCHARGED}
    ]
    assert not standing.set_state(talk.ctx, talk.practice.practice, "C-Ana", "discharged", "command", NOON)
    assert standing.set_state(talk.ctx, talk.practice.practice, "C-Ana", "active", "command", NOON)
    assert [each.state for each in talk.practice.check_ins("Ana")] == ["planned"]


def test_a_death_closes_the_open_check_in(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    standing.set_state(talk.ctx, talk.practice.practice, "C-Ana", "died", "command", NOON)
    assert (talk.last("Ana").state, talk.last("Ana").reason) == ("cancelled", schedule.DIED)


def test_an_unknown_state_is_refused_in_words(talk: Talk) -> None:
    with pytest.raises(BadSetting, match="active, on_hold, discharged, died"):
        standing.set_state(talk.ctx, talk.practice.practice, "C-Ana", "gone", "command", NOON)


# ---------------------------------------------------------------------------------- other words


def test_help_is_answered(talk: Talk) -> None:
    talk.text("Ana", "HELP", NOON)
    talk.text(STRANGER, "HELP", NOON)
    assert (talk.said("Ana"), talk.said(STRANGER)) == (["help"], ["help"])


def test_a_wish_for_a_call_reaches_the_therapist_once(talk: Talk) -> None:
    talk.text("Ana", "CALL", NOON)
    talk.text("Ana", "CALL", NOON + HOUR)
    assert talk.alerts() == [("call", "Ana")]
    assert talk.said("Ana") == ["call", "call"]


def test_a_comment_after_the_answers_is_thanked_once(talk: Talk) -> None:
    talk.asked("Ana", NOON)
    for minute, body in enumerate(["5 4 5", "the room was a bit cold", "and the chair was hard"]):
        talk.text("Ana", body, NOON + timedelta(minutes=minute))
    assert talk.said("Ana") == ["thanks", "comment_thanks"]
    assert len(talk.kept("Ana")) == 3


def test_a_wrong_number_is_let_go_and_the_client_has_not_opted_out(talk: Talk) -> None:
    """Nothing more goes to that number; with the right one the client is asked again."""
    talk.asked("Ana", NOON)
    talk.text("Ana", "wrong number", NOON)
    assert talk.said("Ana") == ["wrong_person"]
    client = talk.practice.client("Ana")
    assert (client.phone, client.stopped) == ("", False)
    assert (talk.last("Ana").state, talk.last("Ana").reason) == ("cancelled", receiving.WRONG_NUMBER)
    notices = talk.practice.rows("select person_id from outbox where kind = 'notice'")
    assert notices == [{"person_id": talk.practice.staff["Dana"]}]
    talk.text(PHONES["Ana"], "hello?", NOON + HOUR)
    assert talk.said("Ana") == ["wrong_person"]
    move_to(talk, "Ana", "+12025550177")
    talk.practice.visit("Ana", NOON + 7 * DAY, now=NOON + 7 * DAY)
    assert talk.practice.check_ins("Ana")[-1].state == "planned"


# ---------------------------------------------------------------------------------- two on one phone


def test_two_on_one_phone_are_told_apart_by_who_was_asked(shared: Talk) -> None:
    shared.asked("Ben", NOON)
    shared.text("Ana", "5 4 5", NOON)
    assert shared.answers("Ben") == {"heard": 5, "respected": 4, "understood": 5}
    assert shared.kept("Ana") == []
    assert shared.messages("Ana")[0].body.startswith("For B.: ")


def test_with_nobody_asked_a_shared_phones_reply_is_nobodys(shared: Talk) -> None:
    shared.asked("Ben", NOON)
    late = NOON + 73 * HOUR
    shared.text("Ana", "5 4 5", late)
    assert shared.answers("Ben") == {}
    assert (shared.kept("Ana"), shared.kept("Ben")) == ([], [])
    assert shared.said("Ana") == ["unexpected"]
    assert count(shared, "inbox") == 1


def test_with_both_open_a_shared_phones_reply_is_not_guessed(shared: Talk) -> None:
    shared.asked("Ana", NOON)
    shared.asked("Ben", NOON)
    shared.text("Ana", "5 4 5", NOON)
    assert count(shared, "answer") == 0


def test_stop_from_a_shared_phone_holds_for_both_and_ends_what_is_open(shared: Talk) -> None:
    shared.asked("Ana", NOON)
    shared.asked("Ben", NOON)
    shared.text("Ana", "stop", NOON)
    assert [shared.practice.client(name).stopped for name in ("Ana", "Ben")] == [True, True]
    assert [shared.last(name).state for name in ("Ana", "Ben")] == ["cancelled", "cancelled"]
    assert shared.said("Ana") == ["stopped"]


def test_danger_from_a_shared_phone_pauses_both_and_the_duty_contact_learns_of_both(shared: Talk) -> None:
    shared.text("Ana", PLAN_TO_DIE, NOON)
    assert sorted(shared.alerts()) == [("danger_unknown", "Ana"), ("danger_unknown", "Ben")]
    assert [shared.practice.client(name).halted for name in ("Ana", "Ben")] == [True, True]
    shared.text("Ana", "hello again", NOON + HOUR)
    assert shared.said("Ana") == ["crisis"]


# ---------------------------------------------------------------------------------- while a send is in doubt


def test_an_answer_to_a_question_whose_sending_is_in_doubt_counts(talk: Talk) -> None:
    """The provider took it and its answer to us was lost; the client may answer before that is settled."""
    check_in = in_doubt(talk)
    talk.text("Ana", "5 4 5 4", NOON + HOUR)
    assert talk.last("Ana").id == check_in.id
    assert talk.last("Ana").state == "answered"
    assert len(talk.answers("Ana")) == 4
    assert talk.said("Ana") == ["check_in", "thanks"]


def test_other_words_do_not_prove_that_the_question_came(talk: Talk) -> None:
    in_doubt(talk)
    talk.text("Ana", "hello there", NOON + HOUR)
    assert [each.state for each in talk.practice.check_ins("Ana")] == ["planned"]
    assert talk.said("Ana") == ["check_in", "unexpected"]


def test_stop_leaves_a_question_in_doubt_to_what_the_provider_says(talk: Talk) -> None:
    check_in = in_doubt(talk)
    talk.text("Ana", "stop", NOON + HOUR)
    assert [(c.id, c.state) for c in talk.practice.check_ins("Ana")] == [(check_in.id, "planned")]


def in_doubt(talk: Talk) -> Any:
    talk.practice.visit("Ana", NOON - 3 * HOUR, now=NOON)
    with talk.ctx.store.transaction() as tx:
        clients.mark_welcomed(tx, talk.id, talk.practice.clients["Ana"], NOON)
    asking.ask_due(talk.ctx, NOON)
    begin(talk, talk.messages("Ana")[0].id)
    return talk.practice.check_ins("Ana")[0]


# ---------------------------------------------------------------------------------- when reading fails


def fails(*_: object, **__: object) -> Any:
    raise RuntimeError("5 4 5 and other words of a client's")


@pytest.mark.parametrize("where", ["surveys.replies.parse", "bot.flows.receiving.say_to", "surveys.conversation.step"])
def test_a_message_that_cannot_be_read_is_kept_and_a_person_is_told(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be a cry for help. What was half stored is undone, and the log holds none of its words."""
    talk.asked("Ana", NOON)
    monkeypatch.setattr(where, fails)
    assert talk.text("Ana", "5 4 5", NOON)
    assert [(kept.kind, kept.body) for kept in talk.kept("Ana")] == [("unread", "5 4 5")]
    assert talk.alerts() == [("danger", "Ana")]
    assert (count(talk, "answer"), talk.last("Ana").state) == (0, "asked")
    assert not talk.text("Ana", "5 4 5", NOON, provider_id="SM" + f"{1:032x}")
    assert "5 4 5" not in capsys.readouterr().err
    alerting.climb_due(talk.ctx, NOON)
    told = talk.practice.rows("select person_id from outbox where alert_id is not null")
    assert told == [{"person_id": talk.practice.staff["Theo"]}]


@pytest.mark.parametrize("more", [{"body": " Stop "}, {"body": "no more", "opt_out_type": "STOP"}])
def test_stop_holds_even_when_reading_fails(talk: Talk, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]) -> None:
    monkeypatch.setattr(replies, "parse", fails)
    talk.text("Ana", when=NOON, **more)  # type: ignore[arg-type]
    assert talk.practice.client("Ana").stopped


def test_what_a_stranger_wrote_and_nobody_could_read_goes_to_the_duty_contact(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "parse", fails)
    talk.text(STRANGER, "...", NOON)
    assert talk.alerts() == [("danger_unknown", None)]


def test_a_fault_of_the_store_is_not_answered_as_taken(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What isn't on disk must not be answered 200."""
    monkeypatch.setattr("bot.store.inbox.note_reading", fails)
    with pytest.raises(RuntimeError):
        talk.text("Ana", "5 4 5", NOON)
    assert count(talk, "inbox") == 0
