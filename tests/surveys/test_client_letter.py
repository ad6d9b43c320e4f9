"""What mails to clients say: in their language, brief, neutral, with the way out, and nothing that nobody uses."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from surveys.client_letter import client_letter
from surveys.instrument import FEELINGS, KINDS, load_all
from surveys.instrument_file import LANGUAGES
from surveys.page_wording import CLIENTS, read
from surveys.wording import Say, Voice

INSTRUMENTS = load_all()
TEXT = (files("surveys") / "instruments" / CLIENTS).read_text(encoding="utf-8")
ASKING = ("check_in", "reminder", "ask_rest", "explain")
PROFESSION = re.compile(r"therap|psych|counsel|mental|session|terapia|sesión|séance|thérapie", re.IGNORECASE)


def say(kind: str) -> Say:
    return Say(kind, FEELINGS[:4] if kind in ASKING else (), link="https://x.example/c/t" if kind in ASKING else "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_key_in_words_of_its_own(language: str) -> None:
    pages = tomllib.loads(TEXT)["page"]
    assert pages[language].keys() == pages["en"].keys()
    same = [key for key, text in pages[language].items() if text == pages["en"][key]]
    assert language == "en" or same in ([], ["ask"])


def test_the_file_is_checked_like_the_other() -> None:
    with pytest.raises(Exception, match=r"clients.toml, page\.fr\.thanks: is missing"):
        read(TEXT.replace('thanks = "Merci"\n', ""), CLIENTS)


def test_every_text_is_used_and_every_text_used_is_there() -> None:
    bot = Path(str(files("bot")))
    sources = [*bot.glob("web/client/*.py"), *bot.glob("web/templates/client/*.html")]
    sources += [Path(str(files("surveys"))) / "client_letter.py"]
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    keys = tomllib.loads(TEXT)["page"]["en"].keys()
    quoted = set(re.findall(r'"(\w+)"', text)) | {f"mail_{kind}" for kind in ("welcome", "check_in", "reminder")}
    assert not keys - quoted
    assert set(re.findall(r'\bsay\("(\w+)"', text)) <= keys


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_names_the_practice_says_how_to_stop_and_not_what_kind_of_practice_it_is(
    language: str, kind: str
) -> None:
    letter = client_letter(say(kind), Voice("Riverside", language), INSTRUMENTS)
    assert letter.sender == "Riverside"
    assert "STOP" in letter.end
    for text in (letter.subject, *letter.paragraphs, letter.question, letter.reply, letter.safety, letter.end):
        assert not PROFESSION.search(text)
    assert not re.search(r"\d", letter.subject)
    assert not any(
        label in letter.subject for each in FEELINGS for label in INSTRUMENTS.questions[each].labels.values()
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["welcome", "check_in", "reminder", "thanks", "comment_thanks", "crisis"])
def test_a_mail_that_invites_words_says_whom_to_call(language: str, kind: str) -> None:
    letter = client_letter(say(kind), Voice("Riverside", language, "FR"), INSTRUMENTS)
    assert "3114" in " ".join((*letter.paragraphs, letter.safety))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_check_in_asks_the_first_question_with_its_five_choices(language: str) -> None:
    letter = client_letter(say("check_in"), Voice("Riverside", language), INSTRUMENTS)
    assert INSTRUMENTS.questions["heard"].names[language] in letter.question
    assert letter.choices == INSTRUMENTS.choices[language]
    assert "4 2 5 3" in letter.reply


def test_a_discreet_client_gets_a_link_and_no_feeling_is_named() -> None:
    letter = client_letter(Say("check_in", FEELINGS[:3], link="x", bare=True), Voice("Riverside", "en"), INSTRUMENTS)
    told = " ".join((*letter.paragraphs, letter.question, letter.reply, *letter.choices))
    assert not any(name in told for name in ("heard", "respected", "understood", "not at all"))
    assert letter.open


def test_two_at_one_address_are_told_apart_by_their_initial() -> None:
    letter = client_letter(Say("check_in", FEELINGS[:3], initial="a"), Voice("Riverside", "en"), INSTRUMENTS)
    assert letter.paragraphs[0] == "For A."
