"""A therapist at work in a test: who they are to a flow, and replies that come in for real."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from bot.flows import receiving
from bot.flows.access import Me
from bot.store import alerts, check_ins, clients, notes, people
from bot.store.clients import Entry
from bot.store.inbox import Inbound
from tests.support.cast import MONDAY_NOON, PHONES, Riverside
from tests.support.weeks import CORE

_ids = count(1)
EARLY = datetime(2026, 9, 20, 15, tzinfo=UTC)


def me_of(practice: Riverside, name: str = "Theo", *roles: str) -> Me:
    """One of the staff, signed in with a second factor; a therapist unless other roles are named."""
    with practice.ctx.store.transaction(write=False) as tx:
        person = people.get(tx, practice.practice.id, practice.staff[name])
    return Me(person, practice.practice, frozenset(roles or ("therapist",)), True, "a session")


def asked(practice: Riverside, name: str, at: datetime, feelings: Sequence[str] = CORE, therapist: str = "Theo") -> str:
    """A visit that ended then and whose check-in the provider took two hours later; the check-in's id."""
    ref = practice.visit(name, at, therapist=therapist, now=at)
    found = practice.rows(
        "select k.id from check_in k join appointment v on v.id = k.appointment_id where v.appointment_ref = :ref",
        ref=ref,
    )
    check_in_id, asked_at = str(found[0]["id"]), at + timedelta(hours=2)
    with practice.ctx.store.transaction() as tx:
        check_ins.set_feelings(tx, practice.practice.id, check_in_id, feelings)
        check_ins.set_state(tx, practice.practice.id, check_in_id, "asked", asked_at)
        check_ins.set_asked(tx, practice.practice.id, check_in_id, asked_at, None, asked_at + timedelta(hours=72))
    return check_in_id


def writes(practice: Riverside, name: str, text: str, at: datetime) -> str:
    """The client texts this; the inbox row's id."""
    provider_id = f"SMT{next(_ids):031x}"
    assert receiving.receive(practice.ctx, Inbound("sms", provider_id, PHONES[name], text), at)
    return str(practice.rows("select id from inbox where provider_id = :id", id=provider_id)[0]["id"])


def audit(practice: Riverside, about: str) -> list[str]:
    """What the audit trail says of a row, in order."""
    return [
        str(row["what"]) for row in practice.rows("select what from audit where about = :a order by at, id", a=about)
    ]


def raised(practice: Riverside, therapist: str, count: int, verdict: str = "", at: datetime = EARLY) -> None:
    """So many notes for a therapist, each about a client of its own, taken on and judged an hour later."""
    for number in range(count):
        with practice.ctx.store.transaction() as tx:
            entry = Entry(
                f"{therapist}-{at:%d}-{number}", "X", "", "", "en", "America/New_York", "sms", None,
                practice.staff[therapist],
            )  # fmt: skip
            client_id, _ = clients.save(tx, practice.practice.id, entry, at)
            alert_id = alerts.open_alert(
                tx, practice.practice.id, client_id=client_id, therapist_id=practice.staff[therapist], kind="rapport",
                explanation="", check_in_id=None, now=at,
            )  # fmt: skip
            alerts.acknowledge(tx, practice.practice.id, alert_id, practice.staff[therapist], "", at)
            if verdict:
                found = alerts.get(tx, practice.practice.id, alert_id)
                notes.save_verdict(tx, found, verdict, practice.staff[therapist], at + timedelta(hours=1))


def third_therapist(practice: Riverside) -> None:
    """Mo, beside Theo and Ines."""
    with practice.ctx.store.transaction() as tx:
        practice.staff["Mo"], _ = people.save(
            tx, practice.practice.id, name="Mo", email="mo@riverside.example", now=MONDAY_NOON
        )
        people.give_role(tx, practice.practice.id, practice.staff["Mo"], "therapist")
