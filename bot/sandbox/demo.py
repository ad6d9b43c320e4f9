"""`python -m bot.sandbox.demo` (make demo): ten weeks of three clients in under a minute, through the real parts.

Web and worker run as processes of their own; texts go through signed webhooks and mails through SMTP, all on this
machine. Exits 0 only if everything promised came true.
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import click
import requests

from bot.sandbox import sample
from bot.sandbox.director import FIRST_DAY, Director
from bot.sandbox.judge import Record, Verdict, verdicts
from bot.sandbox.processes import FailedToStart, port_wanted
from bot.sandbox.server import why_not
from bot.sandbox.stage import Stage, Stuck
from bot.sandbox.transcript import Transcript

CONSENT = timedelta(days=7)  # before the first visit


@dataclass(frozen=True)
class Plan:
    """How to play: how often to kill the worker, by which seed, and whether Ben declines."""

    kills: int = 0
    seed: int = 1
    declines: bool = True


@dataclass(frozen=True)
class Outcome:
    """What went over the wire, and which promises it kept."""

    record: Record
    verdicts: list[Verdict]

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not any(verdict.wrong for verdict in self.verdicts)


def perform(plan: Plan, *streams: TextIO, settings: Mapping[str, str] | None = None) -> Outcome:
    """Play the whole story in a temporary folder, writing the transcript to `streams`.

    Raises FailedToStart, Stuck or requests.RequestException when web or worker fail.
    """
    with tempfile.TemporaryDirectory(prefix="attune-demo-") as folder:
        return play_in(Path(folder), plan, *streams, settings=settings)


def play_in(
    folder: Path,
    plan: Plan,
    *streams: TextIO,
    settings: Mapping[str, str] | None = None,
    watch: Callable[[Stage], None] | None = None,
    at_the_end: Callable[[Stage], None] | None = None,
) -> Outcome:
    """As `perform`, in this folder. `watch` is called after every moment, `at_the_end` while all still runs."""
    stage = Stage(
        folder,
        start_at=FIRST_DAY.timestamp(),
        held=True,
        port=port_wanted(os.environ),
        owners=sample.owners(),
        settings=settings,
        say=lambda words: told.aside(words),
    )
    told = Transcript(stage.clock.now, *streams)
    with stage:
        token = sample.set_up(stage, sample.CLIENTS, FIRST_DAY - CONSENT)
        stage.wait_until_ready()
        director = Director(stage, token, told, declines=plan.declines, watch=watch)
        director.plan_kills(plan.kills, plan.seed)
        record = director.play()
        if at_the_end:
            at_the_end(stage)
    return Outcome(record, verdicts(record))


@click.command()
@click.option("--kill-worker", "kills", default=0, metavar="N", help="Kill the worker with -9 so many times.")
@click.option("--seed", type=int, help="Which moments to kill it at; printed, so that a run can be repeated.")
@click.option("--transcript", "file", type=click.File("w", "utf-8"), help="Write the transcript to this file, too.")
@click.option("--without-decline", is_flag=True, help="Ben stays well: no alert comes, and so the demo must fail.")
def main(kills: int, seed: int | None, file: TextIO | None, without_decline: bool) -> None:
    """Ten weeks of three clients, their texts and a therapist's mail, through the real parts on this machine."""
    if reason := why_not(os.environ):
        click.echo(reason, err=True)
        sys.exit(2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    seed = random.randrange(10**6) if seed is None else seed  # noqa: S311 - no secret
    streams = [sys.stdout, *([file] if file else [])]
    began = time.monotonic()
    click.echo("Ten weeks of Ana, Ben and Chidi at Riverside Counseling. Setting the practice up ...")
    if kills:
        click.echo(f"The worker will be killed {kills} times (--seed {seed}).")
    try:
        outcome = perform(Plan(kills, seed, not without_decline), *streams)
    except (FailedToStart, Stuck, requests.RequestException) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("Ended before the end.", err=True)
        sys.exit(130)
    for stream in streams:
        _sum_up(outcome, time.monotonic() - began, stream)
    sys.exit(0 if outcome.good else 1)


def _sum_up(outcome: Outcome, seconds: float, stream: TextIO) -> None:
    record = outcome.record
    mails = "one mail" if len(record.mails) == 1 else f"{len(record.mails)} mails"
    click.echo(f"\nTen weeks in {seconds:.0f} s: {len(record.messages)} texts and {mails}.", file=stream)
    for verdict in outcome.verdicts:
        mark = click.style("failed", fg="red") if verdict.wrong else click.style("ok    ", fg="green")
        wrong = f": {verdict.wrong}" if verdict.wrong else ""
        click.echo(f"  {mark}  {verdict.promise}{wrong}", file=stream)


if __name__ == "__main__":
    main()
