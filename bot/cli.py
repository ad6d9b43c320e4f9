"""`attune`: what an operator or manager types. Each command reads its settings, calls a flow, and says what happened.

Commands exit 0, 1 if any row was refused or something is wrong, and 2 for a call or a setting that can't be used.
What a command needs is loaded by the command: the libraries behind sending and the signal take a second by
themselves, and `attune schedule show` uses none of them.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bot import calls, commands
from bot import config as settings
from bot.calls import BadCall, practice_option
from bot.config import BadConfig

TABLES = ("therapists", "roster", "appointments")
EXPORTS = ("answers", "messages", "alerts")


class _Attune(click.Group):
    """Says in words what is wrong, and never shows a trace for a mistake that has a name."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if not isinstance(error, _troubles()):
                raise
            click.echo(str(error), err=True)
            ctx.exit(2)


def _troubles() -> tuple[type[Exception], ...]:
    from bot.flows.settings import BadSetting
    from bot.flows.tables import BadTable
    from bot.store import SealBroken, StoreError
    from surveys.instrument_file import BadInstrument
    from surveys.schedule import BadSchedule

    return BadCall, BadConfig, StoreError, SealBroken, BadSetting, BadTable, BadSchedule, BadInstrument


@click.group(cls=_Attune, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="attune", message="attune %(version)s")
def main() -> None:
    """Ask therapy clients after an appointment whether they felt heard, respected and understood, and tell the
    therapist early when rapport is slipping."""


for _command in commands.ALL:
    main.add_command(_command)


@main.command()
def migrate() -> None:
    """Make or upgrade the database. Safe to run twice, or by several processes at once."""
    from bot.flows import backups
    from bot.store import open_store

    config = settings.from_environment()
    store = open_store(config.database_url, config.secrets)
    backups.refuse_cut_off(store)
    done = store.migrate()
    steps = f"{len(done)} step{'s' if len(done) > 1 else ''}"
    click.echo(f"{steps} applied." if done else "Nothing to do: the database is up to date.")


@main.command()
def web() -> None:
    """Serve the webhooks and pages on 0.0.0.0:PORT, by gunicorn; beside the sandbox on 127.0.0.1 alone."""
    config = settings.from_environment()
    settings.needs(config, "secrets", "public_url")
    calls.ready(config)
    command = [sys.executable, "-m", "gunicorn", "--config", "python:bot.web.serving"]
    host = "127.0.0.1" if config.clock_url else "0.0.0.0"  # noqa: S104 - a sandbox stays on its machine
    command += ["--bind", f"{host}:{config.port}", "bot.web:create_app()"]
    os.execv(sys.executable, command)  # noqa: S606 (no shell wanted: every part is ours)


@main.command()
def worker() -> None:
    """Send what is due, look after alerts, until told to stop. Any number of workers may run."""
    from bot import memory

    memory.settle_in()
    from bot.clock import clock_for
    from bot.flows import older_copy
    from bot.worker import Worker

    ctx = calls.make_context("worker")
    settings.needs(ctx.config, "public_url")  # without it nobody could open a note
    clock = clock_for(ctx.config.clock_url)
    older_copy.guard(ctx, clock.now())
    Worker(ctx, clock).run()


@main.command()
@click.option("--now", "now_text", metavar="ISO", help="Act as if it were this time (UTC, unless it has an offset).")
def tick(now_text: str | None) -> None:
    """One pass of the worker."""
    from bot.clock import clock_for
    from bot.flows import fetching, older_copy, operating

    at = calls.moment(now_text) if now_text else None
    ctx = calls.make_context("worker")
    clock = calls.ClockFrom(at) if at else clock_for(ctx.config.clock_url)
    older_copy.guard(ctx, clock.now())
    fetching.fetch_missed(ctx, clock.now())
    done = calls.pass_over(ctx, clock)
    click.echo(f"{done} thing{'' if done == 1 else 's'} done.")
    for line in operating.stuck(ctx, clock.now()):
        click.echo(line)


@main.command("receive-mail")
def receive_mail() -> None:
    """Take in a client's mail, raw MIME on standard input; exits 0 once it is stored, else 75 for "try again"."""
    try:
        calls.take_mail()
    except Exception as error:  # any other exit would have the mail server send it back to the client
        known = isinstance(error, _troubles())
        click.echo(str(error) if known else f"Not stored: {error.__class__.__name__}.", err=True)
        sys.exit(os.EX_TEMPFAIL)


@main.command("import")
@click.argument("kind", type=click.Choice(TABLES))
@click.argument("file", type=click.Path(path_type=Path))
@practice_option
def import_(kind: str, file: Path, practice_name: str | None) -> None:
    """Take in therapists, a roster of clients, or appointments from a CSV FILE ("-" for standard input).

    Good rows are taken, bad ones named by line and column; the same file twice changes nothing.
    """
    from bot.flows import intake
    from bot.flows.settings import find_practice

    raw = calls.read(file)
    ctx = calls.make_context()
    now = calls.now_by(ctx.config)
    with ctx.store.transaction() as tx:
        practice = find_practice(tx, practice_name, now, create=True)
    taken = intake.take_file(ctx, practice, kind, raw, now)
    for problem in taken.problems:
        click.echo(str(problem), err=True)
    for note in taken.notes:
        click.echo(f"{note} (taken all the same)", err=True)
    click.echo(f"{kind}: {taken.new} new, {taken.changed} changed, {taken.same} as before, {taken.refused} refused.")
    sys.exit(1 if taken.problems else 0)


@main.command()
@click.argument("kind", type=click.Choice(EXPORTS))
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@practice_option
def export(kind: str, reason: str, form: str, practice_name: str | None) -> None:
    """Write answers, messages or alerts to standard output."""
    from bot.flows import exporting

    if not reason.strip():
        raise BadCall("--reason must say why: it is kept in the audit trail.")
    _, practice = calls.with_practice(practice_name)
    ctx = calls.make_context()
    now = calls.now_by(ctx.config)
    for line in exporting.export(ctx, practice, kind, reason.strip(), form, "command", now):
        click.echo(line.encode(), nl=False)  # UTF-8 and these line ends, whatever the terminal's


@main.group()
def schedule() -> None:
    """The practice's rule: after which appointments, when, how often (docs/schedule.md)."""


therapist_option = click.option("--therapist", metavar="EMAIL", help="What differs for this therapist's clients.")
client_option = click.option("--client", metavar="REF", help="What differs for this client.")


@schedule.command("show")
@therapist_option
@client_option
@practice_option
def schedule_show(therapist: str | None, client: str | None, practice_name: str | None) -> None:
    """Every key of the rule that holds."""
    from bot.flows.settings import show_rule

    store, practice = calls.with_practice(practice_name)
    calls.show(show_rule(store, practice, therapist, client))


@schedule.command("set")
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
@therapist_option
@client_option
@practice_option
def schedule_set(pairs: Sequence[str], therapist: str | None, client: str | None, practice_name: str | None) -> None:
    """Change the rule, or with KEY=default go back to what lies below; what is not yet sent is planned anew."""
    from bot.flows.settings import set_schedule

    changes = calls.pairs_of(pairs)
    _, practice = calls.with_practice(practice_name)
    ctx = calls.make_context()
    calls.show(set_schedule(ctx, practice, changes, calls.now_by(ctx.config), therapist, client))


@main.group()
def practice() -> None:
    """The practice's name, zone, language, and whom to tell of danger (docs/managers.md)."""


@practice.command("show")
@practice_option
def practice_show(practice_name: str | None) -> None:
    """Every setting of the practice, and whom to tell of danger."""
    from bot.flows.settings import show_practice

    store, found = calls.with_practice(practice_name)
    calls.show(show_practice(store, found))


@practice.command("set")
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
@practice_option
def practice_set(pairs: Sequence[str], practice_name: str | None) -> None:
    """Change settings, for example sms_name=Riverside duty_email=dana@example.org."""
    from bot.flows.settings import set_practice

    changes = calls.pairs_of(pairs)
    _, found = calls.with_practice(practice_name)
    ctx = calls.make_context()
    set_practice(ctx, found, changes, calls.now_by(ctx.config))
    click.echo("Saved.")


@main.group()
def client() -> None:
    """How one client stands with the practice: in care or not, and going on after a halt."""


@client.command("set")
@click.argument("client_ref")
@click.argument("pairs", nargs=-1, required=True, metavar="state=STATE")
@practice_option
def client_set(client_ref: str, pairs: Sequence[str], practice_name: str | None) -> None:
    """Set state to active, on_hold, discharged or died. Whoever is not active is asked nothing more."""
    from bot.flows import standing

    changes = calls.pairs_of(pairs)
    if list(changes) != ["state"]:
        raise BadCall("Only the state can be set, as in state=on_hold.")
    _, found = calls.with_practice(practice_name)
    ctx = calls.make_context()
    done = standing.set_state(ctx, found, client_ref, changes["state"], "command", calls.now_by(ctx.config))
    click.echo("Saved." if done else "It was so before.")


@client.command("resume")
@click.argument("client_ref")
@practice_option
def client_resume(client_ref: str, practice_name: str | None) -> None:
    """Let check-ins go on after danger, when a clinician says so, or after a long silence."""
    from bot.flows import standing

    _, found = calls.with_practice(practice_name)
    ctx = calls.make_context()
    done = standing.resume(ctx, found, client_ref, "command", calls.now_by(ctx.config))
    click.echo("Check-ins go on." if done else "Nothing held them up.")


@main.group()
def person() -> None:
    """Therapists and others on the practice's side."""


@person.command("set")
@click.argument("email")
@click.argument("pairs", nargs=-1, required=True, metavar="active=yes|no")
@practice_option
def person_set(email: str, pairs: Sequence[str], practice_name: str | None) -> None:
    """Note that somebody left (active=no) or is back (active=yes). A leaver's links open nothing from then on."""
    from bot.flows import by_hand

    changes = calls.pairs_of(pairs)
    if list(changes) != ["active"] or changes["active"] not in ("yes", "no"):
        raise BadCall("Only this can be set: active=yes or active=no.")
    _, found = calls.with_practice(practice_name)
    ctx = calls.make_context()
    active = changes["active"] == "yes"
    done = by_hand.set_active(ctx, found, email, active, "command", calls.now_by(ctx.config))
    click.echo("Saved." if done else "It was so before.")


@main.command()
@click.argument("message_id")
@click.argument("verdict", type=click.Choice(["sent", "not_sent"]))
@practice_option
def settle(message_id: str, verdict: str, practice_name: str | None) -> None:
    """Say what became of a message in state needs_person, once you have looked into the provider's own log."""
    from bot.flows import by_hand

    _, found = calls.with_practice(practice_name)
    ctx = calls.make_context()
    by_hand.settle(ctx, found, message_id, verdict, "command", calls.now_by(ctx.config))
    click.echo("Noted." if verdict == "sent" else "It is tried again if it is still wanted.")


@main.group()
def token() -> None:
    """Tokens for POST /api/v1/appointments."""


@token.command("new")
@click.argument("name")
@practice_option
def token_new(name: str, practice_name: str | None) -> None:
    """Make a token; it is shown once. NAME says whose it is."""
    from bot.store import practices

    if not name.strip():
        raise BadCall("NAME must say whose token it is.")
    store, found = calls.with_practice(practice_name)
    now = calls.now_by(settings.from_environment())
    with store.transaction() as tx:
        made = practices.new_token(tx, found.id, name.strip(), now)
        practices.note(tx, found.id, "command", "token", found.id, now, words=name.strip())
    click.echo(made)


@main.command("try-reply")
@click.argument("text")
@click.option("--asked", default="heard,respected,understood", show_default=True, help="The open questions.")
@click.option("--channel", type=click.Choice(["sms", "email"]), default="sms", show_default=True)
def try_reply(text: str, asked: str, channel: str) -> None:
    """Show how a reply is read, and why, and what else the same words can mean. Nothing is stored or sent."""
    from surveys import instrument, reading_words, replies

    instruments = instrument.load_all()
    feelings = tuple(part.strip() for part in asked.split(",") if part.strip())
    if unknown := [f for f in feelings if f not in instruments.questions]:
        raise BadCall(f"--asked: {unknown[0]} is not a feeling; there are {', '.join(instruments.questions)}.")
    reply = replies.parse(text, asked=feelings, instruments=instruments, channel=channel)
    click.echo(f"kind: {reply.kind}")
    for feeling, score in zip(feelings, reply.scores, strict=True):
        click.echo(f"{feeling}: {score if score is not None else 'open'}")
    flags = ("opt_out", "crisis", "call")
    click.echo(f"flags: {', '.join(name for name in flags if getattr(reply, name)) or 'none'}")
    click.echo(f"comment: {reply.comment or ''}")
    for because in reply.because:
        if because.feeling and because.score is None:
            said = f", from {because.words!r}" if because.words else ""
            why = reading_words.left_open(because.rule)
            click.echo(f"because: {because.feeling} is left open{said}: {why} ({because.rule})")
            continue
        meant = " ".join(str(part) for part in (because.feeling, because.score) if part is not None)
        click.echo(f"because: {meant or 'nothing'} from {because.words!r} ({because.rule})")
    for other in replies.readings(text, feelings, instruments, channel=channel)[1:]:
        meant = ", ".join(f"{f} {score or 'open'}" for f, score in zip(feelings, other.scores, strict=True))
        click.echo(f"or: {meant} ({other.why})")


@main.command()
def doctor() -> None:
    """Look over settings, database, clock, Twilio, mail server, PUBLIC_URL, the worker and what each practice lacks."""
    from bot.flows import context, operating

    ctx = context.build(settings.from_environment())
    findings = operating.doctor(ctx, calls.now_by(ctx.config))
    for finding in findings:
        click.echo(f"{finding.level:4}  {finding.subject}: {finding.text}")
    sys.exit(1 if any(finding.level == "bad" for finding in findings) else 0)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write a consistent copy of the live database to FILE, checked by opening it. The key is not in it."""
    from bot.flows import backups, older_copy

    ctx = calls.make_context()
    now = calls.now_by(ctx.config)
    backups.backup(ctx, str(file), now)
    older_copy.advance(ctx, now)
    click.echo(f"Written and checked: {file}. Keep SECRET_KEY elsewhere: without it the copy can't be read.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Don't look whether web or worker still runs.")
def restore(file: Path, force: bool) -> None:
    """Put the backup FILE in the place of the database. Stop web and worker first."""
    from bot.flows import backups, context, older_copy

    config = settings.from_environment()
    settings.needs(config, "secrets")
    ctx, now = context.build(config), calls.now_by(config)
    done = backups.restore(ctx, str(file), now, force)
    older_copy.advance(ctx, now, made_safe=True)
    click.echo(
        f"Restored. Messages looked up before they may go out again: {done.messages}. Check-ins closed, since they "
        f"may have been asked after the backup: {done.check_ins}.\nWhat clients texted after the backup was made "
        "is fetched from Twilio when the worker starts. What came by mail is not: read your mailbox."
    )


@main.command()
def reseal() -> None:
    """After a change of key: write every sealed field anew under the first key, so that the old one can go."""
    from bot.store import reseal as sealed

    store = calls.ready(calls.with_secrets())
    done = sealed.reseal(store)
    for row in done.broken:
        click.echo(f"{row} doesn't open with any of the keys.", err=True)
    if done.rows or done.broken:
        click.echo(f"{done.rows} rows written anew, {len(done.broken)} left as they were.")
    else:
        click.echo("Nothing to do: whatever is sealed is under the first key already.")
    sys.exit(1 if done.broken else 0)


@main.command("new-key")
def new_key() -> None:
    """Make a SECRET_KEY. Keep it apart from the database and its backups."""
    import secrets

    click.echo(secrets.token_urlsafe(48))
