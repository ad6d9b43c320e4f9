"""Four weeks by a rule that isn't saved: the clients it is for, planned by the rule as it is and as it would be."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bot.flows.context import Context
from bot.flows.links import one_tap_link
from bot.flows.planning import AT_ONCE, Known, askings_of, for_planning, known_lately
from bot.flows.rules import rules_of
from bot.flows.speaking import voice_of
from bot.store import Tx, answer_links, schedules
from bot.store.clients import Client
from bot.store.practices import Practice
from surveys.layers import Rules
from surveys.preview import Bill, Case, Cost, Preview, Side, cost_of, preview
from surveys.schedule import Schedule

LATEST = timedelta(days=60)  # the longest delay, expiry and holidays together: older visits are not asked about now


def four_weeks(
    ctx: Context, tx: Tx, practice: Practice, scope: str, owner_id: str, own: Mapping[str, str], now: datetime
) -> Preview:
    """What the rule of the practice, a therapist or a client would do, if it held these keys. Nothing is stored."""
    rules = rules_of(tx, practice)
    both = rules, _with(rules, scope, owner_id, own)
    return preview(_cases(ctx, tx, practice, scope, owner_id, both, now), practice.timezone, now)


def price_of(practice: Practice, bill: Bill) -> tuple[str, str] | None:
    """What texts cost, at least and at most, as in "USD 1.20"; None where the practice has set no price."""
    price = practice.settings.get("segment_price")
    if not price:
        return None
    currency = practice.settings.get("segment_currency", "")
    least, most = (f"{currency} {Decimal(price) * count:.2f}".strip() for count in (bill.least, bill.most))
    return least, most


def _with(rules: Rules, scope: str, owner_id: str, own: Mapping[str, str]) -> Rules:
    """The practice's rules with another layer in this place."""
    if scope == "practice":
        return Rules(own, rules.therapists, rules.clients)
    if scope == "therapist":
        return Rules(rules.practice, {**rules.therapists, owner_id: own}, rules.clients)
    return Rules(rules.practice, rules.therapists, {**rules.clients, owner_id: own})


def _cases(
    ctx: Context, tx: Tx, practice: Practice, scope: str, owner_id: str, both: tuple[Rules, Rules], now: datetime
) -> list[Case]:
    """Whoever the rule is for, and may be asked in the next weeks."""
    ids: Sequence[str] = [owner_id]
    if scope != "client":
        therapist = owner_id if scope == "therapist" else None
        ids = schedules.clients_seen_since(tx, practice.id, now - LATEST, therapist)
    costs = _Costs(ctx, practice)
    found = _known(tx, practice, ids, now - LATEST)
    return [_case(known, costs, *both) for known in found]


def _case(known: Known, costs: "_Costs", now_rules: Rules, then_rules: Rules) -> Case:
    client = known.client

    def side(rules: Rules) -> Side:
        rule = rules.of(client.therapist_id, client.id)
        return Side(rule, known.under(rule), costs.of(rule, client))

    visits = [for_planning(visit) for visit in known.visits]
    asked = askings_of(known.asked)
    sides = side(now_rules), side(then_rules)
    return Case(client.client_ref, visits, asked, *sides, client.welcomed, known.earlier)


def _known(tx: Tx, practice: Practice, ids: Sequence[str], since: datetime) -> Iterator[Known]:
    for start in range(0, len(ids), AT_ONCE):
        yield from known_lately(tx, practice, ids[start : start + AT_ONCE], since)


class _Costs:
    """What texts take, worked out once for each rule and kind of client."""

    def __init__(self, ctx: Context, practice: Practice) -> None:
        self.ctx, self.practice = ctx, practice
        self.link = one_tap_link(ctx.config, answer_links.new_token())
        self._known: dict[tuple[int, str, str, bool], Cost] = {}

    def of(self, rule: Schedule, client: Client) -> Cost:
        key = (id(rule), client.channel, client.language, client.discreet)
        if key not in self._known:
            voice = voice_of(self.practice, client.language, rule)
            self._known[key] = cost_of(rule, client.channel, voice, self.ctx.instruments, self.link, client.discreet)
        return self._known[key]
