"""Riverside on a busy day: every kind of thing that a page can show, and its ids by the names that routes use."""

from dataclasses import asdict
from datetime import datetime, timedelta

from bot.flows import import_preview, receiving, schedules
from bot.flows.access import Me
from bot.flows.learning import Facts
from bot.store import alerts, answer_links, appointments, clients, models, notes, outbox, passkeys, people, practices
from bot.store.clients import Entry
from bot.store.inbox import Inbound
from bot.store.outbox import Draft
from tests.support.cast import PHONES, Riverside
from tests.support.everyone import FALLEN
from tests.support.managing import manager
from tests.support.therapist import asked
from tests.support.weeks import DECLINE, FIRST_VISIT, WELL, assess, climb, one, weekly

NOW = FIRST_VISIT + timedelta(weeks=len(DECLINE) - 1, days=3)
FORM = "t" * 43  # what opens the form of Ben's check-in
STEPS = ("practice", "hours", "sender", "danger", "fairness", "therapists", "clients", "test", "first")
ROSTER = """client_ref,name,phone,email,language,timezone,channel,consent_at,therapist_email
C-Ana,Ana Lima,+12025550101,ana@clients.example,en,America/New_York,sms,2026-08-08,theo@riverside.example
C-Noa,Noa,+12025550190,,es,,sms,2026-10-01,theo@riverside.example
C-Bad,Mia,12,,en,Mars/Base,sms,2026-10-01,nobody@riverside.example
"""
Ids = dict[str, list[str]]


def fill(practice: Riverside, *, busy: bool) -> Ids:
    """Add a supervisor, and, where it is busy, weeks of answers, a note, danger, a call, texts that wait."""
    _join(practice, "Sam", "supervisor")
    dana = manager(practice.ctx, practice.practice, practice.staff["Dana"])
    more: Ids = {"draft_id": [], "message_id": [], "model_id": []}
    if busy:
        _weeks(practice)
        _odd_clients(practice)
        _ended_note(practice)
        more = _managed(practice, dana)
        practice.visit("Anton", NOW - timedelta(days=1), status="no_show", now=NOW)
    past = "select not_asked from appointment where not_asked <> '' and ends_at < :now order by id"
    reasons = practice.rows(past, now=int(NOW.timestamp()))
    roles = [practice.staff[name] for name in ("Theo", "Dana", "Lea" if busy else "Sam")]
    everyone = list(practice.clients.values())
    return {
        "client_id": everyone,
        "person_id": roles,
        "alert_id": [str(row["id"]) for row in practice.rows("select id from alert order by kind, id")],
        "therapists": [practice.staff["Theo"]],
        "clients": everyone[:1],
        "state": ["on_hold", "discharged", "died", "active"],
        "step": list(STEPS),
        "reason": [str(row["not_asked"]) for row in reasons],
        **more,
    }


def _join(practice: Riverside, name: str, role: str) -> str:
    email = f"{name.lower()}@riverside.example"
    with practice.ctx.store.transaction() as tx:
        person_id, _ = people.save(tx, practice.practice.id, name=name, email=email, now=FIRST_VISIT)
        people.give_role(tx, practice.practice.id, person_id, role)
    practice.staff[name] = person_id
    return person_id


def _weeks(practice: Riverside) -> None:
    weekly(practice, "Ana", DECLINE)
    weekly(practice, "Ben", [*WELL[1:], None, None])
    one(practice, "Chidi", FIRST_VISIT, (4, 4, 5))
    assess(practice, NOW)
    climb(practice, NOW)
    open_one = asked(practice, "Ben", NOW - timedelta(hours=3))
    for number, (name, words) in enumerate((("Ana", "please call me"), ("Chidi", "i want to kill myself"))):
        text = Inbound("sms", f"SM{0xB0 + number:032x}", PHONES[name], words)
        receiving.receive(practice.ctx, text, NOW - timedelta(minutes=20 - number))
    climb(practice, NOW)
    for week in (1, 2):
        practice.visit("Ben", NOW + timedelta(weeks=week), status="booked", now=NOW)
    with practice.ctx.store.transaction() as tx:
        answer_links.add(tx, practice.practice.id, open_one, practice.clients["Ben"], FORM, NOW)


def _odd_clients(practice: Riverside) -> None:
    """Somebody who hasn't agreed, of a therapist who left; and somebody at Ana's number."""
    lea, practice_id = _join(practice, "Lea", "therapist"), practice.practice.id
    for name, phone, therapist in (("Noor", "", lea), ("Anton", PHONES["Ana"], practice.staff["Theo"])):
        with practice.ctx.store.transaction() as tx:
            entry = Entry(
                f"C-{name}", name, phone, "", "fr", "Europe/Paris", "sms", FIRST_VISIT if phone else None, therapist
            )  # fmt: skip
            practice.clients[name], _ = clients.save(tx, practice_id, entry, FIRST_VISIT)
            if not phone:
                clients.set_state(tx, practice_id, practice.clients[name], "on_hold")
    with practice.ctx.store.transaction() as tx:
        people.set_active(tx, practice_id, lea, False)
        appointments.save(
            tx, practice_id, appointment_ref="V-Noor", client_id=practice.clients["Noor"], therapist_id=lea,
            starts_at=NOW + timedelta(days=1), ends_at=NOW + timedelta(days=1, hours=1), status="booked",
        )  # fmt: skip


def _ended_note(practice: Riverside) -> None:
    """A note about Ben that was taken on weeks ago, with a verdict."""
    practice_id, theo, at = practice.practice.id, practice.staff["Theo"], FIRST_VISIT + timedelta(weeks=2)
    with practice.ctx.store.transaction() as tx:
        alert_id = alerts.open_alert(
            tx, practice_id, client_id=practice.clients["Ben"], therapist_id=theo, kind="rapport", explanation=FALLEN,
            check_in_id=None, now=at,
        )  # fmt: skip
        alerts.acknowledge(tx, practice_id, alert_id, theo, "Ask about the room.", at)
        notes.save_verdict(tx, alerts.get(tx, practice_id, alert_id), "helpful", theo, at + timedelta(hours=1))


def _managed(practice: Riverside, dana: Me) -> Ids:
    """A token, a passkey, a change of the rule, a file looked at and one taken in, a message that waits for Dana."""
    ctx, practice_id = practice.ctx, practice.practice.id
    with ctx.store.transaction() as tx:
        practices.new_token(tx, practice_id, "The calendar", FIRST_VISIT)
        passkeys.add(tx, practice_id, practice.staff["Dana"], "credential", "key", 0, "work laptop", FIRST_VISIT)
    place = schedules.Place("practice", practice_id)
    schedules.change(ctx, practice_id, place, {"delay_minutes": "180"}, practice.staff["Dana"], NOW)
    drafts = [import_preview.hand_in(ctx, dana, "roster", ROSTER.encode(), NOW) for _ in range(2)]
    import_preview.confirm(ctx, dana, drafts[1], NOW)
    return {"draft_id": drafts, "message_id": [_stuck(practice, NOW)], "model_id": [_learned(practice)]}


def _learned(practice: Riverside) -> str:
    """A model that waits for Dana's word."""
    facts = asdict(Facts("learned", 80, 900, -1.1, -1.0, 12, 9))
    with practice.ctx.store.transaction() as tx:
        model_id = models.begin(tx, practice.practice.id, facts, NOW)
        models.propose(tx, model_id, models.shipped(), facts, NOW + timedelta(days=7))
    return model_id


def _stuck(practice: Riverside, now: datetime) -> str:
    """A text of which nobody knows whether it went out."""
    draft = Draft("thanks", "stuck", "sms", PHONES["Ben"], "Thank you.", client_id=practice.clients["Ben"])
    with practice.ctx.store.transaction() as tx:
        message_id = outbox.put(tx, practice.practice.id, draft, now, now)
        assert message_id
        tx.run(
            "update outbox set state = 'needs_person', attempt_id = :a, attempts = 1 where id = :id",
            {"a": "0" * 32, "id": message_id},
        )
    return message_id
