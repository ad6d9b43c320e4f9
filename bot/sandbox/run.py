"""`python -m bot.sandbox.run` (make run): a pretend practice to try Attune with, without any account.

Nothing leaves the machine. Everything starts afresh each time, and is gone when it ends.
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import click
import requests

from bot.sandbox import sample
from bot.sandbox.play import Play
from bot.sandbox.processes import FailedToStart, port_wanted
from bot.sandbox.sample import ANA, BEN, CHIDI, ZONE
from bot.sandbox.server import why_not
from bot.sandbox.stage import Stage, Stuck

ELEVEN = 11  # o'clock, local time: a check-in two hours later is well inside the practice's hours
CLIENTS = (ANA, replace(BEN, language="es"), CHIDI)
PAST_WEEKS = 4
LOOK = 0.5  # seconds between looks at whether all processes run


@click.command()
def main() -> None:
    """Phones, a mailbox, and Attune's web and worker beside them, until Ctrl-C. PORT: where the pages are."""
    if reason := why_not(os.environ):
        click.echo(reason, err=True)
        sys.exit(2)
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with _folder() as folder:
            _run(folder, ended)
    except (FailedToStart, Stuck, requests.RequestException) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo("\nEnded. Nothing was kept.")


def _run(folder: Path, ended: Event) -> None:
    click.echo("Setting up Riverside Counseling, a pretend practice ...")
    now = a_monday(datetime.now(ZONE))
    port = port_wanted(os.environ)
    settings = {"SEND_PACE": "0"}  # a newcomer needn't wait for a real sender's pace
    owners = sample.owners(CLIENTS)
    with Stage(
        folder, start_at=now.timestamp(), held=False, port=port, owners=owners, settings=settings, say=click.echo
    ) as stage:
        token = sample.set_up(stage, CLIENTS, consent=now - timedelta(days=1))
        sample.import_appointments(stage, past_visits(now))
        stage.wait_until_ready()
        stage.sandbox.parts.direct(Play(stage, token, CLIENTS))
        click.echo(f"Open {stage.sandbox.url} in a browser. Logs are in {folder}. Ctrl-C ends and removes everything.")
        while not ended.wait(LOOK):
            stage.web.check()
            stage.worker.check()


def a_monday(now: datetime) -> datetime:
    """This week's Monday at eleven: visits and check-ins then fall into the practice's hours."""
    return (now - timedelta(days=now.weekday())).replace(hour=ELEVEN, minute=0, second=0, microsecond=0)


def past_visits(now: datetime) -> list[dict[str, str]]:
    """What was in the calendar before: visits from before the clients agreed to be asked."""
    rows = []
    for week in range(PAST_WEEKS, 0, -1):
        for client in CLIENTS:
            day = now + timedelta(days=client.weekday, weeks=-week)
            rows.append(sample.appointment(client, day.replace(hour=client.hour)))
    return rows


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder of this run's own under var/, removed at its end."""
    Path("var").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir="var"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
