"""What the servers of the measurements serve: Attune itself, and the bare handler it is held against.

gunicorn calls these, with the settings in the environment as always. Both write behind the same gate; `slow` seconds
are added to each sync, and `shared=False` gives each reply a commit of its own.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, request
from twilio.request_validator import RequestValidator

from bot import config as settings
from bot.store import SqliteEngine, Store, open_store
from bot.store.gate import Gate
from bot.web import create_app

TABLE = "create table if not exists bench (id text primary key, body text)"


def attune(slow: float = 0.0, shared: bool = True, counts: str = "") -> Flask:
    """The whole application."""
    _on_the_disk(slow, counts)
    if not shared:
        SqliteEngine.together = lambda _store, work: work()  # type: ignore[method-assign,assignment]
    return create_app()


def bare(slow: float = 0.0, counts: str = "") -> Flask:
    """A handler that checks the signature and commits one row with one sync a request."""
    _on_the_disk(slow, counts)
    config = settings.from_environment()
    store, app = open_store(config.database_url, config.secrets), Flask(__name__)
    with store.transaction() as tx:
        tx.run(TABLE)
    app.extensions.update(attune=None, clock=None)  # no worker to look after
    validator = RequestValidator(config.twilio_auth_tokens[0])
    url = f"{config.public_url}/webhooks/twilio/sms"

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    @app.post("/webhooks/twilio/sms")
    def sms() -> tuple[str, int]:
        if not validator.validate(url, request.form, request.headers["X-Twilio-Signature"]):
            return "no", 403
        _insert(store, request.form["MessageSid"], request.form["Body"])
        return "ok", 200

    return app


def _insert(store: Store, message_id: str, body: str) -> None:
    with store.transaction() as tx:
        tx.run("insert into bench values (:id, :body)", {"id": message_id, "body": body})


def _on_the_disk(slow: float, counts: str) -> None:
    """Make each turn at writing, which ends with one sync, take longer, and count them in a file."""
    plain = Gate.turn

    @contextmanager
    def turn(gate: Gate, patience: float) -> Iterator[None]:
        with plain(gate, patience):
            yield
            if slow:
                time.sleep(slow)
            if counts:
                with open(counts, "ab") as file:
                    file.write(b".")

    Gate.turn = turn  # type: ignore[method-assign]
    os.environ.pop("WEB_CONCURRENCY", None)
