"""`attune replay` and `attune model ...`: the signal's stored beliefs, and what it learned from a practice."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from bot import calls
from bot.calls import BadCall, practice_option

if TYPE_CHECKING:
    from bot.store.models import Learned


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if any belief differs.")
@practice_option
def replay(check: bool, practice_name: str | None) -> None:
    """Make what the signal believes anew from stored answers. Opens and ends no alert."""
    from bot.flows import replaying

    _, practice = calls.with_practice(practice_name)
    ctx = calls.make_context()
    done = replaying.replay(ctx, practice.id, calls.now_by(ctx.config), check)
    verb = "differ" if check else "differed and were stored anew"
    differed = f"{done.differed} {verb}" if done.differed else "none differs"
    waiting = f" {done.waiting} left to the worker, which has newer answers to look at." if done.waiting else ""
    click.echo(f"{done.pairs} client{'s' if done.pairs != 1 else ''} looked at: {differed}.{waiting}")
    sys.exit(1 if check and done.differed else 0)


@click.group()
def model() -> None:
    """What the signal has learned from the practice's own check-ins (docs/signal.md)."""


@model.command("show")
@practice_option
def model_show(practice_name: str | None) -> None:
    """Every attempt at learning, newest first, and what came of it; the newest under way, if any, with its progress."""
    from bot.store import models

    store, practice = calls.with_practice(practice_name)
    with store.transaction(write=False) as tx:
        found = models.of_practice(tx, practice.id)
    if not any(each.state == models.CURRENT for each in found):
        click.echo("in use: the shipped model")
    for each in found:
        click.echo(f"{each.id} {each.state} since {each.created_at:%Y-%m-%d}{_told(each.facts)}{_when(each)}")


@model.command("learn")
@practice_option
def model_learn(practice_name: str | None) -> None:
    """Learn now rather than at night. Nothing changes until managers had a week to decline, or somebody adopts it."""
    from bot.flows import learning

    _, practice = calls.with_practice(practice_name)
    ctx = calls.make_context()
    done = learning.learn(ctx, practice, calls.now_by(ctx.config))
    if done is None:
        raise BadCall("There is too little to learn from: it takes 60 clients with six answered check-ins each.")
    click.echo(f"{done.id} {done.state}{_told(done.facts)}{_when(done)}")


@model.command("adopt")
@click.argument("model_id")
@practice_option
def model_adopt(model_id: str, practice_name: str | None) -> None:
    """Put a proposed model into effect at once."""
    from bot.flows import learning

    _, practice = calls.with_practice(practice_name)
    ctx = calls.make_context()
    if not learning.adopt(ctx, practice.id, model_id, "command", calls.now_by(ctx.config)):
        raise BadCall(f"{model_id} is not a proposed model of this practice; see attune model show.")
    click.echo("In effect; every belief was made anew.")


@model.command("decline")
@click.argument("model_id")
@practice_option
def model_decline(model_id: str, practice_name: str | None) -> None:
    """Decline a proposed model, or one in effect: then the shipped one is used again."""
    from bot.flows import learning

    _, practice = calls.with_practice(practice_name)
    ctx = calls.make_context()
    if not learning.turn_down(ctx, practice.id, model_id, "command", calls.now_by(ctx.config)):
        raise BadCall(f"{model_id} is neither proposed nor in effect at this practice; see attune model show.")
    click.echo("Declined.")


def _told(facts: Mapping[str, Any]) -> str:
    notes = facts.get("notes_before"), facts.get("notes_after")
    counted = "" if None in notes else f", {notes[1]} notes so far rather than {notes[0]}"
    return f": {facts['stage']}, from {facts['clients']} clients{counted}"


def _when(each: "Learned") -> str:
    return f", takes effect {each.takes_effect_at:%Y-%m-%d}" if each.takes_effect_at and each.ended_at is None else ""


ALL: tuple[click.Command, ...] = (replay, model)
