"""May this message go out now? The table of manners, and the hours it obeys."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import courtesy, wording
from surveys.courtesy import CONFIRM_WITHIN, KINDS, SHORTEST_STAY, STALE, Drop, Errand, Go, Wait, judge
from surveys.schedule import Appointment, Client, Schedule

NOON = datetime(2026, 9, 7, 16, 0, tzinfo=UTC)  # Monday, in New York
CLOSES = datetime(2026, 9, 8, 0, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 9, 8, 4, 0, tzinfo=UTC)
OPENS = datetime(2026, 9, 8, 13, 0, tzinfo=UTC)
ANA = Client(zone="America/New_York", consent_at=NOON - timedelta(days=30))
RULE = Schedule()
VISIT = Appointment("A-1", NOON - timedelta(hours=3), NOON - timedelta(hours=2), "attended")
ZONES = ("America/New_York", "America/St_Johns", "Europe/London", "Africa/Casablanca", "Asia/Kolkata",
         "Australia/Lord_Howe", "Pacific/Chatham", "America/Santiago", "Pacific/Apia", "Antarctica/Troll")  # fmt: skip

UNASKED = [kind for kind, manners in KINDS.items() if manners.unasked]
ANSWERS = [kind for kind, manners in KINDS.items() if not manners.unasked]
CRISIS = ["crisis", "crisis_stopped"]
AFTER_STOP = ["stopped", "crisis_stopped", "wrong_person"]


def errand(kind: str, **changes: object) -> Errand:
    """A message of this kind, just written, about a visit that was attended."""
    planned = kind not in ("reminder",)
    usual = {"written_at": NOON, "appointment": VISIT, "planned": planned, "expires_at": NOON + timedelta(days=3)}
    return Errand(kind, **{**usual, **changes})  # type: ignore[arg-type]


def test_every_kind_of_message_that_can_be_written_has_its_manners() -> None:
    """A kind nobody thought of here would never be sent."""
    assert set(KINDS) == set(wording.KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_in_the_hours_a_message_may_go_until_they_end(kind: str) -> None:
    """What obeys no hours may stay valid ten hours."""
    verdict = judge(errand(kind), ANA, RULE, NOON)
    assert verdict == Go(NOON + timedelta(hours=10) if kind in CRISIS else CLOSES)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (*CRISIS, "stopped")])
def test_at_night_a_message_waits_for_the_morning(kind: str) -> None:
    """Only crisis replies go at once."""
    verdict = judge(errand(kind, written_at=MIDNIGHT), ANA, RULE, MIDNIGHT)
    assert verdict == Wait(OPENS, "outside the practice's hours")


def test_crisis_replies_go_at_any_hour_to_whoever_holds_the_phone() -> None:
    """Also after the client's death: whoever wrote may need help now."""
    for kind in CRISIS:
        assert isinstance(judge(errand(kind, written_at=MIDNIGHT), ANA, RULE, MIDNIGHT), Go)
        assert isinstance(judge(errand(kind), replace(ANA, state="died"), RULE, NOON), Go)


@pytest.mark.parametrize("kind", KINDS)
def test_after_stop_only_the_last_words_go(kind: str) -> None:
    """The confirmation, its twin with the crisis lines, and the word to someone whose number it isn't."""
    verdict = judge(errand(kind), replace(ANA, stopped=True), RULE, NOON)
    assert isinstance(verdict, Go if kind in AFTER_STOP else Drop)


@pytest.mark.parametrize(("after", "goes"), [(CONFIRM_WITHIN, True), (CONFIRM_WITHIN + timedelta(seconds=1), False)])
def test_an_opt_out_is_confirmed_within_five_minutes_or_not_at_all(after: timedelta, goes: bool) -> None:
    """47 CFR 64.1200(a)(12)."""
    verdict = judge(errand("stopped"), replace(ANA, stopped=True), RULE, NOON + after)
    assert isinstance(verdict, Go) == goes


def test_an_opt_out_at_night_is_not_confirmed_in_the_morning() -> None:
    """By then it would be a text after STOP."""
    verdict = judge(errand("stopped", written_at=MIDNIGHT), replace(ANA, stopped=True), RULE, MIDNIGHT)
    assert isinstance(verdict, Drop)


@pytest.mark.parametrize("kind", UNASKED)
@pytest.mark.parametrize(
    "client",
    [
        replace(ANA, consent_at=None),
        replace(ANA, consent_at=NOON + timedelta(days=1)),
        replace(ANA, state="on_hold"),
        replace(ANA, state="discharged"),
        replace(ANA, state="died"),
        replace(ANA, halted=True),
        replace(ANA, reachable=False),
        replace(ANA, paused_until=NOON + timedelta(days=1)),
    ],
)
def test_we_begin_no_talk_with_someone_who_must_not_be_asked(kind: str, client: Client) -> None:
    """Consent, state, halt, pause: looked at again for every message nobody asked for."""
    assert isinstance(judge(errand(kind), client, RULE, NOON), Drop)


@pytest.mark.parametrize("kind", UNASKED)
@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_we_ask_about_no_appointment_that_did_not_take_place(kind: str, status: str) -> None:
    """Or that is gone altogether."""
    assert isinstance(judge(errand(kind, appointment=replace(VISIT, status=status)), ANA, RULE, NOON), Drop)
    assert isinstance(judge(errand(kind, appointment=None), ANA, RULE, NOON), Drop)


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_needs_no_consent_and_no_appointment(kind: str) -> None:
    """Who writes to us is answered, also on hold or paused."""
    client = replace(ANA, consent_at=None, state="on_hold", halted=True)
    assert isinstance(judge(errand(kind, appointment=None), client, RULE, NOON), Go)


@pytest.mark.parametrize("kind", [kind for kind in ANSWERS if kind != "stopped"])
def test_an_answer_a_day_old_would_only_puzzle(kind: str) -> None:
    """After long downtime it is dropped."""
    later = NOON + STALE + timedelta(seconds=1)
    assert isinstance(judge(errand(kind, expires_at=later + STALE), ANA, RULE, NOON + STALE), Go)
    assert isinstance(judge(errand(kind, expires_at=later + STALE), ANA, RULE, later), Drop)


@pytest.mark.parametrize(("kind", "changes"), [("check_in", {"planned": False}), ("welcome", {"planned": False}),
                                               ("reminder", {"open": False}), ("ask_rest", {"open": False}),
                                               ("explain", {"open": False})])  # fmt: skip
def test_what_its_check_in_no_longer_needs_is_dropped(kind: str, changes: dict[str, object]) -> None:
    """Asked meanwhile, answered meanwhile, closed."""
    assert judge(errand(kind, **changes), ANA, RULE, NOON) == Drop("its check-in is closed")


@pytest.mark.parametrize("kind", [*UNASKED, "ask_rest", "explain"])
def test_what_asks_for_answers_is_not_valid_beyond_its_check_in(kind: str) -> None:
    """And with less than a minute left it isn't sent at all."""
    soon = NOON + timedelta(minutes=10)
    assert judge(errand(kind, expires_at=soon), ANA, RULE, NOON) == Go(soon)
    last = soon - SHORTEST_STAY
    assert judge(errand(kind, expires_at=soon), ANA, RULE, last) == Go(soon)
    assert judge(errand(kind, expires_at=soon), ANA, RULE, last + timedelta(seconds=1)) == Drop("its time is over")


@pytest.mark.parametrize("kind", [*UNASKED, "ask_rest"])
def test_what_would_be_over_by_the_morning_is_dropped_at_night(kind: str) -> None:
    """A next appointment at eight, hours that begin at nine."""
    verdict = judge(errand(kind, written_at=MIDNIGHT, expires_at=OPENS - timedelta(hours=1)), ANA, RULE, MIDNIGHT)
    assert isinstance(verdict, Drop)


def test_the_last_minute_of_the_hours_is_too_late() -> None:
    """A call takes its time, and the carrier after it."""
    assert judge(errand("thanks"), ANA, RULE, CLOSES - SHORTEST_STAY) == Go(CLOSES)
    verdict = judge(errand("thanks"), ANA, RULE, CLOSES - SHORTEST_STAY + timedelta(seconds=1))
    assert verdict == Wait(OPENS, "outside the practice's hours")


def test_a_rule_without_hours_drops_what_obeys_them() -> None:
    """Rather than waiting for ever."""
    never = Schedule(days=frozenset())
    assert judge(errand("thanks"), ANA, never, NOON) == Drop("the schedule leaves no hours to write in")
    assert isinstance(judge(errand("crisis"), ANA, never, NOON), Go)


def test_a_kind_without_manners_is_an_error() -> None:
    """Nothing goes out by default."""
    with pytest.raises(KeyError):
        judge(Errand("greeting", NOON), ANA, RULE, NOON)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from([kind for kind in KINDS if kind not in CRISIS]),
    at=st.integers(0, 730 * 24 * 60).map(lambda minute: NOON + timedelta(minutes=minute)),
    zone=st.sampled_from(ZONES),
    hours=st.sampled_from([(540, 1200), (0, 1440), (0, 90), (1380, 1440), (120, 180)]),
    days=st.frozensets(st.integers(0, 6), min_size=1),
)
def test_whatever_the_zone_the_day_and_the_rule_nothing_goes_outside_the_hours(
    kind: str, at: datetime, zone: str, hours: tuple[int, int], days: frozenset[int]
) -> None:
    """What may go is inside the hours now, and every minute until it ceases to be valid; what waits, waits for them."""
    rule = Schedule(hours=hours, days=days)
    ask = Errand(kind, at, replace(VISIT, starts_at=at - timedelta(days=2), ends_at=at - timedelta(days=2)),
                 planned=True, expires_at=at + timedelta(days=9))  # fmt: skip
    verdict = judge(ask, replace(ANA, zone=zone, consent_at=at - timedelta(days=9)), rule, at)

    def is_open(when: datetime) -> bool:
        local = when.astimezone(ZoneInfo(zone))
        return local.weekday() in days and hours[0] <= local.hour * 60 + local.minute < hours[1]

    if isinstance(verdict, Go):
        stay = min(verdict.until - at, timedelta(hours=10))
        assert stay >= SHORTEST_STAY
        assert all(is_open(at + stay * (step / 60)) for step in range(60))
    elif isinstance(verdict, Wait):
        assert verdict.until > at
        assert is_open(verdict.until)
    else:
        assert kind == "stopped" or courtesy.KINDS[kind].within == STALE
