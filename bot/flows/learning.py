"""Learning a practice's own model at night, and putting it into effect once its managers have had a week to decline.

Nothing changes before that: the old model is kept and used. A night that is cut short leaves a note of how far it came,
and the next one begins anew.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot import log
from bot.flows import lesson
from bot.flows.access import Me, NotHere
from bot.flows.context import Context
from bot.flows.lesson import Lesson
from bot.flows.letters import for_notices, render
from bot.flows.replaying import mark_to_replay, replay_all
from bot.flows.signal import history_of
from bot.store import Tx, beliefs, models, outbox, practices
from bot.store.models import Learned
from bot.store.outbox import Draft
from bot.store.practices import Practice
from surveys import alerting, rapport
from surveys.alert_wording import Change, alert_text
from surveys.page_wording import page_words

EVERY = timedelta(hours=1)
NIGHT = range(1, 5)  # o'clock at the practice
AGAIN = timedelta(days=30)  # a practice changes slowly, and its managers shouldn't hear of it every week
LOST = timedelta(hours=2)  # an attempt that hasn't ended by then was cut short
NOTICE = timedelta(days=7)  # managers have so long to decline
KEPT = ("PATH", "PYTHONPATH", "LANG", "OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE")  # of the environment
AT_ONCE = 50  # histories read in one transaction


@dataclass(frozen=True)
class Facts:
    """What people are told of an attempt. Nothing in it is about one client."""

    stage: str
    clients: int
    check_ins: int
    score_before: float | None = None
    score_after: float | None = None
    notes_before: int | None = None
    notes_after: int | None = None


def learn_due(ctx: Context, now: datetime) -> int:
    """Put into effect what nobody has declined; learn for each practice that is due tonight; how many of both."""
    done = take_effect(ctx, now)
    with ctx.store.transaction(write=False) as tx:
        due = [each for each in practices.every(tx) if is_due(tx, each, now) and _is_known(tx, each.id)]
    return done + sum(_learn(ctx, practice, now) for practice in due)


def is_due(tx: Tx, practice: Practice, now: datetime) -> bool:
    """Whether it is night at the practice, none is being learned or waits for its managers, and a month is over."""
    if now.astimezone(ZoneInfo(practice.timezone)).hour not in NIGHT:
        return False
    for each in models.of_practice(tx, practice.id):
        if each.state == models.PROPOSED or (each.state == models.LEARNING and now - each.created_at < LOST):
            return False
        if each.state not in (models.LEARNING, models.GIVEN_UP) and now - each.created_at < AGAIN:
            return False
    return True


def learn(ctx: Context, practice: Practice, now: datetime) -> Learned | None:
    """Learn from a practice's check-ins so far, in a process of its own; what came of it, None where there is too
    little to learn from. Any attempt before it that hasn't ended is given up."""
    histories = _histories(ctx, practice.id)
    if not rapport.enough(histories):
        return None
    facts = Facts("beginning", len(histories), sum(seen.answered for history in histories for seen in history))
    model_id, current = _begin(ctx, practice, facts, now)
    task = lesson.asked(histories, current, alerting.one_in(practice.settings))
    try:
        done = _taught(ctx, model_id, task, facts)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.get().error("fault", what="learning", practice=practice.id, error=error.__class__.__name__)
        done = None
    _conclude(ctx, practice, model_id, done, facts, now)
    with ctx.store.transaction(write=False) as tx:
        return models.get(tx, practice.id, model_id)


def take_effect(ctx: Context, now: datetime) -> int:
    """Put into effect the proposed models whose time has come; how many."""
    with ctx.store.transaction(write=False) as tx:
        ready = models.effective(tx, now)
    return sum(adopt(ctx, each.practice_id, each.id, "the signal", now) for each in ready)


def adopt(ctx: Context, practice_id: str, model_id: str, who: str, now: datetime) -> bool:
    """Put a proposed model into effect, for `who`, and make every belief anew; False if it isn't proposed any more."""
    with ctx.store.transaction() as tx:
        before = [each.id for each in models.of_practice(tx, practice_id) if each.state == models.CURRENT]
        if not models.move(tx, practice_id, model_id, models.PROPOSED, models.CURRENT, now):
            return False
        for each in before:
            models.move(tx, practice_id, each, models.CURRENT, models.ENDED, now)
        practices.note(tx, practice_id, who, "learned model in effect", model_id, now)
        mark_to_replay(tx, practice_id, now)
    replay_all(ctx, practice_id, now)
    return True


def attempts(ctx: Context, me: Me) -> list[models.Learned]:
    """Every attempt at learning from the manager's practice, newest first. Raises NotHere for anyone else."""
    if "manager" not in me.roles:
        raise NotHere
    with ctx.store.transaction(write=False) as tx:
        return models.of_practice(tx, me.practice.id)


def attempt(ctx: Context, me: Me, model_id: str) -> models.Learned:
    """One attempt that can still be declined. Raises NotHere."""
    found = [each for each in attempts(ctx, me) if each.id == model_id]
    if not found or found[0].state not in (models.PROPOSED, models.CURRENT):
        raise NotHere
    return found[0]


def decline(ctx: Context, me: Me, model_id: str, now: datetime) -> bool:
    """A manager declines a model, before it takes effect or after: things stay, or are again, as shipped.

    False if it was neither proposed nor in effect. Raises NotHere for anyone but a manager of its practice.
    """
    if model_id not in {each.id for each in attempts(ctx, me)}:
        raise NotHere
    return turn_down(ctx, me.practice.id, model_id, me.person.id, now)


def turn_down(ctx: Context, practice_id: str, model_id: str, who: str, now: datetime) -> bool:
    """Decline a model for the practice, as `who`; see `decline`."""
    with ctx.store.transaction() as tx:
        was_current = models.move(tx, practice_id, model_id, models.CURRENT, models.DECLINED, now)
        done = was_current or models.move(tx, practice_id, model_id, models.PROPOSED, models.DECLINED, now)
        if done:
            practices.note(tx, practice_id, who, "learned model declined", model_id, now)
        if was_current:
            mark_to_replay(tx, practice_id, now)
    if was_current:
        replay_all(ctx, practice_id, now)
    return done


def _is_known(tx: Tx, practice_id: str) -> bool:
    return beliefs.well_known(tx, practice_id, rapport.ENOUGH_ANSWERED) >= rapport.ENOUGH_PAIRS


def _learn(ctx: Context, practice: Practice, now: datetime) -> int:
    return 0 if learn(ctx, practice, now) is None else 1


def _histories(ctx: Context, practice_id: str) -> list[list[rapport.Observation]]:
    with ctx.store.transaction(write=False) as tx:
        pairs = beliefs.asked_pairs(tx, practice_id)
    found: list[list[rapport.Observation]] = []
    for first in range(0, len(pairs), AT_ONCE):
        with ctx.store.transaction(write=False) as tx:
            found += [history_of(tx, practice_id, *pair) for pair in pairs[first : first + AT_ONCE]]
    return [history for history in found if history]


def _taught(ctx: Context, model_id: str, task: str, facts: Facts) -> Lesson:
    """Run the lesson, writing down how far it is. Raises ValueError when it ended without a result."""
    for found in _lines(task):
        if isinstance(found, Lesson):
            return found
        with ctx.store.transaction() as tx:
            models.note(tx, model_id, asdict(facts) | {"stage": found})
    raise ValueError("the lesson ended without a result")


def _lines(task: str) -> Iterator[str | Lesson]:
    command = [sys.executable, "-m", "bot.flows.lesson"]
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}  # no key: it needs none
    with subprocess.Popen(  # noqa: S603 (every part is ours)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=kept
    ) as process:
        source, out = process.stdin, process.stdout
        try:
            if source and out:  # both are pipes
                source.write(task)
                source.close()
                yield from map(lesson.read, out)
        finally:
            process.kill()


def _begin(ctx: Context, practice: Practice, facts: Facts, now: datetime) -> tuple[str, rapport.Model]:
    """A new attempt's id, and the model in use."""
    with ctx.store.transaction() as tx:
        for each in models.of_practice(tx, practice.id):
            models.move(tx, practice.id, each.id, models.LEARNING, models.GIVEN_UP, now)
        return models.begin(tx, practice.id, asdict(facts), now), models.current(tx, practice.id)


def _conclude(
    ctx: Context, practice: Practice, model_id: str, done: Lesson | None, facts: Facts, now: datetime
) -> None:
    """Give up what came to nothing, refuse what is worse, propose the rest and tell the managers."""
    with ctx.store.transaction() as tx:
        if done is None:
            models.move(tx, practice.id, model_id, models.LEARNING, models.GIVEN_UP, now)
            return
        told = asdict(facts) | {"score_before": done.scores[0], "score_after": done.scores[1]}
        if not done.holds:
            models.note(tx, model_id, told | {"stage": "foresees others worse than the model in use"})
            models.move(tx, practice.id, model_id, models.LEARNING, models.REFUSED, now)
            return
        told |= {"stage": "learned", "notes_before": done.notes[0], "notes_after": done.notes[1]}
        if models.propose(tx, model_id, done.model, told, now + NOTICE):
            _tell(ctx, tx, practice, model_id, told, now)


def _tell(ctx: Context, tx: Tx, practice: Practice, model_id: str, told: Mapping[str, Any], now: datetime) -> None:
    """Managers learn how many notes more or fewer it would have meant, and from when, before anything changes."""
    day = page_words(practice.language, practice.timezone).day(now + NOTICE)
    change = Change(told["notes_before"], told["notes_after"], day)
    text = alert_text("model_change", practice.language, change=change, instruments=ctx.instruments)
    body, html = render(text, "", practice)
    for person in for_notices(tx, practice.id):
        dedupe = f"model_change:{model_id}:{person.id}"
        mail = Draft("notice", dedupe, "mail", person.email, body, text.subject, html, person_id=person.id)
        outbox.put(tx, practice.id, mail, now, now)
