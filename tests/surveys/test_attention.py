"""Which client needs attention first, and why."""

from datetime import UTC, datetime, timedelta

import pytest

from surveys.attention import KINDS, Facts, Open, Reason, reason

MONDAY = datetime(2026, 9, 14, 15, 0, tzinfo=UTC)


def alert(kind: str, taken: bool = False, since: datetime = MONDAY, feelings: tuple[str, ...] = ()) -> Open:
    return Open(f"id-{kind}", kind, since, taken, feelings)


def test_danger_comes_before_anything_else() -> None:
    found = reason(Facts(alerts=[alert("rapport"), alert("call"), alert("danger")], halted=True, unanswered=5))
    assert (found.kind, found.alert_id) == ("danger", "id-danger")


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (Facts(alerts=[alert("danger_unknown")]), "danger"),
        (Facts(alerts=[alert("call"), alert("rapport")]), "call"),
        (Facts(alerts=[alert("rapport")], unanswered=4), "note"),
        (Facts(alerts=[alert("low")]), "note"),
        (Facts(halted=True, answered=9), "halted"),
        (Facts(alerts=[alert("silent")], unanswered=8), "silent"),
        (Facts(alerts=[alert("rapport", taken=True)], answered=9), "followed"),
        (Facts(unanswered=3, answered=9), "quiet"),
        (Facts(unanswered=2, answered=9), "usual"),
        (Facts(answered=1), "early"),
        (Facts(), "unasked"),
        (Facts(stopped=True, paused=True, answered=4), "stopped"),
        (Facts(paused=True, answered=4), "paused"),
    ],
)
def test_each_client_has_one_reason(facts: Facts, kind: str) -> None:
    assert reason(facts).kind == kind


def test_what_has_waited_longest_comes_first_within_a_kind() -> None:
    later = reason(Facts(alerts=[alert("rapport", since=MONDAY + timedelta(days=1))]))
    assert sorted([later, reason(Facts(alerts=[alert("rapport")]))], key=lambda r: r.order)[1] == later


def test_what_was_said_outweighs_numbers_and_numbers_outweigh_silence() -> None:
    places = [KINDS.index(kind) for kind in ("danger", "call", "note", "followed", "quiet", "usual")]
    assert places == sorted(places)


def test_only_reasons_that_ask_for_nothing_are_calm() -> None:
    assert [kind for kind in KINDS if Reason(kind).calm] == ["stopped", "paused", "usual", "early", "unasked"]
