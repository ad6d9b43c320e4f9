"""How many SMS segments a text takes."""

from typing import Any

from gsm0338 import Codec
from hypothesis import given
from hypothesis import strategies as st

from surveys.segments import outside_gsm, segments

GSM = "ABCxyz 0123456789@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà\n\r"
EXTENDED = "^{}\\[~]|€\f"
ESCAPE = "\x1b"  # the sign that announces an extended character is none itself; gsm0338 lets it pass
codec: Any = Codec()


def second_opinion(text: str) -> tuple[str, int, int]:
    """The same from the bytes on air: gsm0338 for GSM-7, Python's UTF-16 for UCS-2."""
    try:
        if ESCAPE in text:
            raise UnicodeError
        units, encoding, alone, part = list(codec.encode(text)[0]), "GSM-7", 160, 153
        pairs = {ord(ESCAPE)}
    except UnicodeError:
        raw = text.encode("utf-16-be", "surrogatepass")
        units = [raw[i] << 8 | raw[i + 1] for i in range(0, len(raw), 2)]
        encoding, alone, part, pairs = "UCS-2", 70, 67, set(range(0xD800, 0xDC00))
    if len(units) <= alone:
        return encoding, 1, len(units)
    count, start = 0, 0
    while start < len(units):
        end = start + part
        if end < len(units) and units[end - 1] in pairs:
            end -= 1
        count, start = count + 1, end
    return encoding, count, len(units)


def measured(text: str) -> tuple[str, int, int]:
    found = segments(text)
    return found.encoding, found.count, found.units


@given(st.text(alphabet=st.sampled_from(GSM + EXTENDED), max_size=500))
def test_gsm_texts_agree_with_a_second_opinion(text: str) -> None:
    """What another library would put on air takes as many segments and units."""
    assert measured(text)[0] == "GSM-7"
    assert measured(text) == second_opinion(text)


@given(st.text(max_size=400), st.integers(min_value=0, max_value=300))
def test_any_text_agrees_with_a_second_opinion(text: str, filler: int) -> None:
    """Also with anything Unicode has, near every boundary."""
    assert measured("a" * filler + text) == second_opinion("a" * filler + text)


@given(st.text(alphabet=st.characters(), max_size=200))
def test_no_text_raises(text: str) -> None:
    """Lone surrogates and control characters are counted like others."""
    assert segments(text).count >= 1


def test_one_text_holds_160_and_long_ones_153_each() -> None:
    assert [segments("a" * n).count for n in (0, 1, 160, 161, 306, 307)] == [1, 1, 1, 2, 2, 3]


def test_other_letters_leave_room_for_70_and_67_each() -> None:
    assert [segments("á" * n).count for n in (70, 71, 134, 135)] == [1, 2, 2, 3]


def test_a_euro_sign_takes_two_units_and_is_never_split() -> None:
    assert segments("€" * 80).count == 1
    apart, across = segments("a" * 151 + "€" + "a" * 153), segments("a" * 152 + "€" + "a" * 152)
    assert apart.units == across.units == 306
    assert (apart.count, across.count) == (2, 3), "the escape would have been the 153rd unit"


def test_an_emoji_takes_two_units_and_is_never_split() -> None:
    assert segments("🌱" * 35).count == 1
    apart, across = segments("á" * 65 + "🌱" + "á" * 67), segments("á" * 66 + "🌱" + "á" * 66)
    assert apart.units == across.units == 134
    assert (apart.count, across.count) == (2, 3), "its first half would have been the 67th unit"


def test_one_curly_quote_makes_a_text_cost_more() -> None:
    assert segments("we'll " * 20).count == 1
    assert segments("we’ll " * 20).count == 2
    assert outside_gsm("we’ll — you’ll") == "’—"


def test_the_accents_that_gsm_writes_cost_nothing() -> None:
    assert segments("¿Qué señal? à è é ù ñ ü ö").encoding == "GSM-7"
    assert outside_gsm("á í ó ú ê ç â î ô û") == "áíóúêçâîôû"
