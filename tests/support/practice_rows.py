"""Rows of one small practice made straight through the store, for tests of the store alone."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.store import Store, clients, people, practices
from bot.store.clients import Client, Entry

NOW = datetime(2026, 9, 7, 16, 0, tzinfo=UTC)
ANA = Entry("C-1", "Ana", "+12025550101", "ana@clients.example", "en", "America/New_York", "sms", NOW, "")


class Small:
    """A practice with Theo in it, and clients as they are saved."""

    def __init__(self, store: Store, name: str = "Riverside") -> None:
        self.store = store
        with store.transaction() as tx:
            self.id = practices.add(tx, name, NOW).id
            self.theo, _ = people.save(tx, self.id, name="Theo", email=f"theo@{name.lower()}.example", now=NOW)

    def take(self, entry: Entry = ANA, **changes: object) -> str:
        """Save a client as a roster row would; "new", "changed" or "same"."""
        with self.store.transaction() as tx:
            return clients.save(tx, self.id, self.entry(entry, **changes), NOW)[1]

    def entry(self, entry: Entry = ANA, **changes: object) -> Entry:
        """A roster row, Theo's unless it says otherwise."""
        return replace(entry, **{"therapist_id": self.theo, **changes})  # type: ignore[arg-type]

    def client(self, ref: str = "C-1", store: "Store | None" = None) -> Client:
        """A client as stored now."""
        with (store or self.store).transaction(write=False) as tx:
            return clients.get(tx, self.id, clients.refs(tx, self.id)[ref])

    def stop(self, address: str, store: "Store | None" = None) -> None:
        """Somebody at this address said STOP."""
        with (store or self.store).transaction() as tx:
            clients.stop(tx, self.id, address, "reply", NOW)
