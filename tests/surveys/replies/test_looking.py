"""A text can be looked at before it is known what was asked: it is then read as if that had been done at once."""

import pytest

from surveys import instrument, replies

INSTRUMENTS = instrument.load_all()
MAIL = "5 4 5\n\nOn Monday, Riverside wrote:\n> How heard did you feel?"


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize(
    "text", ["5 4 5", "heard 5, the rest 3", "stop", "I want to die", "See you at the bridge", "", MAIL]
)
def test_what_was_looked_at_before_is_read_the_same_however_often(text: str, channel: str) -> None:
    looked = replies.look(text, instruments=INSTRUMENTS, channel=channel)
    for asked in (("heard", "respected", "understood"), ("heard",), (), ("heard", "respected", "understood")):
        given = {"asked": asked, "instruments": INSTRUMENTS, "channel": channel, "also_crisis": ("the bridge",)}
        assert replies.parse(text, looked=looked, **given) == replies.parse(text, **given)  # type: ignore[arg-type]


def test_a_machines_mail_is_known_by_its_headers_before_anything_else() -> None:
    headers = {"Auto-Submitted": "auto-replied"}
    looked = replies.look("5 4 5", instruments=INSTRUMENTS, channel="email", headers=headers)
    read = replies.parse("5 4 5", asked=("heard",), instruments=INSTRUMENTS, channel="email", looked=looked)
    assert (read.kind, read.scores) == ("autoreply", (None,))
