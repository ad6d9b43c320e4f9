"""A browser that is signed in without the sign-in page, which has tests of its own."""

from datetime import datetime

from playwright.sync_api import BrowserContext

from bot.store import people, sign_ins
from bot.web import guard
from tests.browser.conftest import Served


def sign_in(
    served: Served, window: BrowserContext, name: str, now: datetime, *, strong: bool = True, practice_id: str = ""
) -> None:
    """One of the staff is signed in at this time, which becomes the server's: the browser gets their cookie."""
    served.clock[:] = [now]
    app, place = served.app, practice_id or served.practice.practice.id
    with served.practice.ctx.store.transaction() as tx:
        person = people.by_email(tx, place, f"{name.lower()}@riverside.example")
        assert person, name
        secret = sign_ins.start(tx, place, person.id, strong, "Chromium", now)
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    name, value = app.config["SESSION_COOKIE_NAME"], signer.dumps({guard.SECRET: secret})
    window.add_cookies([{"name": name, "value": value, "url": served.url}])
