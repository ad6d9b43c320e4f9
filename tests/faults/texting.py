"""Clients who were asked, and who text their answers over real HTTP, as Twilio delivers them."""

import http.client
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from bot.flows.context import Context
from bot.store import people, practices

URL, TOKEN, SID = "http://attune.example", "a-token-for-tests", "AC" + "0" * 32
PATH = "/webhooks/twilio/sms"
PATIENCE = 90.0  # seconds that an answer may take on a busy machine
THREADS = 8


class Texters:
    """Clients who text, from several threads at once; each text is sent until it is answered 200, some once more.
    They stop when `allowed` texts are answered."""

    def __init__(self, port: int, texts: int, rng: random.Random) -> None:
        self._port, self._rng = port, rng
        self._waiting = list(range(texts))
        rng.shuffle(self._waiting)
        self._lock = Lock()
        self._open, self._over = Event(), Event()
        self.answered: set[int] = set()
        self.sent: set[int] = set()
        self.allowed = 0
        self.met: Counter[str] = Counter()
        self._threads = [Thread(target=self._text, daemon=True) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def go_on(self) -> None:
        self._open.set()

    def hold(self) -> None:
        """No new texts; those under way come to their end."""
        self._open.clear()

    def stop(self) -> None:
        self._over.set()
        self._open.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def allow(self, more: int) -> int:
        """So many more texts; how many are answered then."""
        self.allowed = len(self.answered) + more
        return self.allowed

    def _text(self) -> None:
        line: http.client.HTTPConnection | None = None
        while not self._over.is_set():
            self._open.wait()
            number = self._next()
            if number is None:
                self._over.wait(0.003)
                continue
            line = line or http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            status = _post(line, number)
            if status != 200:
                line.close()
                line = None
            self._note(number, status)

    def _next(self) -> int | None:
        with self._lock:
            if not self._waiting or len(self.answered) >= self.allowed:
                return None
            number = self._waiting.pop()
            self.sent.add(number)
            return number

    def _note(self, number: int, status: int) -> None:
        with self._lock:
            self.met[str(status or "cut off")] += 1
            if status == 200:
                self.answered.add(number)
            if status != 200 or self._rng.random() < 0.03:  # answered, and delivered once more all the same
                self._waiting.insert(self._rng.randrange(len(self._waiting) + 1), number)
        if not status:
            self._over.wait(0.03)


def answers_of(number: int) -> list[tuple[str, int]]:
    """Each text says its own three digits."""
    scores = (1 + number % 5, 1 + number // 5 % 5, 2 + number // 25 % 4)  # never three ones: they are asked about
    return list(zip(("heard", "respected", "understood"), scores, strict=True))


def _phone(number: int) -> str:
    return f"+1202{number + 6_000_000:07d}"


def _post(line: http.client.HTTPConnection, number: int) -> int:
    """Deliver a text as Twilio does; the status, or 0 where no whole answer came."""
    body = " ".join(str(score) for _, score in answers_of(number))
    form = {"AccountSid": SID, "MessageSid": f"SM{number:032x}", "From": _phone(number), "To": "+15005550006",
            "Body": body, "NumMedia": "0"}  # fmt: skip
    signature = RequestValidator(TOKEN).compute_signature(URL + PATH, form)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    try:
        line.request("POST", PATH, urlencode(form), headers)
        answer = line.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    return answer.status


def found_askers(ctx: Context, how_many: int) -> None:
    """A practice with so many clients, each asked an hour ago."""
    ctx.store.migrate()
    now = datetime.now(UTC)
    rows: dict[str, list[dict[str, object]]] = {"client": [], "appointment": [], "check_in": []}
    with ctx.store.transaction() as tx:
        practice = practices.add(tx, "Riverside Counseling", now)
        theo, _ = people.save(tx, practice.id, name="Theo", email="theo@riverside.example", now=now)
        people.give_role(tx, practice.id, theo, "therapist")
        for number in range(how_many):
            for table, row in _asked(ctx, practice.id, theo, number, now).items():
                rows[table].append(row)
        for table, found in rows.items():
            tx.insert_many(table, found)


def _asked(ctx: Context, practice_id: str, theo: str, number: int, now: datetime) -> dict[str, dict[str, object]]:
    sealer, phone, name = ctx.store.sealer, _phone(number), f"c{number}"
    ended = int((now - timedelta(hours=3)).timestamp())
    return {
        "client": {
            "id": name, "practice_id": practice_id, "client_ref": name, "language": "en", "timezone": "UTC",
            "name_sealed": sealer.seal(f"client|name|{name}", "Ana"), "channel": "sms", "consent_at": 1,
            "phone_sealed": sealer.seal(f"client|phone|{name}", phone), "phone_index": sealer.index(phone),
            "therapist_id": theo, "created_at": 1, "welcomed_at": 1,
        },
        "appointment": {
            "id": name, "practice_id": practice_id, "appointment_ref": name, "client_id": name, "therapist_id": theo,
            "starts_at": ended - 3000, "ends_at": ended, "status": "attended",
        },
        "check_in": {
            "id": name, "practice_id": practice_id, "client_id": name, "therapist_id": theo, "appointment_id": name,
            "state": "asked", "feelings": "heard,respected,understood", "due_at": ended, "asked_at": ended + 7200,
            "expires_at": ended + 250_000,
        },
    }  # fmt: skip
