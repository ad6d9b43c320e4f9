"""Status callbacks come late, twice and out of order, and settle what was in doubt."""

from datetime import timedelta

import pytest

from bot.channels import InDoubt
from bot.flows import delivery, sending, settling
from bot.flows.context import Context
from bot.flows.delivery import Status
from bot.store.outbox import Message
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.post import Post, Scripted, raising

LATER = MONDAY_NOON + timedelta(minutes=5)


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    """A provider that takes everything."""
    return Post(ctx, practice).by(Scripted())


@pytest.fixture
def lost(post: Post) -> Post:
    """A provider whose answers are lost."""
    return post.by(Scripted(raising(InDoubt("no answer"))))


def tell(post: Post, message: Message, *statuses: str, code: int = 0, attempt: str | None = None) -> None:
    """Callbacks about a message, by its present attempt or the one named."""
    attempt = attempt or str(post.row(message)["attempt_id"])
    for status in statuses:
        delivery.report(post.ctx, Status(attempt, f"SM{attempt}", status, code), LATER)


@pytest.mark.parametrize(
    ("statuses", "last"),
    [
        (("queued", "sent", "delivered"), "delivered"),
        (("delivered", "sent", "queued"), "delivered"),
        (("sent", "queued"), "sent"),
        (("delivered", "delivered", "undelivered"), "delivered"),
        (("accepted", "sending"), "sending"),
    ],
)
def test_the_latest_step_stands_whatever_the_order(post: Post, statuses: tuple[str, ...], last: str) -> None:
    """A final word wins, and what comes late changes nothing."""
    message = post.put("Ana")
    post.send(MONDAY_NOON)
    tell(post, message, *statuses)
    assert (post.row(message)["delivery"], post.state(message)) == (last, "sent")


def test_a_callback_settles_a_lost_answer(lost: Post) -> None:
    """It names our attempt, and brings the provider's id: the check-in is asked, and nothing is looked up."""
    message = lost.ask("Ana")
    lost.send(MONDAY_NOON)
    tell(lost, message, "queued")
    assert (lost.state(message), lost.practice.check_ins("Ana")[0].asked_at) == ("sent", LATER)
    assert settling.look_up_due(lost.ctx, LATER + timedelta(days=1)) == 0


def test_a_callback_that_comes_before_the_answer_counts_once(post: Post) -> None:
    """The provider may call back while we still wait for its answer."""

    def called_back(outgoing: object) -> str:
        tell(post, message, "queued")
        return f"SM{post.row(message)['attempt_id']}"

    message = post.ask("Ana")
    post.by(Scripted(called_back)).send(MONDAY_NOON)  # type: ignore[arg-type]
    assert post.practice.check_ins("Ana")[0].asked_at == LATER
    assert len(post.practice.rows("select * from outbox")) == 1


def test_a_callback_about_an_attempt_we_had_given_up_keeps_the_message_from_going_again(lost: Post) -> None:
    """Looked up twice, not found, due again: then the provider says that it has it."""
    message = lost.ask("Ana")
    lost.send(MONDAY_NOON)
    old = str(lost.row(message)["attempt_id"])
    for after in (120, 600):
        settling.look_up_due(lost.ctx, MONDAY_NOON + timedelta(seconds=after))
    assert lost.state(message) == "due"
    tell(lost, message, "delivered", attempt=old)
    assert (lost.state(message), lost.practice.check_ins("Ana")[0].state) == ("sent", "asked")
    assert lost.send(LATER + timedelta(days=1)) == 0


def test_a_callback_about_an_older_attempt_takes_the_claim_from_under_a_worker(lost: Post) -> None:
    """Claimed again but not yet begun: the worker finds its claim gone."""
    message = lost.ask("Ana")
    lost.send(MONDAY_NOON)
    old = str(lost.row(message)["attempt_id"])
    for after in (120, 600):
        settling.look_up_due(lost.ctx, MONDAY_NOON + timedelta(seconds=after))
    now = MONDAY_NOON + timedelta(seconds=601)
    [claimed] = lost.claim(now)
    tell(lost, message, "sent", attempt=old)
    second = Scripted()
    sending.deliver(lost.by(second).ctx, claimed, now)
    assert (second.sent, lost.state(message)) == ([], "sent")


def test_a_callback_about_an_older_attempt_while_a_newer_one_is_in_doubt(lost: Post) -> None:
    """The client has it; what became of the second call is no reason for a third."""
    message = lost.ask("Ana")
    lost.send(MONDAY_NOON)
    old = str(lost.row(message)["attempt_id"])
    for after in (120, 600):
        settling.look_up_due(lost.ctx, MONDAY_NOON + timedelta(seconds=after))
    lost.send(MONDAY_NOON + timedelta(seconds=600))
    assert lost.state(message) == "in_doubt"
    tell(lost, message, "delivered", attempt=old)
    assert (lost.state(message), settling.look_up_due(lost.ctx, LATER + timedelta(days=1))) == ("sent", 0)


def test_what_waits_for_a_person_is_settled_by_a_late_callback(lost: Post) -> None:
    """The person needn't look any more."""
    message = lost.put("Ana")
    lost.send(MONDAY_NOON)
    with lost.ctx.store.transaction() as tx:
        tx.run("update outbox set state = 'needs_person'")
    tell(lost, message, "delivered")
    assert lost.state(message) == "sent"


@pytest.mark.parametrize("code", [30003, 30004, 30005, 30006, 30007, 30008, 30034])
def test_a_question_that_never_arrived_fails_its_check_in_once(post: Post, code: int) -> None:
    """With the code and the provider's words; a second callback changes nothing."""
    message = post.ask("Ana")
    post.send(MONDAY_NOON)
    tell(post, message, "undelivered", "undelivered", "failed", code=code)
    check_in = post.practice.check_ins("Ana")[0]
    assert (check_in.state, post.row(message)["code"]) == ("failed", str(code))
    assert check_in.reason


def test_an_opt_out_told_by_callback_keeps_our_list_in_step(post: Post) -> None:
    """A messaging service may take a text and then find that the person has opted out."""
    message = post.put("Ana")
    post.send(MONDAY_NOON)
    tell(post, message, "failed", code=21610)
    assert post.practice.client("Ana").stopped


def test_managers_learn_once_that_a_text_to_one_of_their_own_did_not_arrive(post: Post) -> None:
    """That, not what was in it."""
    message = post.put("Theo", "alert_text", channel="sms", address="+12025550177", urgency=0)
    post.send(MONDAY_NOON)
    tell(post, message, "undelivered", "failed", code=30003)
    notices = [row for row in post.practice.rows("select * from outbox") if row["kind"] == "notice"]
    assert [row["person_id"] for row in notices] == [post.practice.staff["Dana"]]


def test_a_callback_about_nothing_of_ours_changes_nothing(post: Post) -> None:
    """Another program's message, or a forged attempt's id."""
    message = post.put("Ana")
    post.send(MONDAY_NOON)
    before = post.practice.rows("select * from outbox")
    delivery.report(post.ctx, Status("", "SM" + "9" * 32, "delivered"), LATER)
    delivery.report(post.ctx, Status("f" * 32, "SM" + "9" * 32, "failed", 30003), LATER)
    assert post.practice.rows("select * from outbox") == before
    assert post.state(message) == "sent"
