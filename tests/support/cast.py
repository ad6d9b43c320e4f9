"""The cast: Dana the manager, Theo and Ines the therapists, Ana, Ben and Chidi the clients, in one small practice."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from bot.flows.context import Context
from bot.flows.planning import replan
from bot.store import appointments, check_ins, clients, people, practices
from bot.store.check_ins import CheckIn
from bot.store.clients import Client, Entry
from bot.store.practices import Practice

MONDAY_NOON = datetime(2026, 9, 7, 16, 0, tzinfo=UTC)  # noon in New York
PHONES = {"Ana": "+12025550101", "Ben": "+12025550102", "Chidi": "+12025550103"}
ALWAYS_OPEN = {"hours": "00:00-24:00", "days": "mon,tue,wed,thu,fri,sat,sun"}


@dataclass
class Riverside:
    """A practice with its people in a real database, and short ways to make things happen in it."""

    ctx: Context
    practice: Practice
    staff: dict[str, str]  # name -> person id
    clients: dict[str, str]  # name -> client id
    _numbers: count = field(default_factory=lambda: count(1))

    def client(self, name: str) -> Client:
        """A client as stored now."""
        with self.ctx.store.transaction(write=False) as tx:
            return clients.get(tx, self.practice.id, self.clients[name])

    def visit(
        self,
        name: str,
        ends_at: datetime,
        *,
        status: str = "attended",
        therapist: str = "Theo",
        now: datetime | None = None,
    ) -> str:
        """An appointment of fifty minutes that ends then, planned at once; its reference."""
        ref = f"A-{next(self._numbers)}"
        with self.ctx.store.transaction() as tx:
            appointments.save(
                tx, self.practice.id, appointment_ref=ref, client_id=self.clients[name],
                therapist_id=self.staff[therapist], starts_at=ends_at - timedelta(minutes=50), ends_at=ends_at,
                status=status,
            )  # fmt: skip
        replan(self.ctx, self.practice.id, [self.clients[name]], now or ends_at)
        return ref

    def check_ins(self, name: str) -> list[CheckIn]:
        """A client's check-ins by due time."""
        client_id = self.clients[name]
        with self.ctx.store.transaction(write=False) as tx:
            return check_ins.of_clients(tx, self.practice.id, [client_id])[client_id]

    def rows(self, sql: str, **params: object) -> list[dict[str, object]]:
        """Whatever the database holds, for assertions."""
        with self.ctx.store.transaction(write=False) as tx:
            return tx.all(sql, params)

    def set_rule(self, **changes: str) -> None:
        """Change the practice's rule without planning anew."""
        self.practice = replace(self.practice, schedule={**self.practice.schedule, **changes})
        with self.ctx.store.transaction() as tx:
            practices.save(tx, self.practice)


def riverside(ctx: Context, now: datetime = MONDAY_NOON, **rule: str) -> Riverside:
    """The practice with everybody in it; the clients have agreed, and Theo sees all of them."""
    with ctx.store.transaction() as tx:
        practice = replace(practices.add(tx, "Riverside Counseling", now), sms_name="Riverside", schedule=rule)
        practices.save(tx, practice)
        staff = {}
        for name, roles in {"Theo": ["therapist"], "Ines": ["therapist"], "Dana": ["manager", "duty"]}.items():
            email = f"{name.lower()}@riverside.example"
            staff[name], _ = people.save(tx, practice.id, name=name, email=email, now=now)
            for role in roles:
                people.give_role(tx, practice.id, staff[name], role)
        found = {}
        for name, phone in PHONES.items():
            entry = Entry(
                f"C-{name}", name, phone, f"{name.lower()}@clients.example", "en", "America/New_York", "sms",
                now - timedelta(days=30), staff["Theo"],
            )  # fmt: skip
            found[name], _ = clients.save(tx, practice.id, entry, now)
    return Riverside(ctx, practice, staff, found)
