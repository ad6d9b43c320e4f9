"""`attune`: what an operator or manager types. Each command reads its settings, calls a flow, and says what happened.

Commands exit 0, 1 if any row was refused or something is wrong, and 2 for a call or a setting that can't be used.
"""

import os
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot import config as settings
from bot import log
from bot.clock import clock_for
from bot.config import BadConfig, Config
from bot.flows import context, exporting, intake, operating
from bot.flows import settings as practice_settings
from bot.flows.context import Context
from bot.flows.settings import BadSetting
from bot.flows.tables import BadTable
from bot.store import StoreError, open_store, practices
from bot.store.practices import Practice
from surveys import instrument, replies
from surveys.instrument import BadInstrument
from surveys.schedule import BadSchedule

TROUBLES = (BadConfig, StoreError, BadSetting, BadTable, BadSchedule, BadInstrument)

practice_option = click.option(
    "--practice", "practice_name", metavar="NAME", help="Which practice, where there are several."
)


class _Attune(click.Group):
    """Says in words what is wrong, and never shows a trace for a mistake that has a name."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TROUBLES as error:
            click.echo(str(error), err=True)
            ctx.exit(2)


@click.group(cls=_Attune, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Ask therapy clients after an appointment whether they felt heard, respected and understood, and tell the
    therapist early when rapport is slipping."""
    log.set_up("command")


@main.command()
def migrate() -> None:
    """Make or upgrade the database. Safe to run twice, or by several processes at once."""
    config = settings.from_environment()
    done = open_store(config.database_url, config.secrets or ("none",)).migrate()
    click.echo(f"{len(done)} steps applied." if done else "Nothing to do: the database is up to date.")


@main.command()
def web() -> None:
    """Serve the webhooks and pages on 0.0.0.0:PORT, by gunicorn."""
    config = _needing("secrets", "public_url")
    open_store(config.database_url, config.secrets).check_ready()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"0.0.0.0:{config.port}", "--workers", "2"]
    command += ["--worker-class", "gthread", "--threads", "4", "--no-control-socket", "--timeout", "60"]
    # the log of requests would hold addresses with tokens in them
    command += ["--graceful-timeout", "30", "--log-level", "warning", "bot.web:create_app()"]
    os.execv(sys.executable, command)  # noqa: S606 (no shell wanted: every part is ours)


@main.command()
def worker() -> None:
    """Send what is due, look after alerts, until told to stop. Any number of workers may run."""
    from bot.worker import Worker

    log.set_up("worker")
    ctx = _context()
    ctx.store.check_ready()
    Worker(ctx, clock_for(ctx.config.clock_url)).run()


@main.command()
@click.option("--now", "now_text", metavar="ISO", help="Act as if it were this time.")
def tick(now_text: str | None) -> None:
    """One pass of the worker."""
    from bot.worker import tick_once

    ctx = _context()
    ctx.store.check_ready()
    clock = _FixedClock(_moment(now_text)) if now_text else clock_for(ctx.config.clock_url)
    click.echo(f"{tick_once(ctx, clock)} things done.")


@main.command("import")
@click.argument("kind", type=click.Choice(list(intake.COLUMNS)))
@click.argument("file", type=click.Path(path_type=Path))
@practice_option
def import_(kind: str, file: Path, practice_name: str | None) -> None:
    """Take in therapists, a roster of clients, or appointments from a CSV FILE ("-" for standard input).

    Good rows are taken, bad ones named by line and column; the same file twice changes nothing.
    """
    ctx = _context()
    now = _now(ctx)
    with ctx.store.transaction() as tx:
        practice = practice_settings.find_practice(tx, practice_name, now, create=True)
    taken = intake.take_file(ctx, practice, kind, _read(file), now)
    for problem in taken.problems:
        click.echo(str(problem), err=True)
    refused = len({problem.line for problem in taken.problems})
    click.echo(f"{kind}: {taken.new} new, {taken.changed} changed, {taken.same} as before, {refused} refused.")
    sys.exit(1 if taken.problems else 0)


@main.command()
@click.argument("kind", type=click.Choice(list(exporting.KINDS)))
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@practice_option
def export(kind: str, reason: str, form: str, practice_name: str | None) -> None:
    """Write answers, messages or alerts to standard output."""
    if not reason.strip():
        raise BadSetting("--reason must say why: it is kept in the audit trail.")
    ctx, practice = _with_practice(practice_name)
    for line in exporting.export(ctx, practice, kind, reason.strip(), form, "command", _now(ctx)):
        click.echo(line, nl=False)


@main.group()
def schedule() -> None:
    """The practice's rule: after which appointments, when, how often (docs/schedule.md)."""


@schedule.command("show")
@practice_option
def schedule_show(practice_name: str | None) -> None:
    """Every key of the rule."""
    _, practice = _with_practice(practice_name)
    _show(practice_settings.show_schedule(practice))


@schedule.command("set")
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
@practice_option
def schedule_set(pairs: Sequence[str], practice_name: str | None) -> None:
    """Change the rule; what is not yet sent is planned anew."""
    ctx, practice = _with_practice(practice_name)
    _show(practice_settings.set_schedule(ctx, practice, _pairs(pairs), _now(ctx)))


@main.group()
def practice() -> None:
    """The practice's name, zone, language, and whom to tell of danger (docs/managers.md)."""


@practice.command("show")
@practice_option
def practice_show(practice_name: str | None) -> None:
    """Every setting."""
    ctx, found = _with_practice(practice_name)
    _show(practice_settings.show_practice(ctx, found))


@practice.command("set")
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
@practice_option
def practice_set(pairs: Sequence[str], practice_name: str | None) -> None:
    """Change settings, for example sms_name=Riverside duty_email=dana@example.org."""
    ctx, found = _with_practice(practice_name)
    practice_settings.set_practice(ctx, found, _pairs(pairs), _now(ctx))
    click.echo("Saved.")


@main.group()
def token() -> None:
    """Tokens for POST /api/v1/appointments."""


@token.command("new")
@click.argument("name")
@practice_option
def token_new(name: str, practice_name: str | None) -> None:
    """Make a token; it is shown once."""
    ctx, found = _with_practice(practice_name)
    with ctx.store.transaction() as tx:
        made = practices.new_token(tx, found.id, name, _now(ctx))
    click.echo(made)


@main.command("try-reply")
@click.argument("text")
@click.option("--asked", default="heard,respected,understood", show_default=True, help="The open questions.")
@click.option("--channel", type=click.Choice(["sms", "email"]), default="sms", show_default=True)
def try_reply(text: str, asked: str, channel: str) -> None:
    """Show how a reply is read, and why. Nothing is stored or sent."""
    instruments = instrument.load_all()
    feelings = tuple(part.strip() for part in asked.split(",") if part.strip())
    if unknown := [f for f in feelings if f not in instruments.questions]:
        raise BadSetting(f"--asked: {unknown[0]} is not a feeling; there are {', '.join(instruments.questions)}.")
    reply = replies.parse(text, asked=feelings, instruments=instruments, channel=channel)
    click.echo(f"kind: {reply.kind}")
    for feeling, score in zip(feelings, reply.scores, strict=True):
        click.echo(f"{feeling}: {score if score is not None else 'open'}")
    flags = ("opt_out", "crisis", "call")
    click.echo(f"flags: {', '.join(name for name in flags if getattr(reply, name)) or 'none'}")
    click.echo(f"comment: {reply.comment or ''}")
    for because in reply.because:
        click.echo(f"because: {because.feeling or '-'} {because.score or ''} {because.words!r} ({because.rule})")


@main.command()
def doctor() -> None:
    """Look over settings, database, clock, Twilio, PUBLIC_URL, the worker and what each practice lacks."""
    ctx = _context()
    findings = operating.doctor(ctx, _now(ctx))
    for finding in findings:
        click.echo(f"{finding.level:4}  {finding.subject}: {finding.text}")
    sys.exit(1 if any(finding.level == "bad" for finding in findings) else 0)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write a consistent copy of the live database to FILE, checked by opening it. The key is not in it."""
    ctx = _context()
    operating.backup(ctx, str(file), _now(ctx))
    click.echo(f"Written and checked: {file}. Keep SECRET_KEY elsewhere: without it the copy can't be read.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put the backup FILE in the place of the database. Stop web and worker first."""
    ctx = _context()
    done = operating.restore(ctx, str(file), _now(ctx))
    click.echo(
        f"Restored. {done.messages} messages are looked up before they may go out again; {done.check_ins} check-ins "
        "that may have been asked since the backup are not asked again."
    )


@main.command("new-key")
def new_key() -> None:
    """Make a SECRET_KEY. Keep it apart from the database and its backups."""
    click.echo(secrets.token_urlsafe(48))


class _FixedClock:
    """For `tick --now`."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits for us."""


def _needing(*names: str) -> Config:
    config = settings.from_environment()
    settings.needs(config, *names)
    return config


def _context() -> Context:
    return context.build(_needing("secrets"))


def _with_practice(name: str | None) -> tuple[Context, Practice]:
    ctx = _context()
    with ctx.store.transaction() as tx:
        return ctx, practice_settings.find_practice(tx, name, _now(ctx))


def _now(ctx: Context) -> datetime:
    return clock_for(ctx.config.clock_url).now()


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadSetting("--now must be a time such as 2026-11-23T10:00:00-05:00.") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadSetting(f"{file} can't be read: {error.strerror}.") from None


def _pairs(pairs: Sequence[str]) -> dict[str, str]:
    if bad := [pair for pair in pairs if "=" not in pair]:
        raise BadSetting(f"{bad[0]!r} is not KEY=VALUE.")
    return {key.strip(): value for key, _, value in (pair.partition("=") for pair in pairs)}


def _show(values: dict[str, str]) -> None:
    for key, value in values.items():
        click.echo(f"{key}={value}")
