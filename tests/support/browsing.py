"""A signed-in person's browser in a test: real requests to the real application, forms with their tokens."""

import re
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.flows.context import Context
from bot.store import people, sign_ins
from bot.web.app import create_app
from bot.web.guard import SECRET


class At:
    """A clock that a test sets."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        """The time that was set."""
        return self.time

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits for it."""


class Browser:
    """One browser. `sign_in` goes round the sign-in page, which has tests of its own."""

    def __init__(self, ctx: Context, now: datetime) -> None:
        self.ctx, self.clock = ctx, At(now)
        self.app = create_app(ctx, self.clock)
        self.client: FlaskClient = self.app.test_client()

    def sign_in(self, practice_id: str, email: str, strong: bool = True) -> "Browser":
        """As the person with this address in the practice."""
        with self.ctx.store.transaction() as tx:
            person = people.by_email(tx, practice_id, email)
            assert person is not None, email
            secret = sign_ins.start(tx, practice_id, person.id, strong, "a test's browser", self.clock.now())
        with self.client.session_transaction() as session:
            session[SECRET] = secret
        return self

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form, with the token that this browser's pages carry."""
        return self.client.post(path, data={**(data or {}), "csrf_token": self.token()}, **options)

    def send(self, path: str, answer: object) -> TestResponse:
        """Send JSON as a script of ours does, with the token in a header."""
        return self.client.post(path, json=answer, headers={"X-CSRFToken": self.token()})

    def token(self) -> str:
        """What a form of this browser's carries, whatever it may open by now."""
        for page in ("/account", "/account/second-factor", "/sign-in"):
            found = re.search(r'name="csrf[-_]token" (?:content|value)="([^"]+)"', self.client.get(page).text)
            if found:
                return found[1]
        raise AssertionError("no page carries a token")
