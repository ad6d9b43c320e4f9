"""One-tap answers: what a check-in's link shows, and what follows when its form is sent.

Looking changes nothing, since mail scanners and previews look too. A form goes the way of every reply: kept in the
inbox, read for danger and wishes, answers stored, alerts raised, all in one transaction.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from bot import log
from bot.flows import receiving
from bot.flows.context import Context
from bot.flows.joining import RECENT, Sender
from bot.flows.links import read_stop_link
from bot.flows.speaking import voice_of
from bot.flows.standing import still_counts
from bot.store import Tx, answer_links, check_ins, clients, inbox, outbox, practices
from bot.store.check_ins import OPEN, CheckIn
from bot.store.clients import Client
from bot.store.inbox import Inbound
from bot.store.practices import Practice
from surveys import tap
from surveys.conversation import State, Step
from surveys.tap import Tap
from surveys.wording import Say, language_of, places_of

MOST = 20  # forms about one check-in; nobody corrects themselves so often
MOST_WITH_WORDS = 100  # words may tell of danger


@dataclass(frozen=True)
class Form:
    """What a link shows: whose voice and language, what is asked, and whether it still takes answers.

    `correct_until`: it was answered; until then a full new set replaces the first. `lines`: whom to call.
    """

    practice: Practice
    language: str
    zone: str
    lines: str
    asked: tuple[str, ...]
    live: bool
    correct_until: datetime | None = None


@dataclass(frozen=True)
class Sent:
    """What became of a form. `step` is None where a person must look at it; `too_many`: it wasn't taken in."""

    form: Form
    step: Step | None = None
    repeat: bool = False
    too_many: bool = False


@dataclass(frozen=True)
class _Opened:
    practice: Practice
    client: Client
    check_in: CheckIn
    live: bool


def look(ctx: Context, token: str, now: datetime) -> Form | None:
    """What the link shows; None when it isn't ours. Changes nothing."""
    with ctx.store.transaction(write=False) as tx:
        found = _open(tx, token, now)
        return _form(ctx, found) if found else None


def send(ctx: Context, token: str, given: Tap, now: datetime) -> Sent | None:
    """Take a form in; None when the link isn't ours.

    A link that takes no answers any more still takes words and wishes, for someone may be in danger. The same form
    again, one after the other, is a double tap and counts once.
    """
    with ctx.store.transaction() as tx:
        found = _open(tx, token, now)
        if found is None:
            return None
        given = given if found.live else replace(given, scores={})
        if not given.empty:
            sent = _take(ctx, tx, found, given, now)
            log.get().info("received", what="form", check_in=found.check_in.id)
            return replace(sent, form=_form(ctx, _open(tx, token, now) or found))
    return Sent(_form(ctx, found))


def stop(ctx: Context, token: str, now: datetime) -> Form | None:
    """Somebody asks by a mail's link that no more come; None when the link isn't ours. Twice is the same as once."""
    message_id = read_stop_link(ctx.config, token)
    with ctx.store.transaction() as tx:
        message = outbox.anywhere(tx, message_id) if message_id else None
        if message is None:
            return None
        practice = practices.get(tx, message.practice_id)
        found = clients.by_address(tx, message.address)
        client = clients.get(tx, practice.id, message.client_id) if message.client_id else None
        if not message.address:
            return _stop_form(ctx, practice, None)  # they were erased: nothing more goes anywhere
        everyone = [*found, *([client] if client and client.id not in {each.id for each in found} else [])]
        name = hashlib.sha256(f"{message.id}\n{now.timestamp()}".encode()).hexdigest()
        latest = check_ins.latest_asked(tx, practice.id, client.id) if client else None
        said = Inbound("web", name, message.address, "STOP", opt_out_type="STOP")
        receiving.take(ctx, tx, Sender(practice, client, latest, everyone), said, now)
    return _stop_form(ctx, practice, client)


def stop_form(ctx: Context, token: str) -> Form | None:
    """What a mail's link to stop shows; None when it isn't ours. Changes nothing."""
    message_id = read_stop_link(ctx.config, token)
    with ctx.store.transaction(write=False) as tx:
        message = outbox.anywhere(tx, message_id) if message_id else None
        if message is None:
            return None
        client = clients.get(tx, message.practice_id, message.client_id) if message.client_id else None
        return _stop_form(ctx, practices.get(tx, message.practice_id), client)


def _open(tx: Tx, token: str, now: datetime) -> _Opened | None:
    link = answer_links.find(tx, token)
    if link is None:
        return None
    practice = practices.get(tx, link.practice_id)
    client = clients.get(tx, practice.id, link.client_id)
    check_in = check_ins.get(tx, practice.id, link.check_in_id)
    gone = client.stopped or client.state == "died"
    return _Opened(practice, client, check_in, not gone and _is_live(tx, check_in, now))


def _is_live(tx: Tx, check_in: CheckIn, now: datetime) -> bool:
    """Whether answers count: it is open, or was when check-ins were paused; was answered within a day; or has only just
    been handed to the provider."""
    if check_in.state in OPEN:
        return check_in.expires_at > now
    if check_in.state == State.PLANNED:
        under_way = check_ins.under_way(tx, check_in.practice_id, check_in.client_id, now)
        return under_way is not None and under_way.id == check_in.id
    if still_counts(tx, check_in, now):
        return True
    return _correct_until(check_in) is not None and now - (check_in.answered_at or now) <= RECENT


def _correct_until(check_in: CheckIn) -> datetime | None:
    return check_in.answered_at + RECENT if check_in.state == State.ANSWERED and check_in.answered_at else None


def _take(ctx: Context, tx: Tx, found: _Opened, given: Tap, now: datetime) -> Sent:
    form = _form(ctx, found)
    where = (tx, found.practice.id, found.check_in.id)
    before = inbox.count_by_form(*where)
    if before and inbox.is_latest(*where, "web", _name(found.check_in, given, before - 1)):
        return Sent(form, repeat=True)
    if before >= (MOST_WITH_WORDS if given.words else MOST):
        return Sent(form, too_many=True)
    words = tap.in_words(given, ctx.instruments, form.language)
    said = Inbound("web", _name(found.check_in, given, before), _address(tx, found), words)
    sender = Sender(found.practice, found.client, found.check_in, [found.client], certain=True)
    danger_words = receiving.own_danger_words(found.practice)
    taken = receiving.take(
        ctx, tx, sender, said, now, lambda asked: tap.read(given, asked, ctx.instruments, danger_words)
    )
    return Sent(form, taken.step if taken else None)


def _address(tx: Tx, found: _Opened) -> str:
    """Where the link was sent, as far as that is known; their id, which nobody can be reached at, where every address
    was let go."""
    client = found.client
    sent_to = outbox.latest_address(tx, found.practice.id, found.check_in.id)
    return sent_to or client.address or client.email or client.phone or client.id


def _name(check_in: CheckIn, given: Tap, number: int) -> str:
    """The form's name in the inbox: that of a repeat is the same only when nothing else was sent in between."""
    content = (sorted(given.scores.items()), given.words, given.stop, given.call)
    return hashlib.sha256(f"{check_in.id}\n{number}\n{content}".encode("utf-8", "surrogatepass")).hexdigest()


def _form(ctx: Context, found: _Opened) -> Form:
    practice, client = found.practice, found.client
    form = _shown(ctx, practice, client.language, client.timezone, found.check_in.feelings)
    return replace(form, live=found.live, correct_until=_correct_until(found.check_in) if found.live else None)


def _stop_form(ctx: Context, practice: Practice, client: Client | None) -> Form:
    language, zone = (client.language, client.timezone) if client else (practice.language, practice.timezone)
    return _shown(ctx, practice, language, zone)


def _shown(ctx: Context, practice: Practice, language: str, zone: str, asked: tuple[str, ...] = ()) -> Form:
    lines = places_of(Say("thanks"), voice_of(practice, language), ctx.instruments)["lines"]
    return Form(practice, language_of(language), zone, lines, asked, live=False)
