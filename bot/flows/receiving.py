"""A message comes in: keep it, read it, store what it says, decide what to answer. One durable transaction.

What isn't needed for the answer is left to the worker: a mark "to assess" is all the signal gets here.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from bot import log
from bot.flows import outcomes
from bot.flows.context import Context
from bot.flows.letters import notify_managers
from bot.flows.planning import replan_client
from bot.flows.speaking import answer_stranger, say_to
from bot.store import Tx, alerts, check_ins, clients, inbox, outbox, practices
from bot.store.check_ins import OPEN, CheckIn
from bot.store.clients import Client
from bot.store.inbox import Inbound
from bot.store.practices import Practice
from surveys import conversation, replies
from surveys.conversation import Situation, State, Step
from surveys.replies import Reply
from surveys.wording import Say

RECENT = timedelta(hours=24)
ONCE_A_CHECK_IN = ("closed", "comment_thanks", "confirm_low")
SPARED = ("crisis", "crisis_stopped", "stopped")


@dataclass(frozen=True)
class _Sender:
    """Whose message it is, as far as that can be told; a shared number is never guessed."""

    practice: Practice
    client: Client | None
    check_in: CheckIn | None
    all: list[Client]


def receive(ctx: Context, inbound: Inbound, now: datetime) -> bool:
    """Take a message in; False for a repeat delivery, which changes nothing.

    When this returns, the message and all that follows from it are on disk.
    """
    with ctx.store.transaction() as tx:
        sender = _who(tx, inbound.sender, now)
        inbox_id = inbox.remember(tx, sender.practice.id, inbound, now)
        if inbox_id is None:
            return False
        _Reception(ctx, tx, sender, inbound, inbox_id, now).take_in()
    log.get().info("received", inbox=inbox_id, practice=sender.practice.id)
    return True


def _who(tx: Tx, address: str, now: datetime) -> _Sender:
    found = clients.by_address(tx, address)
    asked = {client.id: check_ins.latest_asked(tx, client.practice_id, client.id) for client in found}
    waiting = [c for c in found if (latest := asked[c.id]) and latest.state in OPEN and latest.expires_at > now]
    # With one phone for two, only an open question says who is answering.
    chosen = waiting if len(waiting) == 1 else found
    client = chosen[0] if len(chosen) == 1 else None
    practice_id = (client or found[0]).practice_id if found else None
    practice = practices.get(tx, practice_id) if practice_id else practices.first(tx, now)
    return _Sender(practice, client, asked[client.id] if client else None, found)


class _Reception:
    """One message on its way in; every method belongs to the one transaction."""

    def __init__(self, ctx: Context, tx: Tx, sender: _Sender, inbound: Inbound, inbox_id: str, now: datetime) -> None:
        self.ctx, self.tx, self.sender, self.inbound = ctx, tx, sender, inbound
        self.inbox_id, self.now = inbox_id, now
        self.practice, self.client, self.check_in = sender.practice, sender.client, sender.check_in

    def take_in(self) -> None:
        situation = self._situation()
        step = conversation.step(situation, self._parse)
        self._keep(step)
        self._move(situation, step)
        self._consent(step)
        self._alert(step)
        if step.say:
            self._say(step.say)

    def _parse(self, asked: Sequence[str]) -> Reply:
        extra = self.practice.settings.get("crisis_words", "")
        return replies.parse(
            self.inbound.body,
            asked=tuple(asked),
            instruments=self.ctx.instruments,
            channel="email" if self.inbound.channel == "mail" else "sms",
            also_crisis=tuple(words.strip() for words in extra.split(",") if words.strip()),
        )

    def _situation(self) -> Situation:
        stopped = clients.is_stopped(self.tx, self.practice.id, self.inbound.sender)
        if self.client is None:
            return Situation(stopped=stopped, known=False, provider_said=self.inbound.opt_out_type)
        situation = Situation(
            stopped=stopped or self.client.stopped,
            halted=self.client.halted,
            provider_said=self.inbound.opt_out_type,
        )
        return _with_check_in(self.tx, situation, self.client, self.check_in, self.now)

    def _keep(self, step: Step) -> None:
        inbox.note_reading(
            self.tx,
            self.inbox_id,
            client_id=self.client.id if self.client else None,
            check_in_id=self.check_in.id if self.check_in else None,
            kind=step.kind,
            reading=json.dumps(asdict(step.reading) if step.reading else {}),
        )

    def _move(self, situation: Situation, step: Step) -> None:
        if self.check_in is None:
            return
        where = (self.tx, self.practice.id, self.check_in.id)
        if step.scores:
            check_ins.add_answers(*where, self.inbox_id, dict(step.scores), self.now, step.replaces)
        state = conversation.move(situation.state, step.event) if situation.state and step.event else None
        if state or step.prompted:
            prompted = [*self.check_in.prompted, *([step.prompted] if step.prompted else [])]
            check_ins.set_state(*where, state or self.check_in.state, self.now, prompted=prompted)
        if step.assess:
            check_ins.mark_to_assess(self.tx, self.practice.id, self.check_in.client_id, self.check_in.therapist_id)

    def _consent(self, step: Step) -> None:
        if step.stop or step.wrong_person:
            self._stop("wrong number" if step.wrong_person else "reply")
        if step.start:
            clients.lift_stop(self.tx, self.practice.id, self.inbound.sender, self.now)
            for client in self.sender.all:
                clients.mark_stopped(self.tx, client.practice_id, client.id, None)
                self._note(client, "restored", "reply")
                replan_client(self.tx, client.practice_id, client.id, self.now)
        if step.wrong_person and self.client:
            clients.drop_address(self.tx, self.practice.id, self.client.id, self.inbound.channel)
            notify_managers(self.ctx, self.tx, self.practice.id, "wrong_number", f"wrong:{self.inbox_id}", self.now)

    def _stop(self, source: str) -> None:
        """In the transaction that stores it: nothing to this person leaves after it commits."""
        clients.stop(self.tx, self.practice.id, self.inbound.sender, source, self.now)
        for client in self.sender.all:
            outcomes.stop_client(self.tx, client.practice_id, client.id, self.inbound.sender, source, self.now)
            outbox.cancel_waiting(self.tx, client.practice_id, client.id, "the client said STOP", SPARED)
            replan_client(self.tx, client.practice_id, client.id, self.now)

    def _note(self, client: Client, what: str, source: str) -> None:
        index = self.tx.sealer.index(self.inbound.sender)
        clients.note_consent(self.tx, client.practice_id, client.id, index, what, source, self.now)

    def _alert(self, step: Step) -> None:
        if step.alert == "danger":
            self._danger()
        elif step.alert == "call" and self.client:
            self._open_alert("call", self.client)

    def _danger(self) -> None:
        """Check-ins pause for whoever may have written; people are told at once, also about a stranger."""
        for client in [self.client] if self.client else self.sender.all:
            clients.halt(self.tx, client.practice_id, client.id, self.now)
            outbox.cancel_waiting(self.tx, client.practice_id, client.id, "halted after danger", SPARED)
            replan_client(self.tx, client.practice_id, client.id, self.now)
        if self.client and self.client.therapist_id:
            self._open_alert("danger", self.client)
        else:
            self._open_alert("danger_unknown", None)

    def _open_alert(self, kind: str, client: Client | None) -> None:
        therapist_id = client.therapist_id if client else None
        if client and therapist_id:
            latest = alerts.latest(self.tx, self.practice.id, client.id, therapist_id, kind)
            if latest and latest.waiting:
                return
        alerts.open_alert(
            self.tx,
            self.practice.id,
            client_id=client.id if client else None,
            therapist_id=therapist_id,
            kind=kind,
            explanation="",
            check_in_id=self.check_in.id if self.check_in else None,
            now=self.now,
        )

    def _say(self, say: Say) -> None:
        check_in_id = self.check_in.id if self.check_in else None
        where = (self.tx, self.ctx.instruments, self.practice)
        if self.client:
            dedupe = _dedupe(say.kind, check_in_id, self.client.id, self.inbox_id, self.now)
            # the address it came from, not another one of the client's
            say_to(*where, self.client, say, dedupe, self.now, check_in_id, to=self.inbound)
        else:
            index = self.tx.sealer.index(self.inbound.sender)
            dedupe = _dedupe(say.kind, None, index, self.inbox_id, self.now)
            answer_stranger(*where, self.inbound.sender, self.inbound.channel, say, dedupe, self.now)


def _with_check_in(tx: Tx, situation: Situation, client: Client, check_in: CheckIn | None, now: datetime) -> Situation:
    if check_in is None:
        return situation
    answers = check_ins.answers(tx, client.practice_id, check_in.id)
    earlier = check_ins.answers_of(tx, client.practice_id, client.id, check_in.therapist_id)
    earlier.pop(check_in.id, None)
    over = check_in.state in OPEN and check_in.expires_at <= now  # before the worker has noticed
    return Situation(
        state=State.EXPIRED if over else State(check_in.state),
        asked=check_in.feelings,
        answers=answers,
        prompted=frozenset(check_in.prompted),
        recent=check_in.answered_at is not None and now - check_in.answered_at <= RECENT,
        stopped=situation.stopped,
        halted=situation.halted,
        usually_high=conversation.usually_high(list(earlier.values())),
        provider_said=situation.provider_said,
    )


def _dedupe(kind: str, check_in_id: str | None, who: str, inbox_id: str, now: datetime) -> str:
    """What makes this message the same as another: once a check-in, once a day, or once a reply."""
    if kind in ONCE_A_CHECK_IN and check_in_id:
        return f"{kind}:{check_in_id}"
    if kind == "unexpected":
        return f"{kind}:{who}:{now.date()}"
    return f"{kind}:{inbox_id}"
