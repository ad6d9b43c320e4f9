"""What a practice is told of its own notes."""

from datetime import datetime, timedelta

from bot.flows import honesty
from bot.flows.honesty import Honesty
from bot.store import alerts
from tests.support.cast import MONDAY_NOON, Riverside

DAY = timedelta(days=1)


def note(practice: Riverside, name: str, verdict: str | None, at: datetime, kind: str = "rapport") -> None:
    """A note that was taken on and ended, and what its therapist said of it."""
    with practice.ctx.store.transaction() as tx:
        alert_id = alerts.open_alert(
            tx, practice.practice.id, client_id=practice.clients[name], therapist_id=practice.staff["Theo"],
            kind=kind, explanation="", check_in_id=None, now=at,
        )  # fmt: skip
        tx.run(
            "update alert set verdict = :v, acknowledged_at = :at, resolved_at = :at where id = :id",
            {"v": verdict, "at": int(at.timestamp()), "id": alert_id},
        )


def facts(practice: Riverside, now: datetime = MONDAY_NOON + 90 * DAY) -> Honesty:
    with practice.ctx.store.transaction(write=False) as tx:
        return honesty.facts(practice.ctx, tx, practice.practice, now)


def test_a_practice_without_notes_is_told_what_simulation_says(practice: Riverside) -> None:
    found = facts(practice)
    assert (found.opened, found.judged, found.own_model) == (0, 0, False)
    assert found.simulated.one_in == 50
    assert found.verdicts["false"].high == 1.0, "nothing is known yet"


def test_verdicts_are_counted_with_their_intervals(practice: Riverside) -> None:
    verdicts = ["helpful"] * 5 + ["not_helpful"] * 2 + ["false"] * 3 + [None] * 2
    for n, verdict in enumerate(verdicts):
        note(practice, "Ana", verdict, MONDAY_NOON + n * DAY)
    note(practice, "Ben", "false", MONDAY_NOON, kind="low")
    found = facts(practice)
    assert (found.opened, found.acknowledged, found.ended, found.judged, found.therapists) == (12, 12, 12, 10, 1)
    assert (found.verdicts["helpful"].count, round(found.verdicts["helpful"].low, 3)) == (5, 0.237)
    assert found.verdicts["false"].count == 3


def test_notes_of_another_time_are_left_out(practice: Riverside) -> None:
    note(practice, "Ana", "false", MONDAY_NOON + 5 * DAY)
    assert facts(practice, MONDAY_NOON).opened == 0


def test_the_practices_choice_of_false_alarms_is_what_is_told_of(practice: Riverside) -> None:
    with practice.ctx.store.transaction(write=False) as tx:
        from dataclasses import replace

        chosen = replace(practice.practice, settings={"one_false_alarm_in": "100"})
        assert honesty.facts(practice.ctx, tx, chosen, MONDAY_NOON).simulated.one_in == 100
