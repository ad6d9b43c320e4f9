"""Sending: everything is looked at again at the moment of sending, nobody sends what another has, and who waits."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.channels import DeliveryFailed, InDoubt, Outgoing, codes
from bot.flows import receiving, sending
from bot.flows.context import Context
from bot.flows.sending import Lane
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.store import Tx, appointments, clients, outbox, people, system
from bot.store.inbox import Inbound
from bot.store.outbox import ORDINARY, URGENT
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.post import Post, Scripted, raising

NEW_YORK = ZoneInfo("America/New_York")
EVENING = datetime(2026, 9, 7, 20, 0, tzinfo=NEW_YORK)  # when the hours end
MORNING = datetime(2026, 9, 8, 9, 0, tzinfo=NEW_YORK)
SECOND = timedelta(seconds=1)
LEASE, SETTLE = timedelta(seconds=60), timedelta(seconds=600)


@pytest.fixture
def post(ctx: Context, practice: Riverside) -> Post:
    return Post(ctx, practice)


@pytest.fixture
def paced(post: Post) -> Post:
    """One segment a second."""
    return post.by(Scripted(), pace=1.0)


def _change_phone(tx: Tx, client_id: str, phone: str) -> None:
    found = {"s": tx.seal("client", "phone", client_id, phone), "i": tx.sealer.index(phone), "id": client_id}
    tx.run("update client set phone_sealed = :s, phone_index = :i where id = :id", found)


# --- what is sent


def test_a_check_in_is_taken_once_and_then_asked(post: Post, sandbox: Sandbox) -> None:
    """The provider's yes makes the check-in asked, with its reminder and its end."""
    message = post.ask("Ana")
    assert post.send(MONDAY_NOON) == 1
    assert post.send(MONDAY_NOON + SECOND) == 0
    assert [text.body for text in sandbox.book.all()] == [message.body]
    check_in = post.practice.check_ins("Ana")[0]
    assert (check_in.state, check_in.asked_at) == ("asked", MONDAY_NOON)
    assert post.row(message)["provider_id"] == sandbox.book.all()[0].sid


def test_the_provider_gets_our_attempts_id_and_no_longer_than_the_hours_last(post: Post, sandbox: Sandbox) -> None:
    """A text may not lie in the provider's queue until the hours are over, counted from the end of the call."""
    message = post.ask("Ana", EVENING - timedelta(minutes=10))
    post.send(EVENING - timedelta(minutes=10))
    text = sandbox.book.all()[0]
    assert text.status_callback.endswith(f"/webhooks/twilio/status?attempt={post.row(message)['attempt_id']}")
    assert text.validity == 600 - 30


def test_a_check_in_is_not_valid_beyond_the_next_appointment(post: Post, sandbox: Sandbox) -> None:
    """What is open closes when the next appointment starts; so does what lies in the provider's queue."""
    post.practice.visit("Ana", MONDAY_NOON + timedelta(minutes=65), status="booked", now=MONDAY_NOON)
    post.ask("Ana")
    post.send(MONDAY_NOON)
    assert sandbox.book.all()[0].validity == 15 * 60 - 30


def test_no_transaction_is_open_while_the_provider_is_called(post: Post) -> None:
    """Another writer gets in during the call."""

    def answer(_: Outgoing) -> str:
        with post.ctx.store.transaction() as tx:  # in the same thread this would be a savepoint, so look
            assert tx.one("select 1 as yes from attempt where ended_at is null") == {"yes": 1}
        assert post.ctx.store._local.outer is None
        return "SM1"

    post.ask("Ana")
    assert post.by(Scripted(answer)).send(MONDAY_NOON) == 1


# --- what is looked at again at the moment of sending


def test_at_the_edge_of_the_hours_a_message_waits_for_the_morning(post: Post, sandbox: Sandbox) -> None:
    """With less than a minute left it might be taken too late."""
    message = post.ask("Ana", EVENING - timedelta(seconds=59))
    post.send(EVENING - timedelta(seconds=59))
    assert sandbox.book.all() == []
    assert (post.state(message), post.row(message)["due_at"]) == ("due", MORNING.timestamp())
    post.send(MORNING)
    assert post.state(message) == "sent"


def test_the_hours_are_those_of_the_clients_own_zone(post: Post, sandbox: Sandbox) -> None:
    """Noon in New York is six in the evening in Paris, eight in Sofia."""
    for name, zone in (("Ana", "Europe/Paris"), ("Ben", "Europe/Sofia")):
        with post.ctx.store.transaction() as tx:
            tx.run("update client set timezone = :z where client_ref = :ref", {"z": zone, "ref": f"C-{name}"})
        post.put(name)
    post.send(MONDAY_NOON + timedelta(hours=1, minutes=30))
    assert [text.to for text in sandbox.book.all()] == [PHONES["Ana"]]


def test_a_zone_nobody_knows_counts_as_the_practices(post: Post, sandbox: Sandbox) -> None:
    """The check-in goes out by the practice's hours, and is asked like any other."""
    message = post.ask("Ana")
    with post.ctx.store.transaction() as tx:
        tx.run("update client set timezone = 'America/Atlantis'")
    post.send(MONDAY_NOON)
    assert (post.state(message), post.practice.check_ins("Ana")[0].state) == ("sent", "asked")
    late = post.put("Ben")
    post.send(EVENING)
    assert post.state(late) == "due"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update client set consent_at = null", "the client has given no consent"),
        ("update client set state = 'on_hold'", "the client is on hold"),
        ("update client set state = 'discharged'", "the client is discharged"),
        ("update client set state = 'died'", "the client has died"),
        ("update client set halted_at = 1", "waiting until a clinician resumes check-ins"),
        ("update client set stopped_at = 1", "the client has opted out"),
        ("update client set paused_until = 4000000000", "the client's check-ins are paused"),
        ("update appointment set status = 'cancelled'", "the appointment was cancelled"),
        ("update appointment set status = 'no_show'", "the client did not come"),
        ("update check_in set expires_at = 1", "its time is over"),
        ("update client set phone_sealed = null, phone_index = null", "the client's number or address has changed"),
    ],
)
def test_what_changed_since_it_was_queued_stops_a_check_in(
    post: Post, sandbox: Sandbox, change: str, reason: str
) -> None:
    """Nothing goes out, and message and check-in both say why."""
    message = post.ask("Ana")
    with post.ctx.store.transaction() as tx:
        tx.run(change)
    post.send(MONDAY_NOON)
    assert sandbox.book.all() == []
    assert (post.state(message), post.row(message)["reason"]) == ("skipped", reason)
    check_in = post.practice.check_ins("Ana")[0]
    assert (check_in.state, check_in.reason) == ("cancelled", reason)


def test_a_number_on_the_suppression_list_gets_nothing_even_if_it_is_no_longer_the_clients(
    post: Post, sandbox: Sandbox
) -> None:
    """STOP holds for the number as well as for the person."""
    message = post.put("Ana")
    with post.ctx.store.transaction() as tx:
        clients.stop(tx, post.practice.practice.id, PHONES["Ana"], "reply", MONDAY_NOON)
        _change_phone(tx, post.practice.clients["Ana"], "+12025550111")
    assert not post.practice.client("Ana").stopped
    post.send(MONDAY_NOON)
    assert (post.state(message), sandbox.book.all()) == ("skipped", [])


def test_stop_between_the_claim_and_the_check_keeps_the_message_back(post: Post, sandbox: Sandbox) -> None:
    """STOP takes claimed messages away in its own transaction."""
    post.ask("Ana")
    [claimed] = post.claim(MONDAY_NOON)
    receiving.receive(post.ctx, Inbound("sms", "SM1", PHONES["Ana"], "stop", ""), MONDAY_NOON)
    sending.deliver(post.ctx, claimed, MONDAY_NOON)
    assert sandbox.book.all() == []
    assert post.state(claimed) == "skipped"


def test_a_schedule_that_moved_the_check_in_is_followed(post: Post, sandbox: Sandbox) -> None:
    """A manager's change reaches what is already queued."""
    message = post.ask("Ana")
    later = MONDAY_NOON + timedelta(hours=1)
    with post.ctx.store.transaction() as tx:
        tx.run("update check_in set due_at = :at", {"at": int(later.timestamp())})
    post.send(MONDAY_NOON)
    assert post.row(message)["due_at"] == later.timestamp()
    post.send(later)
    assert len(sandbox.book.all()) == 1


def test_a_check_in_that_was_answered_meanwhile_is_dropped_but_not_cancelled(post: Post, sandbox: Sandbox) -> None:
    """The client's answer to a message in doubt proved that it came: what is queued again is not needed."""
    message = post.ask("Ana")
    with post.ctx.store.transaction() as tx:
        tx.run("update check_in set state = 'partly_answered', asked_at = due_at")
    post.send(MONDAY_NOON)
    assert post.state(message) == "skipped"
    assert post.practice.check_ins("Ana")[0].state == "partly_answered"


def test_our_own_people_are_told_whatever_the_hour_and_strangers_unless_they_said_stop(
    post: Post, sandbox: Sandbox
) -> None:
    """A number we don't know is answered within the practice's own hours, and may have opted out."""
    midnight = EVENING + timedelta(hours=4)
    to_theo = post.put("Theo", "alert_danger", midnight, urgency=URGENT)
    to_one, to_other = (post.put(f"+1202555019{n}", "unexpected", midnight) for n in (1, 2))
    with post.ctx.store.transaction() as tx:
        clients.stop(tx, post.practice.practice.id, "+12025550192", "reply", midnight)
    post.send(midnight)
    assert [post.state(message) for message in (to_theo, to_one, to_other)] == ["sent", "due", "skipped"]
    post.send(midnight + timedelta(hours=12))
    assert post.state(to_one) == "sent"


def test_before_a_practice_is_ready_nobody_is_asked_by_a_real_provider(post: Post) -> None:
    """Without a duty contact and the rest, check-ins wait; answers to clients go out all the same."""
    channel = Scripted()
    real = post.by(channel, twilio_api_url="https://api.twilio.com")
    asked, answer = real.ask("Ana"), real.put("Ben")
    real.send(MONDAY_NOON)
    assert (real.state(asked), real.state(answer)) == ("due", "sent")
    assert "attune doctor" in real.row(asked)["reason"]


def test_two_clients_on_one_phone_are_asked_one_after_the_other(post: Post, sandbox: Sandbox) -> None:
    """The second waits until the first has answered or its time is over."""
    with post.ctx.store.transaction() as tx:
        _change_phone(tx, post.practice.clients["Ben"], PHONES["Ana"])
    first, second = post.ask("Ana"), post.ask("Ben")
    for minutes in (0, 1, 31):
        post.send(MONDAY_NOON + timedelta(minutes=minutes))
    states = sorted((post.state(first), post.state(second)))
    assert (states, len(sandbox.book.all())) == (["due", "sent"], 1)


# --- who may send


def test_two_workers_never_claim_the_same_message(post: Post) -> None:
    """What one has, the other doesn't get while the lease lasts."""
    messages = {post.put(name).id for name in PHONES}
    one, other = post.claim(MONDAY_NOON, "one"), post.claim(MONDAY_NOON, "other")
    assert ({message.id for message in one}, other) == (messages, [])


def test_what_was_claimed_but_never_begun_is_due_again_when_the_lease_ends(post: Post, sandbox: Sandbox) -> None:
    """A worker that died before its call has done nothing."""
    message = post.put("Ana")
    post.claim(MONDAY_NOON, "dead")
    assert post.send(MONDAY_NOON + LEASE) == 0
    assert post.send(MONDAY_NOON + LEASE + SECOND) == 1
    assert (post.state(message), len(sandbox.book.all())) == ("sent", 1)


def test_a_worker_that_wakes_after_its_lease_finds_its_claim_gone(post: Post, sandbox: Sandbox) -> None:
    """Another worker has it now; the first one's token is refused, whether or not anyone took it over."""
    post.put("Ana")
    [frozen] = post.claim(MONDAY_NOON, "frozen")
    later = MONDAY_NOON + LEASE + SECOND
    sending.deliver(post.ctx, frozen, later)
    assert sandbox.book.all() == []
    sending.free_abandoned(post.ctx, later)
    [claimed] = post.claim(later, "awake")
    sending.deliver(post.ctx, frozen, later)
    assert sandbox.book.all() == []
    sending.deliver(post.ctx, claimed, later)
    assert len(sandbox.book.all()) == 1


@pytest.mark.parametrize("moved", [timedelta(minutes=30), timedelta(days=-2)])
def test_a_worker_frozen_between_its_checks_and_the_call_looks_again(
    post: Post, sandbox: Sandbox, moved: timedelta
) -> None:
    """Whatever the clock shows on waking, the checks are stale: the message gets another turn."""
    message = post.ask("Ana")
    [claimed] = post.claim(MONDAY_NOON)
    sending.deliver(post.ctx, claimed, MONDAY_NOON, lambda: MONDAY_NOON + moved)
    assert (sandbox.book.all(), post.state(message)) == ([], "due")
    post.send(MONDAY_NOON + SECOND)
    assert len(sandbox.book.all()) == 1


def test_a_late_no_leaves_alone_what_another_worker_has_begun(post: Post) -> None:
    """The first worker's call fails long after its message went to another: that one's attempt stands."""
    message = post.put("Ana")
    later = MONDAY_NOON + LEASE + SECOND

    def slow_no(_: Outgoing) -> str:
        sending.free_abandoned(post.ctx, later)
        with post.ctx.store.transaction() as tx:  # found nowhere, so due again, and begun by another
            tx.run("update outbox set state = 'due', attempt_id = null, claim_token = null")
        other = post.by(Scripted(raising(InDoubt("lost"))))
        other.send(later)
        raise DeliveryFailed("no connection", permanent=False, meaning=codes.BUSY)

    post.by(Scripted(slow_no)).send(MONDAY_NOON)
    assert post.state(message) == "in_doubt"


def test_a_late_yes_stops_a_message_that_was_about_to_go_again(post: Post) -> None:
    """A worker that comes back with the provider's id has sent it, whatever was believed meanwhile."""
    message = post.put("Ana")

    def slow_yes(_: Outgoing) -> str:
        with post.ctx.store.transaction() as tx:
            tx.run("update outbox set state = 'due', attempt_id = null, claim_token = null")
        [claimed[:]] = [post.claim(MONDAY_NOON + LEASE)]
        return "SM1"

    claimed: list[outbox.Message] = []
    post.by(Scripted(slow_yes)).send(MONDAY_NOON)
    second = Scripted()
    sending.deliver(post.by(second).ctx, claimed[0], MONDAY_NOON + LEASE)
    assert (post.state(message), second.sent) == ("sent", [])


def test_one_number_has_one_live_attempt_but_for_urgent_messages(post: Post, sandbox: Sandbox) -> None:
    """A look-up couldn't tell two apart; a crisis reply doesn't wait for that, and others wait their turn."""
    sandbox.faults.plan(Fault("lose_answer"))
    doubtful = post.put("Ana")
    post.send(MONDAY_NOON)
    waiting, crisis = post.put("Ana", "help"), post.put("Ana", "crisis", urgency=URGENT)
    elsewhere = post.put("Ben")
    post.send(MONDAY_NOON + SECOND)
    states = [post.state(message) for message in (doubtful, waiting, crisis, elsewhere)]
    assert states == ["in_doubt", "due", "sent", "sent"]
    assert sandbox.book.all()[-2].body == crisis.body


# --- what the provider says


@pytest.mark.parametrize("fault", ["503", "accept_then_503", "reset", "lose_answer"])
def test_an_answer_that_leaves_it_open_puts_the_message_in_doubt(post: Post, sandbox: Sandbox, fault: str) -> None:
    """Nothing else happens to it until the provider was asked."""
    sandbox.faults.plan(Fault(fault))
    message = post.put("Ana")
    post.send(MONDAY_NOON)
    assert post.state(message) == "in_doubt"
    assert post.send(MONDAY_NOON + timedelta(days=1)) == 0


def test_a_fault_in_the_channel_itself_counts_as_doubt(post: Post) -> None:
    """Whatever went wrong, the provider may have it."""
    broken = post.by(Scripted(raising(RuntimeError("boom"))))
    message = broken.put("Ana")
    broken.send(MONDAY_NOON)
    assert broken.state(message) == "in_doubt"


def test_no_connection_is_a_definite_no_and_is_tried_again_ever_less_often(post: Post) -> None:
    """Half a minute, one, two, five ... ; waiting for other reasons doesn't count as a try."""
    down = post.by(Scripted(raising(DeliveryFailed("no connection", permanent=False, meaning=codes.BUSY))))
    message = down.put("Ana")
    now, waits = MONDAY_NOON, []
    for _ in range(4):
        down.send(now)
        due = datetime.fromtimestamp(down.row(message)["due_at"], NEW_YORK)
        waits.append((due - now).total_seconds())
        now = due
    assert waits == [30, 60, 120, 300]


@pytest.mark.parametrize(
    ("to", "urgency", "most"), [("Ana", URGENT, 60), ("Theo", URGENT, 60), ("Theo", ORDINARY, 300)]
)
def test_what_is_urgent_or_for_our_own_people_is_never_put_off_for_long(
    post: Post, to: str, urgency: int, most: int
) -> None:
    """Ten failures in, a danger mail is still tried every minute, an alert every five."""
    down = post.by(Scripted(raising(DeliveryFailed("no connection", permanent=False, meaning=codes.BUSY))))
    message = down.put(to, "crisis" if to == "Ana" else "alert_rapport", urgency=urgency)
    with down.ctx.store.transaction() as tx:
        tx.run("update outbox set attempts = 10")
    down.send(MONDAY_NOON)
    assert down.row(message)["due_at"] == MONDAY_NOON.timestamp() + most


def test_too_many_requests_holds_up_the_whole_sender_but_nothing_urgent(post: Post) -> None:
    """429 is always safe to try again, after what Retry-After says; hammering on with others would earn more."""
    answers = iter([raising(DeliveryFailed("busy", permanent=False, meaning=codes.BUSY, retry_after=40))])
    channel = Scripted(lambda outgoing: next(answers, lambda o: f"SM{o.attempt_id}")(outgoing))
    busy = post.by(channel)
    refused = busy.put("Ana")
    busy.send(MONDAY_NOON)
    other, crisis = busy.put("Ben"), busy.put("Chidi", "crisis", urgency=URGENT)
    busy.send(MONDAY_NOON + timedelta(seconds=39))
    assert [busy.state(message) for message in (refused, other, crisis)] == ["due", "due", "sent"]
    busy.send(MONDAY_NOON + timedelta(seconds=40))
    assert [busy.state(message) for message in (refused, other)] == ["sent", "sent"]


def test_a_provider_cannot_hold_us_up_for_a_month(post: Post) -> None:
    """Retry-After is believed up to an hour."""
    failure = DeliveryFailed("busy", permanent=False, meaning=codes.BUSY, retry_after=30 * 86400)
    busy = post.by(Scripted(raising(failure)))
    message = busy.put("Ana")
    busy.send(MONDAY_NOON)
    assert busy.row(message)["due_at"] == MONDAY_NOON.timestamp() + 3600


def test_a_definite_no_ends_the_check_in(post: Post) -> None:
    """The row keeps the code and its words; the check-in failed, and says why."""
    failure = DeliveryFailed("Not a mobile number", permanent=True, code="21614", meaning=codes.BAD_ADDRESS)
    refusing = post.by(Scripted(raising(failure)))
    message = refusing.ask("Ana")
    refusing.send(MONDAY_NOON)
    row, check_in = refusing.row(message), refusing.practice.check_ins("Ana")[0]
    assert (row["state"], row["code"], row["reason"]) == ("refused", "21614", "Not a mobile number")
    assert (check_in.state, check_in.reason) == ("failed", "Not a mobile number")


def test_an_opt_out_that_only_the_provider_knew_of_stops_everyone_at_that_number(post: Post, sandbox: Sandbox) -> None:
    """21610 keeps our list in step: the number, the person, and the record of consent."""
    [line] = {sandbox.parts.account.line}
    sandbox.book.set_opted_out(line, PHONES["Ana"], True)
    sandbox.book.set_opted_out(replace(line, messaging_service_sid=None), PHONES["Ana"], True)
    message = post.ask("Ana")
    post.send(MONDAY_NOON)
    assert (post.state(message), post.row(message)["code"]) == ("refused", "21610")
    assert post.practice.client("Ana").stopped
    assert post.practice.rows("select what from consent_event where source = 'provider'") == [{"what": "stopped"}]
    later = post.put("Ana", at=MONDAY_NOON + SECOND)
    post.send(MONDAY_NOON + SECOND)
    assert post.state(later) == "skipped"


def test_a_strangers_opt_out_at_the_provider_is_kept_too(post: Post) -> None:
    """Somebody who is no client, and whom we answered, is left alone from then on."""
    failure = DeliveryFailed("unsubscribed", permanent=True, code="21610", meaning=codes.STOPPED)
    refusing = post.by(Scripted(raising(failure)))
    refusing.put("+12025550199", "unexpected")
    refusing.send(MONDAY_NOON)
    with post.ctx.store.transaction(write=False) as tx:
        assert clients.is_stopped(tx, post.practice.practice.id, "+12025550199")


def test_managers_learn_that_a_letter_to_one_of_their_own_was_refused(post: Post) -> None:
    """That, and not what was in it."""
    failure = DeliveryFailed("the mail server said 550", permanent=True, code="550", meaning=codes.BAD_ADDRESS)
    refusing = post.by(Scripted(raising(failure)))
    refusing.put("Theo", "alert_rapport", body="Ana's trend fell")
    refusing.send(MONDAY_NOON)
    [notice] = [row for row in post.practice.rows("select * from outbox") if row["kind"] == "notice"]
    with post.ctx.store.transaction(write=False) as tx:
        letter = outbox.get(tx, post.practice.practice.id, str(notice["id"]))
        dana = people.get(tx, post.practice.practice.id, str(notice["person_id"]))
    assert (dana.name, "Theo" in letter.body, "Ana" in letter.body) == ("Dana", True, False)


# --- pace


def test_the_pace_is_one_segment_a_second(paced: Post) -> None:
    """A text of two segments takes two seconds; both workers share the pace."""
    for name, segments, before in (("Ana", 2, 3), ("Ben", 1, 2), ("Chidi", 1, 1)):
        paced.put(name, at=MONDAY_NOON - before * SECOND, segments=segments)
    sent_at = {at: paced.send(MONDAY_NOON + timedelta(seconds=at)) for at in (0, 1, 1.9, 2, 2.5, 3)}
    assert sent_at == {0: 1, 1: 0, 1.9: 0, 2: 1, 2.5: 0, 3: 1}


def test_urgent_messages_go_first_and_wait_for_no_pace(paced: Post) -> None:
    """They use it up all the same: what is not urgent comes after."""
    ordinary = paced.put("Ana", "help")
    crises = [paced.put(name, "crisis", urgency=URGENT) for name in ("Ben", "Chidi")]
    paced.send(MONDAY_NOON)
    assert [paced.state(message) for message in (*crises, ordinary)] == ["sent", "sent", "due"]
    paced.send(MONDAY_NOON + timedelta(seconds=2))
    assert paced.state(ordinary) == "sent"


def test_answers_to_clients_go_before_questions(paced: Post) -> None:
    """Someone who wrote to us is waiting."""
    asked, answer = paced.ask("Ana"), paced.put("Ben", at=MONDAY_NOON)
    paced.send(MONDAY_NOON)
    assert (paced.state(asked), paced.state(answer)) == ("due", "sent")


def test_a_message_that_is_not_sent_gives_its_share_of_the_pace_back(paced: Post) -> None:
    """A night's worth of waiting messages must not use up the morning."""
    with paced.ctx.store.transaction() as tx:
        tx.run("update client set stopped_at = 1 where client_ref = 'C-Ana'")
    paced.put("Ana", segments=3)
    other = paced.put("Ben", at=MONDAY_NOON + SECOND)
    paced.send(MONDAY_NOON + SECOND)
    paced.send(MONDAY_NOON + SECOND)
    assert paced.state(other) == "sent"


def test_a_clock_that_went_back_does_not_stop_the_sender(paced: Post) -> None:
    """A pace used up until tomorrow, by the clock of yesterday, is no pace."""
    with paced.ctx.store.transaction() as tx:
        tomorrow = MONDAY_NOON + timedelta(days=1)
        system.set_free_at(tx, "+15005550006", int(tomorrow.timestamp() * 1000))
    message = paced.put("Ana")
    paced.send(MONDAY_NOON)
    assert paced.state(message) == "sent"


def test_mail_has_no_pace(paced: Post) -> None:
    """The pace is the text sender's."""
    for _ in range(3):
        paced.put("Theo", "alert_rapport")
    assert paced.send(MONDAY_NOON) == 3


def test_a_lane_that_must_wait_for_the_pace_says_how_long(paced: Post) -> None:
    """So that a worker by the machine's clock can be back to the second."""
    lane = Lane("sms", urgent=False)
    for name in ("Ana", "Ben"):
        paced.put(name)
    paced.send(MONDAY_NOON)
    now = MONDAY_NOON + timedelta(milliseconds=300)
    assert sending.pause(paced.ctx, lane, now) == timedelta(milliseconds=700)
    assert lane not in sending.due_by_lane(paced.ctx, now)


def test_an_appointment_cancelled_while_the_text_was_on_its_way_changes_nothing_twice(post: Post) -> None:
    """What was taken was taken; the check-in is asked, and its message isn't sent again."""
    message = post.ask("Ana")

    def answer(_: Outgoing) -> str:
        with post.ctx.store.transaction() as tx:
            [visit] = appointments.of_clients(tx, post.practice.practice.id, [post.practice.clients["Ana"]])[
                post.practice.clients["Ana"]
            ]
            tx.run("update appointment set status = 'cancelled' where id = :id", {"id": visit.id})
        return "SM1"

    post.by(Scripted(answer)).send(MONDAY_NOON)
    assert post.state(message) == "sent"
    assert post.send(MONDAY_NOON + timedelta(hours=1)) == 0
