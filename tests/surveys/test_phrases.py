"""Patterns are written as people write: what a text is split at, a pattern is split at too."""

import pytest

from surveys.phrases import Phrases, Words


@pytest.mark.parametrize("pattern", ["arrêtez-moi ça", "stoppez/arrêtez-moi ça", "<verbs> ça"])
@pytest.mark.parametrize("text", ["arrêtez-moi ça", "Arretez moi ça !"])
def test_a_hyphen_in_a_pattern_or_a_text_is_a_space(pattern: str, text: str) -> None:
    phrases = Phrases()
    phrases.add("optout.says", "", pattern, {"verbs": ["arrêtez-moi"]})
    assert [match.group for match in phrases.find(Words.of(text))] == ["optout.says"]
