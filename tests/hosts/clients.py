"""Clients who answer what the provider takes for them, and the provider's webhooks that bring it to one web host or
another until somebody says 200. What was answered, and how long it took, is booked here and nowhere else."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Lock, Thread

import requests
from twilio.request_validator import RequestValidator

from tests.faults.provider import Heard, Provider, Taken

PATH = "/webhooks/twilio/sms"
NUMBER = "+15005550006"
GIVES_UP = 15.0  # seconds a provider waits for an answer to its webhook
SCORES = "4 4 5 3"
WORDS = "running late today, see you soon"
EVERY = 0.25  # seconds between texts that answer nothing


@dataclass(frozen=True)
class Try:
    """One webhook: `status` 0 where nothing came back; `seconds` it took."""

    host: str
    status: int
    seconds: float


class Clients:
    """Everyone behind the provider. `webs`: (name, address) of each web host."""

    def __init__(
        self, provider: Provider, webs: Sequence[tuple[str, str]], public_url: str, token: str, rng: random.Random
    ) -> None:
        self._provider, self._webs, self._url = provider, webs, f"{public_url}{PATH}"
        self._signer, self._rng, self._lock = RequestValidator(token), rng, Lock()
        self._texts: Counter[str] = Counter()
        self._senders = ThreadPoolExecutor(32)
        self.accepted: dict[str, tuple[str, str]] = {}  # MessageSid: number and words, once somebody said 200
        self.gave_up: list[str] = []
        self.tries: list[Try] = []
        self.under_way = 0
        self._enough, self._talkers = Event(), frozenset[str]()
        provider.hooks.step = self._step

    def chat(self, numbers: Sequence[str]) -> None:
        """Meanwhile one of these writes every now and then, whatever else goes on, until `hush`."""
        self._talkers = frozenset(numbers)
        Thread(target=self._chat, args=(numbers, random.Random(self._rng.random())), daemon=True).start()

    def hush(self) -> None:
        self._enough.set()

    def close(self) -> None:
        """Wait for what is under way."""
        self._senders.shutdown(wait=True)

    def _chat(self, numbers: Sequence[str], rng: random.Random) -> None:
        while not self._enough.wait(EVERY):
            with self._lock:
                self._submit(rng.choice(numbers), WORDS)

    def _submit(self, number: str, words: str) -> None:
        self.under_way += 1
        self._senders.submit(self._bring, f"SM{self._rng.getrandbits(128):032x}", number, words)

    def _step(self, step: str, number: str, taken: Taken | None) -> None:
        """As a text is taken: the network is slow now and then, and a client answers the second text (the first is
        the welcome); one in eight says STOP to it instead."""
        if step != "at" or taken is None:
            return
        with self._lock:
            self._texts[number] += 1
            slow, stops = self._rng.random() * 0.6, self._rng.random() < 1 / 8
            if self._texts[number] == 2 and number not in self._talkers:
                self._submit(number, "stop" if stops else SCORES)
        time.sleep(slow)

    def _bring(self, sid: str, number: str, words: str) -> None:
        form = {"MessageSid": sid, "From": number, "To": NUMBER, "Body": words, "NumMedia": "0", "NumSegments": "1"}
        headers = {"X-Twilio-Signature": self._signer.compute_signature(self._url, form)}
        first = int(sid[-1], 16)
        until, attempt = time.monotonic() + GIVES_UP * 20, 0
        while time.monotonic() < until:
            if self._one_try(*self._webs[(first + attempt) % len(self._webs)], form, headers):
                self.accepted[sid] = (number, words)
                if words == "stop":
                    self._provider.heard.append(Heard(number, "stop", time.time()))
                break
            time.sleep(0.5)
            attempt += 1
        else:
            self.gave_up.append(sid)
        with self._lock:
            self.under_way -= 1

    def _one_try(self, host: str, address: str, form: dict[str, str], headers: dict[str, str]) -> bool:
        began = time.monotonic()
        try:
            status = requests.post(f"{address}{PATH}", form, headers=headers, timeout=(3, 2 * GIVES_UP)).status_code
        except requests.RequestException:
            status = 0
        self.tries.append(Try(host, status, time.monotonic() - began))
        return status == 200
