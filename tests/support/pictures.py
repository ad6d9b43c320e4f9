"""`make pictures`: the README's pictures, taken from a real run of the demo while it plays."""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bot.sandbox.book import OUTBOUND
from bot.sandbox.demo import Plan, play_in
from bot.sandbox.sample import ANA
from bot.sandbox.staff import link_in
from bot.sandbox.stage import Stage

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
MESSY = "5, 4 n 5 and 4 thx!"
# Everything at once, without what is only there to try things out.
WHOLE_PHONE = ".phone { max-width: 34rem; padding: 1rem; } .thread { height: auto; } .ready, .more { display: none; }"
WHOLE_MAIL = ".mail { margin: 1rem 0; } .mail iframe { height: 46rem; } .mail iframe ~ * { display: none; }"
WHOLE_PAGE = "main { padding-bottom: .5rem; }"


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
        mails = stage.sandbox.mailbox.all()
        if mails and "mail" not in self.taken:
            self._take("mail", f"{stage.sandbox.url}/mailbox/{mails[0].id}", ".mail", WHOLE_MAIL, width=760)
            self._take("alert", link_in(mails[0]), "main", WHOLE_PAGE, width=820)

    def _take(self, name: str, url: str, part: str, style: str, *, width: int) -> None:
        page = self._page(width)
        page.goto(url, wait_until="networkidle")
        page.add_style_tag(content=style)
        page.evaluate("document.activeElement.blur()")
        page.locator(part).first.screenshot(path=PICTURES / f"{name}.png")
        page.close()
        self.taken.append(name)

    def _page(self, width: int) -> Page:
        # the pages' own policy would keep our style out
        return self._browser.new_page(viewport={"width": width, "height": 900}, device_scale_factor=2, bypass_csp=True)


def main() -> None:
    """Play the demo and write docs/pictures/phone.png, mail.png and alert.png."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        photographer = Photographer(browser)
        outcome = play_in(Path(folder), Plan(), watch=photographer.look)
        browser.close()
    if sorted(photographer.taken) != ["alert", "mail", "phone"] or not outcome.good:
        raise SystemExit(f"The demo didn't come to what the pictures show: {outcome.verdicts}")
    print(f"Wrote {', '.join(photographer.taken)} to {PICTURES}.")


if __name__ == "__main__":
    main()
