"""What is said of a decline, checked as a clinician would: against the answers themselves."""

from collections.abc import Mapping, Sequence

import pytest

from surveys.alert_wording import alert_text, recovery_text
from surveys.instrument import FEELINGS
from surveys.rapport import Observation, Range, assess, begin, default_model, explain_start, start, update
from surveys.rapport.explaining import about, narrowest

MODEL = default_model(FEELINGS)
WELL = ((5, 5, 4), (5, 4, 5), (4, 5, 5), (5, 5, 4), (4, 5, 5), (5, 5, 5))
Week = Sequence[int] | Mapping[str, int] | None


def after(*weeks: Week):  # type: ignore[no-untyped-def]
    """The belief after these check-ins: heard, respected, understood in turn, or by name; None unanswered."""
    seen = [dict(zip(FEELINGS, w, strict=False)) if isinstance(w, Sequence) else dict(w or {}) for w in weeks]
    return assess([Observation(n, bool(each), each) for n, each in enumerate(seen)], MODEL)


def page(*weeks: Week, language: str = "en") -> str:
    """What the page says of Ana after these check-ins."""
    return alert_text("rapport", language, explanation=after(*weeks).explain(), client="Ana").lead


def mail(*weeks: Week, language: str = "en") -> str:
    """The same for a mail, which holds no name and no number."""
    return alert_text("rapport", language, explanation=after(*weeks).explain()).lead


HONEST = "It may be a real change; about half of such notes are. Worth asking."


@pytest.mark.parametrize(
    ("weeks", "sentence"),
    [
        ((*WELL, (3, 5, 5), (3, 5, 4)), "Ana's 'heard' has been about 3 for two check-ins; usually 4 to 5."),
        ((*WELL, (2, 5, 5)), "Ana's 'heard' has been about 2 in the latest check-in; usually 4 to 5."),
        (
            (*WELL, (3, 4, 3), (2, 4, 2)),
            "Ana's 'heard' and 'understood' have been 2 to 3 for two check-ins; usually 4 to 5.",
        ),
        ((*WELL, (3, 3, 3), (3, 3, 2)), "Ana's answers as a whole have been 2 to 3 for two check-ins; usually 4 to 5."),
        ((*WELL, (3, 3, 3), None, (3, 3, 3)), "Ana's answers as a whole have been about 3 for two check-ins;"),
        (((5, 5, 5), (5, 5, 5), (2, 2, 2)), "Ana's answers as a whole have been about 2 in the latest check-in; 5 be"),
    ],
)
def test_the_page_says_what_the_answers_say(weeks: tuple[Week, ...], sentence: str) -> None:
    assert page(*weeks).startswith(sentence)
    assert page(*weeks).endswith(HONEST)


def test_only_heard_and_understood_fell_so_only_they_are_named() -> None:
    """Respected was 5 and is 4: beside two that lost twice as much it is nothing to speak of."""
    assert mail(*WELL, (3, 4, 3), (2, 4, 2)) == (
        f"Heard and understood have been below this client's usual for two check-ins. {HONEST}"
    )


def test_a_feeling_that_was_not_asked_is_never_said_to_have_fallen() -> None:
    """All of rapport is down by the model; of dependable and the others nobody knows."""
    why = after(*[(5, 5, 5)] * 6, (2, 2, 2), (2, 2, 2)).explain()
    assert set(why.feelings) == {"heard", "respected", "understood"}
    assert why.overall


def test_a_fourth_feeling_that_was_asked_and_stayed_keeps_it_from_being_the_whole() -> None:
    fives = {"heard": 5, "respected": 5, "understood": 5, "seen": 5}
    fallen = {"heard": 2, "respected": 2, "understood": 2, "seen": 5}
    why = after(*[fives] * 6, fallen, fallen).explain()
    assert (set(why.feelings), why.overall) == ({"heard", "respected", "understood"}, False)


def test_the_feeling_that_fell_farthest_comes_first() -> None:
    assert after(*WELL, (3, 3, 1), (4, 3, 1)).explain().feelings[0] == "understood"


def test_the_check_ins_counted_are_those_from_the_first_low_one_on() -> None:
    why = after(*WELL, (5, 5, 5), (2, 5, 2), None, (2, 4, 2)).explain()
    assert (why.since, why.check_ins) == (7, 2)


def test_nothing_is_explained_of_someone_who_never_answered() -> None:
    why = after(None, None).explain()
    assert (why.since, why.check_ins, why.feelings, why.falls) == (None, 0, (), ())


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("es", "En Ana, «escucha» está en torno a 3 desde hace dos envíos; lo habitual: entre 4 y 5. Puede ser un"),
        ("fr", "Chez Ana, « écoute » est autour de 3 depuis deux envois ; d'habitude entre 4 et 5. C'est peut-être"),
    ],
)
def test_the_page_says_it_in_the_therapists_language(language: str, sentence: str) -> None:
    assert page(*WELL, (3, 5, 5), (3, 5, 4), language=language).startswith(sentence)


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_a_mail_holds_no_name_and_no_number(language: str) -> None:
    told = mail(*WELL, (3, 4, 3), (2, 4, 2), language=language)
    assert "Ana" not in told
    assert not any(character.isdigit() for character in told)


@pytest.mark.parametrize(
    ("scores", "said"),
    [((3,), (3, 3)), ((3, 2), (2, 3)), ((3, 3, 3, 2), (3, 3)), ((1, 5), (3, 3)), ((4, 4, 5), (4, 5)), ((5,), (5, 5))],
)
def test_about_is_a_point_of_the_scale_or_two(scores: tuple[int, ...], said: tuple[int, int]) -> None:
    assert about(scores) == Range(*said)


@pytest.mark.parametrize(
    ("scores", "usual"),
    [
        ((5, 5, 5, 5), (5, 5)),
        ((5, 4, 5, 4), (4, 5)),
        ((5, 5, 5, 5, 1), (5, 5)),
        ((3, 4, 5), (3, 5)),
        ((2, 2, 3), (2, 3)),
    ],
)
def test_usual_is_where_four_in_five_of_their_answers_lie(scores: tuple[int, ...], usual: tuple[int, int]) -> None:
    assert narrowest(scores) == Range(*usual)


# ------------------------------------------------------------------------------------------- recovery


def test_recovery_is_told_by_the_answers_that_show_it() -> None:
    fallen = after(*WELL, (3, 4, 3), (2, 4, 2)).explain()
    mended = after(*WELL, (3, 4, 3), (2, 4, 2), (5, 5, 5), (5, 5, 5), (5, 5, 5))
    found = mended.recovery(fallen.feelings, fallen.since)
    told = recovery_text(found, "en", "Ana")
    assert told == "Ana's 'heard' and 'understood' have been back at about 5 for three check-ins."
    assert recovery_text(found, "fr", "Ana").startswith("Chez Ana, « écoute » et « compréhension » sont de nouveau")
    assert [(each.before, each.usual) for each in found.falls] == [(Range(4, 5), True), (Range(4, 5), True)]


def test_where_nothing_shows_a_recovery_nothing_is_said() -> None:
    fallen = after(*WELL, (3, 4, 3), (2, 4, 2))
    found = fallen.recovery(("heard",), 6)
    assert found.check_ins == 0
    assert recovery_text(found, "en", "Ana") == ""


# ------------------------------------------------------------------------------------------- a low start


def test_how_unusual_a_start_is_by_the_practices_own_clients() -> None:
    chances = [start(after((score,) * 3)) for score in (1, 2, 3, 4, 5)]
    assert chances == sorted(chances)
    assert chances[0] < 0.02 < chances[2]
    assert chances[-1] == pytest.approx(1.0)


def test_a_low_start_in_a_practice_of_low_raters_is_less_unusual() -> None:
    low = default_model(FEELINGS)
    shifted = type(low)(**{**low.__dict__, "levels": tuple(sorted(low.levels, reverse=True))})
    assert start(assess([Observation(0, True, {"heard": 1})], shifted)) > start(after((1,)))


@pytest.mark.parametrize("weeks", [(), (None,), ((1, 1, 1),) * 3, (*WELL, (1, 1, 1))])
def test_only_the_first_two_answered_check_ins_are_a_start(weeks: tuple[Week, ...]) -> None:
    assert start(after(*weeks) if weeks else begin(MODEL)) == 1.0


def test_a_second_low_check_in_makes_a_start_more_unusual_and_a_good_one_less() -> None:
    one = start(after((2, 2, 2)))
    assert start(after((2, 2, 2), (2, 2, 2))) < one < start(after((2, 2, 2), (5, 5, 5)))


@pytest.mark.parametrize(
    ("language", "client", "said"),
    [
        ("en", "Ana", "Ana began with about 1 for 'heard' and 'understood', lower than first answers here mostly are."),
        ("en", "", "Heard and understood have been low from the start, lower than first answers here mostly are."),
        ("es", "Ana", "Ana empezó en torno a 1 en «escucha» y «comprensión», por debajo de lo habitual aquí"),
        ("fr", "Ana", "Ana a commencé autour de 1 pour « écoute » et « compréhension », plus bas que la plupart"),
    ],
)
def test_a_low_start_is_told_as_one(language: str, client: str, said: str) -> None:
    why = explain_start(after((1, 4, 1)))
    told = alert_text("rapport", language, explanation=why, client=client).lead
    assert told.startswith(said)
    assert "half" not in told


@pytest.mark.parametrize(
    ("one_in", "sure"),
    [(20, "about one in three such notes is"), (50, "about half of such notes are"), (150, "about two in three such")],
)
def test_how_sure_a_note_sounds_follows_the_chosen_number_of_false_alarms(one_in: int, sure: str) -> None:
    why = after(*WELL, (2, 2, 2)).explain()
    assert sure in alert_text("rapport", "en", explanation=why, one_in=one_in).lead


def test_an_answer_that_comes_late_is_explained_like_one_that_came_in_time() -> None:
    """The belief remembers answers by appointment, not by when they came in."""
    in_time = after(*WELL, (2, 5, 5))
    late = assess([Observation(n, True, dict(zip(FEELINGS, w, strict=False))) for n, w in enumerate(WELL)], MODEL)
    late = update(late, Observation(6, True, {"heard": 2, "respected": 5, "understood": 5}))
    assert late.explain() == in_time.explain()
