"""One of everybody, and one of everything that has an address: for asking who may open what.

Riverside has Theo, Ines and Lea (who left) as therapists, Dana and Mona as managers, Sam as supervisor. Ana is Theo's
client, Benvolio is Ines's. Hillside, on the same installation, has Zed, its manager, and Zoe with her client Zora. Of
everything there is one that is `own` to whoever may open it (Theo's, Dana's), one of somebody `other` in the practice,
one of the `foreign` practice, and a `missing` one; of
clients one was `erased`.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from bot.flows import erasing, import_preview, receiving
from bot.flows.access import Me
from bot.flows.context import Context
from bot.flows.planning import replan
from bot.store import (
    Tx,
    alerts,
    appointments,
    check_ins,
    clients,
    models,
    outbox,
    passkeys,
    people,
    practices,
    sign_ins,
)
from bot.store.clients import Entry
from bot.store.inbox import Inbound
from bot.store.outbox import Draft
from bot.store.practices import Practice
from tests.support.cast import MONDAY_NOON, PHONES, riverside

NOW = MONDAY_NOON + timedelta(hours=3)
WORDS = "zebra-striped words"
MISSING = "0" * 32
ROSTER = (
    b"client_ref,name,phone,email,language,timezone,channel,consent_at,therapist_email\n"
    b"C-New,Noa,+12025550190,,en,,sms,2026-01-01,theo@riverside.example\n"
)
FALLEN = '{"since": 0, "check_ins": 1, "feelings": ["heard"], "overall": false, "probability": 0.9}'
PEOPLE = {
    "manager": ("Dana", "dana@riverside.example", "manager"),
    "other": ("Mona", "mona@riverside.example", "manager"),
    "therapist": ("Theo", "theo@riverside.example", "therapist"),
    "weak therapist": ("Theo", "theo@riverside.example", "therapist"),
    "colleague": ("Ines", "ines@riverside.example", "therapist"),
    "leaver": ("Lea", "lea@riverside.example", "therapist"),
    "supervisor": ("Sam", "sam@riverside.example", "supervisor"),
    "foreign manager": ("Zed", "zed@hillside.example", "manager"),
    "foreign therapist": ("Zoe", "zoe@hillside.example", "therapist"),
}


@dataclass
class Everyone:
    """Secrets of their browsers by who they are, and ids by kind and whose."""

    ctx: Context
    secrets: dict[str, str] = field(default_factory=dict)
    ids: dict[str, dict[str, str]] = field(default_factory=dict)

    def put(self, kind: str, whose: str, id_: str) -> None:
        """Remember the id of one of something."""
        self.ids.setdefault(kind, {"missing": MISSING})[whose] = id_


def everyone(ctx: Context) -> Everyone:
    """All of them, in a fresh database."""
    found = Everyone(ctx)
    first = riverside(ctx).practice
    with ctx.store.transaction() as tx:
        second = practices.add(tx, "Hillside", MONDAY_NOON)
        mes = {who: _person(tx, found, who, second if "foreign" in who else first) for who in PEOPLE}
        people.set_active(tx, first.id, mes["leaver"].person.id, False)
        for whose, me in (("own", mes["manager"]), ("other", mes["other"]), ("foreign", mes["foreign manager"])):
            _managed(tx, found, whose, me)
    theirs = (("own", mes["therapist"]), ("other", mes["colleague"]), ("foreign", mes["foreign therapist"]))
    for whose, me in theirs:
        _in_care(found, whose, me)
    _erased(found, mes["therapist"], mes["manager"])
    for whose, me in (("own", mes["manager"]), ("other", mes["other"]), ("foreign", mes["foreign manager"])):
        found.put("draft_id", whose, import_preview.hand_in(ctx, me, "roster", ROSTER, NOW))
    return found


def _erased(found: Everyone, therapist: Me, manager: Me) -> None:
    """A client of Theo's who was erased."""
    ctx, practice_id = found.ctx, manager.practice.id
    agreed = NOW - timedelta(days=30)
    with ctx.store.transaction() as tx:
        entry = Entry("C-Gone", "Gwen", "+12025550170", "", "en", "UTC", "sms", agreed, therapist.person.id)
        clients.save(tx, practice_id, entry, NOW)
        client_id = clients.refs(tx, practice_id)["C-Gone"]
    erasing.erase(ctx, manager, client_id, "C-Gone", NOW)
    found.put("client_id", "erased", client_id)


def _person(tx: Tx, found: Everyone, who: str, practice: Practice) -> Me:
    name, email, role = PEOPLE[who]
    person_id, _ = people.save(tx, practice.id, name=name, email=email, now=MONDAY_NOON)
    people.give_role(tx, practice.id, person_id, role)
    found.secrets[who] = sign_ins.start(tx, practice.id, person_id, "weak" not in who, "a test", NOW)
    session = sign_ins.find(tx, found.secrets[who], NOW)
    assert session
    whose = {"therapist": "own", "colleague": "other", "foreign therapist": "foreign"}.get(who)
    if whose:
        found.put("person_id", whose, person_id)
    return Me(people.get(tx, practice.id, person_id), practice, frozenset({role}), True, session.id)


def _managed(tx: Tx, found: Everyone, whose: str, me: Me) -> None:
    """A token, a message that waits for a person, a session and a passkey of a manager's, and a learned model."""
    practice_id = me.practice.id
    practices.new_token(tx, practice_id, f"token {whose}", NOW)
    token = tx.one("select max(id) as id from api_token where practice_id = :p", {"p": practice_id})
    assert token
    found.put("token_id", whose, token["id"])
    draft = Draft("notice", f"stuck {whose}", "mail", me.person.email, "x", "x", person_id=me.person.id)
    message_id = outbox.put(tx, practice_id, draft, NOW, NOW)
    assert message_id
    tx.run("update outbox set state = 'needs_person', attempt_id = 'a' where id = :id", {"id": message_id})
    found.put("message_id", whose, message_id)
    found.put("sign_in_id", whose, me.sign_in_id)
    passkeys.add(tx, practice_id, me.person.id, f"credential-{whose}", "key", 0, "a key", NOW)
    found.put("passkey_id", whose, passkeys.of_person(tx, practice_id, me.person.id)[0].id)
    learned = {"stage": "done", "clients": 70, "answered": 560, "notes_before": 9, "notes_after": 7}
    model_id = models.begin(tx, practice_id, learned, NOW)
    models.propose(tx, model_id, models.shipped(), learned, NOW + timedelta(days=7))
    found.put("model_id", whose, model_id)


def _in_care(found: Everyone, whose: str, me: Me) -> None:
    """A client of a therapist's, who has written, and about whom there is a note."""
    name, ref, phone = {
        "own": ("Ana", "C-Ana", PHONES["Ana"]),
        "other": ("Benvolio", "C-Benvolio", "+12025550150"),
        "foreign": ("Zora", "Z-Zora", "+12025550160"),
    }[whose]
    agreed, ctx, practice_id = NOW - timedelta(days=30), found.ctx, me.practice.id
    with ctx.store.transaction() as tx:
        entry = Entry(ref, name, phone, "", "en", "America/New_York", "sms", agreed, me.person.id)
        clients.save(tx, practice_id, entry, NOW)
        client_id = clients.refs(tx, practice_id)[ref]
        alert_id = alerts.open_alert(
            tx, practice_id, client_id=client_id, therapist_id=me.person.id, kind="rapport", explanation=FALLEN,
            check_in_id=None, now=NOW,
        )  # fmt: skip
        alerts.acknowledge(tx, practice_id, alert_id, me.person.id, "", NOW)
        appointments.save(
            tx, practice_id, appointment_ref=f"V-{ref}", client_id=client_id, therapist_id=me.person.id,
            starts_at=NOW - timedelta(hours=4), ends_at=NOW - timedelta(hours=3), status="attended",
        )  # fmt: skip
    replan(ctx, practice_id, [client_id], NOW)
    with ctx.store.transaction() as tx:
        [check_in] = check_ins.of_clients(tx, practice_id, [client_id])[client_id]
        check_ins.set_asked(tx, practice_id, check_in.id, NOW, None, NOW + timedelta(days=3))
    receiving.receive(ctx, Inbound("sms", f"SM{ord(name[0]):032x}", phone, f"4 2 5 {WORDS}"), NOW)
    with ctx.store.transaction(write=False) as tx:
        reply = tx.one("select id from inbox where client_id = :c", {"c": client_id})
    assert reply
    for kind, id_ in (("client_id", client_id), ("alert_id", alert_id), ("inbox_id", reply["id"])):
        found.put(kind, whose, id_)
