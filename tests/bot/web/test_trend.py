"""The picture of a trend: dots, gaps, the usual band, when the note was raised; and the same in words."""

from datetime import timedelta

from bs4 import BeautifulSoup

from bot.store import alerts
from surveys.rapport import Band
from surveys.usual import is_usual
from tests.support.alert_page import Page
from tests.support.cast import Riverside
from tests.support.weeks import FIRST_VISIT, weekly


def pictures(page: Page) -> dict[str, BeautifulSoup]:
    """Each chart's title to the chart."""
    html = BeautifulSoup(page.get().text, "html.parser")
    return {svg.title.get_text(): svg for svg in html.select("svg.trend") if svg.title}


def weeks(practice: Riverside, *scores: object) -> Page:
    """Theo's page about Ana after these weeks, with a note raised at their end."""
    now = weekly(practice, "Ana", scores)  # type: ignore[arg-type]
    explanation = '{"since": 1, "check_ins": 1, "feelings": ["heard"], "overall": false, "probability": 0.9}'
    with practice.ctx.store.transaction() as tx:
        alert_id = alerts.open_alert(
            tx, practice.practice.id, client_id=practice.clients["Ana"], therapist_id=practice.staff["Theo"],
            kind="rapport", explanation=explanation, check_in_id=None, now=now,
        )  # fmt: skip
        alert = alerts.get(tx, practice.practice.id, alert_id)
    return Page(practice, alert, "Theo", now)


def test_each_feeling_has_a_picture_that_is_also_told_in_words(practice: Riverside) -> None:
    page = weeks(practice, (5, 5, 5), (4, 5, 5), None, (5, 5, 5), (2, 5, 4))
    found = pictures(page)
    assert list(found) == ["Heard", "Respected", "Understood"]
    heard = found["Heard"]
    assert heard["role"] == "img"
    desc = heard.select_one("desc")
    assert desc
    assert desc.get_text().endswith("Answers, oldest first: 5, 4, 5, 2. No answer on 28 Sep.")
    assert heard["aria-describedby"] == desc["id"]


def test_a_picture_has_a_dot_for_each_answer_a_ring_for_a_gap_and_the_usual_band(practice: Riverside) -> None:
    page = weeks(practice, (5, 5, 5), (4, 5, 5), None, (5, 5, 5), (2, 5, 4))
    heard = pictures(page)["Heard"]
    assert len(heard.select("circle.dot")) == 3
    assert len(heard.select("path.dot.below")) == 1
    assert len(heard.select("circle.gap")) == 1
    assert len(heard.select("rect.band")) == 1
    assert len(heard.select("polyline.path")) == 2, "the line breaks where there was no answer"
    assert len(heard.select("line.raised")) == 1


def test_a_higher_score_stands_higher_and_a_later_one_further_right(practice: Riverside) -> None:
    heard = pictures(weeks(practice, (5, 5, 5), (4, 5, 5), (3, 5, 5), (4, 5, 5)))["Heard"]
    places = [(float(str(dot["cx"])), float(str(dot["cy"]))) for dot in heard.select("circle.dot")]
    assert places == sorted(places)
    assert places[0][1] < places[1][1] == places[-1][1]


def test_only_a_feeling_whose_latest_answer_shows_it_is_called_below_usual(practice: Riverside) -> None:
    """The picture must not say one thing and its heading another."""
    page = weeks(practice, (5, 5, 5), (5, 5, 5), (5, 5, 5), (2, 5, 5))
    html = BeautifulSoup(page.get().text, "html.parser")
    assert next(c.get_text(" ", strip=True) for c in html.select("figcaption")) == "Heard below usual"
    assert len(html.select(".chip")) == 1


def test_a_single_step_down_is_not_drawn_as_a_fall(practice: Riverside) -> None:
    """Answers waver by a step all the time: fours between fives are usual."""
    heard = pictures(weeks(practice, (5, 5, 5), (4, 5, 5), (5, 5, 5), (5, 5, 5), (4, 5, 5)))["Heard"]
    assert not heard.select(".below")


def test_another_questions_turn_is_no_gap(practice: Riverside) -> None:
    """A feeling that is asked every second time has neither a dot nor a ring in between."""
    with_fourth = {"heard": 5, "respected": 5, "understood": 5, "seen": 4}
    page = weeks(practice, with_fourth, (5, 5, 5), with_fourth, (5, 5, 5))
    seen = pictures(page)["Seen"]
    assert (len(seen.select("circle.dot")), len(seen.select("circle.gap"))) == (2, 0)
    assert len(seen.select("polyline.path")) == 1


def test_the_upright_line_stands_after_what_was_known_when_the_note_was_raised(practice: Riverside) -> None:
    page = weeks(practice, (5, 5, 5), (5, 5, 5), (2, 2, 2))
    weekly(practice, "Ana", ((5, 5, 5), (5, 5, 5)), start=FIRST_VISIT + timedelta(weeks=3))
    page.now += timedelta(weeks=2, hours=-1)
    page = Page(practice, page.alert, "Theo", page.now)
    heard = pictures(page)["Heard"]
    (raised,) = (float(str(line["x1"])) for line in heard.select("line.raised"))
    dots = sorted(
        [float(str(dot["cx"])) for dot in heard.select("circle.dot")]
        + [float(str(dot["d"]).split()[0][1:]) for dot in heard.select("path.dot")]
    )
    assert [x < raised for x in dots] == [True, True, True, False, False]


def test_a_long_history_shows_its_latest_part_and_says_so(practice: Riverside) -> None:
    practice.set_rule(min_gap_days="0")
    page = weeks(practice, *[(5, 5, 5)] * 18)
    assert len(pictures(page)["Heard"].select("circle.dot")) == 16
    assert "The latest 16 of 18 check-ins." in page.text()


def test_the_first_check_in_of_all_has_a_picture_too(practice: Riverside) -> None:
    assert len(pictures(weeks(practice, (1, 2, 1)))) == 3


def test_every_check_in_is_told_in_words_newest_first(practice: Riverside) -> None:
    page = weeks(practice, (5, 4, 5), None, (2, 4, 3))
    html = BeautifulSoup(page.get().text, "html.parser")
    told = [" ".join(item.get_text(" ").split()) for item in html.select(".told li")]
    assert told == [
        "28 September 2026 heard 2 respected 4 understood 3",
        "21 September 2026 no answer",
        "14 September 2026 heard 5 respected 4 understood 5",
    ]


def test_an_answer_is_usual_as_long_as_it_is_within_the_wavering_of_single_answers() -> None:
    often = Band(4.6, 4.4, 4.9)
    assert [score for score in range(1, 6) if is_usual(score, often)] == [4, 5]
