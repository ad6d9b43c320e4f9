"""One rule over another: what differs is kept, and what keeps clients from being written to only adds up."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.keys import FORMS, BadSchedule
from surveys.layers import Rules, changed, differing, merge
from surveys.schedule import Schedule

DEFAULTS = Schedule().show()


def test_a_clients_rule_lies_over_their_therapists_and_that_over_the_practices() -> None:
    rules = Rules(
        {"delay_minutes": "60", "digits": "3"}, {"theo": {"delay_minutes": "90"}}, {"ana": {"min_gap_days": "13"}}
    )
    anas, bens, chidis = rules.of("theo", "ana"), rules.of("theo", "ben"), rules.of("ines", "chidi")
    assert (anas.delay_minutes, anas.min_gap_days, anas.digits) == (90, 13, 3)
    assert (bens.delay_minutes, bens.min_gap_days) == (90, 6)
    assert chidis.delay_minutes == 60
    assert rules.of(None, "ana").delay_minutes == 60


def test_clients_without_a_rule_of_their_own_share_one_object() -> None:
    rules = Rules({}, {"theo": {"digits": "3"}}, {"ana": {"digits": "4"}})
    assert rules.of("theo", "ben") is rules.of("theo", "chidi")
    assert rules.of("theo", "ana") is not rules.of("theo", "ben")


def test_closed_days_add_up() -> None:
    merged = merge({"holidays": "US,2026-12-24"}, {"holidays": "2026-12-31"}, {"holidays": ""})
    assert merged["holidays"] == "US,2026-12-24,2026-12-31"


@pytest.mark.parametrize(
    ("below", "own", "stands"),
    [
        ("2026-12-01", "2026-11-01", "2026-12-01"),
        ("2026-11-01", "2026-12-01", "2026-12-01"),
        ("2026-12-01", "", "2026-12-01"),
        ("", "2026-12-01", "2026-12-01"),
        ("2026-12-01", "2026-12-03T09:00-05:00", "2026-12-03T09:00-05:00"),
    ],
)
def test_of_two_pauses_the_longer_one_stands(below: str, own: str, stands: str) -> None:
    assert merge({"paused_until": below}, {"paused_until": own})["paused_until"] == stands


@given(st.dates(date(2026, 1, 1), date(2030, 1, 1)), st.dates(date(2026, 1, 1), date(2030, 1, 1)))
def test_no_layer_ends_a_pause_or_opens_a_closed_day(one: date, other: date) -> None:
    below = {"paused_until": one.isoformat(), "holidays": one.isoformat()}
    merged = Schedule.read(merge(below, {"paused_until": other.isoformat(), "holidays": other.isoformat()}))
    assert merged.paused_until == max(one, other)
    assert {one, other} <= merged.holidays.dates


def test_default_takes_a_key_out_of_a_layer() -> None:
    assert changed({"digits": "3", "every": "2"}, {"digits": "default"}, "practice") == {"every": "2"}


def test_everything_wrong_with_a_change_is_told_at_once() -> None:
    with pytest.raises(BadSchedule) as told:
        changed({}, {"digits": "9", "nonsense": "default", "paused_until": "2026-12-01"}, "client")
    assert set(told.value.problems) == {"digits", "nonsense", "paused_until"}
    assert "under People" in told.value.problems["paused_until"]


def test_a_form_that_says_what_lies_below_keeps_nothing() -> None:
    assert differing(DEFAULTS, DEFAULTS) == {}


def test_a_form_keeps_only_what_differs_and_its_own_closed_days() -> None:
    typed = {**DEFAULTS, "digits": "3", "holidays": "2026-12-24"}
    below = {**DEFAULTS, "holidays": "2026-12-24"}
    assert differing(typed, below) == {"digits": "3", "holidays": "2026-12-24"}


def test_a_form_left_alone_keeps_what_the_layer_held_also_where_it_says_the_same_as_below() -> None:
    assert differing(DEFAULTS, DEFAULTS, {"digits": "4", "every": "2"}) == {"digits": "4"}


@given(st.dictionaries(st.sampled_from(["digits", "every", "min_gap_days"]), st.sampled_from(["3", "4"])))
def test_a_rule_over_the_defaults_is_read_as_it_was_typed(own: dict[str, str]) -> None:
    shown = Schedule.read(merge(DEFAULTS, differing({**DEFAULTS, **own}, DEFAULTS))).show()
    assert shown == {**DEFAULTS, **own}
    assert list(shown) == list(FORMS)
