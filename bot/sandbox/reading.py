"""How a pretend client reads a text from the practice: what is it, and which feelings does it ask about?"""

from functools import cache

from surveys import instrument, instrument_file


def is_check_in(text: str, sms_name: str, language: str = "en") -> bool:
    """Whether a text asks about a visit (and isn't a reminder, a welcome or thanks)."""
    return text.startswith(_beginning(sms_name, language))


def feelings_asked(text: str, language: str = "en") -> tuple[str, ...]:
    """The feelings a check-in asks about, in its order."""
    asks = {name: question.asks[language] for name, question in instrument.load_all().questions.items()}
    found = {name: text.find(words) for name, words in asks.items() if words in text}
    return tuple(sorted(found, key=found.__getitem__))


def how_many_asked(text: str) -> int:
    """How many feelings a check-in asks about, in whatever language; 0 when it is none."""
    return max(len(feelings_asked(text, language)) for language in instrument_file.LANGUAGES)


@cache
def _beginning(sms_name: str, language: str) -> str:
    template = instrument.load_all().texts[language]["check_in"]
    return template.partition("{feelings}")[0].replace("{sms_name}", sms_name)
