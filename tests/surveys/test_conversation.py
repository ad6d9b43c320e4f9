"""What follows from a reply: every state and event, the table of the conversation, and what holds in any order."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.conversation import (
    MOVES,
    OPEN,
    SKIPPED,
    Event,
    Parse,
    Situation,
    State,
    Step,
    move,
    step,
    usually_high,
)
from surveys.courtesy import KINDS as COURTESIES
from surveys.instrument import load_all
from surveys.replies import Because, Reply
from surveys.wording import KINDS, Say, Voice, write
from tests.support.drawing import diagram, example

ASKED = ("heard", "respected", "understood")
FOUR = (*ASKED, "involved")

# What follows; "." where an event changes nothing any more.
GRID = """
                 sent   reminded  answered  answered_part    timed_out  withdrawn  refused
planned          asked  .         .         .                expired    cancelled  failed
asked            .      reminded  answered  partly_answered  expired    cancelled  failed
reminded         .      .         answered  partly_answered  expired    cancelled  failed
partly_answered  .      .         answered  partly_answered  expired    cancelled  .
answered         .      .         answered  .                .          .          .
expired          .      .         .         .                .          .          .
cancelled        .      .         .         .                .          .          .
failed           .      .         .         .                .          .          .
"""


def says(
    *numbers: int, kind: str = "", comment: str | None = None, skipped: Sequence[str] = (), **flags: bool
) -> Parse:
    """A reader of a text that holds these numbers: in the order asked, and none where there are too many."""

    def parse(asked: Sequence[str]) -> Reply:
        fits = len(numbers) <= len(asked)
        scores = [*numbers, *[None] * (len(asked) - len(numbers))] if fits else [None] * len(asked)
        complete = bool(asked) and None not in scores
        read = "answer" if complete else "partial" if any(scores) else "unclear"
        return Reply(
            kind=kind or read, scores=tuple(scores), comment=comment, opt_out=flags.get("opt_out", False),
            crisis=flags.get("crisis", False), note=None, call=flags.get("call", False),
            because=tuple(Because(feeling, None, "skip", SKIPPED) for feeling in skipped),
        )  # fmt: skip

    return parse


STOP = says(kind="optout", opt_out=True)
START = says(kind="optin")
HELP = says(kind="help")
CALL = says(kind="reschedule_or_other_request", call=True)
DANGER = says(kind="crisis", crisis=True, comment="...")
WORDS = says(kind="comment", comment="The room was cold.")
NOISE = says(kind="unclear")


def asked(state: State = State.ASKED, feelings: tuple[str, ...] = ASKED, **known: object) -> Situation:
    """A client who was asked, and what else is known."""
    return Situation(state=state, asked=feelings, **known)  # type: ignore[arg-type]


def answered(*scores: int, **known: object) -> Situation:
    """A client who has answered all, within the last day unless said otherwise."""
    return asked(State.ANSWERED, answers=dict(zip(ASKED, scores, strict=True)), **{"recent": True, **known})


def kind_of(found: Step) -> str | None:
    return found.say.kind if found.say else None


# ---------------------------------------------------------------------------------- states and events


def grid() -> dict[tuple[str, str], str | None]:
    head, *rows = [line.split() for line in GRID.strip().splitlines()]
    return {
        (row[0], event): None if cell == "." else cell
        for row in rows
        for event, cell in zip(head, row[1:], strict=True)
    }


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_state_and_event_has_its_one_outcome(state: State, event: Event) -> None:
    assert move(state, event) == grid()[state, event]


def test_every_state_can_be_reached_from_planned() -> None:
    reached, fresh = {State.PLANNED}, {State.PLANNED}
    while fresh:
        fresh = {after for state in fresh for after in MOVES[state].values()} - reached
        reached |= fresh
    assert reached == set(State)


def test_what_is_open_can_be_answered_and_ends_by_itself() -> None:
    for state in OPEN:
        assert {Event.ANSWERED, Event.ANSWERED_PART, Event.TIMED_OUT, Event.WITHDRAWN} <= MOVES[state].keys()


def test_an_answer_is_never_taken_back() -> None:
    assert set(MOVES[State.ANSWERED].values()) == {State.ANSWERED}
    assert State.ASKED not in MOVES[State.PARTLY_ANSWERED].values()


# ---------------------------------------------------------------------------------- answers


@pytest.mark.parametrize("state", sorted(OPEN))
def test_a_full_answer_is_thanked(state: State) -> None:
    found = step(asked(state), says(5, 4, 5))
    assert (found.event, dict(found.scores)) == (Event.ANSWERED, {"heard": 5, "respected": 4, "understood": 5})
    assert found.say == Say("thanks")
    assert found.assess


@pytest.mark.parametrize("scores", [(5, 5, 5), (1, 2, 1), (3, 3, 3)])
def test_everyone_gets_the_same_thanks(scores: tuple[int, ...]) -> None:
    """A warmer reply to low scores would teach people to score high."""
    assert step(asked(), says(*scores)).say == Say("thanks")


def test_what_is_missing_is_asked_for_once_and_the_rest_stands() -> None:
    found = step(asked(), says(5, 4))
    assert found.event is Event.ANSWERED_PART
    assert found.say == Say("ask_rest", ("understood",), (("heard", 5), ("respected", 4)))
    later = asked(State.PARTLY_ANSWERED, FOUR, answers={"heard": 5, "respected": 4}, prompted=frozenset({"rest"}))
    assert step(later, says(3)).say == Say("thanks")
    assert step(later, NOISE).say is None


def test_the_rest_completes_the_answer() -> None:
    situation = asked(State.PARTLY_ANSWERED, answers={"heard": 5, "respected": 4}, prompted=frozenset({"rest"}))
    found = step(situation, says(2))
    assert (found.event, dict(found.scores), kind_of(found)) == (Event.ANSWERED, {"understood": 2}, "thanks")


def test_what_cannot_be_read_is_explained_once_and_then_let_be() -> None:
    found = step(asked(), NOISE)
    assert found.say == Say("explain", ASKED)
    assert found.event is None
    assert step(asked(prompted=frozenset({found.prompted})), NOISE).say is None


def test_a_question_skipped_in_so_many_words_is_not_asked_for() -> None:
    found = step(asked(), says(4, 5, skipped=["understood"]))
    assert dict(found.scores) == {"heard": 4, "respected": 5}
    assert kind_of(found) == "thanks"
    situation = asked(State.PARTLY_ANSWERED, answers=found.scores, prompted=frozenset({found.prompted}))
    assert step(situation, NOISE).say is None


def test_whoever_skips_all_is_thanked_once_and_not_asked_again() -> None:
    found = step(asked(), says(kind="skip"))
    assert (kind_of(found), found.event) == ("thanks", None)
    after = asked(prompted=frozenset({found.prompted}))
    assert [kind_of(step(after, said)) for said in (says(kind="skip"), NOISE, says(4))] == [None, None, "thanks"]


def test_a_full_new_set_replaces_what_was_answered_in_part() -> None:
    situation = asked(State.PARTLY_ANSWERED, answers={"heard": 1, "respected": 1}, prompted=frozenset({"rest"}))
    found = step(situation, says(4, 5, 4))
    assert (found.replaces, dict(found.scores)) == (True, {"heard": 4, "respected": 5, "understood": 4})
    assert (found.event, kind_of(found)) == (Event.ANSWERED, "thanks")


def test_a_full_new_set_within_a_day_replaces_the_first() -> None:
    found = step(answered(1, 1, 1), says(5, 4, 5))
    assert (found.replaces, kind_of(found), found.event) == (True, "replaced", Event.ANSWERED)


@pytest.mark.parametrize("reply", [says(5), says(5, 4), says(5, 4, 5, 4)])
def test_less_or_more_than_a_full_set_changes_no_answer(reply: Parse) -> None:
    found = step(answered(1, 2, 1), reply)
    assert not found.scores
    assert found.event is None


def test_after_a_day_a_full_new_set_changes_nothing() -> None:
    found = step(answered(1, 2, 1, recent=False), says(5, 5, 5))
    assert not found.scores
    assert kind_of(found) == "unexpected"


# ---------------------------------------------------------------------------------- all ones


HIGH = [{"heard": 5, "respected": 4, "understood": 4}] * 2


def test_all_ones_from_a_usually_high_rater_are_asked_about_once_and_stand() -> None:
    found = step(asked(usually_high=True), says(1, 1, 1))
    assert (kind_of(found), found.event, set(found.scores.values())) == ("confirm_low", Event.ANSWERED, {1})
    again = answered(1, 1, 1, usually_high=True, prompted=frozenset({found.prompted}))
    assert kind_of(step(again, says(1, 1, 1))) == "replaced"


@pytest.mark.parametrize(("high", "scores"), [(False, (1, 1, 1)), (True, (1, 1, 2)), (True, (2, 2, 2))])
def test_other_low_answers_are_taken_as_they_are(high: bool, scores: tuple[int, ...]) -> None:
    assert kind_of(step(asked(usually_high=high), says(*scores))) == "thanks"


def test_all_ones_in_two_parts_are_asked_about_too() -> None:
    situation = asked(
        State.PARTLY_ANSWERED, answers={"heard": 1, "respected": 1}, usually_high=True, prompted=frozenset({"rest"})
    )
    assert kind_of(step(situation, says(1))) == "confirm_low"


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [(HIGH, True), (HIGH[:1], False), ([], False), ([*HIGH, {"heard": 1, "respected": 1}], False), ([{}, *HIGH], True)],
)
def test_usually_high_takes_two_answered_check_ins_with_a_mean_of_four(
    earlier: Sequence[Mapping[str, int]], expected: bool
) -> None:
    assert usually_high(earlier) is expected


# ---------------------------------------------------------------------------------- STOP and START


@pytest.mark.parametrize("situation", [asked(), answered(5, 5, 5), Situation(), Situation(known=False)])
def test_stop_is_confirmed_once(situation: Situation) -> None:
    found = step(situation, STOP)
    assert (found.stop, kind_of(found)) == (True, "stopped")


def test_stop_ends_the_open_check_in() -> None:
    assert step(asked(), STOP).event is Event.WITHDRAWN
    assert step(answered(5, 5, 5), STOP).event is None


def test_scores_beside_stop_are_kept() -> None:
    found = step(asked(), says(1, 2, 1, kind="optout", opt_out=True))
    assert (found.stop, found.event, len(found.scores)) == (True, Event.ANSWERED, 3)
    part = step(asked(), says(1, kind="optout", opt_out=True))
    assert (part.event, dict(part.scores), kind_of(part)) == (Event.WITHDRAWN, {"heard": 1}, "stopped")


@pytest.mark.parametrize(
    "situation", [asked(provider_said="STOP"), Situation(stopped=True), Situation(stopped=True, provider_said="STOP")]
)
def test_stop_is_not_answered_where_the_provider_has_or_it_was_said_before(situation: Situation) -> None:
    found = step(situation, STOP)
    assert found.stop
    assert found.say is None


def test_the_providers_stop_counts_whatever_the_words() -> None:
    found = step(asked(provider_said="STOP"), NOISE)
    assert (found.stop, found.say) == (True, None)


def test_start_brings_back_someone_who_said_stop() -> None:
    found = step(Situation(stopped=True), START)
    assert (found.start, kind_of(found)) == (True, "started")
    provider = step(Situation(stopped=True, provider_said="START"), says(kind="unclear"))
    assert (provider.start, provider.say) == (True, None)


def test_start_during_a_danger_pause_lifts_the_stop_but_promises_nothing() -> None:
    found = step(Situation(stopped=True, halted=True), START)
    assert (found.start, found.say) == (True, None)


def test_yes_to_a_question_is_no_start_and_no_answer() -> None:
    """Twilio takes YES for START; from someone who never said STOP it only can't be read."""
    found = step(asked(provider_said="START"), says(kind="unclear"))
    assert (found.start, kind_of(found), dict(found.scores)) == (False, "explain", {})


@pytest.mark.parametrize("reply", [says(5, 4, 5), WORDS, HELP, NOISE, CALL, says(kind="wrong_person"), DANGER])
def test_after_stop_nothing_is_answered(reply: Parse) -> None:
    for state in (None, *State):
        assert step(Situation(state=state, asked=ASKED, stopped=True), reply).say is None


# ---------------------------------------------------------------------------------- danger


@pytest.mark.parametrize(
    "situation",
    [asked(), answered(5, 5, 5), asked(State.EXPIRED), Situation(), Situation(known=False), asked(halted=True)],
)
def test_danger_is_answered_at_once_and_people_are_told(situation: Situation) -> None:
    found = step(situation, DANGER)
    assert (found.alert, kind_of(found)) == ("danger", "crisis")


def test_danger_with_stop_gets_one_last_text_with_both() -> None:
    found = step(asked(), says(kind="crisis", crisis=True, opt_out=True))
    assert (found.alert, found.stop, kind_of(found)) == ("danger", True, "crisis_stopped")


def test_danger_after_stop_is_told_to_people_and_not_answered() -> None:
    found = step(Situation(stopped=True), says(kind="crisis", crisis=True, opt_out=True))
    assert (found.alert, found.say, found.stop) == ("danger", None, False)


def test_danger_closes_the_check_in_and_keeps_its_scores() -> None:
    found = step(asked(), says(1, 1, kind="crisis", crisis=True))
    assert (found.event, dict(found.scores)) == (Event.WITHDRAWN, {"heard": 1, "respected": 1})
    assert step(asked(), says(1, 1, 1, kind="crisis", crisis=True)).event is Event.ANSWERED


@pytest.mark.parametrize("reply", [WORDS, NOISE, HELP, says(5, 4, 5)])
def test_until_a_clinician_resumes_nothing_automatic_is_said(reply: Parse) -> None:
    assert step(asked(State.CANCELLED, halted=True), reply).say is None


@pytest.mark.parametrize("quiet", ["stopped", "halted"])
def test_an_answer_that_comes_in_the_quiet_is_kept(quiet: str) -> None:
    """A check-in may still be open: its question was on its way when the STOP came."""
    found = step(asked(**{quiet: True}), says(5, 4, 5))
    assert (found.event, len(found.scores), found.say) == (Event.ANSWERED, 3, None)


def test_a_wish_for_a_call_during_the_pause_still_reaches_the_therapist() -> None:
    assert step(asked(halted=True), CALL).alert == "call"


# ---------------------------------------------------------------------------------- other words


def test_help_is_answered_unless_the_provider_has() -> None:
    assert kind_of(step(asked(), HELP)) == "help"
    assert kind_of(step(Situation(known=False), HELP)) == "help"
    assert step(asked(provider_said="HELP"), HELP).say is None


def test_call_is_passed_on_without_losing_the_answers_beside_it() -> None:
    found = step(asked(), says(4, 4, 4, call=True))
    assert (found.alert, kind_of(found), found.event, len(found.scores)) == ("call", "call", Event.ANSWERED, 3)
    assert step(Situation(known=False), CALL).alert == ""


def test_the_wrong_person_is_let_go_at_once() -> None:
    found = step(asked(), says(kind="wrong_person"))
    assert (found.wrong_person, found.event, kind_of(found)) == (True, Event.WITHDRAWN, "wrong_person")
    assert not found.scores


def test_a_comment_after_the_answers_is_thanked() -> None:
    assert kind_of(step(answered(5, 4, 5), WORDS)) == "comment_thanks"
    assert step(answered(5, 4, 5), NOISE).say is None


@pytest.mark.parametrize("state", [State.EXPIRED, State.CANCELLED, State.FAILED])
@pytest.mark.parametrize("reply", [says(5, 4, 5), WORDS, NOISE])
def test_a_late_reply_hears_that_the_check_in_has_closed_and_changes_nothing(state: State, reply: Parse) -> None:
    found = step(asked(state), reply)
    assert (kind_of(found), dict(found.scores), found.event) == ("closed", {}, None)


@pytest.mark.parametrize("situation", [Situation(), Situation(known=False), answered(5, 5, 5, recent=False)])
def test_a_reply_nobody_asked_for_is_told_so(situation: Situation) -> None:
    assert kind_of(step(situation, WORDS)) == "unexpected"


@pytest.mark.parametrize("situation", [asked(), answered(5, 4, 5), Situation(), Situation(stopped=True)])
def test_machines_are_not_answered(situation: Situation) -> None:
    """Two machines that answer each other would never end."""
    assert step(situation, says(kind="autoreply")) == Step(
        "autoreply", reading=says(kind="autoreply")(situation.missing)
    )


# ---------------------------------------------------------------------------------- in any order


@dataclass
class Life:
    """One client with one check-in, living through replies; the bookkeeping that the store does for real."""

    state: State = State.ASKED
    answers: dict[str, int] = field(default_factory=dict)
    prompted: set[str] = field(default_factory=set)
    answered_at: datetime | None = None
    stopped: bool = False
    halted: bool = False
    now: datetime = datetime(2026, 9, 7, 16, tzinfo=UTC)
    told: list[str] = field(default_factory=list)

    def situation(self, **more: object) -> Situation:
        recent = self.answered_at is not None and self.now - self.answered_at <= timedelta(hours=24)
        return Situation(
            state=self.state, asked=FOUR, answers=dict(self.answers), prompted=frozenset(self.prompted), recent=recent,
            stopped=self.stopped, halted=self.halted, usually_high=True, **more,
        )  # type: ignore[arg-type]  # fmt: skip

    def take(self, found: Step) -> None:
        if found.scores:
            self.answers = dict(found.scores) if found.replaces else self.answers | found.scores
        if found.event:
            after = move(self.state, found.event)
            assert after is not None, f"{self.state} knows no {found.event}"
            self.state = after
            if after is State.ANSWERED:
                self.answered_at = self.answered_at or self.now
        self.prompted |= {found.prompted} - {""}
        self.stopped = (self.stopped or found.stop or found.wrong_person) and not found.start
        self.halted = self.halted or found.alert == "danger"
        self.told += [found.say.kind] if found.say else []


@st.composite
def replies(draw: st.DrawFn) -> tuple[tuple[int, ...], Parse, str, timedelta]:
    """Numbers, what a reader makes of them and of the flags beside them, the provider's word, and the time gone by."""
    numbers = tuple(draw(st.lists(st.integers(1, 5), max_size=5)))
    wordy = [
        "",
        "comment",
        "unclear",
        "help",
        "skip",
        "optin",
        "reschedule_or_other_request",
        "autoreply",
        "wrong_person",
    ]
    kind = "" if numbers else draw(st.sampled_from(wordy))
    rarely = st.sampled_from([False] * 5 + [True])
    flags = {name: draw(rarely) and kind != "autoreply" for name in ("opt_out", "crisis", "call")}
    provider = draw(st.sampled_from([""] * 6 + ["STOP", "START", "HELP"])) if kind != "autoreply" else ""
    comment = draw(st.sampled_from([None, "words"]))
    passed = draw(st.sampled_from([timedelta(), timedelta(hours=1), timedelta(hours=23), timedelta(hours=30)]))
    return numbers, says(*numbers, kind=kind, comment=comment, **flags), provider, passed


talks = given(st.lists(replies(), min_size=1, max_size=12))


def live(talk: list[tuple[tuple[int, ...], Parse, str, timedelta]]) -> list[tuple[Life, tuple[int, ...], Step, Life]]:
    """Each step with the life before and after it."""
    life, steps = Life(), []
    for numbers, parse, provider, passed in talk:
        life.now += passed
        before = Life(**{**life.__dict__, "answers": dict(life.answers), "prompted": set(life.prompted)})
        found = step(life.situation(provider_said=provider), parse)
        life.take(found)
        after = Life(**{**life.__dict__, "answers": dict(life.answers), "prompted": set(life.prompted)})
        steps.append((before, numbers, found, after))
    return steps


@settings(max_examples=300, deadline=None)
@talks
def test_in_any_order_no_answer_is_lost(talk: list[tuple[tuple[int, ...], Parse, str, timedelta]]) -> None:
    """While a check-in is open, every number that fits an open question is stored, whatever stands beside it."""
    for before, numbers, _, after in live(talk):
        missing = [feeling for feeling in FOUR if feeling not in before.answers]
        if before.state in OPEN and 0 < len(numbers) <= len(missing):
            assert {f: after.answers[f] for f in missing[: len(numbers)]} == dict(zip(missing, numbers, strict=False))


@settings(max_examples=300, deadline=None)
@talks
def test_in_any_order_an_answer_changes_only_by_a_full_new_set_within_a_day(
    talk: list[tuple[tuple[int, ...], Parse, str, timedelta]],
) -> None:
    for before, numbers, found, after in live(talk):
        kept = {feeling: after.answers.get(feeling) for feeling in before.answers}
        if kept == before.answers:
            continue
        in_time = before.answered_at is None or after.now - before.answered_at <= timedelta(hours=24)
        assert found.replaces
        assert len(numbers) == len(FOUR)
        assert in_time


@settings(max_examples=300, deadline=None)
@talks
def test_in_any_order_there_is_nothing_after_stop_and_no_question_twice(
    talk: list[tuple[tuple[int, ...], Parse, str, timedelta]],
) -> None:
    """At most one message a step; after STOP none but its one confirmation; each prompt at most once."""
    steps = live(talk)
    for before, _, found, _ in steps:
        assert found.say is None or isinstance(found.say, Say)
        if before.stopped and not found.start:
            assert found.say is None
    told = steps[-1][3].told
    for kind in ("ask_rest", "explain", "confirm_low"):
        assert told.count(kind) <= 1


@settings(max_examples=300, deadline=None)
@talks
def test_in_any_order_whatever_is_said_can_be_written(
    talk: list[tuple[tuple[int, ...], Parse, str, timedelta]],
) -> None:
    for _, _, found, _ in live(talk):
        if found.say:
            assert found.say.kind in KINDS
            assert write(found.say, Voice("Riverside", "en"), load_all()).text


# ---------------------------------------------------------------------------------- the docs

DOCS = Path(__file__).parents[2] / "docs" / "conversation.md"


def test_the_diagram_in_the_docs_is_drawn_from_the_table() -> None:
    [found] = re.findall(r"```mermaid\n(.*?)\n```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found == diagram()


def test_the_docs_say_what_is_said_when_word_for_word() -> None:
    table = DOCS.read_text("utf-8").partition("## What is said when")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line][2:]
    assert {kind: text for kind, _, text in rows} == {kind: example(kind) for kind in COURTESIES}
    assert all(when for _, when, _ in rows)
