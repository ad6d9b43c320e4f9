"""axe-core, from npm, run in a page: what keeps somebody from using it (WCAG 2.2 A and AA, and good practice)."""

from functools import cache

from playwright.sync_api import Page

from tests.contract import fetch

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """Each rule that is broken, with the places; none is what we want."""
    page.evaluate(_source())
    found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
    return [f"{each['id']}: {', '.join(node['target'][0] for node in each['nodes'])}" for each in found["violations"]]


@cache
def _source() -> str:
    fetch.fetch()
    return (fetch.CACHE / "axe-core" / "axe.min.js").read_text()
