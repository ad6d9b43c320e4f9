"""`attune replay` and `attune model ...` as they are typed."""

from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from bot import cli
from bot.config import SETTINGS
from bot.flows import learning
from bot.flows.lesson import Lesson
from bot.store import models
from tests.support.cast import Riverside
from tests.support.many import like, stored
from tests.support.weeks import DECLINE, assess, weekly

CALM = replace(models.shipped(), fluctuation=0.3, off_days=0.0)


def attune(practice: Riverside, *args: str) -> Result:
    config = practice.ctx.config
    env = dict.fromkeys(SETTINGS, "") | {"DATABASE_URL": config.database_url, "SECRET_KEY": config.secrets[0]}
    return CliRunner().invoke(cli.main, list(args), env=env)


def spoil(practice: Riverside) -> None:
    with practice.ctx.store.transaction() as tx:
        tx.run("update belief set model_id = 'an older one'")


def test_replay_says_how_many_beliefs_differ(practice: Riverside) -> None:
    """A check changes nothing and exits 1 where any differs."""
    assess(practice, weekly(practice, "Ana", DECLINE))
    assert (attune(practice, "replay", "--check").exit_code, attune(practice, "replay").exit_code) == (0, 0)
    spoil(practice)
    checked = attune(practice, "replay", "--check")
    assert (checked.exit_code, checked.stdout) == (1, "1 client looked at: 1 differ.\n")
    assert attune(practice, "replay").stdout == "1 client looked at: 1 differed and were stored anew.\n"
    assert attune(practice, "replay").stdout == "1 client looked at: none differs.\n"


def test_replay_leaves_new_answers_to_the_worker(practice: Riverside) -> None:
    weekly(practice, "Ana", DECLINE)
    assert attune(practice, "replay").stdout.endswith("1 left to the worker, which has newer answers to look at.\n")


@pytest.fixture
def proposed(practice: Riverside, monkeypatch: pytest.MonkeyPatch) -> str:
    """A practice whose learned model waits for its managers; the model's id."""
    many = [each for each in like(CALM, 90) if sum(seen.answered for seen in each) >= 6][:62]
    stored(practice, many)
    monkeypatch.setattr(learning, "_lines", lambda task: iter([Lesson(CALM, (-2.6, -2.5), (14, 11))]))
    found = attune(practice, "model", "learn")
    assert found.exit_code == 0, found.output
    return found.stdout.split()[0]


def test_a_model_is_shown_with_what_it_would_change(practice: Riverside, proposed: str) -> None:
    shown = attune(practice, "model", "show").stdout
    assert "in use: the shipped model" in shown
    assert f"{proposed} proposed" in shown
    assert "11 notes so far rather than 14" in shown
    assert "takes effect" in shown


def test_a_model_is_adopted_and_declined_by_its_id(practice: Riverside, proposed: str) -> None:
    assert attune(practice, "model", "adopt", proposed).exit_code == 0
    assert "in use: the shipped" not in attune(practice, "model", "show").stdout
    again = attune(practice, "model", "adopt", proposed)
    assert (again.exit_code, "is not a proposed model" in again.stderr) == (2, True)
    assert attune(practice, "model", "decline", proposed).exit_code == 0
    assert "in use: the shipped model" in attune(practice, "model", "show").stdout
    refused = attune(practice, "model", "decline", proposed)
    assert (refused.exit_code, "neither proposed nor in effect" in refused.stderr) == (2, True)


def test_too_little_to_learn_from_is_said_in_words(practice: Riverside) -> None:
    refused = attune(practice, "model", "learn")
    assert (refused.exit_code, "60 clients with six answered" in refused.stderr) == (2, True)
