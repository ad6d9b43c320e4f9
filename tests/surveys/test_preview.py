"""What a change of the rule would do: the planner's own answer, counted."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import schedule as rules
from surveys.instrument import load_all
from surveys.preview import Case, Cost, Preview, Side, cost_of, preview
from surveys.schedule import Appointment, Asking, Client, Planned, Schedule, plan_all
from surveys.wording import Voice

NEW_YORK = "America/New_York"
NOON = datetime(2026, 9, 7, 16, 0, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANA = Client(zone=NEW_YORK, consent_at=NOON - 90 * DAY)
VOICE = Voice("Riverside", "en")
LINK = "https://attune.example/c/" + "x" * 43


def visit(ends_at: datetime, status: str = "booked", name: str = "") -> Appointment:
    return Appointment(name or str(ends_at), ends_at - HOUR, ends_at, status, "theo")


def weekly(count: int, first: datetime = NOON + 2 * HOUR) -> list[Appointment]:
    return [visit(first + 7 * DAY * week) for week in range(count)]


def side(cost: Cost = Cost(), client: Client = ANA, **rule: str) -> Side:  # noqa: B008 (frozen)
    return Side(Schedule.read(rule), client, cost)


def seen(visits: list[Appointment], now: Side, then: Side, **more: object) -> Preview:
    askings = more.pop("askings", [])
    case = Case("C-Ana", visits, askings, now, then, **more)  # type: ignore[arg-type]
    return preview([case], NEW_YORK, NOON)


def test_the_calendar_has_four_weeks_from_today_on_the_practices_clock() -> None:
    late = datetime(2026, 9, 8, 2, 0, tzinfo=UTC)  # still Monday in New York
    made = preview([], NEW_YORK, late)
    assert [made.days[0].day, made.days[-1].day, len(made.days)] == [date(2026, 9, 7), date(2026, 10, 4), 28]


def test_coming_visits_are_taken_as_if_everyone_came() -> None:
    made = seen(weekly(4), side(), side())
    assert [(day.day, [ref for _, ref in day.planned]) for day in made.days if day.planned] == [
        (date(2026, 9, 7) + 7 * DAY * week, ["C-Ana"]) for week in range(4)
    ]
    assert made.same
    assert made.reasons == {}


def test_past_visits_that_nobody_marked_are_left_out_with_the_reason() -> None:
    made = seen([visit(NOON - HOUR)], side(), side())
    assert made.days[0].skipped == {rules.NOT_ATTENDED: ["C-Ana"]}
    assert made.days[0].left_out == 1
    assert made.reasons == {rules.NOT_ATTENDED: 1}


def test_where_booked_visits_are_asked_about_they_stay_booked_and_wait_their_day() -> None:
    made = seen(weekly(1), side(), side(which="attended_or_booked"))
    assert made.moved == 1
    assert [day.day for day in made.days if day.planned] == [date(2026, 9, 8)]


def test_more_fewer_and_moved_are_counted_by_visit() -> None:
    twice_a_week = sorted([*weekly(4), *weekly(4, NOON + 3 * DAY)], key=lambda each: each.ends_at)
    often = seen(twice_a_week, side(), side(min_gap_days="0"))
    assert (often.more, often.fewer, often.moved, often.oftener, often.less_often) == (4, 0, 0, 1, 0)
    seldom = seen(weekly(4), side(), side(every="2"))
    assert (seldom.more, seldom.fewer, seldom.moved, seldom.oftener, seldom.less_often) == (0, 2, 0, 0, 1)
    assert seldom.reasons == {rules.NOT_CHOSEN: 2}
    later = seen(weekly(4), side(), side(delay_minutes="180"))
    assert (later.more, later.fewer, later.moved, later.same) == (0, 0, 4, False)


def test_what_was_asked_is_neither_planned_nor_left_out() -> None:
    asked = visit(NOON - 3 * HOUR, "attended", "asked")
    made = seen([asked], side(), side(digits="3"), askings=[Asking("asked", NOON - HOUR, False, False)])
    assert (made.planned, made.reasons, made.same) == (0, {}, True)


def test_visits_after_the_four_weeks_are_not_counted() -> None:
    made = seen(weekly(9), side(), side(every="2"))
    assert (made.planned_now, made.planned, made.fewer) == (4, 2, 2)


def test_what_is_due_within_the_hour_is_told_by_name() -> None:
    due = [visit(NOON - 90 * HOUR / 60, "attended", "due")]
    moved = seen(due, side(), side(delay_minutes="300")).soon
    assert [(each.ref, each.now, each.then and each.then > NOON + HOUR) for each in moved] == [
        ("C-Ana", NOON + HOUR / 2, True)
    ]
    dropped = seen(due, side(), side(paused_until="2026-12-01")).soon
    assert [(each.then, each.reason) for each in dropped] == [(None, rules.PRACTICE_PAUSED)]
    assert seen(due, side(delay_minutes="300"), side(delay_minutes="400")).soon == []


def test_texts_are_counted_at_least_and_at_most() -> None:
    cost = Cost(question=1, reminder=1, thanks=2, welcome=3)
    made = seen(weekly(4), side(cost), side(cost, every="2"), welcomed=False)
    assert (made.bill_now.least, made.bill_now.most) == (4 + 3, 4 + 3 + 12)
    assert (made.bill.least, made.bill.most) == (2 + 3, 2 + 3 + 6)
    assert seen(weekly(4), side(cost), side(cost), welcomed=True).bill.least == 4
    assert seen([], side(cost), side(cost), welcomed=False).bill.least == 0


@pytest.mark.parametrize(
    ("rule", "channel", "texts"),
    [
        ({}, "sms", True),
        ({}, "mail", False),
        ({"channels": "mail,sms"}, "sms", False),
        ({"channels": "sms"}, "mail", True),
    ],
)
def test_only_what_goes_by_text_costs(rule: dict[str, str], channel: str, texts: bool) -> None:
    found = cost_of(Schedule.read(rule), channel, VOICE, load_all(), LINK)
    assert (found.question > 0) == texts
    assert (found == Cost()) != texts


def test_without_reminders_none_is_charged() -> None:
    assert cost_of(Schedule(reminder_hours=0), "sms", VOICE, load_all(), LINK).reminder == 0


def test_a_long_link_costs_where_texts_carry_one() -> None:
    words = cost_of(Schedule(), "sms", VOICE, load_all(), LINK + "x" * 200)
    link = cost_of(Schedule(link=True), "sms", VOICE, load_all(), LINK + "x" * 200)
    bare = cost_of(Schedule(), "sms", VOICE, load_all(), LINK + "x" * 200, discreet=True)
    assert words == cost_of(Schedule(), "sms", VOICE, load_all(), LINK)
    assert link.question > words.question
    assert (bare.question > words.question, bare.reminder) == (True, 0)


# Only the latest visits are read where that gives the same plans.

STATUSES = ("attended", "attended", "attended", "no_show", "cancelled", "booked")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_leaving_out_what_came_before_an_answered_visit_gives_the_same_plans(data: st.DataObject) -> None:
    days = sorted(data.draw(st.sets(st.integers(-120, 27), min_size=2, max_size=24)))
    visits = [
        Appointment(str(d), NOON + d * DAY - HOUR, NOON + d * DAY, data.draw(st.sampled_from(STATUSES)), "theo")
        for d in days
    ]
    past = [each for each in visits if each.ends_at < NOON - DAY]
    askings = [
        Asking(each.id, each.ends_at + 2 * HOUR, data.draw(st.booleans()), True)
        for each in past
        if data.draw(st.booleans())
    ]
    answered = [asking.appointment_id for asking in askings if asking.answered]
    if not answered:
        return
    chosen = data.draw(st.sampled_from(answered))
    cut = next(each for each in visits if each.id == chosen).starts_at
    recent = [each for each in visits if each.starts_at >= cut]
    rule = Schedule(
        every=data.draw(st.integers(1, 4)),
        first=data.draw(st.integers(0, 5)),
        min_gap_days=data.draw(st.integers(0, 9)),
    )
    earlier = Counter((each.therapist_id, each.status) for each in visits if each.starts_at < cut)
    recent_askings = [each for each in askings if each.at >= cut]
    whole = plan_all(visits, client=ANA, askings=askings, schedule=rule, now=NOON)
    part = plan_all(recent, client=ANA, askings=recent_askings, schedule=rule, now=NOON, earlier=earlier)
    assert part == {each.id: whole[each.id] for each in recent}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-3, 40), max_size=12, unique=True), st.integers(1, 3), st.integers(0, 9))
def test_the_preview_says_what_the_planner_says(days: list[int], every: int, gap: int) -> None:
    visits = [visit(NOON + day * DAY, "attended", str(day)) for day in sorted(days)]
    rule = Schedule(every=every, min_gap_days=gap)
    plans = plan_all(visits, client=ANA, askings=[], schedule=rule, now=NOON)
    made = seen(visits, side(), Side(rule, ANA))
    within = [plans[each.id] for each in visits if each.ends_at < NOON + 28 * DAY]
    assert made.planned == sum(isinstance(each, Planned) for each in within)
    assert made.planned - made.planned_now == made.more - made.fewer
