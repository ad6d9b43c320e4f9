"""Settling: the provider is asked before anything else happens to a message in doubt, twice and well apart."""

from datetime import datetime, timedelta

import pytest

from bot.channels import InDoubt
from bot.flows import receiving, sending, settling
from bot.flows.context import Context
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.store import sends
from bot.store.inbox import Inbound
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.post import Post, Scripted, raising

SECOND = timedelta(seconds=1)
SETTLE = timedelta(seconds=600)
FIRST, SECOND_LOOK = MONDAY_NOON + SETTLE * 0.2, MONDAY_NOON + SETTLE


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    return Post(ctx, practice)


@pytest.fixture
def lost(post: Post) -> Post:
    """A provider whose answers are lost; `listed` is what it took."""
    return post.by(Scripted(raising(InDoubt("no answer"))))


def look(post: Post, *times: datetime) -> list[int]:
    """How many messages were looked up at each time."""
    return [settling.look_up_due(post.ctx, now) for now in times]


def listed(post: Post) -> list[str]:
    channel = post.ctx.channels["sms"]
    assert isinstance(channel, Scripted)
    return channel.listed


@pytest.mark.parametrize("fault", ["lose_answer", "accept_then_503"])
def test_what_the_provider_took_is_found_and_not_sent_again(post: Post, sandbox: Sandbox, fault: str) -> None:
    """A lost answer costs nothing but a look: the check-in is asked as if the answer had come."""
    sandbox.faults.plan(Fault(fault))
    message = post.ask("Ana")
    post.send(MONDAY_NOON)
    assert look(post, FIRST - SECOND, FIRST) == [0, 1]
    assert (post.state(message), post.practice.check_ins("Ana")[0].state) == ("sent", "asked")
    post.send(SECOND_LOOK + SETTLE)
    assert len(sandbox.book.all()) == 1


@pytest.mark.parametrize("fault", ["503", "reset"])
def test_what_the_provider_never_had_goes_out_after_two_empty_looks_well_apart(
    post: Post, sandbox: Sandbox, fault: str
) -> None:
    """One empty look is no answer: a list lags. Both fit in the settling time, then it is due at once."""
    sandbox.faults.plan(Fault(fault))
    message = post.ask("Ana")
    post.send(MONDAY_NOON)
    assert look(post, FIRST, FIRST + SECOND, SECOND_LOOK - SECOND) == [1, 0, 0]
    assert post.state(message) == "in_doubt"
    assert look(post, SECOND_LOOK) == [1]
    assert post.send(SECOND_LOOK) == 1
    assert (post.state(message), len(sandbox.book.all())) == ("sent", 1)


def test_a_list_that_lags_is_looked_at_again(post: Post, sandbox: Sandbox) -> None:
    """What the first look missed the second finds."""
    sandbox.faults.plan(Fault("lose_answer"))
    message = post.ask("Ana")
    post.send(MONDAY_NOON)
    sandbox.faults.plan(Fault("list_lag", seconds=60))
    look(post, FIRST, SECOND_LOOK)
    assert post.send(SECOND_LOOK + SECOND) == 0
    assert (post.state(message), len(sandbox.book.all())) == ("sent", 1)


def test_a_worker_that_died_in_its_call_leaves_a_doubt(post: Post, sandbox: Sandbox) -> None:
    """Its lease ends, and the provider is asked; the message isn't simply due again."""

    class Killed(BaseException):
        pass

    message = post.ask("Ana")
    with pytest.raises(Killed):
        post.by(Scripted(raising(Killed()))).send(MONDAY_NOON)  # type: ignore[arg-type]
    assert post.state(message) == "claimed"
    freed = MONDAY_NOON + timedelta(seconds=61)
    assert post.send(freed) == 0
    assert post.state(message) == "in_doubt"
    look(post, freed + SETTLE * 0.1, freed + SETTLE)
    assert (post.send(freed + SETTLE), len(sandbox.book.all())) == (1, 1)


def test_a_clock_that_went_back_makes_the_wait_longer(lost: Post) -> None:
    """Two days back: no look until the clock has caught up."""
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    back = MONDAY_NOON - timedelta(days=2)
    assert look(lost, back, back + SETTLE, back + 5 * SETTLE) == [0, 0, 0]
    assert lost.state(message) == "in_doubt"


def test_a_clock_that_leaps_ahead_still_leaves_time_between_the_looks(lost: Post) -> None:
    """A month on within a second: the first look is at once, the second as long after it as ever."""
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    leapt = MONDAY_NOON + timedelta(days=30)
    assert look(lost, leapt, leapt + SECOND, leapt + SETTLE * 0.8 - SECOND) == [1, 0, 0]
    listed(lost).append("SM1")
    look(lost, leapt + SETTLE * 0.8)
    assert lost.state(message) == "sent"


def test_a_provider_that_cannot_be_asked_settles_nothing(lost: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays in doubt while look-ups fail; after a day a person is shown it."""
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)

    def fails(*_: object) -> list[str]:
        raise InDoubt("the look-up failed")

    monkeypatch.setattr(lost.ctx.channels["sms"], "find", fails, raising=False)
    look(lost, FIRST, SECOND_LOOK, SECOND_LOOK + SETTLE)
    assert lost.state(message) == "in_doubt"
    look(lost, MONDAY_NOON + timedelta(days=1, hours=1))
    assert (lost.state(message), lost.send(MONDAY_NOON + timedelta(days=2))) == ("needs_person", 0)


def test_an_account_that_was_taken_out_is_no_proof_that_nothing_was_sent(lost: Post) -> None:
    """With the texting settings gone nobody can be asked; the message is kept in doubt."""
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    without = Post(lost.ctx.__class__(lost.ctx.config, lost.ctx.store, lost.ctx.instruments, {}), lost.practice)
    look(without, FIRST, SECOND_LOOK)
    assert lost.state(message) == "in_doubt"


def test_the_same_words_sent_before_are_not_taken_for_this_message(lost: Post) -> None:
    """What belongs to an earlier message of ours doesn't settle this one."""
    earlier = lost.put("Ana", body="Same words")
    lost.by(Scripted(lambda _: "SM1")).send(MONDAY_NOON)
    assert lost.state(earlier) == "sent"
    message = lost.put("Ana", body="Same words")
    lost.send(MONDAY_NOON)
    listed(lost).append("SM1")
    look(lost, FIRST, SECOND_LOOK)
    assert lost.state(message) == "due"


def test_stop_while_in_doubt_means_that_it_is_not_sent_again(lost: Post) -> None:
    """Not found, and no longer wanted: skipped, with the reason."""
    message = lost.ask("Ana")
    lost.send(MONDAY_NOON)
    receiving.receive(lost.ctx, Inbound("sms", "SM9", PHONES["Ana"], "stop", "STOP"), MONDAY_NOON + SECOND)
    look(lost, FIRST, SECOND_LOOK)
    lost.send(SECOND_LOOK)
    assert lost.state(message) == "skipped"


def test_two_workers_do_not_look_at_the_same_moment(lost: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds the look taken, during it and after it, so one empty answer doesn't count as two."""
    lost.put("Ana")
    lost.send(MONDAY_NOON)
    with lost.ctx.store.transaction(write=False) as tx:
        [seen], _ = sends.to_look_up(tx, FIRST, 5)
    looks = []

    def find(*_: object) -> list[str]:
        looks.append(1)
        settling.settle_one(lost.ctx, seen, FIRST)
        return []

    monkeypatch.setattr(lost.ctx.channels["sms"], "find", find, raising=False)
    settling.settle_one(lost.ctx, seen, FIRST)
    settling.settle_one(lost.ctx, seen, SECOND_LOOK)
    assert len(looks) == 1


def test_a_late_not_found_leaves_a_newer_attempt_alone(lost: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a slow look at the first attempt was under way the message went out again and is in doubt again."""
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    look(lost, FIRST)

    def slow(*_: object) -> list[str]:
        monkeypatch.setattr(lost.ctx.channels["sms"], "find", lambda *_: [], raising=False)
        with lost.ctx.store.transaction() as tx:
            tx.run("update outbox set state = 'due', attempt_id = null, claim_token = null, looks = 0")
        lost.send(SECOND_LOOK)
        return []

    monkeypatch.setattr(lost.ctx.channels["sms"], "find", slow, raising=False)
    look(lost, SECOND_LOOK)
    row = lost.row(message)
    assert (row["state"], row["looks"], row["attempts"]) == ("in_doubt", 0, 2)


def test_a_clients_mail_in_doubt_waits_for_a_person(post: Post, sandbox: Sandbox) -> None:
    """Mail can't be looked up, and twice is worse than late."""
    sandbox.faults.plan(Fault("mail_lose_answer"))
    message = post.put("Ana", channel="mail", address="ana@clients.example", subject="Riverside")
    post.send(MONDAY_NOON)
    look(post, MONDAY_NOON + timedelta(seconds=30))
    assert post.state(message) == "needs_person"
    assert post.send(MONDAY_NOON + timedelta(days=3)) == 0
    assert len(sandbox.mailbox.all()) == 1


def test_a_letter_to_our_own_people_goes_again_with_the_same_message_id(post: Post, sandbox: Sandbox) -> None:
    """Late is worse than twice, and receivers can merge the two."""
    sandbox.faults.plan(Fault("mail_lose_answer"))
    message = post.put("Theo", "alert_danger", urgency=0)
    post.send(MONDAY_NOON)
    soon = MONDAY_NOON + timedelta(seconds=30)
    look(post, soon)
    post.send(soon)
    ids = [mail.message["Message-ID"] for mail in sandbox.mailbox.all()]
    assert (post.state(message), len(ids), len(set(ids))) == ("sent", 2, 1)


def test_a_text_to_our_own_people_goes_again_after_one_empty_look(lost: Post) -> None:
    """Danger must not wait ten minutes for certainty."""
    message = lost.put("Theo", "alert_text", channel="sms", address="+12025550177", urgency=0)
    lost.send(MONDAY_NOON)
    look(lost, FIRST)
    assert lost.state(message) == "due"


def test_a_yes_found_twice_has_its_consequences_once(post: Post, sandbox: Sandbox) -> None:
    """A slow worker's own answer comes after the look-up has settled it."""
    message = post.ask("Ana")

    def slow(outgoing: object) -> str:
        sending.free_abandoned(post.ctx, MONDAY_NOON + timedelta(seconds=61))
        look(Post(finder.ctx, post.practice), MONDAY_NOON + timedelta(seconds=200))
        return "SM1"

    channel = Scripted(slow, listed=["SM1"])  # type: ignore[arg-type]
    finder = post.by(channel)
    finder.send(MONDAY_NOON)
    check_in = post.practice.check_ins("Ana")[0]
    assert (post.state(message), check_in.asked_at) == ("sent", MONDAY_NOON + timedelta(seconds=200))


def test_looks_that_come_too_early_are_no_answer_however_many(lost: Post) -> None:
    """Whatever set them forward, nothing goes out again before the settling time is over."""
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    for seconds in (1, 2, 3, 599):
        with lost.ctx.store.transaction() as tx:
            tx.run("update outbox set look_at = 0")
        look(lost, MONDAY_NOON + timedelta(seconds=seconds))
        assert lost.state(message) == "in_doubt"
