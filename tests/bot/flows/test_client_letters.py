"""The mail's HTML, against what mail programs do with it; and texts that carry a link."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from bot.flows import asking
from bot.flows.client_letters import in_html, plain
from bot.flows.context import Context
from bot.store import clients, practices
from surveys.client_letter import ClientLetter, client_letter
from surveys.instrument import KINDS, load_all
from surveys.instrument_file import LANGUAGES
from surveys.segments import segments
from surveys.wording import Say, Voice
from tests.support.cast import PHONES, Riverside
from tests.support.mails import by_mail
from tests.support.post import Post
from tests.support.talk import Talk, at

NOON = at("09-07 12:00")
LINK, STOP = "https://attune.example/c/" + "t" * 43, "https://attune.example/c/stop/x"
ASKING = ("check_in", "reminder", "ask_rest", "explain")
# What some widely used mail program drops, blocks or shows wrongly. Kept by hand: Outlook on Windows draws with Word
# (no flex, grid, position, transform, variables), Gmail drops a sheet beyond 16 kB and all forms, nobody runs scripts.
NO_TAGS = {
    "script",
    "form",
    "input",
    "button",
    "img",
    "svg",
    "iframe",
    "video",
    "audio",
    "object",
    "embed",
    "link",
    "base",
}
NO_STYLES = re.compile(r"display:\s*(flex|grid)|position:|float:|transform|var\(|calc\(|@import|url\(|rgba\(|\bgap:")
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Every tag with its attributes, and whether they are nested well."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.links: dict[str, str] = {}
        self._open: list[str] = []
        self._href = ""
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a":
            self._href = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "a":
            self._href = ""

    def handle_data(self, data: str) -> None:
        if self._href:
            self.links[self._href] = " ".join((self.links.get(self._href, "") + data).split())


def letter(kind: str, language: str) -> ClientLetter:
    feelings = ("heard", "respected", "understood", "seen") if kind in ASKING else ()
    return client_letter(Say(kind, feelings), Voice("Riverside", language), load_all())


@pytest.fixture(params=LANGUAGES)
def page(request: pytest.FixtureRequest) -> str:
    return in_html(letter("check_in", request.param), LINK, STOP)


@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_holds_what_mail_programs_drop_or_block(kind: str) -> None:
    """And none loads anything from anywhere, so that opening it tells nobody."""
    html = in_html(letter(kind, "fr"), LINK if kind in ASKING else "", STOP)
    found = Page(html)
    assert not {tag for tag, _ in found.tags} & NO_TAGS
    assert not NO_STYLES.search(html)
    assert not [attrs for _, attrs in found.tags if attrs.keys() & {"src", "srcset", "background", "onclick"}]
    assert set(re.findall(r'https?://[^"\s<]+', html)) <= {STOP, LINK, *(f"{LINK}?s={n}" for n in range(1, 6))}
    assert len(html.encode()) < 16_000  # Gmail cuts a mail at 102 kB and drops a sheet beyond 16


def test_every_look_stands_where_it_is_used(page: str) -> None:
    """Without its sheet (many programs drop it) nothing changes but dark screens."""
    sheet = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    left = sheet[1] if sheet else ""
    outside_media = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", left)
    assert not outside_media.strip()
    for tag, attrs in Page(page).tags:
        if tag in ("p", "h1", "a", "td", "body"):
            assert attrs.get("style"), tag


def test_tables_are_for_layout_and_say_so_and_fit_a_phone(page: str) -> None:
    tables = [attrs for tag, attrs in Page(page).tags if tag == "table"]
    assert tables
    assert all(attrs.get("role") == "presentation" for attrs in tables)
    assert all(attrs.get("width") == "100%" for attrs in tables if attrs.get("class") != "open")
    assert not re.search(r"(?<!max-)(?<!min-)width:\s*[4-9]\d\d+px", page)


def test_the_five_buttons_have_names_that_say_what_they_mean(page: str) -> None:
    language = re.search(r'<html lang="(\w+)"', page)
    assert language
    links = Page(page).links
    choices = load_all().choices[language[1]]
    assert [links[f"{LINK}?s={n}"] for n in range(1, 6)] == [f"{n} {word}" for n, word in enumerate(choices, 1)]
    assert links[STOP]


def test_it_says_its_language_its_schemes_and_its_title(page: str) -> None:
    assert '<meta name="color-scheme" content="light dark">' in page
    assert "prefers-color-scheme: dark" in page
    assert re.search(r"<title>\S.*</title>", page)


def test_light_and_dark_can_be_read(page: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for every pair of ink and paper in the layout."""
    light = [("#1d2b29", "#ffffff"), ("#56635f", "#ffffff"), ("#56635f", "#f3f6f4"), ("#17594f", "#f0f6f3")]
    dark = [("#e4ebe8", "#18211f"), ("#a5b3ae", "#18211f"), ("#a5b3ae", "#101715"), ("#7fcdbb", "#1f2d29")]
    for ink, paper in [*light, *dark, ("#17594f", "#f3f6f4"), ("#7fcdbb", "#101715")]:
        assert ink in page
        assert paper in page
        assert _contrast(ink, paper) >= 4.5, (ink, paper)


def _contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plain_text_says_the_same(language: str) -> None:
    told = letter("check_in", language)
    text = plain(told, LINK, STOP)
    for part in (*told.paragraphs, told.question, *told.choices, told.reply, told.safety, told.end, LINK, STOP):
        assert part in text


def test_names_are_escaped() -> None:
    html = in_html(replace(letter("check_in", "en"), sender="<b>R & Sons</b>"), LINK, STOP)
    assert "<b>" not in html
    assert "&lt;b&gt;R &amp; Sons" in html


# ---------------------------------------------------------------------------------- texts with a link


def test_a_practice_may_text_a_link_instead_of_asking_for_digits(ctx: Context, practice: Riverside) -> None:
    practice.set_rule(link="yes")
    message = Post(ctx, practice).ask("Ana", NOON)
    words = r"Riverside: How was your visit\? A few questions, one tap each"
    assert re.fullmatch(words + r": http://attune\.example/c/[\w-]{43} STOP to end", message.body)
    assert len(practice.rows("select 1 from answer_link")) == 1


def test_a_discreet_client_gets_a_bare_link_and_no_reminder(ctx: Context, practice: Riverside) -> None:
    with ctx.store.transaction() as tx:
        tx.run("update client set discreet = 1 where id = :id", {"id": practice.clients["Ana"]})
    post = Post(ctx, practice)
    message = post.ask("Ana", NOON)
    assert re.fullmatch(r"Riverside: http://attune\.example/c/[\w-]{43} STOP to end", message.body)
    post.send(NOON)
    asking.remind_due(ctx, NOON + timedelta(hours=24))
    assert [each.kind for each in post.messages("Ana")] == ["check_in"]


def test_a_text_answered_by_digits_though_it_held_a_link_counts(ctx: Context, practice: Riverside) -> None:
    practice.set_rule(link="yes")
    post, talk = Post(ctx, practice), Talk(ctx, practice)
    post.ask("Ana", NOON)
    post.send(NOON)
    talk.text("Ana", " ".join("5454"[: len(talk.last("Ana").feelings)]), NOON)
    assert talk.last("Ana").state == "answered"


def test_a_link_in_english_fits_one_text_with_the_longest_name() -> None:
    texts = load_all().texts["en"]
    for kind in ("check_in_link", "reminder_link", "check_in_bare"):
        text = texts[kind].format(sms_name="N" * 16, link="https://attune.riverside.example/c/" + "x" * 43)
        assert segments(text).count == 1


def test_the_reminder_has_a_link_of_its_own_to_the_same_check_in(ctx: Context, practice: Riverside) -> None:
    by_mail(practice)
    post = Post(ctx, practice)
    post.ask("Ana", NOON)
    post.send(NOON)
    asking.remind_due(ctx, NOON + timedelta(hours=24))
    links = practice.rows("select check_in_id from answer_link")
    assert len(links) == 2
    assert len({row["check_in_id"] for row in links}) == 1


def test_two_who_share_an_address_are_told_apart(ctx: Context, practice: Riverside) -> None:
    with ctx.store.transaction() as tx:
        for name in ("Ana", "Ben"):
            found = clients.get(tx, practice.practice.id, practice.clients[name])
            entry = clients.Entry(
                found.client_ref, name, "", "both@clients.example", "en", "America/New_York", "mail",
                found.consent_at, practice.staff["Theo"],
            )  # fmt: skip
            clients.save(tx, practice.practice.id, entry, NOON)
    message = Post(ctx, practice).ask("Ana", NOON)
    assert message.body.startswith("For A.")


def test_the_practices_own_lines_stand_in_its_mails(ctx: Context, practice: Riverside) -> None:
    by_mail(practice)
    with ctx.store.transaction() as tx:
        practices.save(tx, replace(practice.practice, settings={"local_lines": "call 555-0100 any time"}))
    assert "in an emergency call 555-0100 any time." in Post(ctx, practice).ask("Ana", NOON).body


def test_phones_get_no_html(ctx: Context, practice: Riverside) -> None:
    message = Post(ctx, practice).ask("Ana", NOON)
    assert (message.address, message.html, message.subject) == (PHONES["Ana"], "", "")
