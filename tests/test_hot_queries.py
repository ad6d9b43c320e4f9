"""What runs for every reply, every send, every callback, every pass of the worker and the pages opened all day finds
its rows by an index: none walks through a table that grows with the years."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from bot.channels import InDoubt, Outgoing
from bot.config import Config
from bot.flows import alerting, asking, context, planning, sending, settling, signal
from bot.flows.chores import Chores
from bot.flows.context import Context
from bot.store import SqliteEngine, Store
from bot.store.engine import SqliteTx
from bot.worker import CHORES
from tests import bench_rows
from tests.bench_rows import Someone
from tests.conftest import ACCOUNT_SID, PUBLIC_URL, SENDER, TOKEN
from tests.support.browsing import Browser
from tests.support.cast import ALWAYS_OPEN, MONDAY_NOON, Riverside, riverside

# As many rows as there are practices, people, rules, months or processes; or as there are things to do right now.
SMALL = {
    "practice", "person", "person_role", "installation", "worker", "pace", "schedule_rule", "model", "account",
    "to_assess",
}  # fmt: skip
# With an equality on one of these alone, an index leads to a whole practice, or to everything in a state that lasts.
BROAD = re.compile(r"INDEX \w+ \((practice_id|channel|kind|state)=\?( AND (practice_id|channel|kind)=\?)*\)$")
PASSING = re.compile(r"state = '(due|claimed|in_doubt)'")  # nothing stays in these for long
NAMED = re.compile(r"\b(?:from|join|update|into)\s+(\w+)(?:\s+(?:as\s+)?(?!where|set|join|on|left|order|group)(\w+))?")


_looks = count()


@dataclass(frozen=True)
class Asked:
    """One statement as it was run."""

    sql: str
    params: Mapping[str, Any]


@contextmanager
def recorded(store: Store) -> Iterator[list[Asked]]:
    """Every statement that goes through a transaction meanwhile, once."""
    assert isinstance(store, SqliteEngine)
    found: dict[str, Asked] = {}
    plain = {name: getattr(SqliteTx, name) for name in ("all", "run", "run_many")}

    def watch(name: str) -> Any:
        def watched(tx: SqliteTx, sql: str, params: Any = None) -> Any:
            first: Any = params[:1] if name == "run_many" else [params or {}]
            for each in first:
                found.setdefault(sql, Asked(sql, dict(each)))
            return plain[name](tx, sql, *([] if params is None else [params]))

        return watched

    statements: list[Asked] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in plain:
            patch.setattr(SqliteTx, name, watch(name))
        yield statements
    statements += found.values()


def walks(store: Store, statements: Sequence[Asked], small: int = 0) -> list[str]:
    """Which of these walk through a table that grows, with how SQLite goes about it; tables with fewer than `small`
    rows may be walked through, since once SQLite knows that they are small it does so."""
    assert isinstance(store, SqliteEngine)
    conn, found = store._database().conn, []
    names = [row[0] for row in conn.execute("select name from sqlite_master where type = 'table'")]
    rows = {name: conn.execute(f"select count(*) from {name}").fetchone()[0] for name in names}
    growing = {name for name in names if name not in SMALL and rows[name] >= small}
    for asked in statements:
        tables = {alias or table: table for table, alias in NAMED.findall(asked.sql)}
        # each time as a text of its own: one that is kept ready doesn't notice that an index has gone
        for row in conn.execute(f"explain query plan /* {next(_looks)} */ {asked.sql}", asked.params):
            step = str(row[3])
            if tables.get(step.split(" ")[1]) in growing and _is_walk(step, asked.sql):
                found.append(f"{step}\n    in: {' '.join(asked.sql.split())[:200]}")
    return found


def _is_walk(step: str, sql: str) -> bool:
    return step.startswith("SCAN") or "AUTOMATIC" in step or bool(BROAD.search(step) and not PASSING.search(sql))


class Forgetful:
    """A provider that takes everything, and loses every third answer."""

    sender = "null"

    def __init__(self) -> None:
        self._ids = count(1)
        self.attempts: dict[str, str] = {}

    def send(self, message: Outgoing) -> str:
        number = next(self._ids)
        provider_id = f"SM{number:032x}"
        self.attempts[provider_id] = message.attempt_id
        if number % 3 == 0:
            raise InDoubt("lost")
        return provider_id

    def find(self, to: str, body: str, since: object) -> list[str]:
        return []


@pytest.fixture
def town(config: Config, tmp_path: Path) -> Riverside:
    """Riverside after a year, with a few check-ins that are due."""
    where = {"database_url": f"sqlite:///{tmp_path}/attune.db", "twilio_api_url": "http://127.0.0.1:9"}
    ctx = context.build(replace(config, **where))
    ctx.store.migrate()
    return riverside(replace(ctx, channels={"sms": Forgetful()}), **ALWAYS_OPEN)


def a_year(town: Riverside, clients: int = 20) -> list[Someone]:
    """So many clients with twenty check-ins each, and one that is due for twenty; nothing was asked of five more."""
    whose = bench_rows.answered(town, clients * 80, MONDAY_NOON, each_has=20)
    new = bench_rows.clients(town, 5, welcomed=False)
    bench_rows.due(town, [*whose[:20], *new], MONDAY_NOON)
    Browser(town.ctx, MONDAY_NOON).sign_in(town.practice.id, "theo@riverside.example").get(f"/clients/{whose[0].id}")
    return whose[:20]


def a_pass(ctx: Context, minutes: int) -> None:
    """What a worker does all day; what it does once a day may take its time."""
    now = MONDAY_NOON + timedelta(minutes=minutes)
    for flow in (asking.expire_due, asking.ask_due, asking.remind_due, alerting.climb_due, sending.free_abandoned):
        flow(ctx, now)
    sending.due_by_lane(ctx, now)
    for message in sending.claim(ctx, "a worker", now, most=30):
        sending.deliver(ctx, message, now)
    settling.due_count(ctx, now)
    settling.look_up_due(ctx, now)
    Chores(ctx, CHORES).due(now)
    planning.plan_marked(ctx, now)
    signal.assess_marked(ctx, now)


def a_day(town: Riverside, whose: Sequence[Someone]) -> None:
    """Check-ins go out, replies and callbacks come in, the therapist looks."""
    ctx = town.ctx
    for minutes in (0, 1, 5):
        a_pass(ctx, minutes)
    browser = Browser(ctx, MONDAY_NOON + timedelta(minutes=6)).sign_in(town.practice.id, "theo@riverside.example")
    texts = ["5 4 5 4", "2 1 1 2", "It was fine, thank you", "STOP", "call me please", "I want to die"]
    for number, (who, body) in enumerate(zip(whose, texts, strict=False)):
        form = {"MessageSid": f"SM{number + 1000:032x}", "From": who.phone, "To": SENDER, "Body": body}
        assert posted(browser, "/webhooks/twilio/sms", form) == 200
    provider = ctx.channels["sms"]
    assert isinstance(provider, Forgetful)
    for provider_id, attempt in list(provider.attempts.items())[:3]:
        form = {"MessageSid": provider_id, "MessageStatus": "delivered"}
        assert posted(browser, f"/webhooks/twilio/status?attempt={attempt}", form) == 204
    for minutes in (7, 15, 30, 60 * 24, 60 * 74):
        a_pass(ctx, minutes)
    planning.replan(ctx, town.practice.id, [who.id for who in whose], MONDAY_NOON)
    for page in ("/caseload", f"/clients/{whose[0].id}", "/notes"):
        assert browser.get(page).status_code == 200


def posted(browser: Browser, path: str, form: dict[str, str]) -> int:
    form = {**form, "AccountSid": ACCOUNT_SID}
    signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC_URL}{path}", form)
    return browser.client.post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code


def test_no_hot_query_walks_through_a_table_that_grows(town: Riverside) -> None:
    """Neither before SQLite has looked at how rows are spread nor after."""
    whose = a_year(town, 300)
    with recorded(town.ctx.store) as statements:
        a_day(town, whose)
    assert len(statements) > 60
    assert walks(town.ctx.store, statements) == []
    town.ctx.store.analyze()
    assert walks(town.ctx.store, statements, small=200) == []


def test_a_missing_index_is_noticed(town: Riverside) -> None:
    """So the test above would tell."""
    whose, known = a_year(town), 0
    with recorded(town.ctx.store) as statements:
        a_day(town, whose)
    for index in ("outbox_due", "suppression_address", "client_phone", "attempt_outbox"):
        with town.ctx.store.transaction() as tx:
            tx.run(f"drop index {index}")
        found = walks(town.ctx.store, statements)
        assert len(found) > known, f"nobody missed {index}"
        known = len(found)
