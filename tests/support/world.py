"""Everybody at their browsers, in one world that no request changes: for asking every address."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from bot.config import Config
from bot.flows import context
from bot.store import Store
from bot.web import guard
from bot.web.app import create_app
from tests.support.browsing import At
from tests.support.everyone import NOW, Everyone, everyone

METHODS = ("GET", "POST")


class World:
    """Everybody at their browsers. Whatever a request changes is taken back after it."""

    def __init__(self, config: Config) -> None:
        ctx = context.build(config)
        ctx.store.migrate()
        self.everyone: Everyone = everyone(ctx)
        self.store: Store = ctx.store
        self.app: Flask = create_app(ctx, At(NOW))
        self.app.config["WTF_CSRF_ENABLED"] = False  # tokens in forms have tests of their own
        self.client = self.app.test_client(use_cookies=False)

    def ask(self, who: str, method: str, path: str, form: Mapping[str, str | list[str]]) -> TestResponse:
        """One request."""
        headers = {"Cookie": self._cookie(who)} if who != "nobody" else {}
        try:
            with self.store.transaction() as tx, tx.savepoint():
                answer = self.client.open(path, method=method, headers=headers, data=form)
                answer.get_data()
                raise _Undo
        except _Undo:
            return answer

    def rules(self, path: str) -> list[Rule]:
        """The rules of one address."""
        return [rule for rule in self.app.url_map.iter_rules() if rule.rule == path]

    def _cookie(self, who: str) -> str:
        signer = SecureCookieSessionInterface().get_signing_serializer(self.app)
        assert signer
        return f"attune={signer.dumps({guard.SECRET: self.everyone.secrets[who]})}"


class _Undo(Exception):
    pass


@contextmanager
def world_in(folder: Path) -> Iterator[World]:
    """A world whose database is in this folder."""
    config = Config(
        database_url=f"sqlite:///{folder}/attune.db",
        public_url="http://attune.example",
        secrets=("a-secret-for-tests-that-is-long-enough",),
        smtp_url="smtp://127.0.0.1:9",
        mail_from="x@y.z",
    )
    found = World(config)
    with found.store.transaction():  # taken back by closing: everything happens inside it
        yield found
