"""What a practice's own check-ins teach the signal, and how its threshold is found."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from surveys.rapport import Model, Observation, default_model, fit
from surveys.rapport.alarms import count, evidence, rotation, stable_client
from surveys.rapport.expectation import encoded, expected
from surveys.rapport.learning import better
from tests.support.practice import FEELINGS, practice

SHIPPED = default_model(FEELINGS)


def histories(clients: int, seed: int = 3) -> list[list[Observation]]:
    """Check-ins of a simulated practice."""
    people = practice(clients, False, seed)
    return [
        [
            Observation(n, bool(scores.any()), {f: int(s) for f, s in zip(FEELINGS, scores, strict=True) if s}, None)
            for n, scores in enumerate(people.answers[i, : people.visits[i]])
        ]
        for i in range(clients)
    ]


def learned(past: list[list[Observation]], rounds: int = 3) -> Model:
    """A model after some rounds, without the curve (which takes longest)."""
    model, scores = SHIPPED, encoded(past, SHIPPED)
    for _ in range(rounds):
        model = better(model, expected(scores, model))
    return model


def drawn_from(model: Model, clients: int) -> list[list[Observation]]:
    """Clients who follow a model."""
    rng = np.random.default_rng(8)
    return [list(stable_client(model, pattern, rng)) for pattern in rotation(FEELINGS, 3, clients)]


def test_a_practice_with_no_answers_gets_the_shipped_model() -> None:
    assert fit([], FEELINGS) == SHIPPED
    assert fit([[Observation(0, False, {}, None)]], FEELINGS) == SHIPPED


def test_a_handful_of_clients_leave_the_model_near_the_shipped_one() -> None:
    model = learned(histories(5))
    assert np.allclose(model.slope, SHIPPED.slope, rtol=0.4)
    assert model.fluctuation == pytest.approx(SHIPPED.fluctuation, rel=0.2)


def test_calm_clients_teach_that_sessions_differ_little() -> None:
    calm = learned(drawn_from(replace(SHIPPED, fluctuation=0.3), 150), rounds=5)
    moody = learned(drawn_from(replace(SHIPPED, fluctuation=0.9), 150), rounds=5)
    assert calm.fluctuation < SHIPPED.fluctuation < moody.fluctuation


def test_learning_twice_gives_the_same_model() -> None:
    assert learned(histories(20)) == learned(histories(20))


def test_a_model_pickles() -> None:
    assert pickle.loads(pickle.dumps(SHIPPED)) == SHIPPED


def test_fewer_false_alarms_need_more_evidence() -> None:
    rates = (0.001, 0.004, 0.01, 0.02, 0.05, 0.15, 0.3)
    asked_for = [SHIPPED.threshold(rate) for rate in rates]
    assert asked_for == sorted(asked_for, reverse=True)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 50.0])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate between 0 and 1"):
        SHIPPED.threshold(rate)


def test_the_shipped_threshold_keeps_its_promise_with_the_clients_it_is_made_for() -> None:
    runs = drawn_from(SHIPPED, 600)
    alarms = sum(count(evidence(SHIPPED, run), SHIPPED.threshold(0.05)) for run in runs)
    answered = sum(seen.answered for run in runs for seen in run)
    assert alarms / answered == pytest.approx(0.05, rel=0.25)  # about 200 alarms: two standard errors and a little


def test_a_flag_that_stays_up_counts_again_after_four_appointments() -> None:
    assert count([(n, 1.0) for n in range(9)], 0.5) == 3


@pytest.mark.parametrize("feelings", [(), ("heard", "heard"), ("heard", "change")])
def test_feelings_must_be_different_names(feelings: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="feelings must be different names"):
        default_model(feelings)
