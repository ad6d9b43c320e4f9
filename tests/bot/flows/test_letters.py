"""Letters to the practice's own people: enough to act on, nothing of a client, and nothing fetched from anywhere."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from itsdangerous import Signer

from bot.config import Config
from bot.flows.letters import notify_managers, render
from bot.flows.links import LIFE, AlertLink, alert_link, read_alert_link
from bot.flows.paper import Letter, Part, written
from bot.sandbox import Sandbox
from bot.store import people
from bot.store.practices import Practice
from surveys.alert_wording import AlertText, Change, alert_text
from surveys.instrument import ALERT_KINDS
from surveys.instrument_file import LANGUAGES
from surveys.rapport import Explanation
from tests.support.cast import PHONES, Riverside
from tests.support.letters import letters
from tests.support.weeks import DECLINE, assess, send, weekly

NOW = datetime(2026, 9, 14, 16, 0, tzinfo=UTC)
LINK = "https://attune.example/a/token"
RIVERSIDE = Practice("p", "Riverside Counseling", "Riverside", "US", "America/New_York", "en", {}, {})
FALLEN = Explanation(5, 2, ("heard", "understood"), False, 0.9)
IDS = ("a" * 32, "b" * 32, "c" * 32)


def note(kind: str, language: str = "en") -> AlertText:
    explanation = FALLEN if kind in ("rapport", "low") else None
    change = Change(14, 11, "Tue 3 Nov")
    return alert_text(kind, language, explanation=explanation, days=2, therapist="Theo", count=8, change=change)


def letter(kind: str, language: str = "en", link: str = LINK) -> tuple[str, BeautifulSoup, str]:
    """A letter's text, its HTML parsed, and that as it stands."""
    plain, html = render(note(kind, language), link, replace(RIVERSIDE, language=language))
    return plain, BeautifulSoup(html, "html.parser"), html


# ------------------------------------------------------------------------------------------- what a mail holds


def test_the_mail_of_an_alert_holds_nothing_of_the_client(practice: Riverside, sandbox: Sandbox) -> None:
    """No name, no number, no rating, none of their words, in no part and no header."""
    now = weekly(practice, "Ana", DECLINE)
    with practice.ctx.store.transaction() as tx:
        tx.run("update client set client_ref = 'CANARY-7' where id = :id", {"id": practice.clients["Ana"]})
    assess(practice, now)
    send(practice, now)
    (mail,) = sandbox.mailbox.all()
    headers = " ".join(f"{name}: {value}" for name, value in mail.message.items())
    shown = re.sub(r"http\S+/a/[\w.-]+", "", headers + mail.text + mail.html)
    for canary in ("Ana", "CANARY-7", PHONES["Ana"], PHONES["Ana"][2:], "ana@clients.example", "3 4 3", "2 4 2"):
        assert canary not in shown
    assert mail.subject == "A note for you"
    assert mail.message["From"] == "Attune for Riverside <notes@riverside.example>"


def test_the_words_of_a_mail_hold_no_digits_at_all(practice: Riverside, sandbox: Sandbox) -> None:
    """So none of them can be a rating. Only the sources, the link and the styles have any."""
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    send(practice, now)
    (mail,) = sandbox.mailbox.all()
    body = BeautifulSoup(mail.html, "html.parser").body
    assert body
    for text in (mail.text, body.get_text("\n")):
        said = [line for line in text.splitlines() if not line.lstrip().startswith(("Drawn from", "http"))]
        assert not [line for line in said if re.search(r"\d", line)]


def test_a_mail_has_a_text_and_an_html_part_that_say_the_same(practice: Riverside, sandbox: Sandbox) -> None:
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    send(practice, now)
    (mail,) = sandbox.mailbox.all()
    assert [part.get_content_type() for part in mail.message.iter_parts()] == ["text/plain", "text/html"]
    html = " ".join(BeautifulSoup(mail.html, "html.parser").get_text(" ").split())
    for line in filter(None, (line.removeprefix("- ") for line in mail.text.splitlines())):
        assert line.rstrip(":") in html or line.startswith("http")
    to_read, to_take = re.findall(r"http\S+/a/\S+", mail.text)
    assert to_take == f"{to_read}#take"
    assert [f'href="{link}"' in mail.html for link in (to_read, to_take)] == [True, True]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ALERT_KINDS)
def test_every_letter_is_whole_in_every_language(kind: str, language: str) -> None:
    text = note(kind, language)
    plain, html, _ = letter(kind, language)
    for part in (text.lead, text.action, *text.advice, *text.sources):
        assert part in plain
        assert part in " ".join(html.get_text(" ").split())
    assert html.html
    assert html.html["lang"] == language
    assert "Riverside Counseling" in plain


def test_the_link_stands_on_a_line_of_its_own() -> None:
    """So that no mail program takes a full stop or a colon into it."""
    assert LINK in letter("rapport")[0].splitlines()


def test_a_notice_without_a_page_of_its_own_has_no_link() -> None:
    plain, html, _ = letter("worker_silent", link="")
    assert "http" not in plain
    assert not html.select("a")


# ------------------------------------------------------------------------------------------- the HTML


def test_a_letter_loads_nothing_and_runs_nothing() -> None:
    _, html, raw = letter("rapport")
    assert not html.select("script, img, link, iframe, object, form, video, audio, base")
    assert not re.search(r"url\(|@import|@font-face|javascript:", raw)
    assert [a["href"] for a in html.select("a")] == [LINK]
    assert not [tag for tag in html.find_all(True) if [name for name in tag.attrs if name.startswith("on")]]


def test_styles_are_inlined_and_only_those_for_dark_screens_stay_in_the_head() -> None:
    """Several mail programs drop what is in the head."""
    _, html, _ = letter("rapport")
    assert html.select_one("a.button[style*=background]")
    assert html.select_one("h1.lead[style*=font-size]")
    kept = "".join(style.get_text() for style in html.select("style"))
    assert kept.count("@media") == 1
    assert "prefers-color-scheme" in kept
    assert re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", kept).strip() == ""


def test_what_is_not_inlined_cannot_read_files_of_this_machine() -> None:
    practice = replace(RIVERSIDE, name='<link rel="stylesheet" href="file:///etc/passwd"><b>R</b>')
    _, html = render(note("call"), LINK, practice)
    assert "<link" not in html
    assert "root:" not in html
    assert "&lt;b&gt;R" in html


def test_names_are_text_and_never_markup() -> None:
    text = alert_text("escalated", "en", days=2, therapist="<script>Theo</script>")
    _, html = render(text, LINK, RIVERSIDE)
    assert "<script" not in html


def test_layout_tables_are_not_read_out_as_tables() -> None:
    assert all(table["role"] == "presentation" for table in letter("rapport")[1].select("table"))


def test_figures_are_read_out_as_a_table_with_what_each_is() -> None:
    _, raw = written(
        Letter("Riverside", "en", "Your month", "A month.", parts=[Part("Cost", figures=[("Texts", "3")])])
    )
    (table,) = (t for t in BeautifulSoup(raw, "html.parser").select("table") if "role" not in t.attrs)
    assert [(row.th["scope"], row.th.text, row.td.text) for row in table.select("tr")] == [("row", "Texts", "3")]


# ------------------------------------------------------------------------------------------- notices


def notices(practice: Riverside) -> list[str]:
    with practice.ctx.store.transaction() as tx:
        notify_managers(practice.ctx, tx, practice.practice.id, "unreachable", "unreachable:1", NOW)
    return [str(row["person_id"]) for row in practice.rows("select person_id from outbox where kind = 'notice'")]


def test_a_notice_goes_to_each_manager_once(practice: Riverside) -> None:
    assert notices(practice) == [practice.staff["Dana"]]
    assert notices(practice) == [practice.staff["Dana"]]


def test_a_managers_notice_leads_to_the_page_where_it_is_seen_to(practice: Riverside) -> None:
    """Behind sign-in; whoever stands in for a manager can't open that page, and gets no link to it."""
    notices(practice)
    (notice,) = letters(practice)
    assert "http://attune.example/delivery" in notice.body.splitlines()
    with practice.ctx.store.transaction() as tx:
        people.take_role(tx, practice.practice.id, "manager")
        notify_managers(practice.ctx, tx, practice.practice.id, "unreachable", "unreachable:2", NOW)
    assert "http" not in letters(practice)[-1].body


def test_a_notice_without_a_manager_goes_to_the_next_best(practice: Riverside) -> None:
    """A practice made on first use has no manager; its notices must not vanish."""
    with practice.ctx.store.transaction() as tx:
        people.take_role(tx, practice.practice.id, "manager")
        people.take_role(tx, practice.practice.id, "duty")
        people.give_role(tx, practice.practice.id, practice.staff["Ines"], "supervisor")
    assert notices(practice) == [practice.staff["Ines"]]


# ------------------------------------------------------------------------------------------- links


def test_a_link_says_whose_it_is_and_until_when(config: Config) -> None:
    url = alert_link(config, *IDS, NOW)
    assert url.startswith("http://attune.example/a/")
    link = read_alert_link(config, url.rpartition("/")[2])
    assert link == AlertLink(*IDS, int((NOW + LIFE).timestamp()))


def test_a_link_lives_for_72_hours_by_our_clock(config: Config) -> None:
    link = read_alert_link(config, alert_link(config, *IDS, NOW).rpartition("/")[2])
    assert link
    assert not link.expired(NOW + timedelta(hours=72, seconds=-1))
    assert link.expired(NOW + timedelta(hours=72))


def test_a_token_with_any_letter_changed_is_not_ours(config: Config) -> None:
    """Also the last one, whose spare bits the signature doesn't cover."""
    token = alert_link(config, *IDS, NOW).rpartition("/")[2]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, old in enumerate(token):
        for new in letters if place == len(token) - 1 else ("A", "B"):
            if new != old:
                assert read_alert_link(config, token[:place] + new + token[place + 1 :]) is None


@pytest.mark.parametrize("token", ["", ".", "a", "a.b", "é", "\x00", "a" * 5000, "..", "%2e%2e"])
def test_what_is_no_token_is_not_ours(config: Config, token: str) -> None:
    assert read_alert_link(config, token) is None


def test_a_token_of_another_installation_or_another_purpose_is_not_ours(config: Config) -> None:
    other = replace(config, secrets=("another-secret-that-is-long-enough-too",))
    assert read_alert_link(config, alert_link(other, *IDS, NOW).rpartition("/")[2]) is None
    token = alert_link(config, *IDS, NOW).rpartition("/")[2]
    elsewhere = Signer(list(config.secrets), salt="sign-in").sign(token.rpartition(".")[0]).decode()
    assert read_alert_link(config, elsewhere) is None


def test_links_outlive_a_change_of_the_secret_while_the_old_one_is_kept(config: Config) -> None:
    token = alert_link(config, *IDS, NOW).rpartition("/")[2]
    newest = ("a-newer-secret-that-is-long-enough-too", *config.secrets)
    assert read_alert_link(replace(config, secrets=newest), token)
    assert read_alert_link(replace(config, secrets=newest[:1]), token) is None
