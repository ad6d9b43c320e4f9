"""What a therapist is told of a reading says why, in words of its own for each rule."""

from surveys.reading_words import left_open
from tests.score_replies import load, read_all


def test_every_rule_that_leaves_a_question_open_in_the_public_replies_has_its_own_words() -> None:
    rules = {b.rule for _, reply in read_all(load("public.jsonl")) for b in reply.because if b.feeling and not b.score}
    assert {"S3", "S5", "S6", "S12"} <= rules
    assert [rule for rule in sorted(rules) if left_open(rule) == left_open("no rule")] == []
