"""Our signatures and our segment counts, against Twilio's own packages for node."""

import json
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from bot.sandbox.deliveries import sign
from surveys.segments import segments

FIELDS = ("MessageSid", "SmsSid", "AccountSid", "From", "To", "Body", "NumMedia", "OptOutType", "MessageStatus")
GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà"
EXTENSION = "\f^{}\\[~]|€"
OUTSIDE = "áíóúêç’“”—…ł中😀👍🎉"  # one code point each; see the test on emoji of several

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
paths = st.text("abcXYZ019-_/.~%+ é", max_size=20)
queries = st.dictionaries(st.sampled_from(["attempt", "a", "b c", "é"]), words, max_size=3)
bodies = st.one_of(
    st.text(GSM, min_size=1, max_size=400),
    st.text(GSM + EXTENSION, min_size=140, max_size=340),
    st.text(GSM + EXTENSION + OUTSIDE, min_size=1, max_size=250),
    st.text(OUTSIDE, min_size=50, max_size=150),
    st.builds(str.__add__, st.text("a", min_size=150, max_size=310), st.text(EXTENSION, max_size=8)),
    st.builds(str.__add__, st.text("í", min_size=60, max_size=140), st.text("😀", max_size=6)),
)
generous = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def address(scheme: str, host: str, path: str, query: dict[str, str]) -> str:
    """An address as a setting could hold it, with a query as our StatusCallback has."""
    asked = f"?{urlencode(query)}" if query else ""
    return f"{scheme}://{host}/{quote(path)}{asked}"


addresses = st.builds(
    address,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["attune.example", "127.0.0.1:8000", "attune.example:443", "a.b.example:8443"]),
    paths,
    queries,
)


@settings(generous, max_examples=600)
@given(token=st.text("0123456789abcdef", min_size=1, max_size=32), url=addresses, fields=st.data())
def test_our_signatures_are_what_twilio_expects(oracle: Any, token: str, url: str, fields: Any) -> None:
    posted = fields.draw(st.dictionaries(st.sampled_from(FIELDS), words, max_size=len(FIELDS)))
    expected = oracle.ask("signature", token=token, url=url, fields=posted)
    assert sign(url, posted, token) == expected
    assert RequestValidator(token).validate(url, posted, expected)


@settings(generous, max_examples=3000)
@given(text=bodies)
@example(text="a" * 160)
@example(text="a" * 161)
@example(text="a" * 152 + "€" + "a" * 153)
@example(text="í" * 70)
@example(text="í" * 66 + "😀" + "í" * 67)
def test_segments_are_what_twilio_bills(oracle: Any, text: str) -> None:
    ours, theirs = segments(text), oracle.ask("segments", text=text)
    assert (ours.encoding, ours.count) == (theirs["encoding"], theirs["count"])


def test_an_emoji_of_several_code_points_at_an_edge_is_the_one_known_difference(oracle: Any) -> None:
    """Twilio's calculator moves such an emoji whole to the next part, the standard (and we) split it. We never
    send any: the next test holds our own texts to that."""
    text = "í" * 65 + "👍🏽" + "í" * 65
    assert segments(text).count == 2
    assert oracle.ask("segments", text=text)["count"] == 3


def test_what_we_send_is_counted_as_twilio_bills_it(oracle: Any) -> None:
    """Every text in the instrument, alone and so long that it has edges everywhere."""
    texts = list(strings(tomllib.loads((files("surveys") / "instruments/rapport.toml").read_text("utf8"))))
    assert len(texts) > 50, "need all the texts for this test to mean anything"
    for text in (copies * words for words in texts for copies in (1, 3, 7)):
        assert segments(text).count == oracle.ask("segments", text=text)["count"], text


def strings(value: Any) -> Iterator[str]:
    """Every text in nested tables and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


@pytest.mark.parametrize("text", ["", "4 2 5 3", "How was your visit? Reply STOP to end."])
def test_ordinary_texts_take_one_segment_for_both(oracle: Any, text: str) -> None:
    assert segments(text).count == oracle.ask("segments", text=text)["count"] == 1


def test_the_lock_file_pins_every_package_and_names_no_registry() -> None:
    """Whoever runs this fetches from the registry they have set up, and gets the same files by their hashes."""
    lock = json.loads((Path(__file__).parent / "package-lock.json").read_text())
    packages = [about for path, about in lock["packages"].items() if path]
    assert packages
    assert all(about["integrity"].startswith("sha512-") and "resolved" not in about for about in packages)
