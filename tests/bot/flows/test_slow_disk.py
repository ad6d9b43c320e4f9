"""Where a commit takes longer than a look at consent is good for, all is looked at again right before the call: what
may go goes, by any disk that commits at all, and who said STOP meanwhile is left alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.channels import DeliveryFailed, Outgoing, codes
from bot.flows import leases, receiving, refusals, sending
from bot.flows.context import Context
from bot.flows.sending import AT_ONCE, FRESH, Lane, Tempo
from bot.store import StoreError, sends
from bot.store.inbox import Inbound
from bot.store.outbox import URGENT, Message
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.post import Post, Scripted, raising

SECOND = timedelta(seconds=1)
TURNS = 4
EVENING = datetime(2026, 9, 7, 20, 0, tzinfo=ZoneInfo("America/New_York"))  # when the hours end
COMMITS = pytest.mark.parametrize("commit", [1.2, 2.0, 4.0])


class SlowDisk:
    """The store, and a clock that goes on by `commit` seconds at each commit, by the first of `reads` at each look.

    `meanwhile` is done once, between the first commit and its calls.
    """

    def __init__(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        self.channel = Scripted(self._taken)
        self.post = post.by(self.channel)
        self.now, self.commit, self.reads = MONDAY_NOON, 0.0, list[float]()
        self.meanwhile: Callable[[], object] = lambda: None
        self.ages: list[timedelta] = []
        engine = type(post.ctx.store)
        plain, kept = engine._outermost, leases.kept

        @contextmanager
        def slowly(store: Any, write: bool, patience: float) -> Iterator[Any]:
            with plain(store, write, patience) as tx:
                yield tx
            if write:
                self.now += timedelta(seconds=self.commit)
            elif self.commit and self.reads:
                self.now += timedelta(seconds=self.reads.pop(0))

        @contextmanager
        def keeping(*args: Any) -> Iterator[None]:
            meanwhile, self.meanwhile = self.meanwhile, lambda: None
            meanwhile()
            with kept(*args):
                yield

        monkeypatch.setattr(engine, "_outermost", slowly)
        monkeypatch.setattr(leases, "kept", keeping)

    def _taken(self, outgoing: Outgoing) -> str:
        self.ages.append(self.now - outgoing.now)
        return f"SM{outgoing.attempt_id}"

    def send(self, commit: float, lane: Lane | None = None, turns: int = TURNS, most: int = 1) -> None:
        """Some turns of a thread of a lane, while each commit takes so long."""
        self.commit = commit
        tempo = Tempo(lambda: 0.0)
        for _ in range(turns):
            tempo.most = most
            sending.send_next(self.post.ctx, "worker", lane or Lane("sms", False), lambda: self.now, tempo)
        self.commit = 0.0

    def stop(self, name: str) -> Callable[[], object]:
        """A client's STOP comes in."""
        inbound = Inbound("sms", f"SM{name}", PHONES[name], "stop", "")
        return lambda: receiving.receive(self.post.ctx, inbound, self.now)

    def came_of(self, message: Message) -> tuple[int, str, int]:
        """How often a provider was called for it, its state, and how many attempts that took."""
        row = self.post.row(message)
        return sum(out.message_id == message.id for out in self.channel.sent), row["state"], row["attempts"]


@pytest.fixture
def disk(ctx: Context, practice: Riverside, monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    return SlowDisk(Post(ctx, practice), monkeypatch)


@COMMITS
def test_a_check_in_goes_out_once_however_long_a_commit_takes(disk: SlowDisk, commit: float) -> None:
    """At the first attempt, and within a second of the last look at consent."""
    message = disk.post.ask("Ana")
    disk.send(commit)
    assert disk.came_of(message) == (1, "sent", 1)
    assert disk.ages == [timedelta()]
    assert disk.post.practice.check_ins("Ana")[0].state == "asked"


@COMMITS
def test_danger_is_told_once_however_long_a_commit_takes(disk: SlowDisk, commit: float) -> None:
    message = disk.post.put("Theo", "alert_danger", urgency=URGENT)
    disk.send(commit, Lane("mail", True))
    assert disk.came_of(message) == (1, "sent", 1)


def test_danger_is_told_by_a_disk_that_takes_longer_than_a_lease(disk: SlowDisk) -> None:
    """Even where another worker has taken the message for one that may have gone out: it is told twice at the worst."""
    first, second = (disk.post.put("Theo", "alert_danger", urgency=URGENT) for _ in range(2))
    disk.send(70.0, Lane("mail", True), turns=1)
    assert disk.came_of(first) == (1, "sent", 1)
    disk.meanwhile = lambda: sending.free_abandoned(disk.post.ctx, disk.now + 70 * SECOND)
    disk.send(70.0, Lane("mail", True), turns=1)
    assert disk.came_of(second) == (1, "sent", 1)


@COMMITS
def test_stop_that_comes_while_a_commit_takes_its_time_is_honoured(disk: SlowDisk, commit: float) -> None:
    """The message was claimed, and its attempt written down; nothing but the confirmation goes out."""
    message = disk.post.ask("Ana")
    disk.meanwhile = disk.stop("Ana")
    disk.send(commit)
    assert disk.came_of(message)[:2] == (0, "skipped")
    kinds = {each.id: each.kind for each in disk.post.messages("Ana")}
    assert [kinds[out.message_id] for out in disk.channel.sent] == ["stopped"]


def test_without_the_second_look_nothing_would_ever_go_out(disk: SlowDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin that keeps the second: each turn is too late, and as nobody is called, none counts as an attempt."""
    monkeypatch.setattr(sending, "CHECKS", 0)
    message = disk.post.ask("Ana")
    danger = disk.post.put("Theo", "alert_danger", urgency=URGENT)
    disk.send(4.0)
    disk.send(4.0, Lane("mail", True))
    assert [disk.came_of(each) for each in (message, danger)] == [(0, "due", 0)] * 2


def test_by_the_first_look_alone_a_text_would_go_out_after_stop(
    disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin that lets the first look count for longer."""
    monkeypatch.setattr(sending, "FRESH", timedelta(hours=1))
    monkeypatch.setattr(sending, "HELD_UP", timedelta(hours=1))
    message = disk.post.ask("Ana")
    disk.meanwhile = disk.stop("Ana")
    disk.send(4.0)
    assert disk.came_of(message)[:2] == (1, "sent")


def test_the_provider_may_keep_a_text_no_longer_than_the_hours_last_from_the_second_look(disk: SlowDisk) -> None:
    disk.now = EVENING - 600 * SECOND
    disk.post.ask("Ana", disk.now)
    disk.send(4.0)
    assert [out.valid_seconds for out in disk.channel.sent] == [600 - 4 - 30]


def test_hours_that_end_while_a_commit_takes_its_time_keep_a_message_back(disk: SlowDisk) -> None:
    disk.now = EVENING - 62 * SECOND
    message = disk.post.ask("Ana", disk.now)
    disk.send(4.0)
    assert disk.came_of(message) == (0, "due", 0)


def test_an_attempt_that_is_not_ours_any_more_is_not_called_for(disk: SlowDisk) -> None:
    """Its lease ended while the commit took its time: another worker has taken it up, or may at any moment."""
    taken, over = disk.post.ask("Ana"), disk.post.ask("Ben")
    disk.meanwhile = lambda: sending.free_abandoned(disk.post.ctx, disk.now + 61 * SECOND)
    disk.send(4.0, turns=1)
    assert disk.came_of(taken) == (0, "due", 0)
    disk.send(61.0, turns=1)
    assert disk.came_of(over)[0] == 0


def test_messages_that_are_sent_together_go_out_together_on_a_slow_disk_too(disk: SlowDisk) -> None:
    """Each is looked at again by itself; one that may not go any more takes no other along."""
    ana, ben, chidi = (disk.post.ask(name) for name in ("Ana", "Ben", "Chidi"))
    disk.meanwhile = disk.stop("Ana")
    disk.send(2.0, turns=1, most=AT_ONCE)
    assert [disk.came_of(each) for each in (ana, ben, chidi)] == [(0, "due", 0), (1, "sent", 1), (1, "sent", 1)]


@pytest.mark.parametrize(("reads", "called"), [([2.0], 1), ([2.0, 2.0], 1), ([2.0] * 3, 0)])
def test_a_look_that_has_to_wait_for_another_writers_sync_is_made_again(
    disk: SlowDisk, reads: list[float], called: int
) -> None:
    """With the slower journal of SQLite a reader waits for whoever is writing. A client isn't written to by a look
    that is more than a second old."""
    message = disk.post.ask("Ana")
    disk.reads = reads
    disk.send(4.0, turns=1)
    assert disk.came_of(message)[0] == called
    assert all(age <= FRESH for age in disk.ages)


def test_danger_does_not_wait_for_a_look_that_is_in_time(disk: SlowDisk) -> None:
    """Our own people can't say STOP."""
    message = disk.post.put("Theo", "alert_danger", urgency=URGENT)
    disk.reads = [9.0] * 9
    disk.send(4.0, Lane("mail", True), turns=1)
    assert disk.came_of(message) == (1, "sent", 1)


def test_a_check_that_fails_before_a_late_call_puts_the_message_off(
    disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link to the database is lost for a moment. Nobody was called, so there is nothing to doubt: a client's mail,
    which can't be looked up, would otherwise wait for a person."""
    message = disk.post.put("Ana", "thanks", channel="mail", address="ana@home.example")
    plain, faults = sends.is_on, [StoreError("the link is lost")]

    def is_on(*args: Any) -> bool:
        if faults:
            raise faults.pop()
        return plain(*args)

    monkeypatch.setattr(sends, "is_on", is_on)
    disk.send(2.0, Lane("mail", False), turns=1)
    assert disk.came_of(message) == (0, "due", 0)
    disk.send(2.0, Lane("mail", False), turns=1)
    assert disk.came_of(message) == (1, "sent", 1)


def test_a_message_that_was_put_off_is_tried_again_as_soon_as_any_other(disk: SlowDisk) -> None:
    """How long to wait after a provider's no goes by the calls that were made, not by those that weren't."""
    message = disk.post.put("Ana")
    disk.reads = [2.0] * 9
    for _ in range(3):
        disk.send(4.0, turns=1)
    assert disk.came_of(message) == (0, "due", 0)
    disk.channel.answers = raising(DeliveryFailed("try later", permanent=False, meaning=codes.BUSY))
    disk.send(0.0, turns=1)
    assert (disk.came_of(message), disk.post.row(message)["due_at"]) == (
        (1, "due", 1),
        int((disk.now + refusals.RETRY_AFTER[0] * SECOND).timestamp()),
    )
