"""A message comes in: keep it, read it, store what it says, decide what to answer. One durable transaction.

What isn't needed for the answer is left to the worker: a mark "to assess" is all the signal gets here. If reading
fails, the message is kept all the same, as `unread`, and a person is told.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot import log
from bot.flows import bounces, outcomes, raising
from bot.flows.context import Context
from bot.flows.joining import RECENT, Sender, who
from bot.flows.letters import notify_managers
from bot.flows.mail_in import MailIn
from bot.flows.planning import replan_client
from bot.flows.speaking import answer_stranger, say_to
from bot.flows.standing import still_counts
from bot.store import Tx, check_ins, clients, inbox, outbox, undeliverable
from bot.store.check_ins import OPEN, CheckIn
from bot.store.clients import Client
from bot.store.inbox import Inbound
from bot.store.practices import Practice
from surveys import conversation, replies
from surveys.conversation import Event, Parse, Situation, State, Step
from surveys.replies import Looked, Reply
from surveys.schedule import HALTED, STOPPED
from surveys.wording import Say

ONCE_A_CHECK_IN = ("closed", "comment_thanks", "confirm_low")
SPARED = ("crisis", "crisis_stopped", "stopped")  # what may still go to someone who said STOP
# Carriers act on these by themselves; they hold even if reading a message fails. CTIA Messaging Principles, 5.1.3.
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
WRONG_NUMBER = "the number or address is someone else's"


@dataclass(frozen=True)
class Taken:
    """A message that was new. `step`: what followed from it; None where it couldn't be read and a person must."""

    inbox_id: str
    step: Step | None


def receive(ctx: Context, inbound: Inbound, now: datetime) -> bool:
    """Take a message in; False for a repeat delivery, which changes nothing.

    When this returns, the message and all that follows from it are on disk; requests that wait for that together
    share one commit.
    """
    looked = _looked(ctx, inbound)  # before the writers' turn, which others wait for
    taken = ctx.store.together(lambda: _receive(ctx, inbound, looked, now))
    if taken:
        log.get().info("received", inbox=taken.inbox_id)
    return taken is not None


def _receive(ctx: Context, inbound: Inbound, looked: Looked | None, now: datetime) -> Taken | None:
    with ctx.store.transaction() as tx:
        taken = take(ctx, tx, who(ctx.config, tx, inbound, now), inbound, now, looked=looked)
        if taken and isinstance(inbound, MailIn):
            _note_mail(ctx, tx, inbound, now)
    return taken


def _looked(ctx: Context, inbound: Inbound) -> Looked | None:
    """What the words say by themselves; None where that fails: reading them then fails too, once they are kept."""
    try:
        return replies.look(
            inbound.body, instruments=ctx.instruments, channel=_channel(inbound), headers=inbound.headers
        )
    except Exception:
        return None


def _channel(inbound: Inbound) -> str:
    """The channel as the reader of replies calls it."""
    return "email" if inbound.channel == "mail" else "sms"


def take(
    ctx: Context,
    tx: Tx,
    sender: Sender,
    inbound: Inbound,
    now: datetime,
    reading: Parse | None = None,
    looked: Looked | None = None,
) -> Taken | None:
    """The same for one whose sender is known, in a transaction of the caller's; None for a repeat delivery.

    `reading` reads it instead of the reader of replies, where it came as choices rather than words. `looked` is what
    that reader found in the words by themselves, if it was asked before.
    """
    inbox_id = inbox.remember(tx, sender.practice.id, inbound, now)
    if inbox_id is None:
        return None
    reception = _Reception(ctx, tx, sender, inbound, inbox_id, now)
    reception.reading, reception.looked = reading or reception.reading, looked
    try:
        with tx.savepoint():
            return Taken(inbox_id, reception.take_in())
    except Exception as error:
        log.get().error("a message could not be read", inbox=inbox_id, error=error.__class__.__name__)
        reception.hand_over()
        return Taken(inbox_id, None)


def _note_mail(ctx: Context, tx: Tx, mail: MailIn, now: datetime) -> None:
    """What a mail tells of addresses: of mails that came back, or that this one works after all."""
    for failure in mail.failures:
        bounces.note(ctx, tx, failure, now)
    if not mail.failures:
        undeliverable.clear(tx, mail.sender)


def own_danger_words(practice: Practice) -> tuple[str, ...]:
    """The practice's own phrases that mean danger."""
    words = (word.strip() for word in practice.settings.get("crisis_words", "").split(","))
    return tuple(word for word in words if word)


class _Reception:
    """One message on its way in; every method belongs to the one transaction."""

    def __init__(self, ctx: Context, tx: Tx, sender: Sender, inbound: Inbound, inbox_id: str, now: datetime) -> None:
        self.ctx, self.tx, self.sender, self.inbound = ctx, tx, sender, inbound
        self.inbox_id, self.now = inbox_id, now
        self.practice, self.client, self.check_in = sender.practice, sender.client, sender.check_in
        self.reading: Parse = self._parse
        self.looked: Looked | None = None

    def take_in(self) -> Step:
        """Read it, and store and queue what follows."""
        situation, step = (
            self._answer_to_one_under_way()
            or self._answer_to_one_paused()
            or self._step(self._situation(self.check_in))
        )
        self._keep(step)
        self._move(situation, step)
        self._consent(step)
        self._alert(step)
        if step.say:
            self._say(step.say)
        return step

    def hand_over(self) -> None:
        """It couldn't be read: keep it as that, obey the words that carriers obey, and have someone look.

        No more than that, since whatever failed may fail again: what is planned or waits is looked at once more
        before it is sent.
        """
        self._keep(Step("unread"))
        if self.inbound.opt_out_type == "STOP" or self.inbound.body.strip().upper() in STOP_WORDS:
            self._suppress()
        raising.unread(self.tx, self.practice.id, self.client, self.sender.all, self.inbox_id, self.now)

    def _step(self, situation: Situation) -> tuple[Situation, Step]:
        return situation, conversation.step(situation, self.reading)

    def _answer_to_one_under_way(self) -> tuple[Situation, Step] | None:
        """An answer to a question whose sending is still in doubt here: that they have it is proof that it came."""
        if self.client is None or (self.check_in and self.check_in.state in OPEN):
            return None
        found = check_ins.under_way(self.tx, self.client.practice_id, self.client.id, self.now)
        if found is None:
            return None
        if self.sender.certain and (self.check_in is None or self.check_in.id != found.id):
            return None  # it is about another one
        situation, step = self._step(self._situation(replace(found, state=State.ASKED)))
        if not step.scores:
            return None
        where = (self.tx, self.practice.id, found.id)
        check_ins.set_state(*where, State.ASKED, self.now)
        check_ins.set_asked(*where, self.now, None, found.expires_at)
        self.check_in = check_ins.get(*where)
        return situation, step

    def _answer_to_one_paused(self) -> tuple[Situation, Step] | None:
        """An answer to a question that was open when check-ins were paused: they had been asked, so it counts."""
        if self.client is None or self.check_in is None or not still_counts(self.tx, self.check_in, self.now):
            return None
        found = self._step(self._situation(replace(self.check_in, state=State.ASKED)))
        return found if found[1].scores else None

    def _parse(self, asked: Sequence[str]) -> Reply:
        return replies.parse(
            self.inbound.body,
            asked=tuple(asked),
            instruments=self.ctx.instruments,
            channel=_channel(self.inbound),
            headers=self.inbound.headers,
            also_crisis=own_danger_words(self.practice),
            looked=self.looked,
        )

    def _situation(self, check_in: CheckIn | None) -> Situation:
        """A number that is several people's, with no question open, is nobody's; halted for one is for all."""
        everyone = [self.client] if self.client else self.sender.all
        stopped = clients.is_stopped(self.tx, self.practice.id, self.inbound.sender)
        situation = Situation(
            stopped=stopped or (bool(everyone) and all(client.stopped for client in everyone)),
            halted=any(client.halted for client in everyone),
            known=self.client is not None,
            provider_said=self.inbound.opt_out_type,
        )
        if self.client is None or check_in is None:
            return situation
        return _with_check_in(self.tx, situation, self.client, check_in, self.now)

    def _keep(self, step: Step) -> None:
        inbox.note_reading(
            self.tx,
            self.inbox_id,
            client_id=self.client.id if self.client else None,
            check_in_id=self.check_in.id if self.check_in else None,
            kind=step.kind,
            reading=json.dumps(step.reading or {}, default=vars),
        )

    def _move(self, situation: Situation, step: Step) -> None:
        if self.check_in is None:
            return
        where = (self.tx, self.practice.id, self.check_in.id)
        if step.scores:
            check_ins.add_answers(*where, self.inbox_id, dict(step.scores), self.now, step.replaces)
        state = conversation.move(situation.state, step.event) if situation.state and step.event else None
        if state and step.event is not Event.WITHDRAWN:  # `_end` withdraws, with the reason
            check_ins.set_state(*where, state, self.now)
        if step.prompted and step.prompted not in self.check_in.prompted:
            check_ins.set_prompted(*where, [*self.check_in.prompted, step.prompted])
        if step.kind == "skip":
            check_ins.no_reminder(*where)  # they have said that they'd rather not
        if step.assess:
            check_ins.mark_to_assess(self.tx, self.practice.id, self.check_in.client_id, self.check_in.therapist_id)

    def _consent(self, step: Step) -> None:
        if step.stop:
            self._stop()
        if step.start:
            self._start()
        if step.wrong_person:
            self._let_go()

    def _stop(self) -> None:
        """In the transaction that stores it: nothing to this person leaves after it commits."""
        self._suppress()
        for client in self.sender.all:
            self._end(client, STOPPED)

    def _suppress(self) -> None:
        clients.stop(self.tx, self.practice.id, self.inbound.sender, "reply", self.now)
        for client in self.sender.all:
            outcomes.stop_client(self.tx, client.practice_id, client.id, self.inbound.sender, "reply", self.now)

    def _start(self) -> None:
        for practice_id in {self.practice.id, *(client.practice_id for client in self.sender.all)}:
            clients.lift_stop(self.tx, practice_id, self.inbound.sender, self.now)
        for client in self.sender.all:
            for address in filter(None, (client.phone, client.email)):
                clients.lift_stop(self.tx, client.practice_id, address, self.now)
            if clients.is_stopped(self.tx, client.practice_id, self.inbound.sender):
                continue  # STOP was said after this was written
            clients.mark_stopped(self.tx, client.practice_id, client.id, None)
            self._note(client, "restored")
            replan_client(self.tx, client.practice_id, client.id, self.now)

    def _let_go(self) -> None:
        """Nothing more goes to this number. The client hasn't opted out: with the right one they are asked again."""
        clients.stop(self.tx, self.practice.id, self.inbound.sender, "wrong number", self.now)
        for client in self.sender.all:
            clients.stop(self.tx, client.practice_id, self.inbound.sender, "wrong number", self.now)
            if client == self.client:
                by_mail = self.inbound.sender.casefold() == client.email.casefold()
                clients.drop_address(self.tx, client.practice_id, client.id, "mail" if by_mail else "sms")
            self._note(client, "wrong number")
            self._end(client, WRONG_NUMBER)
        for practice_id in {client.practice_id for client in self.sender.all}:
            notify_managers(self.ctx, self.tx, practice_id, "wrong_number", f"wrong:{self.inbox_id}", self.now)

    def _end(self, client: Client, reason: str) -> None:
        """What is open, planned or waiting for this client goes no further."""
        latest = check_ins.latest_asked(self.tx, client.practice_id, client.id)
        state = conversation.move(State(latest.state), Event.WITHDRAWN) if latest else None
        if latest and state:
            check_ins.set_state(self.tx, client.practice_id, latest.id, state, self.now, reason=reason)
        outbox.cancel_waiting(self.tx, client.practice_id, client.id, reason, SPARED)
        replan_client(self.tx, client.practice_id, client.id, self.now)

    def _note(self, client: Client, what: str) -> None:
        address = self.inbound.sender
        clients.note_consent(self.tx, client.practice_id, client.id, address, what, "reply", self.now)

    def _alert(self, step: Step) -> None:
        check_in_id = self.check_in.id if self.check_in else None
        if step.alert == "danger":
            # Check-ins pause for whoever may have written.
            for client in [self.client] if self.client else self.sender.all:
                clients.halt(self.tx, client.practice_id, client.id, self.now)
                self._end(client, HALTED)
            raising.danger(
                self.tx, self.practice.id, self.client, self.sender.all, check_in_id, self.inbox_id, self.now
            )
        elif step.alert == "call" and self.client:
            raising.call(self.tx, self.client, check_in_id, self.now)

    def _say(self, say: Say) -> None:
        if self.inbound.channel == "web":
            return  # the page itself answers
        check_in_id = self.check_in.id if self.check_in else None
        where = (self.ctx, self.tx, self.practice)
        if self.client:
            dedupe = _dedupe(say.kind, check_in_id, self.client.id, self.inbox_id, self.now)
            if self.inbound.channel == "mail" and say.kind not in SPARED and self._answered_today():
                return
            # the address it came from, not another one of the client's
            say_to(*where, self.client, say, dedupe, self.now, check_in_id, to=self.inbound)
        elif self.inbound.channel == "sms" or say.kind in SPARED:  # by mail, senders are forged: spam gets no answer
            index = self.tx.sealer.index(self.inbound.sender)
            dedupe = _dedupe(say.kind, None, index, self.inbox_id, self.now)
            answer_stranger(*where, self.inbound.sender, self.inbound.channel, say, dedupe, self.now)

    def _answered_today(self) -> bool:
        """Two machines that answer each other must come to an end: one answer by mail a day is enough."""
        client = self.client
        return client is not None and outbox.answered_since(self.tx, client.practice_id, client.id, self.now - RECENT)


def _with_check_in(tx: Tx, situation: Situation, client: Client, check_in: CheckIn, now: datetime) -> Situation:
    answers = check_ins.answers(tx, client.practice_id, check_in.id)
    earlier = check_ins.answers_of(tx, client.practice_id, client.id, check_in.therapist_id)
    earlier.pop(check_in.id, None)
    over = check_in.state in OPEN and check_in.expires_at <= now  # before the worker has noticed
    return replace(
        situation,
        state=State.EXPIRED if over else State(check_in.state),
        asked=check_in.feelings,
        answers=answers,
        prompted=frozenset(check_in.prompted),
        # one that was written before the answers that are here, and fetched late, replaces none of them
        recent=check_in.answered_at is not None and timedelta() <= now - check_in.answered_at <= RECENT,
        usually_high=conversation.usually_high(list(earlier.values())),
    )


def _dedupe(kind: str, check_in_id: str | None, who: str, inbox_id: str, now: datetime) -> str:
    """What makes this message the same as another: once a check-in, once a day, or once a reply."""
    if kind in ONCE_A_CHECK_IN and check_in_id:
        return f"{kind}:{check_in_id}"
    if kind == "unexpected":
        return f"{kind}:{who}:{now.date()}"
    return f"{kind}:{inbox_id}"
