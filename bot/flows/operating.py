"""Looking after an installation: is it well, what is missing, what to do about it."""

import os
import socket
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests

from bot.channels import DeliveryFailed
from bot.channels.imap import open_postbox
from bot.config import SHORTEST_SECRET, Config
from bot.flows import mail_names
from bot.flows.backups import GOOD_BACKUP_AT
from bot.flows.context import Context
from bot.flows.readiness import missing_for_going_live
from bot.store import SealBroken, SqliteEngine, Store, StoreError, audit, outbox, people, practices, sends, system
from bot.store.sql import moment_of

LATE = timedelta(minutes=5)
BACKUP_EVERY = timedelta(days=2)
CLOCKS_APART = timedelta(seconds=30)
PATIENCE = 5  # seconds
_WAYS = {"sms": "texts", "mail": "mail"}
MOST_UNSEEN = 100  # mails in a mailbox that is looked into every minute


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `good`, `warn` (can wait) or `bad`, and what to do."""

    level: str
    subject: str
    text: str


def health(ctx: Context, now: datetime) -> dict[str, object]:
    """The database, the worker's heartbeat (seconds ago, or null), and what waits for a person."""
    try:
        with ctx.store.transaction(write=False) as tx:
            beat = system.last_beat(tx)
            waiting = outbox.need_a_person(tx)
    except Exception as error:
        return {"database": error.__class__.__name__, "worker_seen_seconds_ago": None, "needs_person": None}
    age = None if beat is None else max(0, int((now - beat).total_seconds()))
    return {"database": "ok", "worker_seen_seconds_ago": age, "needs_person": waiting}


def is_well(health: dict[str, object]) -> bool:
    """The database answers, and no worker that was seen has stopped since: a watcher may look at this alone."""
    age = health["worker_seen_seconds_ago"]
    return health["database"] == "ok" and not (isinstance(age, int) and age > LATE.total_seconds())


def doctor(ctx: Context, now: datetime) -> list[Finding]:
    """Everything an operator would want checked, each with what to do about it."""
    config, store = ctx.config, ctx.store
    asked = [
        *_settings(config),
        *_twilio(config, now),
        *_mail_server(config),
        *_mail_names(config),
        *_mailbox(config),
        *_one_click(config),
        *_public_url(config),
    ]
    if not store.exists():
        return [*asked, Finding("bad", "database", f"there is none at {store.place}: run `attune migrate` first.")]
    try:
        store.check_ready()
    except StoreError as error:
        return [*asked, Finding("bad", "database", str(error))]
    except Exception as error:  # what reading a damaged file raises is of many kinds
        return [*asked, Finding("bad", "database", f"can't be read ({error.__class__.__name__}): restore a backup.")]
    kept = [*_database(store), *_data_folder(ctx), *_backup(store, now)]
    return [*asked, *kept, *_worker(ctx, now), *_behind_the_key(ctx)]


def stuck(ctx: Context, now: datetime) -> list[str]:
    """What is due and waits because no way to send it is set up: a sentence for each way."""
    if all(channel in ctx.channels for channel in _WAYS):
        return []
    with ctx.store.transaction(write=False) as tx:
        lanes = sends.due_counts(tx, now)
    due = Counter[str]()
    for (channel, _urgent), count in lanes.items():
        due[channel] += count
    return [
        f"{due[channel]} due and waiting: no {what} can be sent without {', '.join(_unset(ctx.config, channel))}."
        for channel, what in _WAYS.items()
        if channel not in ctx.channels and channel in due
    ]


def _settings(config: Config) -> list[Finding]:
    found = [*_secret(config), *_missing(config)]
    if not config.public_url:
        found.append(Finding("bad", "PUBLIC_URL", "is not set: Twilio's signatures can't be checked without it."))
    elif not config.public_url.startswith("https://"):
        found.append(Finding("warn", "PUBLIC_URL", "is not https: real clients' answers would travel in the open."))
    return found or [Finding("good", "settings", "all there.")]


def _secret(config: Config) -> list[Finding]:
    if not config.secrets:
        text = "(or SECRET_KEY_FILE) is not set: web and worker won't start; make one with `attune new-key`."
        return [Finding("bad", "SECRET_KEY", text)]
    if any(len(secret) < SHORTEST_SECRET for secret in config.secrets):
        return [Finding("warn", "SECRET_KEY", "is short; make one with `attune new-key`.")]
    return []


def _missing(config: Config) -> list[Finding]:
    """What each way of sending lacks, by the names of its settings."""
    found = [Finding("warn", name, "is not set: no texts can be sent.") for name in _unset(config, "sms")]
    return found + [Finding("bad", name, "is not set: alerts can't reach anyone.") for name in _unset(config, "mail")]


def _unset(config: Config, channel: str) -> list[str]:
    """The names of the settings that a way of sending lacks."""
    if channel == "mail":
        return [name for name, value in (("SMTP_URL", config.smtp_url), ("MAIL_FROM", config.mail_from)) if not value]
    texts = {
        "TWILIO_ACCOUNT_SID": config.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": config.twilio_auth_tokens,
        "TWILIO_MESSAGING_SERVICE_SID (or TWILIO_FROM)": config.twilio_messaging_service_sid or config.twilio_from,
    }
    return [name for name, value in texts.items() if not value]


def _twilio(config: Config, now: datetime) -> list[Finding]:
    """Whether Twilio's address answers, and how far its clock is from ours."""
    if not config.sends_texts:
        return []
    try:
        answer = requests.get(config.twilio_api_url, timeout=PATIENCE)
        theirs = answer.headers.get("Date")
        apart = abs(now - parsedate_to_datetime(theirs)) if theirs and not config.clock_url else timedelta()
    except (requests.RequestException, TypeError, ValueError) as error:
        text = f"{config.twilio_api_url} doesn't answer as it should ({error.__class__.__name__})."
        return [Finding("bad", "Twilio", text)]
    if apart > CLOCKS_APART:
        return [Finding("bad", "clock", f"is {apart.total_seconds():.0f} seconds off Twilio's: set it right (ntp).")]
    text = "answers." if config.clock_url or not theirs else "answers, and the clocks agree."
    return [Finding("good", "Twilio", f"{config.twilio_api_url} {text}")]


def _mail_server(config: Config) -> list[Finding]:
    """Whether the mail server takes connections; whether it takes our password only a mail can tell."""
    if not config.sends_mail:
        return []
    parts = urlsplit(config.smtp_url)
    host, port = parts.hostname or "", parts.port or (465 if parts.scheme == "smtps" else 25)
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except OSError as error:
        text = f"{host}:{port} takes no connection ({error.__class__.__name__}): alerts can't reach anyone."
        return [Finding("bad", "mail server", text)]
    return [Finding("good", "mail server", f"{host}:{port} takes connections.")]


def _mail_names(config: Config) -> list[Finding]:
    """Whether the sender's domain lets its mails arrive. A pretend provider has no names to look up."""
    if not config.sends_mail or config.clock_url:
        return []
    try:
        lacking = mail_names.missing(config.mail_from)
    except OSError as error:
        return [Finding("warn", "MAIL_FROM", f"its domain's records can't be looked up here ({error}).")]
    dkim = "Your mail provider signs with DKIM: send yourself a mail, and look in its headers for dkim=pass."
    return [Finding("warn", "MAIL_FROM", text) for text in lacking] or [
        Finding("good", "MAIL_FROM", f"SPF and DMARC are there. {dkim}")
    ]


def _mailbox(config: Config) -> list[Finding]:
    """Whether clients' replies by mail come in: the mailbox opens with our password, or a webhook has its secret."""
    if not config.imap_url:
        if config.mail_webhook_secret or not config.sends_mail:
            return []
        text = "is not set, nor is MAIL_WEBHOOK_SECRET: what clients write back by mail reaches nobody."
        return [Finding("warn", "IMAP_URL", text)]
    parts = urlsplit(config.imap_url)
    where = f"{parts.hostname or ''}{parts.path if parts.path.strip('/') else '/INBOX'}"
    try:
        with open_postbox(config.imap_url) as postbox:
            waiting = len(postbox.unseen(MOST_UNSEEN))
    except DeliveryFailed as error:
        text = f"{where}: {error.reason}. Look at the host, user, password (written as in a URL) and folder."
        return [Finding("bad", "IMAP_URL", text)]
    if waiting >= MOST_UNSEEN:
        text = f"{where} opens, but {MOST_UNSEEN} mails or more there are unread: does the worker run?"
        return [Finding("warn", "IMAP_URL", text)]
    return [Finding("good", "IMAP_URL", f"{where} opens. It must be Attune's own: mails that others read are missed.")]


def _one_click(config: Config) -> list[Finding]:
    """RFC 8058 asks for https: else mail programs show no button to unsubscribe, and some take mails for spam."""
    if not config.sends_mail or not config.public_url or config.clock_url:
        return []
    if config.public_url.startswith("https://"):
        return [Finding("good", "one-click unsubscribe", "mail programs can offer it: its address is https.")]
    text = "doesn't work, since PUBLIC_URL is not https (RFC 8058): large mail providers may take mails for spam."
    return [Finding("warn", "one-click unsubscribe", text)]


def _public_url(config: Config) -> list[Finding]:
    if not config.public_url:
        return []
    try:
        # a redirect would change the address that Twilio signs
        answer = requests.get(f"{config.public_url}/healthz", timeout=PATIENCE, allow_redirects=False)
    except requests.RequestException as error:
        text = f"{config.public_url} can't be reached from here ({error.__class__.__name__})."
        return [Finding("warn", "PUBLIC_URL", text)]
    if "worker_seen_seconds_ago" not in answer.text:
        text = f"answers {answer.status_code} to /healthz, and not as Attune does: does it lead here?"
        return [Finding("bad", "PUBLIC_URL", text)]
    return [Finding("good", "PUBLIC_URL", "leads here.")]


def _database(store: Store) -> list[Finding]:
    found = store.durability()
    if store.dialect == "sqlite":
        text = f"{store.place}, SQLite {found['sqlite']}, synchronous FULL, journal {found['journal_mode']}."
    else:
        text = f"{store.place}, {', '.join(f'{name} {value}' for name, value in found.items())}."
    whole = Finding("good", "database", text)
    if found.get("journal_mode", "wal") != "wal":
        whole = Finding("warn", "database", f"{text} This SQLite has a fault in WAL mode: the slower journal is used.")
    checked = store.integrity()
    return [whole] if checked == "ok" else [whole, Finding("bad", "database", f"its own check says: {checked}")]


def _data_folder(ctx: Context) -> list[Finding]:
    """With PostgreSQL: whether this host can keep who was erased and how far the database had come."""
    if isinstance(ctx.store, SqliteEngine):
        return []
    folder = Path(ctx.config.data_folder).absolute()
    there = next(each for each in (folder, *folder.parents) if each.exists())  # a worker makes the rest
    if there.is_dir() and os.access(there, os.W_OK):
        return [Finding("good", "DATA_FOLDER", f"{folder} can be written to.")]
    text = f"{folder} can't be written to: a server brought back to an earlier time would not be noticed."
    return [Finding("bad", "DATA_FOLDER", text)]


def _worker(ctx: Context, now: datetime) -> list[Finding]:
    found = health(ctx, now)
    age = found["worker_seen_seconds_ago"]
    if not isinstance(age, int):
        seen = Finding("bad", "worker", "none has been seen yet: start `attune worker`.")
    elif age > LATE.total_seconds():
        seen = Finding("bad", "worker", f"was last seen {age // 60} minutes ago: nothing is sent. Start it again.")
    else:
        seen = Finding("good", "worker", f"seen {age} seconds ago.")
    if not found["needs_person"]:
        return [seen]
    text = f"wait for a person: see those in state needs_person in `attune export messages` ({found['needs_person']})."
    return [seen, Finding("warn", "messages", text)]


def _backup(store: Store, now: datetime) -> list[Finding]:
    if store.dialect != "sqlite":
        return [Finding("good", "backup", "is for PostgreSQL's own tools: see docs/operators.md.")]
    with store.transaction(write=False) as tx:
        known = system.value(tx, GOOD_BACKUP_AT)
    if known is None:
        return [Finding("warn", "backup", "none has been made yet: see `attune backup`.")]
    age = now - moment_of(int(known))
    if age > BACKUP_EVERY:
        return [Finding("warn", "backup", f"the last one is {age.days} days old.")]
    return [Finding("good", "backup", f"the last one was made {moment_of(int(known)):%Y-%m-%d %H:%M} UTC.")]


def _behind_the_key(ctx: Context) -> list[Finding]:
    """What can only be looked at with the key."""
    if not ctx.config.secrets:
        return []
    try:
        return [*_managers(ctx), *_practices(ctx), *_trails(ctx)]
    except SealBroken as error:
        text = (
            f"doesn't open this database: {error}. Set the key it was sealed with, beside a newer one as in "
            "SECRET_KEY=new,old, or look whether DATABASE_URL names the database you mean."
        )
        return [Finding("bad", "SECRET_KEY", text)]


def _managers(ctx: Context) -> list[Finding]:
    """Whether somebody can open the managers' pages."""
    way_in = "`attune invite manager EMAIL` lets the first one in."
    with ctx.store.transaction(write=False) as tx:
        known = practices.every(tx)
        without = [each.name for each in known if not people.with_role(tx, each.id, "manager")]
        for each in known:  # under a key that isn't ours: a trail would look as if it had been changed
            people.with_role(tx, each.id, "therapist")
    if not known:
        return [Finding("warn", "practice", f"there is none yet, and no manager: {way_in}")]
    return [Finding("warn", "manager", f"{name} has none yet: {way_in}") for name in without]


def _practices(ctx: Context) -> list[Finding]:
    with ctx.store.transaction(write=False) as tx:
        lacking = {practice.name: missing_for_going_live(tx, practice) for practice in practices.every(tx)}
    level = "bad" if ctx.config.real_twilio else "warn"
    return [Finding(level, name, f"lacks {text}") for name, missing in lacking.items() for text in missing]


def _trails(ctx: Context) -> list[Finding]:
    """Whether each practice's audit trail is as it was written."""
    with ctx.store.transaction(write=False) as tx:
        return [_trail(practice.name, audit.verify(tx, practice.id)) for practice in practices.every(tx)]


def _trail(name: str, trail: audit.Trail) -> Finding:
    subject = f"audit trail of {name}"
    if trail.broken:
        which = ", ".join(map(str, trail.broken))
        text = f"was changed: entry {which} isn't as it was written. Keep a copy, find out who."
        return Finding("bad", subject, text)
    last = f", the last one {trail.last}" if trail.last else ""
    return Finding("good", subject, f"is whole: {trail.entries} entries{last}.")
