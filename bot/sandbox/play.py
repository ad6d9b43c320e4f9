"""What the guide's buttons make happen for real: a visit ends, weeks go by, by the sandbox's running clock."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock, Thread

from bot.sandbox import phones, reading, sample
from bot.sandbox.book import OUTBOUND
from bot.sandbox.sample import SMS_NAME, ZONE, Person
from bot.sandbox.stage import Stage
from bot.sandbox.story import Turn, commas, gives, messy, together

PATIENCE = 10.0  # seconds a page waits for what its button sets going
WEEK, FOUR_DAYS, TEN_MINUTES = timedelta(weeks=1), 4 * 86400, 600
USUAL = (
    gives(0, 5, 4, 5, 4, messy),
    gives(0, 5, 5, 4, 5, commas),
    gives(0, 4, 5, 5, 4),
    gives(0, 5, 5, 5, 4, together),
    gives(0, 4, 5, 4, 5),
)
DECLINE = (gives(0, 3, 5, 3, 4), gives(0, 2, 4, 2, 3), gives(0, 2, 3, 1, 2), gives(0, 1, 2, 1, 2), gives(0, 1, 2, 1, 1))
NO_TEXT = (
    "No check-in came within four days of {name}’s visit. After STOP, text START from {name}’s phone; after words of "
    "danger check-ins pause until a clinician has looked."
)


class Play:
    """One thing at a time; `busy` and `problem` are for the guide to show."""

    def __init__(self, stage: Stage, token: str, clients: Sequence[Person]) -> None:
        """`clients`: the first is the one the guide is about."""
        self._stage, self._clock, self._token = stage, stage.clock, token
        self._clients = {client.phone: client for client in clients}
        self._first = clients[0]
        self._last_visits: dict[str, datetime] = {}
        self._lock = Lock()
        self.busy = self.problem = ""
        self.colleagues: Mapping[str, str] = {"Dana": sample.DANA, **sample.THERAPISTS}

    def sign_in_link(self, name: str) -> str:
        """A link that signs one of them in. Raises FailedToStart."""
        return self._stage.attune("sign-in-link", self.colleagues[name]).splitlines()[-1]

    def do(self, what: str, phone: str = "") -> None:
        """Do what a button says (`visit`, of whoever has that phone, or `weeks`), unless something is being done.

        Waits a little for a visit; weeks go by in the background.
        """
        client = self._clients.get(phone, self._first)
        todo: dict[str, Callable[[Person], None]] = {"visit": self._visit, "weeks": self._weeks}
        with self._lock:
            if what not in todo or self.busy:
                return
            self.busy, self.problem = f"{client.name}’s visit ends, and the clock moves on", ""
        thread = Thread(target=self._guarded, args=(todo[what], client), name="play", daemon=True)
        thread.start()
        if what == "visit":
            thread.join(PATIENCE)

    def _guarded(self, act: Callable[[Person], None], client: Person) -> None:
        try:
            act(client)
        except Exception as error:  # shown on the page: whoever clicked is waiting there
            self.problem = str(error)
        finally:
            self.busy = ""

    def _visit(self, client: Person) -> None:
        """A week after the last one (or now) a visit ends; then the clock jumps to its check-in."""
        self._stage.settle()
        if last := self._last_visits.get(client.phone):
            self._jump((last + WEEK).timestamp())
        ends_at = datetime.fromtimestamp(int(self._clock.now()), ZONE)
        self._last_visits[client.phone] = ends_at
        seen = len(self._check_ins(client))
        self._stage.tell_appointments(self._token, [sample.appointment(client, ends_at)])
        self._stage.settle()
        while len(self._check_ins(client)) == seen:
            due = self._clock.next_due()
            if due is None or due > ends_at.timestamp() + FOUR_DAYS:
                raise LookupError(NO_TEXT.format(name=client.name))
            self._jump(due)
            time.sleep(0.1)  # by a running clock a worker may still be about to look
            self._stage.settle()

    def _weeks(self, client: Person) -> None:
        """The client answers as usual for some weeks and then lower and lower, until the therapist has mail."""
        mails = self._mails()
        for week, turn in enumerate((*USUAL, *DECLINE), start=1):
            how = "as usual" if week <= len(USUAL) else "lower than usual"
            self.busy = f"Week {week}: {client.name} answers {how}"
            self._visit(client)
            self._answer(client, turn)
            if self._mails() > mails:
                return

    def _answer(self, client: Person, turn: Turn) -> None:
        asked = reading.feelings_asked(self._check_ins(client)[-1], client.language)
        self._jump(self._clock.now() + TEN_MINUTES)
        phones.text(self._stage.sandbox.parts, client.phone, turn.write(asked))
        self._stage.settle()

    def _jump(self, to: float) -> None:
        if to > self._clock.now():
            self._clock.jump(to)
        self._stage.settle()

    def _check_ins(self, client: Person) -> list[str]:
        sent = [m.body for m in self._stage.sandbox.book.with_client(client.phone) if m.direction == OUTBOUND]
        return [body for body in sent if reading.is_check_in(body, SMS_NAME, client.language)]

    def _mails(self) -> int:
        return sum(bool(mail.note) for mail in self._stage.sandbox.mailbox.all())
