"""An alert's page in a real browser: readable on a phone, by keyboard, in the dark, without script, and quietly."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from bot.flows import alerting, receiving
from bot.flows.letters import render
from bot.flows.links import AlertLink
from bot.store import practices
from bot.store.alerts import Alert
from bot.store.inbox import Inbound
from surveys.alert_wording import alert_text
from surveys.rapport import Explanation
from tests.browser.conftest import SCHEMES, WIDTHS, Opened, Served
from tests.browser.pressing import press
from tests.support.cast import PHONES
from tests.support.weeks import DECLINE, alerts_of, assess, weekly

Open = Callable[..., Opened]
NIGHT = datetime(2026, 9, 19, 6, 0, tzinfo=UTC)
KINDS = ("therapist", "supervisor", "taken", "danger", "danger taken", "expired", "foreign")
NARROW = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
# Contrast of every piece of text with what lies behind it (WCAG 2.2, 1.4.3); answers those below 4.5 to 1.
FAINT = """() => {
  const parse = text => {
    const n = text.match(/[\\d.]+/g).map(Number);
    return n.length < 4 ? [...n, 1] : n;
  };
  const curve = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * curve(r / 255) + .7152 * curve(g / 255) + .0722 * curve(b / 255);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c[3] > 0) return c;
    }
    return [255, 255, 255, 1];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || ['title', 'desc'].includes(e.tagName)) continue;
    const style = getComputedStyle(e), ink = parse(e instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(e))], ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) faint.push(`${text}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""


@pytest.fixture
def noted(served: Served) -> tuple[Alert, datetime]:
    """Ana has declined."""
    now = weekly(served.practice, "Ana", (*DECLINE[:4], None, *DECLINE[4:]))
    assess(served.practice, now)
    return alerts_of(served.practice, "Ana")[0], now


def address(served: Served, kind: str) -> str:
    """Where a kind of page is to be seen."""
    practice = served.practice
    if kind.startswith("danger"):
        receiving.receive(practice.ctx, Inbound("sms", "SM" + "7" * 32, PHONES["Ana"], "I want to kill myself"), NIGHT)
        alert, now = alerts_of(practice, "Ana", "danger")[0], NIGHT
    else:
        now = weekly(practice, "Ana", (*DECLINE[:4], None, *DECLINE[4:]))
        assess(practice, now)
        alert = alerts_of(practice, "Ana")[0]
    if kind.endswith("taken"):
        link = AlertLink(practice.practice.id, alert.id, practice.staff["Theo"], 0)
        alerting.acknowledge(practice.ctx, link, "Will ask about the new hour.\nOn Monday.", now)
    found = served.link(alert, "Dana" if kind == "supervisor" else "Theo", now)
    if kind == "expired":
        served.clock[:] = [now + timedelta(hours=72)]
    return found[:-1] if kind == "foreign" else found


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_breaks_no_rule_of_its_own_policy_and_asks_for_nothing_elsewhere(
    served: Served, opened: Open, kind: str
) -> None:
    """Zero complaints in the console under the strict policy; every request goes to our own address."""
    found = opened(address(served, kind))
    refused = [c for c in found.complaints if "status of" not in c]  # the page's own 404 or 410
    assert refused == []
    assert found.page.locator("h1").count() == 1
    assert all(url.startswith((served.url, "data:")) for url in found.asked)


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_scrolls_sideways_and_all_text_stands_out(served: Served, opened: Open, kind: str) -> None:
    """At desk, phone and WCAG's 320 pixels; in the light and in the dark."""
    url = address(served, kind)
    for scheme in SCHEMES:
        for width in WIDTHS:
            page = opened(url, width=width, scheme=scheme).page
            assert page.evaluate(NARROW), f"{kind} scrolls sideways at {width}"
        assert page.evaluate(FAINT) == [], f"{kind}, {scheme}"


@pytest.mark.parametrize("language", ["es", "fr"])
def test_longer_languages_fit_too(served: Served, opened: Open, noted: tuple[Alert, datetime], language: str) -> None:
    with served.practice.ctx.store.transaction() as tx:
        practices.save(tx, replace(served.practice.practice, language=language))
    page = opened(served.link(noted[0], "Theo", noted[1]), width=320).page
    assert page.evaluate(NARROW)
    assert page.evaluate("document.documentElement.lang") == language


def test_a_note_is_taken_on_by_keyboard_alone(served: Served, opened: Open, noted: tuple[Alert, datetime]) -> None:
    found = opened(served.link(noted[0], "Theo", noted[1]), width=375)
    page = found.page
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px", (
            "one can see where one is"
        )
        if reached[-1] == "TEXTAREA":
            page.keyboard.type("Ask about the new hour.")
        if reached[-1] == "BUTTON":
            break
    assert reached == ["SUMMARY", "TEXTAREA", "BUTTON"], "in the order in which they are read"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You took this on")
    expect(page.get_by_text("Ask about the new hour.")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    assert found.complaints == []


def test_the_same_in_words_opens_by_keyboard(served: Served, opened: Open, noted: tuple[Alert, datetime]) -> None:
    page = opened(served.link(noted[0], "Theo", noted[1])).page
    expect(page.get_by_text("no answer", exact=True).last).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("9 November 2026", exact=True)).to_be_visible()


def test_a_note_is_taken_on_without_script(served: Served, opened: Open, noted: tuple[Alert, datetime]) -> None:
    page = opened(served.link(noted[0], "Theo", noted[1]), script=False).page
    page.get_by_label("A note for yourself").fill("Ask.")
    press(page, "I'll take it on")
    expect(page.get_by_text("You took this on")).to_be_visible()


def test_an_expired_link_mails_a_fresh_one_at_a_press(served: Served, opened: Open) -> None:
    found = opened(address(served, "expired"), script=False)
    press(found.page, "Mail me a fresh link")
    expect(found.page.get_by_role("heading")).to_have_text("A fresh link is on its way")
    assert len(served.practice.rows("select * from outbox where dedupe like 'again:%'")) == 1


def test_danger_is_taken_on_and_check_ins_let_go_on_in_two_presses(served: Served, opened: Open) -> None:
    page = opened(address(served, "danger"), width=375).page
    press(page, "I'm on it")
    expect(page.get_by_role("link", name=PHONES["Ana"])).to_have_attribute("href", f"tel:{PHONES['Ana']}")
    press(page, "Let check-ins go on")
    expect(page.get_by_role("button")).to_have_count(0)
    assert not served.practice.client("Ana").halted


def test_a_screen_reader_is_told_what_the_pictures_show(
    served: Served, opened: Open, noted: tuple[Alert, datetime]
) -> None:
    page = opened(served.link(noted[0], "Theo", noted[1])).page
    heard = page.get_by_role("img", name="Heard")
    expect(heard).to_have_accessible_description(
        "Usually 4 to 5. Answers, oldest first: 5, 5, 4, 5, 5, 5, 3, 2. No answer on 12 Oct."
    )
    expect(page.get_by_role("region", name="How it has gone")).to_be_visible()
    assert page.get_by_role("img").count() == 3, "the key's little shapes are not read out"


def test_what_is_pressed_is_large_enough_for_a_thumb(
    served: Served, opened: Open, noted: tuple[Alert, datetime]
) -> None:
    page = opened(served.link(noted[0], "Theo", noted[1]), width=375).page
    for place in page.locator("button, summary, textarea").all():
        box = place.bounding_box()
        assert box
        assert box["height"] >= 40


def test_letters_in_the_picture_stay_readable_on_a_phone(
    served: Served, opened: Open, noted: tuple[Alert, datetime]
) -> None:
    page = opened(served.link(noted[0], "Theo", noted[1]), width=375).page
    sizes = page.eval_on_selector_all("svg.trend text", "all => all.map(t => t.getBoundingClientRect().height)")
    assert min(sizes) >= 11


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [375, 600])
def test_the_mail_fits_a_phone_and_a_window_in_light_and_dark(
    served: Served, opened: Open, width: int, scheme: str
) -> None:
    text = alert_text("rapport", "fr", explanation=Explanation(5, 2, ("heard", "seen"), False, 0.9))
    _, html = render(text, f"{served.url}/a/token", replace(served.practice.practice, language="fr"))
    found = opened("about:blank", width=width, scheme=scheme)
    found.page.set_content(html)
    assert found.page.evaluate(NARROW)
    assert found.page.evaluate(FAINT) == []
    assert found.complaints == []
    ground = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(243, 246, 244)", "dark": "rgb(16, 23, 21)"}[scheme]
