"""Looking after an installation: is it well, what is missing, a backup, coming back from one."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

from bot.config import SHORTEST_SECRET, Config
from bot.flows.context import Context
from bot.flows.readiness import missing_for_going_live
from bot.flows.settling import LOOKS_AT
from bot.store import Store, StoreError, check_ins, outbox, practices, sends, system
from bot.store.sql import epoch, moment_of

LATE = timedelta(minutes=5)
BACKED_UP_AT = "backed_up_at"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `good`, `warn` (can wait) or `bad`, and what to do."""

    level: str
    subject: str
    text: str


@dataclass(frozen=True)
class Restored:
    """How many check-ins were closed, and how many messages put in doubt, since they may have gone out."""

    check_ins: int
    messages: int


def health(ctx: Context, now: datetime) -> dict[str, object]:
    """The database, the worker's heartbeat (seconds ago, or null), and what waits for a person."""
    try:
        with ctx.store.transaction(write=False) as tx:
            beat = system.last_beat(tx)
            waiting = outbox.counts(tx).get("needs_person", 0)
    except Exception as error:
        return {"database": error.__class__.__name__, "worker_seen_seconds_ago": None, "needs_person": None}
    age = None if beat is None else max(0, int((now - beat).total_seconds()))
    return {"database": "ok", "worker_seen_seconds_ago": age, "needs_person": waiting}


def doctor(ctx: Context, now: datetime) -> list[Finding]:
    """Everything an operator would want checked, each with what to do about it."""
    config = ctx.config
    return [
        *_settings(config),
        *_database(ctx.store),
        *_worker(ctx, now),
        *_twilio_clock(config, now),
        *_public_url(config),
        *_practices(ctx),
    ]


def backup(ctx: Context, path: str, now: datetime) -> None:
    """Write a consistent copy of the live database to `path`, checked by opening it. Raises StoreError."""
    if os.path.exists(path):
        raise StoreError(f"{path} is there already; give the backup a name of its own.")
    with ctx.store.transaction() as tx:
        system.set_value(tx, BACKED_UP_AT, str(epoch(now)))
    part = f"{path}.part"
    ctx.store.copy_to(part)
    os.chmod(part, 0o600)
    copy = Store(part, ctx.store.sealer)
    found = copy.integrity()
    copy.close()
    for leftover in (f"{part}.writer", f"{part}-wal", f"{part}-shm"):
        Path(leftover).unlink(missing_ok=True)
    if found != "ok":
        raise StoreError(f"The copy failed SQLite's own check ({found}); nothing was kept of it.")
    os.rename(part, path)


def restore(ctx: Context, path: str, now: datetime) -> Restored:
    """Put a backup in the place of the database, which must not be in use.

    What was due when the backup was made, or has been since, may have gone out: messages are looked up at the
    provider before anything else, and check-ins due meanwhile are not asked again. The database that was there
    is kept beside it. Raises StoreError.
    """
    source = Store(path, ctx.store.sealer)
    if not os.path.isfile(path) or source.integrity() != "ok":
        raise StoreError(f"{path} isn't a whole database; nothing was changed.")
    source.pending()  # refuses one of a newer program
    source.close()
    target = ctx.store.path
    ctx.store.close()
    _set_aside(target, now)
    shutil.copyfile(path, target)
    os.chmod(target, 0o600)
    ctx.store.migrate()
    with ctx.store.transaction() as tx:
        known = system.value(tx, BACKED_UP_AT)
        at = moment_of(int(known)) if known else now
        closed = check_ins.close_doubtful(tx, now)
        look_at = now + timedelta(seconds=ctx.config.settle_seconds) * LOOKS_AT[0]
        return Restored(closed, sends.doubt_all_since(tx, at, look_at))


def _set_aside(target: str, now: datetime) -> None:
    kept = f"{target}.before-{now:%Y%m%d-%H%M%S}"
    for ending in ("", "-wal", "-shm"):
        if os.path.exists(target + ending):
            os.rename(target + ending, kept + ending)


def _settings(config: Config) -> list[Finding]:
    found = []
    if not config.public_url:
        found.append(Finding("bad", "PUBLIC_URL", "is not set: Twilio's signatures can't be checked without it."))
    elif not config.public_url.startswith("https://"):
        found.append(Finding("warn", "PUBLIC_URL", "is not https; real clients' answers would travel in the open."))
    if not config.sends_texts:
        text = "texts can't be sent: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and a sender."
        found.append(Finding("warn", "Twilio", text))
    if not config.sends_mail:
        found.append(Finding("bad", "mail", "alerts can't reach anyone: set SMTP_URL and MAIL_FROM."))
    if any(len(secret) < SHORTEST_SECRET for secret in config.secrets):
        found.append(Finding("warn", "SECRET_KEY", "is short; make one with `attune new-key`."))
    return found or [Finding("good", "settings", "all there.")]


def _database(store: Store) -> list[Finding]:
    try:
        store.check_ready()
        found = store.durability()
    except StoreError as error:
        return [Finding("bad", "database", str(error))]
    level, text = "good", f"SQLite {found['sqlite']}, synchronous FULL, journal {found['journal_mode']}."
    if found["journal_mode"] != "wal":
        level, text = "warn", f"{text} This SQLite has a fault in WAL mode, so the slower journal is used."
    checked = store.integrity()
    whole = Finding(level, "database", text)
    return [whole] if checked == "ok" else [whole, Finding("bad", "database", f"its own check says: {checked}")]


def _worker(ctx: Context, now: datetime) -> list[Finding]:
    found = health(ctx, now)
    age = found["worker_seen_seconds_ago"]
    if not isinstance(age, int):
        return [Finding("bad", "worker", "none has been seen yet: start `attune worker`.")]
    if age > LATE.total_seconds():
        return [Finding("bad", "worker", f"was last seen {age // 60} minutes ago: nothing is sent. Start it again.")]
    waiting = found["needs_person"]
    seen = Finding("good", "worker", f"seen {age} seconds ago.")
    if waiting:
        text = f"{waiting} messages wait for a person: see `attune export messages` for state needs_person."
        return [seen, Finding("warn", "outbox", text)]
    return [seen]


def _twilio_clock(config: Config, now: datetime) -> list[Finding]:
    """Whether Twilio's address answers, and how far its clock is from ours."""
    if not config.sends_texts:
        return []
    try:
        answer = requests.get(config.twilio_api_url, timeout=5)
        theirs = answer.headers.get("Date")
    except requests.RequestException as error:
        text = f"{config.twilio_api_url} doesn't answer ({error.__class__.__name__})."
        return [Finding("bad", "Twilio", text)]
    if config.clock_url or not theirs:
        return [Finding("good", "Twilio", f"{config.twilio_api_url} answers.")]
    apart = abs((now - parsedate_to_datetime(theirs)).total_seconds())
    if apart > 30:
        return [Finding("bad", "clock", f"is {apart:.0f} seconds off Twilio's: set it right (ntp).")]
    return [Finding("good", "Twilio", f"{config.twilio_api_url} answers, and the clocks agree.")]


def _public_url(config: Config) -> list[Finding]:
    if not config.public_url:
        return []
    try:
        answer = requests.get(f"{config.public_url}/healthz", timeout=5)
    except requests.RequestException as error:
        text = f"{config.public_url} can't be reached from here ({error.__class__.__name__})."
        return [Finding("warn", "PUBLIC_URL", text)]
    if answer.status_code != 200:
        return [Finding("bad", "PUBLIC_URL", f"answers {answer.status_code} to /healthz: does it lead here?")]
    return [Finding("good", "PUBLIC_URL", "leads here.")]


def _practices(ctx: Context) -> list[Finding]:
    try:
        with ctx.store.transaction(write=False) as tx:
            lacking = {practice.name: missing_for_going_live(tx, practice) for practice in practices.every(tx)}
    except Exception:
        return []  # the database's own finding says why
    level = "bad" if ctx.config.real_twilio else "warn"
    return [Finding(level, name, f"lacks {text}") for name, missing in lacking.items() for text in missing]
