"""The letters to staff, against what mail programs do with HTML; all of them, since one template makes them all."""

import re
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup

from bot.flows.letters import render
from bot.flows.paper import Button, Letter, Part, written
from bot.store.practices import Practice
from surveys.alert_wording import alert_text
from surveys.rapport import Explanation

LINK = "https://attune.example/a/token"
RIVERSIDE = Practice("p", "Riverside <Counseling>", "Riverside", "US", "America/New_York", "en", {}, {})
FALLEN = Explanation(5, 2, ("heard", "understood"), False, 0.9)
TREND = "Heard: usually 4 to 5. Answers, oldest first: 5, 5, 3, 2."
CALENDAR = Letter(
    "Riverside", "en", "Your month", "In October, 77% were answered.", buttons=[Button("Open", LINK)],
    parts=[Part("Texts", figures=[("Sent", "402"), ("At a price", "5.07")]), Part("Next", ["One thing.", "Another."])],
    small=["This comes every month."],
)  # fmt: skip
LETTERS = {
    "note": render(alert_text("rapport", "en", explanation=FALLEN), LINK, RIVERSIDE, take="take_button"),
    "picture": render(
        alert_text("rapport", "fr", explanation=FALLEN), LINK, replace(RIVERSIDE, language="fr"), take="take_button",
        about="A. R.", trend=TREND,
    ),
    "danger": render(alert_text("danger", "es"), LINK, RIVERSIDE, take="danger_button", urgent=True),
    "notice": render(alert_text("undelivered", "en", therapist="<b>Theo"), "", RIVERSIDE),
    "calendar": written(CALENDAR),
}  # fmt: skip
# Outlook on Windows draws with Word: no flex, grid, position, float, variables, colours with a share of see-through.
# Gmail drops forms and a sheet beyond 16 kB, and cuts a mail at 102 kB. Nobody runs scripts.
NO_TAGS = "script, form, input, button, svg, iframe, video, audio, object, embed, link, base"
NO_STYLES = re.compile(r"display:\s*(flex|grid)|position:|float:|transform|var\(|calc\(|@import|url\(|rgba\(|\bgap:")
DARK = re.compile(r"@media[^{]*prefers-color-scheme: dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}")


@pytest.fixture(params=LETTERS)
def html(request: pytest.FixtureRequest) -> BeautifulSoup:
    return BeautifulSoup(LETTERS[request.param][1], "html.parser")


def test_nothing_in_it_is_dropped_or_blocked(html: BeautifulSoup) -> None:
    assert not html.select(NO_TAGS)
    assert not NO_STYLES.search(str(html))
    assert len("".join(style.text for style in html.select("style"))) < 16_000
    assert len(str(html)) < 40_000


def test_it_fetches_nothing_and_leads_only_to_its_page(html: BeautifulSoup) -> None:
    assert {img["src"] for img in html.select("img")} <= {"cid:trend"}
    assert {a["href"] for a in html.select("a")} <= {LINK, f"{LINK}#take"}
    assert not html.select("[background], [srcset], [onclick]")


def test_a_picture_says_in_words_what_it_shows(html: BeautifulSoup) -> None:
    assert all(img["alt"] == TREND and img["width"] for img in html.select("img"))


def test_every_look_stands_where_it_is_used(html: BeautifulSoup) -> None:
    """Many programs drop the sheet; then only dark screens look the same as light ones."""
    left = DARK.sub("", "".join(style.text for style in html.select("style")))
    assert not left.strip()
    assert all(tag.get("style") for tag in html.select("body, p, h1, h2, a, td, th, li, img"))


def test_what_looks_alike_in_the_dark_has_a_colour_of_its_own_there(html: BeautifulSoup) -> None:
    """Everything with a background or a colour of its own is changed together, or dark ink lands on a dark ground."""
    (dark,) = DARK.findall("".join(style.text for style in html.select("style")))
    for tag in html.select("[class]"):
        look = str(tag.get("style"))
        if "background-color" in look and tag.name != "img":  # a picture brings its own white
            assert any(f".{name}" in dark for name in tag["class"]), tag["class"]


def test_tables_say_that_they_are_for_layout_unless_they_hold_figures(html: BeautifulSoup) -> None:
    for table in html.select("table"):
        assert table.get("role") == "presentation" or table.select("th[scope=row]")


def test_it_fits_a_narrow_screen(html: BeautifulSoup) -> None:
    """No width in points but the largest a thing may have."""
    widths = re.findall(r"(?<![-\w])width:\s*([^;\"]+)", " ".join(str(tag.get("style")) for tag in html.find_all(True)))
    assert set(widths) <= {"100%"}


def test_it_says_its_language_its_schemes_and_its_title(html: BeautifulSoup) -> None:
    assert html.html
    assert html.html["lang"] in ("en", "es", "fr")
    assert html.select_one('meta[name="color-scheme"][content="light dark"]')
    assert html.title
    assert html.title.text.strip()
    assert len(html.select("h1")) == 1


def test_names_are_text_and_never_markup(html: BeautifulSoup) -> None:
    assert not html.select("b, counseling")


@pytest.mark.parametrize("name", LETTERS)
def test_text_and_html_say_the_same(name: str) -> None:
    plain, page = LETTERS[name]
    shown = _letters(BeautifulSoup(page, "html.parser").get_text(" "))
    for line in plain.splitlines():
        assert _letters(line.removeprefix("- ")) in shown or line == TREND or line.startswith("http")


def _letters(text: str) -> str:
    return re.sub(r"[\s:]", "", text)
