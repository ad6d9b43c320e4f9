"""A therapist's own settings: kept as agreed formats, refused in words, never another person's."""

from datetime import UTC, datetime

import pytest

from bot.flows import own_settings
from bot.flows.own_settings import BadOwnSetting
from bot.store import people
from bot.store.people import Person
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.therapist import audit, me_of

FIELDS = ("one_in", "quiet_from", "quiet_until", "digest_day", "digest_at", "away_from", "away_until", "cover_id")
NONE = dict.fromkeys(FIELDS, "")


def save(practice: Riverside, **changes: str) -> bool:
    return own_settings.save(practice.ctx, me_of(practice), {**NONE, **changes}, MONDAY_NOON)


def theo(practice: Riverside) -> Person:
    return me_of(practice).person


def problems(practice: Riverside, **changes: str) -> dict[str, str]:
    with pytest.raises(BadOwnSetting) as caught:
        save(practice, **changes)
    return caught.value.problems


def test_settings_are_kept_in_the_agreed_forms_and_shown_again(practice: Riverside) -> None:
    given = {
        "one_in": "100", "quiet_from": "20:00", "quiet_until": "07:00", "digest_day": "tue", "digest_at": "08:00",
        "away_from": "2026-12-20", "away_until": "2027-01-03", "cover_id": practice.staff["Ines"],
    }  # fmt: skip
    assert save(practice, **given)
    kept = theo(practice)
    assert (kept.one_false_alarm_in, kept.quiet_hours, kept.digest) == (100, "20:00-07:00", "tue 08:00")
    assert kept.away_from == datetime(2026, 12, 20, 5, tzinfo=UTC), "midnight in New York"
    assert kept.away_until == datetime(2027, 1, 4, 5, tzinfo=UTC), "the end of the last day"
    assert kept.cover_id == practice.staff["Ines"]
    assert own_settings.show(practice.ctx, me_of(practice)).fields == given
    assert audit(practice, kept.id) == ["own settings changed"]
    assert not save(practice, **given), "nothing differs"


def test_they_are_away_from_the_first_day_to_the_end_of_the_last(practice: Riverside) -> None:
    save(practice, away_from="2026-12-20", away_until="2026-12-20")
    person = theo(practice)
    assert not person.away(datetime(2026, 12, 20, 4, 59, tzinfo=UTC))
    assert person.away(datetime(2026, 12, 20, 5, tzinfo=UTC))
    assert person.away(datetime(2026, 12, 21, 4, 59, tzinfo=UTC))
    assert not person.away(datetime(2026, 12, 21, 5, tzinfo=UTC))


def test_everything_can_be_taken_back(practice: Riverside) -> None:
    save(practice, one_in="20", quiet_from="20:00", quiet_until="07:00", digest_day="fri", digest_at="16:30")
    assert save(practice)
    kept = theo(practice)
    assert (kept.one_false_alarm_in, kept.quiet_hours, kept.digest, kept.away_from) == (None, "", "none", None)


def test_the_digest_comes_on_monday_morning_unless_they_choose_otherwise(practice: Riverside) -> None:
    fields = own_settings.show(practice.ctx, me_of(practice)).fields
    assert (fields["digest_day"], fields["digest_at"]) == ("mon", "08:00")
    assert not own_settings.save(practice.ctx, me_of(practice), fields, MONDAY_NOON), "nothing differs"
    save(practice)
    assert theo(practice).digest == "none"
    assert own_settings.show(practice.ctx, me_of(practice)).fields["digest_day"] == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"one_in": "10"}, "one_in"),
        ({"one_in": "201"}, "one_in"),
        ({"one_in": "often"}, "one_in"),
        ({"quiet_from": "20:00"}, "quiet_until"),
        ({"quiet_until": "07:00"}, "quiet_from"),
        ({"quiet_from": "07:00", "quiet_until": "07:00"}, "quiet_until"),
        ({"digest_day": "mon"}, "digest_at"),
        ({"digest_day": "someday", "digest_at": "08:00"}, "digest_day"),
        ({"away_from": "2026-12-20"}, "away_until"),
        ({"away_from": "soon", "away_until": "2026-12-20"}, "away_from"),
        ({"away_from": "2026-12-20", "away_until": "2026-12-19"}, "away_until"),
        ({"away_from": "2026-12-20", "away_until": "2029-12-19"}, "away_until"),
        ({"cover_id": "0" * 32}, "cover_id"),
    ],
)
def test_what_cannot_be_kept_is_refused_at_its_field(practice: Riverside, changes: dict[str, str], field: str) -> None:
    assert list(problems(practice, **changes)) == [field]
    assert theo(practice).one_false_alarm_in is None


def test_all_problems_are_told_at_once(practice: Riverside) -> None:
    assert set(problems(practice, one_in="1", quiet_from="x", quiet_until="y")) == {"one_in", "quiet_until"}


def test_only_a_colleague_who_sees_clients_may_stand_in(practice: Riverside) -> None:
    offered = {each.name for each in own_settings.show(practice.ctx, me_of(practice)).colleagues}
    assert offered == {"Ines"}
    for name in ("Theo", "Dana"):
        assert "cover_id" in problems(practice, cover_id=practice.staff[name])
    with practice.ctx.store.transaction() as tx:
        people.set_active(tx, practice.practice.id, practice.staff["Ines"], False)
    assert "cover_id" in problems(practice, cover_id=practice.staff["Ines"])


def test_another_sensitivity_has_their_clients_looked_at_again(practice: Riverside) -> None:
    save(practice, one_in="200")
    assert {row["client_id"] for row in practice.rows("select client_id from to_assess")} == set(
        practice.clients.values()
    )
