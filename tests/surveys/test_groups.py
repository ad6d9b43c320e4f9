"""Groups: what may be shown, and that nothing smaller can be worked out from it."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import groups
from surveys.groups import EVERYONE, Given, Hidden, Shown

LANGUAGES, CHANNELS = ("en", "es", "fr"), ("sms", "mail")


def answers(client: int, therapist: int, language: str = "en", channel: str = "sms", count: int = 3) -> Given:
    """Some answers of one client about one therapist, all of them fours."""
    traits = (f"language={language}", f"channel={channel}")
    return Given(f"c{client}", f"t{therapist}", traits, count, 4 * count)


def many(count: int, start: int = 0, **traits: str) -> list[Given]:
    """So many clients, with three therapists in turn."""
    return [answers(start + n, n % 3, **traits) for n in range(count)]


def shown(given: Sequence[Given]) -> set[str]:
    return {name for name, cell in groups.choose(given).items() if isinstance(cell, Shown)}


def why(given: Sequence[Given], name: str) -> str:
    cell = groups.choose(given)[name]
    return cell.why if isinstance(cell, Hidden) else ""


def test_five_clients_of_three_therapists_are_shown_with_their_mean() -> None:
    cell = groups.choose(many(5))[EVERYONE]
    assert cell == Shown(clients=5, answers=15, total=60)
    assert isinstance(cell, Shown)
    assert cell.mean == 4.0


def test_four_clients_are_not() -> None:
    assert why(many(4), EVERYONE) == groups.FEW_CLIENTS


def test_a_client_without_an_answer_does_not_count() -> None:
    assert why([*many(4), answers(9, 1, count=0)], EVERYONE) == groups.FEW_CLIENTS


def test_two_therapists_are_not() -> None:
    assert why([answers(n, n % 2) for n in range(20)], EVERYONE) == groups.FEW_THERAPISTS


def test_a_client_who_stands_for_over_half_of_the_answers_hides_the_group() -> None:
    assert why([*many(6), answers(9, 1, count=19)], EVERYONE) == groups.ONE_SIDED
    assert why([*many(6), answers(9, 3, count=18)], EVERYONE) == ""


def test_a_therapist_whose_clients_gave_over_half_of_the_answers_hides_the_group() -> None:
    """Ten clients of one and two of others: the mean would be that one therapist's."""
    rows = [*(answers(n, 0) for n in range(10)), answers(10, 1), answers(11, 2)]
    assert why(rows, EVERYONE) == groups.ONE_SIDED


def test_a_client_who_changed_therapists_is_one_client() -> None:
    rows = [*many(4), answers(0, 2)]
    assert why(rows, EVERYONE) == groups.FEW_CLIENTS


def test_a_group_is_not_shown_where_the_rest_would_be_too_small() -> None:
    """Everyone less those in English would be the three who read Spanish."""
    rows = [*many(20), *many(3, start=50, language="es")]
    assert shown(rows) == {EVERYONE, "channel=sms"}
    assert why(rows, "language=en") == groups.GIVES_AWAY
    assert why(rows, "language=es") == groups.FEW_CLIENTS


def test_of_three_languages_two_large_ones_would_give_away_a_small_third() -> None:
    rows = [*many(20), *many(12, start=50, language="es"), *many(2, start=90, language="fr")]
    assert shown(rows) == {EVERYONE, "channel=sms", "language=en"}
    assert why(rows, "language=es") == groups.GIVES_AWAY
    enough = [*many(20), *many(12, start=50, language="es"), *many(6, start=90, language="fr")]
    assert {"language=en", "language=es", "language=fr"} <= shown(enough)


def test_of_two_kinds_of_groups_one_is_not_taken_from_the_other() -> None:
    """All who read Spanish and one more get mail: mail less Spanish is that one."""
    rows = [*many(30), *many(10, start=50, language="es", channel="mail"), answers(99, 1, channel="mail")]
    assert "language=es" not in shown(rows) or "channel=mail" not in shown(rows)


def test_nothing_answered_is_nothing_to_show() -> None:
    assert why([], EVERYONE) == groups.FEW_CLIENTS


@st.composite
def populations(draw: st.DrawFn) -> list[Given]:
    """Some thirty clients, unevenly spread over languages, channels and therapists."""
    rows = []
    for client in range(draw(st.integers(0, 36))):
        language = draw(st.sampled_from([*LANGUAGES, "en", "en"]))
        channel = draw(st.sampled_from([*CHANNELS, "sms"]))
        for therapist in draw(st.sets(st.integers(0, 4), min_size=1, max_size=2)):
            rows.append(answers(client, therapist, language, channel, draw(st.integers(1, 5))))
    return rows


def worked_out(rows: Sequence[Given], names: Sequence[str]) -> list[set[str]]:
    """By trying every way of adding and subtracting what is shown: the sets of clients that come out once each."""
    members = [{r.client for r in rows if name == EVERYONE or name in r.traits} for name in names]
    everyone = {row.client for row in rows}
    found = []
    for factors in product((-1, 0, 1), repeat=len(names)):
        weights = {c: sum(f for f, group in zip(factors, members, strict=True) if c in group) for c in everyone}
        if set(weights.values()) <= {0, 1} and 1 in weights.values():
            found.append({client for client, weight in weights.items() if weight})
    return found


def breaks_the_rule(rows: Sequence[Given], clients: set[str]) -> bool:
    """The rule, told once more and otherwise than in the program."""
    mine = [row for row in rows if row.client in clients]
    total = sum(row.answers for row in mine)
    by_client = [sum(r.answers for r in mine if r.client == c) for c in {r.client for r in mine}]
    by_therapist = [sum(r.answers for r in mine if r.therapist == t) for t in {r.therapist for r in mine}]
    few = len(by_client) < 5 or len(by_therapist) < 3
    return few or any(Fraction(part, total) > Fraction(1, 2) for part in (*by_client, *by_therapist))


@settings(max_examples=80, deadline=None)
@given(populations())
def test_no_set_of_clients_that_can_be_worked_out_breaks_the_rule(rows: list[Given]) -> None:
    names = sorted(shown(rows))
    assert [some for some in worked_out(rows, names) if breaks_the_rule(rows, some)] == []


@settings(max_examples=25, deadline=None)
@given(populations(), st.randoms())
def test_what_is_shown_does_not_hang_on_the_order_of_rows(rows: list[Given], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert groups.choose(mixed) == groups.choose(rows)


@settings(max_examples=25, deadline=None)
@given(populations())
def test_everyone_is_shown_whenever_the_rule_allows_it(rows: list[Given]) -> None:
    assert (EVERYONE in shown(rows)) == (not groups.why_not(rows))
