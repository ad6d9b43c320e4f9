"""What a practice's own check-ins teach the signal, and how its threshold is found."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from surveys.rapport import Model, Observation, assess, default_model, enough, fit, held_out, score
from surveys.rapport.alarms import count, evidence, rotation, stable_client
from surveys.rapport.expectation import encoded, expected
from surveys.rapport.filtering import foreseen
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


# ------------------------------------------------------------------------------------------- is it worth having?


def test_the_chances_foreseen_of_all_possible_answers_sum_to_one() -> None:
    """So the score can't be raised by anything but being right."""
    belief = assess(histories(1)[0], SHIPPED)
    number = belief.number + 1
    chances = [
        np.exp(foreseen(belief, Observation(number, True, {"heard": one, "involved": other})))
        for one in range(1, 6)
        for other in range(1, 6)
    ]
    assert sum(chances) == pytest.approx(1.0)


def test_an_unanswered_check_in_tells_nothing_of_how_well_was_foreseen() -> None:
    assert score(SHIPPED, [[Observation(0, False)]]) == 0.0


def test_clients_who_follow_a_model_are_foreseen_best_by_it() -> None:
    calm = replace(SHIPPED, fluctuation=0.2, off_days=0.0)
    people = drawn_from(calm, 60)
    assert score(calm, people) > score(SHIPPED, people)


def test_every_fifth_client_is_held_out_and_nobody_is_on_both_sides() -> None:
    people = histories(23)
    learned_from, seen_on = held_out(people)
    assert (len(learned_from), len(seen_on)) == (18, 5)
    assert not any(each is other for each in learned_from for other in seen_on)


@pytest.mark.parametrize(("clients", "answered", "is_enough"), [(60, 6, True), (59, 9, False), (200, 5, False)])
def test_there_is_enough_with_sixty_clients_of_six_answered_check_ins(
    clients: int, answered: int, is_enough: bool
) -> None:
    history = [Observation(n, n < answered, {"heard": 5} if n < answered else {}) for n in range(12)]
    assert enough([history] * clients) == is_enough


def test_a_model_is_written_and_read_bit_for_bit() -> None:
    model = learned(histories(10))
    assert Model.from_text(model.to_text()) == model
    assert Model.from_text(model.to_text()).id == model.id != SHIPPED.id


@pytest.mark.parametrize("text", ["{}", "[]", '{"feelings": ["heard"]}'])
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is no model"):
        Model.from_text(text)
