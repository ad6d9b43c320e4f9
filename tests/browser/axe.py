"""axe-core, from npm, run in a page: what keeps somebody from using it (WCAG 2.2 A and AA, and good practice)."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.contract import fetch

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BY_LOOK = ("color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable", "meta-viewport")
NARROW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def violations(page: Page, only: Sequence[str] = ()) -> list[str]:
    """Each rule that is broken, with the places; none is what we want. `only`: these rules and no other."""
    page.evaluate(_source())
    wanted: dict[str, Any] = {"type": "rule", "values": list(only)} if only else {"type": "tag", "values": TAGS}
    found = page.evaluate("wanted => axe.run(document, {runOnly: wanted, resultTypes: ['violations']})", wanted)
    return [f"{each['id']}: {', '.join(node['target'][0] for node in each['nodes'])}" for each in found["violations"]]


def wrong_with(page: Page) -> list[str]:
    """What is wrong with the page that is open: at a desk in the light, and on the smallest phone in the dark.

    Size and scheme are changed under the open page: what depends on neither is looked at once.
    """
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    found = violations(page) + _too_wide(page)
    page.set_viewport_size({"width": 320, "height": 800})
    page.emulate_media(color_scheme="dark")
    return found + [f"{each} (320 px, dark)" for each in violations(page, BY_LOOK) + _too_wide(page)]


def _too_wide(page: Page) -> list[str]:
    wide = page.evaluate(NARROW)
    return [f"{wide} px too wide"] if wide > 0 else []


@cache
def _source() -> str:
    fetch.fetch()
    return (fetch.CACHE / "axe-core" / "axe.min.js").read_text()
