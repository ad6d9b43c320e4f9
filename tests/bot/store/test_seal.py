"""Sealing: unreadable without the key, only in its own place, and any change shows."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.seal import SealBroken, Sealer

OLD, NEW = "the-old-secret-of-riverside-practice", "the-new-secret-of-riverside-practice"
WHERE = "client|phone|0123456789abcdef"
SEALER = Sealer([NEW])
SEALED = SEALER.seal(WHERE, "+12025550101")


@given(st.text())
def test_whatever_was_sealed_opens_as_it_was(text: str) -> None:
    """Empty, emoji, NUL and everything between."""
    assert SEALER.open(WHERE, SEALER.seal(WHERE, text)) == text


@given(st.text(alphabet=st.characters(categories=["Cs", "Ll"])))
def test_half_a_surrogate_pair_is_kept_too(text: str) -> None:
    """A split text message can end in half an emoji; the reply must still be stored."""
    assert SEALER.open(WHERE, SEALER.seal(WHERE, text)) == text
    assert SEALER.index(text) == SEALER.index(text)


def test_the_same_text_never_looks_the_same() -> None:
    """Equal words of two clients, or of one client twice, can't be told from the database."""
    assert len({SEALER.seal(WHERE, "5 5 5") for _ in range(100)}) == 100


def test_what_is_sealed_shows_nothing_of_it() -> None:
    """Neither the text nor its usual encodings are in what is stored."""
    sealed = SEALER.seal(WHERE, "a canary in words")
    assert "canary" not in sealed
    assert base64.b64encode(b"a canary in words").decode()[:8] not in sealed
    assert b"canary" not in base64.b64decode(sealed.partition(".")[2])


@pytest.mark.parametrize("where", ["client|email|0123456789abcdef", "person|phone|0123456789abcdef", "client|phone|1"])
def test_a_value_moved_to_another_place_does_not_open(where: str) -> None:
    """Another column, table or row: nobody can swap two clients' numbers in the database."""
    with pytest.raises(SealBroken, match="was changed, or belongs to another row"):
        SEALER.open(where, SEALED)


def test_another_key_opens_nothing() -> None:
    """A stolen database is useless without the key; the message names the key that is missing, not the value."""
    with pytest.raises(SealBroken, match=r"which is not in SECRET_KEY or its file") as refused:
        Sealer([OLD]).open(WHERE, SEALED)
    assert SEALER.keys[0].id in str(refused.value)


def test_any_changed_character_shows() -> None:
    """Every character replaced by every other one of its alphabet, and by ones outside: none opens."""
    others = "AZaz09+/=.!\n é"
    for place, old in enumerate(SEALED):
        for other in {*others, chr(ord(old) ^ 1)} - {old}:
            with pytest.raises(SealBroken):
                SEALER.open(WHERE, SEALED[:place] + other + SEALED[place + 1 :])


def test_any_flipped_bit_of_the_ciphertext_shows() -> None:
    """Nonce, words and tag alike."""
    key_id, _, rest = SEALED.partition(".")
    raw = base64.b64decode(rest)
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            SEALER.open(WHERE, f"{key_id}.{base64.b64encode(flipped).decode()}")


@given(st.text())
def test_what_was_never_sealed_is_refused_as_broken(text: str) -> None:
    """Cut, lengthened or made up: one kind of error, whatever the form."""
    for sealed in (text, f"{SEALER.keys[0].id}.{text}", SEALED + (text or "="), SEALED[: len(text)]):
        if sealed != SEALED:
            with pytest.raises(SealBroken):
                SEALER.open(WHERE, sealed)


def test_after_a_change_of_key_the_old_values_still_open() -> None:
    """The newest key comes first and seals; every key opens."""
    sealed_before = Sealer([OLD]).seal(WHERE, "5 4 5")
    both = Sealer([NEW, OLD])
    assert both.open(WHERE, sealed_before) == "5 4 5"
    sealed_now = both.seal(WHERE, "5 4 5")
    assert Sealer([NEW]).open(WHERE, sealed_now) == "5 4 5"
    with pytest.raises(SealBroken):
        Sealer([OLD]).open(WHERE, sealed_now)


def test_after_a_change_of_key_the_old_indexes_are_still_among_those_looked_for() -> None:
    """What is stored from now on has the newest key's index; what was stored before is found by the older one's."""
    both = Sealer([NEW, OLD])
    assert both.index("+12025550101") == Sealer([NEW]).index("+12025550101")
    assert both.indexes("+12025550101") == [s.index("+12025550101") for s in (Sealer([NEW]), Sealer([OLD]))]
    assert len(set(both.indexes("+12025550101"))) == 2


def test_an_index_is_no_plain_hash() -> None:
    """All ten thousand million numbers can be tried against a plain hash in hours."""
    phone = "+12025550101"
    plain = {getattr(hashlib, name)(phone.encode()).hexdigest() for name in ("sha1", "sha256", "md5")}
    assert SEALER.index(phone) not in plain
    assert SEALER.index(phone) != Sealer([OLD]).index(phone)


def test_addresses_are_found_whatever_their_case() -> None:
    """Mail addresses are written as people please."""
    assert SEALER.index("Ana@Clients.Example") == SEALER.index("ana@clients.example")


def test_keys_and_sealers_show_no_secret() -> None:
    """Their repr may end in a log."""
    shown = repr(SEALER.keys) + repr(SEALER)
    assert NEW not in shown
    assert "index=" not in shown
