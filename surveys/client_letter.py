"""What a mail to a client says, part by part; how it looks is the layout's business."""

from dataclasses import dataclass, replace

from surveys.instrument import Instruments
from surveys.page_wording import PageWords, client_words
from surveys.wording import Say, Voice, language_of, places_of, write

ONE_TAP = ("check_in", "reminder")  # these carry a button for each choice of the first question
OWN = (*ONE_TAP, "welcome")  # these have words of their own for mail
OPENS = (*ONE_TAP, "ask_rest", "explain")  # these carry a link to the form


@dataclass(frozen=True)
class ClientLetter:
    """One mail's words. `question` and `choices` (1 to 5) are for the buttons; `reply` says how to answer by mail."""

    language: str
    subject: str
    sender: str
    paragraphs: tuple[str, ...]
    question: str = ""
    choices: tuple[str, ...] = ()
    open: str = ""
    reply: str = ""
    safety: str = ""  # empty where the text says it
    end: str = ""
    end_link: str = ""


def client_letter(say: Say, voice: Voice, instruments: Instruments) -> ClientLetter:
    """The mail in the client's language. What has no words of its own for mail says what a text would say.

    Raises ValueError as `surveys.wording.write` does.
    """
    language = language_of(voice.language)
    words, places = client_words(language, "UTC"), places_of(say, voice, instruments)
    written = write(replace(say, link=""), voice, instruments)
    asks = say.kind in ONE_TAP and not say.bare
    return ClientLetter(
        language=language,
        subject=written.subject,
        sender=voice.sms_name,
        paragraphs=_paragraphs(say, words, places, written.text),
        question=question(say.feelings[0], instruments, words) if asks else "",
        choices=instruments.choices[language] if asks else (),
        open=words.say("mail_open") if say.kind in OPENS else "",
        reply=_reply(words, places, instruments) if asks else "",
        safety=words.say("mail_safety", sms_name=voice.sms_name, lines=places["lines"]) if say.kind in OWN else "",
        end=words.say("mail_end"),
        end_link=words.say("mail_end_link"),
    )


def question(feeling: str, instruments: Instruments, words: PageWords) -> str:
    """One feeling asked for in a sentence."""
    return words.say("ask", name=instruments.questions[feeling].names[words.language])


def _paragraphs(say: Say, words: PageWords, places: dict[str, str], text: str) -> tuple[str, ...]:
    if say.kind not in OWN:
        return (text.removeprefix(places["sms_name"]).lstrip(" :"),)  # the layout names the practice
    first = words.say(f"mail_{say.kind}", often=places["often"])
    more = (words.say("mail_welcome_who"),) if say.kind == "welcome" else ()
    return (*([words.say("mail_for", initial=places["initial"])] if say.initial else []), first, *more)


def _reply(words: PageWords, places: dict[str, str], instruments: Instruments) -> str:
    choices = instruments.choices[words.language]
    asking = {name: places[name] for name in ("numbers", "example", "feelings")}
    return words.say("mail_reply", low=choices[0], high=choices[-1], **asking)
