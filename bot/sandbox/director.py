"""Plays the story: moves the held clock to whatever comes next, lets clients and Theo do their part, and writes
down what happened. Web and worker are real processes that know of no story."""

import heapq
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from bot.sandbox import reading, sample, staff, story
from bot.sandbox.book import INBOUND, OUTBOUND, Message
from bot.sandbox.judge import Opened, Record
from bot.sandbox.mailbox import Mail
from bot.sandbox.phones import text as send_text
from bot.sandbox.sample import ANA, BEN, CHIDI, CLIENTS, SMS_NAME, ZONE, Person
from bot.sandbox.stage import Stage, Stuck
from bot.sandbox.transcript import Transcript

FIRST_DAY = datetime(2026, 9, 14, 8, 0, tzinfo=ZONE)  # a Monday; the clocks go back in week 7
AFTERWARDS = timedelta(days=4)  # until the last check-in has closed
THEO_READS = timedelta(hours=16)  # after the mail has come: the next morning
NOTE = "I'll ask Ben on Wednesday how the last visits were, and listen."
LONGEST_WAIT = 0.12  # seconds after a move of the clock at which a kill comes at the latest
MOVES = 80  # about how often the clock moves in ten weeks: kills are spread over as many
PATIENCE = 120  # moves of a second each that something may be overdue
AROUND_A_SEND = 0.015  # seconds: what a send still has to do once the provider has taken it


class Director:
    """Plays all ten weeks on a stage whose clock is held."""

    def __init__(
        self,
        stage: Stage,
        token: str,
        transcript: Transcript,
        *,
        declines: bool = True,
        watch: Callable[[Stage], None] | None = None,
    ) -> None:
        """`declines`: whether Ben does. `watch` is called whenever everyone is through with a moment."""
        self.stage, self.clock, self._watch = stage, stage.clock, watch
        self._token, self._told, self._declines = token, transcript, declines
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._seen_messages = self._seen_mails = 0
        self._turns: dict[str, list[story.Turn | None]] = {}
        self._asked: dict[str, tuple[str, ...]] = {}
        self._opened: list[Opened] = []
        self._helped_at: float | None = None
        self._kills: list[int] = []
        self._random = random.Random()  # noqa: S311 - no secret: it picks moments
        self._moves = self._overdue = 0

    def plan_kills(self, kills: int, seed: int) -> None:
        """End the worker the hard way so many times, at moments that the seed picks."""
        self._random = random.Random(seed)  # noqa: S311 - as above
        self._kills = sorted(self._random.randrange(MOVES) for _ in range(kills))

    def play(self) -> Record:
        """All of it, from the first visit until the last check-in has closed."""
        for week in range(1, story.WEEKS + 1):
            for client in CLIENTS:
                self._at(self._visit_ends(client, week), partial(self._visit, client, week))
            # the letters by the calendar come at their hour, not with the week's first visit
            self._at((FIRST_DAY + timedelta(weeks=week)).timestamp(), lambda: None)
        end = (FIRST_DAY + timedelta(weeks=story.WEEKS) + AFTERWARDS).timestamp()
        self._settle()
        while (moment := self._next()) <= end:
            self._move(moment)
        while self._kills:
            self._move(self.clock.now())
        sandbox = self.stage.sandbox
        return Record(sandbox.book.all(), sandbox.book.refusals(), sandbox.mailbox.all(), tuple(self._opened))

    def _next(self) -> float:
        """When something next happens: in the story, or by what the workers say they have in hand.

        Raises Stuck when they go on saying that something is overdue and don't do it.
        """
        due, now = self.clock.next_due(), self.clock.now()
        self._overdue = self._overdue + 1 if due is not None and due <= now else 0
        if self._overdue > PATIENCE:
            raise Stuck(f"The worker has something to do since {_moment(due or now)} and doesn't do it")
        times = [self._events[0][0]] if self._events else []
        # one that is due but not done yet (held up for another message, say) is looked at again a second on
        times += [max(due, now + 1)] if due is not None else []
        return min(times, default=float("inf"))

    def _move(self, moment: float) -> None:
        """To that moment, and on until everyone is through with what happens then."""
        self.clock.jump(max(moment, self.clock.now()))
        self._moves += 1
        self._told.week(self._week(self.clock.now()))
        while self._events and self._events[0][0] <= self.clock.now():
            heapq.heappop(self._events)[2]()
        if self._kills and self._kills[0] <= self._moves:
            self._kills.pop(0)
            self._kill()
        self._settle()

    def _settle(self) -> None:
        self.stage.settle()
        for message in self._new_messages():
            self._message(message)
        for mail in self._new_mails():
            self._mail(mail)
        if self._watch:
            self._watch(self.stage)

    def _kill(self) -> None:
        """At a random moment; where the provider takes a message before that, right around it: it hurts most there."""
        book, wait = self.stage.sandbox.book, self._random.uniform(0, LONGEST_WAIT)
        taken, deadline = len(book.all()), time.monotonic() + wait
        while time.monotonic() < deadline:
            if len(book.all()) > taken:
                time.sleep(self._random.uniform(0, AROUND_A_SEND))
                break
            time.sleep(0.001)
        self.stage.worker.kill()
        self._told.aside("the worker is killed with -9")

    def _at(self, moment: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), action))

    # What the practice's calendar does

    def _visit(self, client: Person, week: int) -> None:
        """The visit has ended: the calendar tells Attune so, and that the next one is booked."""
        self._told.visit(client.name)
        self._turns[client.phone] = list(self._week_of(client, week))
        rows = [sample.appointment(client, _moment(self._visit_ends(client, week)))]
        if week < story.WEEKS:
            rows.append(sample.appointment(client, _moment(self._visit_ends(client, week + 1)), "booked"))
        self.stage.tell_appointments(self._token, rows)

    def _visit_ends(self, client: Person, week: int) -> float:
        day = FIRST_DAY + timedelta(weeks=week - 1, days=client.weekday)
        return day.replace(hour=client.hour).timestamp()

    def _week_of(self, client: Person, week: int) -> story.Week:
        if client == ANA:
            return story.ana(week)
        if client == CHIDI:
            return story.chidi(week)
        return story.ben(week, helped=self._visits_since_help(week), declines=self._declines)

    def _visits_since_help(self, week: int) -> int:
        ends = (self._visit_ends(BEN, number) for number in range(1, week + 1))
        return 0 if self._helped_at is None else sum(end > self._helped_at for end in ends)

    def _week(self, epoch: float) -> int:
        return (_moment(epoch).date() - FIRST_DAY.date()).days // 7 + 1

    # What the clients do

    def _new_messages(self) -> list[Message]:
        fresh = self.stage.sandbox.book.all()[self._seen_messages :]
        self._seen_messages += len(fresh)
        return fresh

    def _message(self, message: Message) -> None:
        name = next((client.name for client in CLIENTS if client.phone == message.client), message.client)
        if message.direction == INBOUND:
            self._told.text_from(name, message.body)
        elif message.direction == OUTBOUND:
            self._told.text_to(name, message.body)
            self._client_reads(message)
        else:
            self._told.text_to(name, f"{message.body} (Twilio's own words)")

    def _client_reads(self, message: Message) -> None:
        turns = self._turns.get(message.client, [])
        if reading.is_check_in(message.body, SMS_NAME):
            self._asked[message.client] = reading.feelings_asked(message.body)
        elif message.client not in self._asked:
            return  # the welcome asks nothing
        turn = turns.pop(0) if turns else None
        if turn:
            words = turn.write(self._asked[message.client])
            self._at(message.created_at + 60 * turn.minutes, partial(self._text, message.client, words))

    def _text(self, phone: str, words: str) -> None:
        send_text(self.stage.sandbox.parts, phone, words)

    # What the therapists do

    def _new_mails(self) -> list[Mail]:
        fresh = self.stage.sandbox.mailbox.all()[self._seen_mails :]
        self._seen_mails += len(fresh)
        return fresh

    def _mail(self, mail: Mail) -> None:
        self._told.mail(", ".join(mail.recipients), mail.subject, mail.text)
        if mail.note:
            self._at(mail.at + THEO_READS.total_seconds(), partial(self._open, mail))

    def _open(self, mail: Mail) -> None:
        opened = staff.open_note(self.stage, mail, NOTE)
        self._opened.append(opened)
        name = next((client.name for client in CLIENTS if client.ref == opened.about), "nobody known")
        reader = mail.recipients[0].partition("@")[0].capitalize()
        self._told.event(reader, f"opens the link of the mail: it is about {name}.")
        if opened.taken_on:
            self._told.event(reader, f"takes it on: “{NOTE}”")
            self._helped_at = self._helped_at or self.clock.now()


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, ZONE)
