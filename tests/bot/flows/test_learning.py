"""A practice's own model: learned at night in a process of its own, told before it takes effect, declined by a word."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.flows import learning, lesson, replaying
from bot.flows.access import Me, NotHere
from bot.flows.lesson import Lesson
from bot.store import beliefs, models, people
from bot.store.models import Learned
from bot.worker import Worker
from surveys import rapport
from tests.support.cast import Riverside
from tests.support.letters import letters, text
from tests.support.many import like, stored
from tests.support.weeks import At

NIGHT = datetime(2026, 9, 15, 6, 30, tzinfo=UTC)  # half past two in New York
WEEK, MONTH = timedelta(days=7), timedelta(days=30)
SHIPPED = models.shipped()
CALM = replace(SHIPPED, fluctuation=0.3, off_days=0.0)
CLIENTS = [each for each in like(CALM, 90) if sum(seen.answered for seen in each) >= 6][:62]
BETTER = Lesson(CALM, (-2.6, -2.5), (14, 11))
WORSE = Lesson(SHIPPED, (-2.5, -2.6), (0, 0))


@pytest.fixture
def known(practice: Riverside) -> Riverside:
    """Enough clients with enough answers."""
    stored(practice, CLIENTS)
    return practice


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str | Lesson]:
    """The lesson's lines, in the place of a process that would take a quarter of a minute."""
    lines: list[str | Lesson] = ["trying, round 1 of 10", BETTER]
    monkeypatch.setattr(learning, "_lines", lambda task: iter(lines))
    return lines


def attempts(practice: Riverside) -> list[Learned]:
    with practice.ctx.store.transaction(write=False) as tx:
        return models.of_practice(tx, practice.practice.id)


def in_use(practice: Riverside) -> rapport.Model:
    with practice.ctx.store.transaction(write=False) as tx:
        return models.current(tx, practice.practice.id)


def believed_by(practice: Riverside) -> list[rapport.Model | None]:
    """By which model each belief was made; None for those the one in use doesn't know."""
    with practice.ctx.store.transaction(write=False) as tx:
        id = practice.practice.id
        found = [beliefs.get(tx, id, *pair) for pair in beliefs.pairs(tx, id)]
    return [belief.model if belief else None for belief in found]


def me(practice: Riverside, name: str, *roles: str) -> Me:
    with practice.ctx.store.transaction(write=False) as tx:
        person = people.get(tx, practice.practice.id, practice.staff[name])
    return Me(person, practice.practice, frozenset(roles), True, "s")


def test_too_little_is_left_alone(practice: Riverside) -> None:
    """Sixty clients with six answered check-ins each, or nothing."""
    stored(practice, CLIENTS[:40])
    assert learning.learn_due(practice.ctx, NIGHT) == 0
    assert learning.learn(practice.ctx, practice.practice, NIGHT) is None
    assert attempts(practice) == []


def test_managers_are_told_what_would_change_before_it_does(known: Riverside, quick: list[str | Lesson]) -> None:
    assert learning.learn_due(known.ctx, NIGHT) == 1
    (found,) = attempts(known)
    assert (found.state, found.takes_effect_at) == ("proposed", NIGHT + WEEK)
    (mail,) = letters(known)
    assert mail.address == "dana@riverside.example"
    assert "it would have raised 11 notes about a decline; as it is now, 14." in mail.body
    assert "22 Sep" in mail.body or "September 22" in mail.body
    assert in_use(known) == SHIPPED, "nothing changes yet"


def test_it_takes_effect_a_week_later_and_every_belief_is_made_anew(
    known: Riverside, quick: list[str | Lesson]
) -> None:
    replaying.replay(known.ctx, known.practice.id, NIGHT)
    learning.learn_due(known.ctx, NIGHT)
    assert learning.learn_due(known.ctx, NIGHT + WEEK - timedelta(seconds=1)) == 0
    assert learning.learn_due(known.ctx, NIGHT + WEEK) == 1
    assert in_use(known) == CALM
    assert believed_by(known) == [CALM] * len(CLIENTS)
    assert known.rows("select * from alert") == [], "the past is not news"


def test_a_manager_can_decline_it_until_then(known: Riverside, quick: list[str | Lesson]) -> None:
    learning.learn_due(known.ctx, NIGHT)
    dana, (found,) = me(known, "Dana", "manager"), attempts(known)
    assert learning.decline(known.ctx, dana, found.id, NIGHT)
    assert not learning.decline(known.ctx, dana, found.id, NIGHT), "once"
    learning.learn_due(known.ctx, NIGHT + WEEK)
    assert in_use(known) == SHIPPED
    assert [each.state for each in attempts(known)] == ["declined"]


def test_one_in_effect_can_be_declined_too_and_the_shipped_one_is_back(
    known: Riverside, quick: list[str | Lesson]
) -> None:
    learning.learn_due(known.ctx, NIGHT)
    (found,) = attempts(known)
    assert learning.adopt(known.ctx, known.practice.id, found.id, "command", NIGHT)
    assert in_use(known) == CALM
    assert learning.decline(known.ctx, me(known, "Dana", "manager"), found.id, NIGHT)
    assert in_use(known) == SHIPPED
    assert believed_by(known) == [SHIPPED] * len(CLIENTS)


@pytest.mark.parametrize("deed", ["adopted", "declined"])
def test_a_process_killed_before_every_belief_was_made_anew_leaves_the_rest_to_a_worker(
    known: Riverside, quick: list[str | Lesson], monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """Until then a caseload would have no bands: a belief of another model isn't shown."""
    learning.learn_due(known.ctx, NIGHT)
    (found,) = attempts(known)
    where = (known.ctx, known.practice.id, found.id)
    replaying.replay(known.ctx, known.practice.id, NIGHT)
    if deed == "declined":
        learning.adopt(*where, "command", NIGHT)
    real, done = replaying._replay, []

    def killed(*args: object) -> bool:
        if len(done) == 5:
            raise SystemExit
        done.append(args)
        return real(*args)  # type: ignore[arg-type]

    change = learning.adopt if deed == "adopted" else learning.turn_down
    with monkeypatch.context() as kill:
        kill.setattr(replaying, "_replay", killed)
        with pytest.raises(SystemExit):
            change(*where, "command", NIGHT)
    model = CALM if deed == "adopted" else SHIPPED
    assert in_use(known) == model
    assert models_believed(known) != {model}
    started = NIGHT + timedelta(minutes=6)
    Worker(known.ctx, At(started))._chores.run_due(started)
    assert models_believed(known) == {model}
    assert replaying.replay_marked(known.ctx, started + timedelta(hours=1)) == 0, "once"


def models_believed(practice: Riverside) -> set[rapport.Model]:
    with practice.ctx.store.transaction(write=False) as tx:
        rows = tx.all("select client_id, therapist_id from belief where practice_id = :p", {"p": practice.practice.id})
        found = [beliefs.kept_of(tx, practice.practice.id, row["client_id"], row["therapist_id"], model)
                 for row in rows for model in (SHIPPED, CALM)]  # fmt: skip
    return {each.belief.model for each in found if each}


def test_only_a_manager_of_the_practice_may_decline(known: Riverside, quick: list[str | Lesson]) -> None:
    learning.learn_due(known.ctx, NIGHT)
    (found,) = attempts(known)
    with pytest.raises(NotHere):
        learning.decline(known.ctx, me(known, "Theo", "therapist"), found.id, NIGHT)
    with pytest.raises(NotHere):
        learning.decline(known.ctx, me(known, "Dana", "manager"), "0" * 32, NIGHT)


def test_what_foresees_others_worse_is_not_proposed(known: Riverside, quick: list[str | Lesson]) -> None:
    quick[1] = WORSE
    learning.learn_due(known.ctx, NIGHT)
    (found,) = attempts(known)
    assert (found.state, found.model) == ("refused", None)
    assert "worse" in found.facts["stage"]
    assert letters(known) == []


@pytest.mark.parametrize("hour", [4, 12, 22])
def test_by_day_nothing_is_learned(known: Riverside, quick: list[str | Lesson], hour: int) -> None:
    assert learning.learn_due(known.ctx, NIGHT.replace(hour=hour)) == 0


def test_it_is_learned_again_after_a_month_and_not_while_one_waits(known: Riverside, quick: list[str | Lesson]) -> None:
    learning.learn_due(known.ctx, NIGHT)
    assert learning.learn_due(known.ctx, NIGHT + timedelta(days=1)) == 0
    learning.learn_due(known.ctx, NIGHT + WEEK)
    assert learning.learn_due(known.ctx, NIGHT + MONTH - timedelta(days=1)) == 0
    assert learning.learn_due(known.ctx, NIGHT + MONTH) == 1
    assert [each.state for each in attempts(known)] == ["proposed", "current"]
    learning.learn_due(known.ctx, NIGHT + MONTH + WEEK)
    assert [each.state for each in attempts(known)] == ["current", "ended"]


def test_progress_is_written_down(known: Riverside, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def lines(task: str) -> Iterator[str | Lesson]:
        for number in (1, 2):
            yield f"trying, round {number} of 10"
            seen.append(attempts(known)[0].facts["stage"])
        yield BETTER

    monkeypatch.setattr(learning, "_lines", lines)
    learning.learn_due(known.ctx, NIGHT)
    assert seen == ["trying, round 1 of 10", "trying, round 2 of 10"]
    assert attempts(known)[0].facts["clients"] == len(CLIENTS)


def test_a_night_cut_short_begins_anew_and_the_old_model_stays(
    known: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker is killed in the middle: its row says how far it came, and two hours later another one begins."""

    def killed(task: str) -> Iterator[str | Lesson]:
        yield "trying, round 3 of 10"
        raise SystemExit

    monkeypatch.setattr(learning, "_lines", killed)
    with pytest.raises(SystemExit):
        learning.learn_due(known.ctx, NIGHT)
    assert [each.state for each in attempts(known)] == ["learning"]
    assert in_use(known) == SHIPPED
    monkeypatch.setattr(learning, "_lines", lambda task: iter([BETTER]))
    assert learning.learn_due(known.ctx, NIGHT + timedelta(hours=1)) == 0, "it may still be at it"
    assert learning.learn_due(known.ctx, NIGHT + timedelta(hours=2)) == 1
    assert [each.state for each in attempts(known)] == ["proposed", "given_up"]


def test_a_lesson_that_dies_is_given_up(known: Riverside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_lines", lambda task: iter(["trying, round 1 of 10"]))
    learning.learn_due(known.ctx, NIGHT)
    assert [each.state for each in attempts(known)] == ["given_up"]


def test_the_process_learns_what_it_is_given_and_says_how_far_it_is() -> None:
    """For real: its own process, with no key and no database in its environment, at the lowest priority."""
    task = lesson.asked(CLIENTS[:20], SHIPPED, 50, curve_clients=20)
    ran = subprocess.run(
        [sys.executable, "-m", "bot.flows.lesson"], input=task, capture_output=True, text=True, check=True, env={}
    )
    *stages, last = map(lesson.read, ran.stdout.splitlines())
    assert stages[0] == "trying, round 1 of 10"
    assert isinstance(last, Lesson)
    assert last.scores[0] < 0
    if last.holds:
        assert stages[-1] == "counting notes"
        assert last.model.fluctuation < SHIPPED.fluctuation


def test_a_process_that_nobody_listens_to_ends(known: Riverside) -> None:
    lines = learning._lines(lesson.asked(CLIENTS[:20], SHIPPED, 50, curve_clients=20))
    assert next(lines) == "trying, round 1 of 10"
    lines.close()  # type: ignore[attr-defined]


def test_danger_is_answered_and_told_while_a_model_is_learned(
    known: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Learning has a thread and a process of its own: nobody waits for it."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(task: str) -> Iterator[str | Lesson]:
        begun.set()
        go_on.wait(20)
        yield BETTER

    monkeypatch.setattr(learning, "_lines", slow)
    worker = Worker(known.ctx, At(NIGHT))
    worker._pass()
    assert begun.wait(20)
    text(known, "I want to kill myself", NIGHT)
    worker._pass()
    for hands in worker._lanes.values():
        hands.wait(20)
    sent = known.rows("select kind from outbox where state = 'sent' order by kind")
    assert [row["kind"] for row in sent] == ["alert_danger", "crisis"]
    assert attempts(known)[0].state == "learning"
    go_on.set()
    worker._rounds.wait(20)
    assert attempts(known)[0].state == "proposed"


def test_nothing_of_a_client_is_in_what_is_kept(known: Riverside, quick: list[str | Lesson]) -> None:
    learning.learn_due(known.ctx, NIGHT)
    (row,) = known.rows("select parameters, facts from model")
    assert "M-1" not in str(row)
    assert set(attempts(known)[0].facts) == {
        *("stage", "clients", "check_ins", "score_before", "score_after", "notes_before", "notes_after"),
    }
