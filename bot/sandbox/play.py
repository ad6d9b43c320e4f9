"""What the guide's buttons make happen for real: a visit ends, weeks go by, by the sandbox's running clock."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock, Thread

from bot.sandbox import phones, reading, sample
from bot.sandbox.book import OUTBOUND
from bot.sandbox.sample import ANA, SMS_NAME, ZONE
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
DECLINE = (gives(0, 3, 4, 3, 3), gives(0, 2, 4, 2, 3), gives(0, 2, 3, 1, 2), gives(0, 1, 2, 1, 2), gives(0, 1, 2, 1, 1))
NO_TEXT = (
    "No check-in came within four days of the visit. If Ana has said STOP, text START from Ana’s phone; after words of "
    "danger check-ins pause until a clinician has looked."
)


class Play:
    """One thing at a time; `busy` and `problem` are for the guide to show."""

    def __init__(self, stage: Stage, token: str) -> None:
        self._stage, self._clock, self._token = stage, stage.clock, token
        self._last_visit: datetime | None = None
        self._lock = Lock()
        self.busy = self.problem = ""

    def do(self, what: str) -> None:
        """Do what a button says (`visit` or `weeks`), unless something is being done. Waits a little for it."""
        todo = {"visit": (self._visit, "Ana’s visit has ended"), "weeks": (self._weeks, "The next weeks go by")}
        if what not in todo or not self._lock.acquire(blocking=False):
            return
        act, self.busy = todo[what]
        self.problem = ""
        thread = Thread(target=self._guarded, args=(act,), name="play", daemon=True)
        thread.start()
        if what == "visit":
            thread.join(PATIENCE)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # shown on the page: whoever clicked is waiting there
            self.problem = str(error)
        finally:
            self.busy = ""
            self._lock.release()

    def _visit(self) -> None:
        """A week after the last one (or now) Ana's visit ends; then the clock jumps to her check-in."""
        self._stage.settle()
        if self._last_visit:
            self._jump((self._last_visit + WEEK).timestamp())
        self._last_visit = datetime.fromtimestamp(int(self._clock.now()), ZONE)
        self._stage.tell_appointments(self._token, [sample.appointment(ANA, self._last_visit)])
        seen = len(self._check_ins())
        until = self._clock.now() + FOUR_DAYS
        while len(self._check_ins()) == seen:
            self._stage.settle()
            due = self._clock.next_due()
            if len(self._check_ins()) > seen:
                return
            if due is None or due > until:
                raise LookupError(NO_TEXT)
            self._jump(due)
            time.sleep(0.1)  # by a running clock a worker may still be about to look

    def _weeks(self) -> None:
        """Ana answers as usual for some weeks and then lower and lower, until the therapist has mail."""
        mails = self._mails()
        for week, turn in enumerate((*USUAL, *DECLINE), start=1):
            self.busy = f"Week {week}: Ana answers {'as usual' if week <= len(USUAL) else 'lower than usual'}"
            self._visit()
            self._answer(turn)
            if self._mails() > mails:
                return

    def _answer(self, turn: Turn) -> None:
        asked = reading.feelings_asked(self._check_ins()[-1])
        self._jump(self._clock.now() + TEN_MINUTES)
        phones.text(self._stage.sandbox.parts, ANA.phone, turn.write(asked))
        self._stage.settle()

    def _jump(self, to: float) -> None:
        if to > self._clock.now():
            self._clock.jump(to)
        self._stage.settle()

    def _check_ins(self) -> list[str]:
        sent = [m.body for m in self._stage.sandbox.book.with_client(ANA.phone) if m.direction == OUTBOUND]
        return [body for body in sent if reading.is_check_in(body, SMS_NAME)]

    def _mails(self) -> int:
        return len(self._stage.sandbox.mailbox.all())
