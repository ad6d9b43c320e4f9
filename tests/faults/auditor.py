"""The auditor: reads the provider's book and the database, nothing else, and states the promises."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.store import Store, doubts
from tests.faults.provider import Heard, Taken

LAST_WORDS = ("stopped", "crisis_stopped")  # what may go to someone who said STOP
AT_ONCE = 1.0  # seconds in which STOP must hold


@dataclass
class Findings:
    """What was found wrong, by promise, and the figures."""

    violations: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def of(self, promise: str) -> list[str]:
        return [each for each in self.violations if each.startswith(promise)]


@dataclass
class Auditor:
    """`zones`: each number's zone. `hours`: from and to, Monday to Saturday."""

    book: Sequence[Taken]
    heard: Sequence[Heard]
    store: Store
    zones: Mapping[str, str]
    hours: tuple[time, time] = (time(9), time(20))

    def audit(self) -> Findings:
        """Once nothing is under way any more."""
        with self.store.transaction(write=False) as tx:
            self.rows = {row["id"]: row for row in tx.all("select * from outbox")}
            self.attempts = {row["id"]: row["outbox_id"] for row in tx.all("select id, outbox_id from attempt")}
            self.began = {row["id"]: row["started_at"] for row in tx.all("select id, started_at from attempt")}
            self.check_ins = tx.all("select * from check_in")
        self.by_row = defaultdict(list)
        for taken in self.book:
            self.by_row[self.attempts.get(taken.attempt)].append(taken)
        found = Findings()
        for promise in (self._once, self._none_lost, self._in_hours, self._not_after_stop, self._never_restored):
            found.violations += promise(found.figures)
        return found

    def _once(self, figures: dict[str, int]) -> list[str]:
        """P1. By our attempts' ids, and, trusting nothing of ours, by number and words."""
        words = Counter((taken.to, taken.body) for taken in self.book)
        wrong = [self._twice(row, many) for row, many in self.by_row.items() if row and len(many) > 1]
        wrong += [f"P1 the same words were taken {n} times for {to[-4:]}" for (to, _), n in words.items() if n > 1]
        wrong += [f"P1 {len(self.by_row[None])} sends nobody wrote down"] if self.by_row.get(None) else []
        figures["taken by the provider"] = len(self.book)
        return wrong

    def _twice(self, row: str, many: Sequence[Taken]) -> str:
        """With how long after its attempt each was taken, and how long the provider had kept it by then."""
        times = [
            f"{each.at[0] - self.began[each.attempt]:.1f} s (kept {each.real - each.asked:.1f} s)" for each in many
        ]
        return f"P1 row {row} was taken {len(many)} times: " + ", ".join(times)

    def _none_lost(self, figures: dict[str, int]) -> list[str]:
        """P2. due = sent + skipped + needs a person, with nothing left waiting, and the book agrees."""
        wrong, states = [], Counter()
        for check_in in self.check_ins:
            where = self._where(check_in)
            states[where] += 1
            if where == "lost":
                wrong.append(f"P2 check-in {check_in['id']} is lost in state {check_in['state']}")
        for row in self.rows.values():
            in_book = row["id"] in self.by_row
            if row["state"] in ("due", "claimed", "in_doubt"):
                wrong.append(f"P2 row {row['id']} ({row['kind']}) still waits as {row['state']}")
            elif in_book != (row["state"] == "sent"):
                wrong.append(f"P2 row {row['id']} is {row['state']}, but taken: {in_book}")
        figures |= {f"check-ins {where}": n for where, n in sorted(states.items())}
        figures["check-ins due"] = len(self.check_ins)
        figures["messages that need a person"] = sum(r["state"] == "needs_person" for r in self.rows.values())
        return wrong

    def _where(self, check_in: dict[str, object]) -> str:
        mine = [r for r in self.rows.values() if r["check_in_id"] == check_in["id"]]
        states = {row["state"] for row in mine if row["kind"] == "check_in"}
        if "sent" in states:
            return "sent"
        if any(row["state"] == "needs_person" for row in mine):
            return "needs a person"
        if check_in["state"] in ("cancelled", "expired", "failed") and check_in["reason"]:
            return "skipped"
        gone = {"skipped", "refused"} & {row["state"] for row in mine}
        return "skipped" if gone and all(r["reason"] for r in mine if r["state"] in gone) else "lost"

    def _never_restored(self, figures: dict[str, int]) -> list[str]:
        """P11. Nobody took the database for an older copy: it never was, whatever died."""
        doubted = sum(each["reason"] == doubts.REASON for each in self.check_ins)
        return [f"P11 {doubted} check-ins were closed as if a backup had been restored"] if doubted else []

    def _in_hours(self, figures: dict[str, int]) -> list[str]:
        """P3. Taken inside the hours of the client's own clock, and not valid beyond them."""
        wrong = []
        for taken in self.book:
            left = max(self._left(at, self.zones[taken.to]) for at in taken.at)
            if left <= 0:
                wrong.append(f"P3 taken outside the hours: {taken.at[0]:.0f} for {self.zones[taken.to]}")
            elif taken.validity > left + 0.5:
                wrong.append(f"P3 valid {taken.validity - left:.0f} seconds beyond the hours")
        return wrong

    def _left(self, at: float, zone_name: str) -> float:
        """Seconds until the hours end, zero or less outside them."""
        zone = ZoneInfo(zone_name)
        local = datetime.fromtimestamp(at, UTC).astimezone(zone)
        opens, closes = (datetime.combine(local.date(), at, zone) for at in self.hours)
        if local.weekday() == 6 or local < opens:
            return 0.0
        return (closes.astimezone(UTC) - local.astimezone(UTC)) / timedelta(seconds=1)

    def _not_after_stop(self, figures: dict[str, int]) -> list[str]:
        """P4. Nothing asked of the provider once STOP was on disk, but the one confirmation."""
        stopped = {heard.number: heard.answered for heard in self.heard if heard.words == "stop"}
        figures["clients who said STOP"] = len(stopped)
        wrong = []
        for taken in self.book:
            row = self.rows.get(self.attempts.get(taken.attempt, ""), {})
            late = taken.asked - stopped.get(taken.to, taken.asked)
            if late > AT_ONCE and row.get("kind") not in LAST_WORDS:
                wrong.append(f"P4 {row.get('kind')} asked for {late:.1f} s after STOP")
        return wrong
