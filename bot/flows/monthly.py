"""A manager's month, by mail, on the first working day of the next one: what went out, what came back, what it cost."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from bot.flows import groups as groups_flow
from bot.flows.context import Context
from bot.flows.letters import post
from bot.flows.paper import Button, Letter, Part
from bot.flows.planning import rule_of
from bot.store import groups, months, people
from bot.store.groups import Cell
from bot.store.months import Counts
from bot.store.practices import Practice
from surveys.digest_wording import digest_words
from surveys.groups import EVERYONE
from surveys.months import Month, latest_letter
from surveys.page_wording import PageWords

Figures = list[tuple[str, str]]


def send(ctx: Context, practice: Practice, since: datetime, now: datetime) -> int:
    """Queue the letter to each manager, if it fell due since then; how many. After downtime only the latest month's."""
    due, month = latest_letter(now, practice.timezone, rule_of(practice.schedule).holidays)
    if not since < due <= now:
        return 0
    with ctx.store.transaction(write=False) as tx:
        managers = [person for person in people.with_role(tx, practice.id, "manager") if person.email]
    if not managers:
        return 0
    groups_flow.close(ctx, practice, now)
    letter = letter_of(ctx, practice, month)
    return sum(post(ctx, practice, who, "month", f"month:{who.id}:{month}", letter, now) for who in managers)


def letter_of(ctx: Context, practice: Practice, month: Month) -> Letter:
    """A month as the letter that goes out. No name, no answer, and averages only where the rule for groups allows."""
    zone = practice.timezone
    words = digest_words(practice.language, zone)
    with ctx.store.transaction(write=False) as tx:
        found = months.counts(tx, practice.id, month.begins(zone), month.after.begins(zone))
        before = months.counts(tx, practice.id, month.before.begins(zone), month.begins(zone))
        cells = groups.cells(tx, practice.id, str(month.before))
    return Letter(
        sender=practice.name,
        language=practice.language,
        subject=words.say("month_subject"),
        lead=_lead(found, month, words),
        buttons=[Button(words.say("month_action"), f"{ctx.config.public_url}/delivery")],
        parts=[
            Part(words.say("going"), figures=_delivery(found, before, words)),
            Part(words.say("spending"), figures=_spending(found, practice, words)),
            Part(words.say("leaving"), figures=_consent(found, words)),
            *_rated(ctx, cells, month.before, words),
        ],
        small=[words.say("month_privacy")],
    )


def _lead(found: Counts, month: Month, words: PageWords) -> str:
    name = words.month(month.begins(words.zone))
    if found.rate is None:
        return words.say("month_none", month=name)
    return words.say("month_lead", month=name, rate=found.rate)


def _delivery(found: Counts, before: Counts, words: PageWords) -> Figures:
    shown: Figures = [(words.say(name), str(getattr(found, name))) for name in ("asked", "answered", "expired")]
    shown += [
        (words.say(name), str(number)) for name in ("open", "failed", "cancelled") if (number := getattr(found, name))
    ]
    rates = {"rate": found.rate, "rate_before": before.rate}
    shown += [(words.say(name), words.say("percent", rate=rate)) for name, rate in rates.items() if rate is not None]
    if found.needs_person:
        shown.append((words.say("person"), str(found.needs_person)))
    return shown


def _spending(found: Counts, practice: Practice, words: PageWords) -> Figures:
    shown: Figures = [(words.say(name), str(getattr(found, name))) for name in ("texts", "segments", "mails")]
    price, currency = (practice.settings.get(f"segment_{part}", "") for part in ("price", "currency"))
    if price:
        amount = (Decimal(price) * found.segments).quantize(Decimal("0.01"), ROUND_HALF_UP)
        label = words.say("price", price=_number(price, words), currency=currency).replace("  ", " ")
        shown.append((label, words.say("money", amount=_number(amount, words), currency=currency).strip()))
    return shown


def _rated(ctx: Context, cells: Sequence[Cell], month: Month, words: PageWords) -> list[Part]:
    """What all clients together answered, as counted once when the month had closed: the letter can't show more than
    the page of groups does. Nothing where the rule forbids it."""
    means = {each.feeling: each.shown.mean for each in cells
             if each.group == EVERYONE and each.month == str(month) and each.shown}  # fmt: skip
    labels = {feeling: question.labels[words.language] for feeling, question in ctx.instruments.questions.items()}
    figures = [
        (label[:1].upper() + label[1:], words.say("mean", mean=_number(f"{means[feeling]:.1f}", words)))
        for feeling, label in labels.items()
        if feeling in means
    ]
    heading = words.say("groups", month=words.month(month.begins(words.zone)))
    return [Part(heading, figures=figures)] if figures else []


def _number(number: object, words: PageWords) -> str:
    return str(number).replace(".", words.say("decimal"))


def _consent(found: Counts, words: PageWords) -> Figures:
    return [(words.say(name), str(getattr(found, name))) for name in ("agreed", "stopped")]
