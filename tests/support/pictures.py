"""`make pictures`: the README's pictures. Phone, mail and note come from a real run of the demo while it plays; the
pages from a practice with twelve weeks behind it."""

import io
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from bot.config import Config
from bot.sandbox.book import OUTBOUND
from bot.sandbox.demo import Plan, play_in
from bot.sandbox.sample import ANA
from bot.sandbox.stage import Stage
from bot.store import answer_links, practices
from tests.browser.busy import FORM
from tests.browser.conftest import Served, serve
from tests.browser.signed_in import sign_in
from tests.support.cast import MONDAY_NOON
from tests.support.therapist import asked
from tests.support.year import Year, a_year, settle

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
MESSY = "5, 4 n 5 and 4 thx!"
# Everything at once, without what is only there to try things out.
WHOLE_PHONE = ".phone { max-width: 34rem; padding: 1rem; } .thread { height: auto; } .ready, .more { display: none; }"
WHOLE_MAIL = ".mail { margin: 1rem 0; } .mail iframe { height: 54rem; } .mail iframe ~ * { display: none; }"
WHOLE_PAGE = "main { padding-bottom: .5rem; }"
COLOURS = 160  # enough for flat pages; a picture of all colours is three times as large
NOW = MONDAY_NOON + timedelta(weeks=8)
# Of each page: who sees it, its address, and how much of it is shown, in pixels.
PAGES = {
    "caseload": ("t0", "/caseload", 1000, 900),
    "client": ("t0", "/clients/{client}", 1000, 1150),
    "schedules": ("dana", "/schedules", 1280, 1150),
    "delivery": ("dana", "/delivery", 1000, 1250),
    "setup": ("dana", "/setup", 1000, 820),
}


class Photographer:
    """Watches the demo, and takes each picture at its moment."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.taken: list[str] = []

    def look(self, stage: Stage) -> None:
        """Once Ana's messy reply has been thanked for, her phone; once Theo has mail, the mail and its page."""
        texts = stage.sandbox.book.with_client(ANA.phone)
        thanked = MESSY in [text.body for text in texts] and texts[-1].direction == OUTBOUND
        if thanked and "phone" not in self.taken:
            self._take("phone", f"{stage.sandbox.url}/phone/{ANA.phone}", ".phone", WHOLE_PHONE, width=600)
        mails = [mail for mail in stage.sandbox.mailbox.all() if mail.note]
        if mails and "mail" not in self.taken:
            self._take("mail", f"{stage.sandbox.url}/mailbox/{mails[0].id}", ".mail", WHOLE_MAIL, width=760)
            self._take("alert", mails[0].note, "main", WHOLE_PAGE, width=820)

    def _take(self, name: str, url: str, part: str, style: str, *, width: int) -> None:
        page = self._page(width)
        page.goto(url, wait_until="networkidle")
        page.add_style_tag(content=style)
        page.evaluate("document.activeElement.blur()")
        keep(name, page.locator(part).first.screenshot())
        page.close()
        self.taken.append(name)

    def _page(self, width: int) -> Page:
        # the pages' own policy would keep our style out
        return self._browser.new_page(viewport={"width": width, "height": 900}, device_scale_factor=2, bypass_csp=True)


def keep(name: str, png: bytes) -> None:
    """Write a picture, made small."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(PICTURES / f"{name}.png", optimize=True)


def photograph_pages(browser: Browser, folder: Path) -> list[str]:
    """The pages of a practice of three therapists and 45 clients, and a client's own on a phone."""
    config = Config(
        database_url=f"sqlite:///{folder}/pages.db", public_url="http://attune.example",
        secrets=("a-secret-for-pictures-that-is-long",),
    )  # fmt: skip
    with serve(config) as served:
        ctx = served.practice.ctx
        with ctx.store.transaction() as tx:
            practices.save(tx, replace(served.practice.practice, name="The cast"))
        year = a_year(ctx, NOW, therapists=3, everyone=45, weeks=12, seed=5)
        settle(ctx, year)
        for name, (who, path, width, height) in PAGES.items():
            window = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=2)
            sign_in(served, window, who, NOW, practice_id=year.practice.id)
            page = window.new_page()
            page.goto(served.url + path.format(client=_noted(served, year)), wait_until="networkidle")
            keep(name, page.screenshot())
            window.close()
        _one_tap(browser, served)
    return [*PAGES, "one-tap"]


def _noted(served: Served, year: Year) -> str:
    """A client of the first therapist's about whom there is a note."""
    found = served.practice.rows(
        "select client_id from alert where therapist_id = :t and kind = 'rapport' order by id limit 1",
        t=year.therapists[0],
    )
    return str(found[0]["client_id"])


def _one_tap(browser: Browser, served: Served) -> None:
    """Ana's page, with the score chosen that she tapped in the mail."""
    practice = served.practice
    check_in = asked(practice, "Ana", NOW - timedelta(hours=4))
    with practice.ctx.store.transaction() as tx:
        answer_links.add(tx, practice.practice.id, check_in, practice.clients["Ana"], FORM, NOW)
    window = browser.new_context(viewport={"width": 375, "height": 780}, device_scale_factor=2)
    page = window.new_page()
    page.goto(f"{served.url}/c/{FORM}?s=4", wait_until="networkidle")
    keep("one-tap", page.screenshot())
    window.close()


def main() -> None:
    """Play the demo and fill a practice, and write docs/pictures/*.png."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        pages = photograph_pages(browser, Path(folder))
        photographer = Photographer(browser)
        outcome = play_in(Path(folder) / "demo", Plan(), watch=photographer.look)
        browser.close()
    if sorted(photographer.taken) != ["alert", "mail", "phone"] or not outcome.good:
        raise SystemExit(f"The demo didn't come to what the pictures show: {outcome.verdicts}")
    print(f"Wrote {', '.join([*photographer.taken, *pages])} to {PICTURES}.")


if __name__ == "__main__":
    main()
