"""A therapist says that a reply was misread, or picks another reading of the same words. Both readings are kept.

Nobody types a score: what can be picked is what the reader itself finds possible in the client's own words.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.flows.access import Me, NotHere
from bot.flows.caseload import in_care
from bot.flows.context import Context
from bot.store import Tx, check_ins, inbox, practices, reading_marks
from bot.store.check_ins import OPEN, CheckIn, Stored
from bot.store.inbox import Kept
from bot.store.reading_marks import MISREAD, READING, Mark
from surveys.conversation import Event, State, move
from surveys.replies import readings

Scores = Mapping[str, int]
NOT_PICKED = ("web",)  # chosen on a form, so there is nothing else that the words could mean
AS_TAKEN = "as it was first read"


@dataclass(frozen=True)
class Choice:
    """One reading that can be picked: its scores by feeling, and why the words allow it. `counts`: it does now."""

    scores: Scores
    why: str
    counts: bool

    @property
    def value(self) -> str:
        """The same as a form carries it; a reading that is no longer on offer isn't taken."""
        return ",".join(f"{feeling}={score}" for feeling, score in self.scores.items())


def choices(ctx: Context, reply: Kept, check_in: CheckIn, stored: Sequence[Stored]) -> list[Choice]:
    """The readings of a reply, the one first taken before all others; none where there is nothing to choose.

    `stored`: the answers that count. What another reply answered stays as it is, and a reply that a later one
    has replaced can't be read anew.
    """
    current = [each for each in stored if each.check_in_id == check_in.id]
    own = {each.feeling: each.score for each in current if each.inbox_id == reply.id}
    others = {each.feeling for each in current if each.inbox_id != reply.id}
    if others and not own and others >= set(asked_of(reply, check_in)):
        return []
    found = [(_first(reply, check_in), AS_TAKEN), *_others(ctx, reply, check_in)]
    kept: dict[str, Choice] = {}
    for scores, why in found:
        open_scores = {feeling: score for feeling, score in scores.items() if feeling not in others}
        choice = Choice(open_scores, why, open_scores == own)
        if open_scores or why == AS_TAKEN:
            kept.setdefault(choice.value, choice)
    return list(kept.values()) if len(kept) > 1 or own or _first(reply, check_in) else []


def asked_of(reply: Kept, check_in: CheckIn) -> tuple[str, ...]:
    """The feelings that were open when a reply was read, in the order of its scores; none where nothing was open.

    A message that couldn't be read at all may have been about any.
    """
    reading = json.loads(reply.reading or "{}")
    if not reading:
        return check_in.feelings
    named = tuple(each["feeling"] for each in reading["because"] if each["feeling"])
    return next((each for each in (named, check_in.feelings) if len(each) == len(reading["scores"])), ())


def misread(ctx: Context, me: Me, client_id: str, inbox_id: str, now: datetime) -> bool:
    """What was read out of a reply counts no more; False if nothing of it did. Raises NotHere."""
    with ctx.store.transaction() as tx:
        reply, check_in, stored = _find(tx, me, client_id, inbox_id)
        before = _counting(stored, reply)
        if not before:
            return False
        check_ins.withdraw_answers(tx, me.practice.id, reply.id, now)
        _keep(tx, me, check_in, Mark(reply.id, MISREAD, me.person.id, now, before, {}))
        practices.note(tx, me.practice.id, me.person.id, "a reply was marked as misread", reply.id, now)
    return True


def pick(ctx: Context, me: Me, client_id: str, inbox_id: str, value: str, now: datetime) -> bool:
    """Let one of the readings on offer count in place of what did; False if it already does. Raises NotHere, also for
    a reading that isn't on offer (any more)."""
    with ctx.store.transaction() as tx:
        reply, check_in, stored = _find(tx, me, client_id, inbox_id)
        wanted = [each for each in choices(ctx, reply, check_in, stored) if each.value == value]
        if not wanted:
            raise NotHere
        before = _counting(stored, reply)
        if wanted[0].counts:
            return False
        check_ins.withdraw_answers(tx, me.practice.id, reply.id, now)
        scores = dict(wanted[0].scores)
        check_ins.add_answers(tx, me.practice.id, check_in.id, reply.id, scores, reply.received_at, False)
        _move(tx, check_in, reply)
        _keep(tx, me, check_in, Mark(reply.id, READING, me.person.id, now, before, wanted[0].scores))
        practices.note(tx, me.practice.id, me.person.id, "another reading of a reply was picked", reply.id, now)
    return True


def _find(tx: Tx, me: Me, client_id: str, inbox_id: str) -> tuple[Kept, CheckIn, list[Stored]]:
    """A reply to a check-in between this client and this therapist. Raises NotHere."""
    client = in_care(tx, me, client_id)
    found = [each for each in inbox.of_client(tx, me.practice.id, client.id) if each.id == inbox_id]
    if not found or found[0].check_in_id is None:
        raise NotHere
    check_in = check_ins.get(tx, me.practice.id, found[0].check_in_id)
    if check_in.therapist_id != me.person.id:
        raise NotHere
    stored = check_ins.stored_answers(tx, me.practice.id, client.id, me.person.id)
    return found[0], check_in, stored


def _keep(tx: Tx, me: Me, check_in: CheckIn, mark: Mark) -> None:
    reading_marks.add(tx, me.practice.id, mark)
    check_ins.mark_to_assess(tx, me.practice.id, check_in.client_id, check_in.therapist_id)


def _move(tx: Tx, check_in: CheckIn, reply: Kept) -> None:
    """An open check-in that has answers by this reading is answered, and not reminded of; nothing is said to anyone."""
    answers = check_ins.answers(tx, check_in.practice_id, check_in.id)
    if check_in.state not in OPEN or not answers:
        return
    event = Event.ANSWERED if set(check_in.feelings) <= answers.keys() else Event.ANSWERED_PART
    if state := move(State(check_in.state), event):
        check_ins.set_state(tx, check_in.practice_id, check_in.id, state, reply.received_at)


def _first(reply: Kept, check_in: CheckIn) -> dict[str, int]:
    scores = json.loads(reply.reading or "{}").get("scores", ())
    pairs = zip(asked_of(reply, check_in), scores, strict=False)
    return {feeling: score for feeling, score in pairs if score is not None}


def _others(ctx: Context, reply: Kept, check_in: CheckIn) -> list[tuple[dict[str, int], str]]:
    asked, channel = asked_of(reply, check_in), "email" if reply.channel == "mail" else "sms"
    if reply.channel in NOT_PICKED or not asked:
        return []
    return [
        ({f: score for f, score in zip(asked, each.scores, strict=True) if score is not None}, each.why)
        for each in readings(reply.body, asked, ctx.instruments, channel=channel)
    ]


def _counting(stored: Sequence[Stored], reply: Kept) -> dict[str, int]:
    return {each.feeling: each.score for each in stored if each.inbox_id == reply.id}
