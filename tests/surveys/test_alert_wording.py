"""What therapists, supervisors and managers are told: enough to act on, and no more than a mail may hold."""

import re

import pytest

from surveys.alert_wording import AlertText, Change, alert_text, urgent_sms
from surveys.instrument import ALERT_KINDS, load_all
from surveys.instrument_file import LANGUAGES
from surveys.rapport import Explanation
from surveys.wording import segments

SEVEN = ("heard", "respected", "understood", "dependable", "accepted", "involved", "seen")


SIGNALS = ("rapport", "low")
CHANGE = Change(before=14, after=11, date="Tue 3 Nov")


def fallen(
    check_ins: int = 2, feelings: tuple[str, ...] = ("heard", "understood"), overall: bool = False
) -> Explanation:
    """What the signal explains of a fall, without numbers."""
    return Explanation(5, check_ins, feelings, overall, 0.9)


def note(kind: str, language: str = "en", why: Explanation | None = None) -> AlertText:
    """A note with all that any kind can be given."""
    why = why or (fallen() if kind in SIGNALS else None)
    return alert_text(kind, language, explanation=why, days=2, therapist="Theo", count=8, change=CHANGE)


def lead(why: Explanation, language: str = "en") -> str:
    return note("rapport", language, why).lead


def test_a_decline_is_told_in_one_plain_sentence_and_how_sure_it_is() -> None:
    assert lead(fallen()) == (
        "Heard and understood have been below this client's usual for two check-ins. "
        "It may be a real change; about half of such notes are. Worth asking."
    )


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        (fallen(1, ("heard",)), "Heard has been below this client's usual in the latest check-in."),
        (fallen(0, ("seen",)), "Seen has been below this client's usual lately."),
        (fallen(12, ("heard",)), "Heard has been below this client's usual for 12 check-ins."),
        (
            fallen(3, SEVEN[:3]),
            "Heard, respected and understood have been below this client's usual for three",
        ),
        (fallen(2, SEVEN, overall=True), "Answers as a whole have been below this client's usual for two"),
        (fallen(2, ()), "Answers as a whole have been below this client's usual for two check-ins."),
    ],
)
def test_the_sentence_says_which_feelings_and_since_when(why: Explanation, sentence: str) -> None:
    assert lead(why).startswith(sentence)


def test_a_decline_is_told_in_the_therapists_language() -> None:
    assert lead(fallen(), "es").startswith("Escucha y comprensión están por debajo de lo habitual")
    assert lead(fallen(2, ("heard",)), "fr").startswith(
        "Écoute : en dessous de l'habitude de cette personne depuis deux"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_advice_comes_with_the_note_and_names_its_sources(language: str) -> None:
    """Feedback that comes with advice helps two to three times as much as feedback alone."""
    told = note("rapport", language)
    listening, empathy = (load_all().guidance[foundation].lines[language] for foundation in ("listening", "empathy"))
    assert told.advice == listening + empathy
    assert told.advice_heading
    assert told.sources_heading
    assert len(told.sources) == len(set(told.sources)) == 2


def test_feelings_of_one_foundation_bring_its_advice_once() -> None:
    told = note("rapport", why=fallen(2, ("respected", "accepted")))
    assert told.advice == load_all().guidance["non-judgement"].lines["en"]


def test_a_decline_in_all_feelings_brings_the_advice_for_the_whole() -> None:
    told = note("rapport", why=fallen(2, SEVEN, overall=True))
    assert told.advice == load_all().guidance["overall"].lines["en"]


def test_many_fallen_feelings_do_not_become_a_lecture() -> None:
    assert len(note("rapport", why=fallen(2, SEVEN)).advice) == 6


@pytest.mark.parametrize("kind", [kind for kind in ALERT_KINDS if kind not in SIGNALS])
def test_other_notes_give_no_advice(kind: str) -> None:
    told = note(kind)
    assert (told.advice, told.sources, told.advice_heading, told.sources_heading) == ((), (), "", "")


def test_a_supervisor_is_told_that_a_note_waits_and_nothing_more() -> None:
    assert note("escalated").lead == "A note for Theo has waited two days."
    assert alert_text("escalated", "en", days=1, therapist="Theo").lead == "A note for Theo has waited one day."
    assert alert_text("escalated", "en", days=12, therapist="Theo").lead == "A note for Theo has waited 12 days."


def test_a_danger_mail_says_what_to_do_and_nothing_of_what_was_written() -> None:
    assert note("danger").lead.startswith("A client of yours may need help now. Please open")


def test_a_manager_learns_that_a_message_failed_not_what_it_said() -> None:
    assert note("undelivered").lead.startswith("A message to Theo could not be delivered.")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ALERT_KINDS)
def test_subjects_are_neutral(kind: str, language: str) -> None:
    """No name, no rating, no feeling, nothing of danger."""
    subject = note(kind, language).subject
    labels = "|".join(question.labels[language] for question in load_all().questions.values())
    assert not re.search(rf"\d|Theo|{labels}|danger|peligro|suicid|crisis|low|rapport|help|ayuda|aide", subject, re.I)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ALERT_KINDS)
def test_every_note_is_complete_in_every_language(kind: str, language: str) -> None:
    told = note(kind, language)
    assert told.subject
    assert told.lead.endswith(".")
    assert told.action
    assert "{" not in told.lead + told.subject + told.action


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_advice_blames(language: str) -> None:
    blaming = re.compile(r"\b(fault|fail(ed|ure)|wrong|mistake|culpa|fracas|error|erreur|faute|échec)\w*", re.I)
    for guidance in load_all().guidance.values():
        assert not [line for line in guidance.lines[language] if blaming.search(line)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_danger_text_is_content_free_and_fits_one_segment(language: str) -> None:
    link = "https://attune.riverside.example/a/" + "x" * 22
    text = urgent_sms(language, sms_name="Riverside Clinic", link=link)
    assert "Riverside Clinic" in text
    assert link in text
    assert segments(text).count == 1
    assert not re.search(r"client|danger|peligro|help|ayuda|aide", text.replace(link, ""), re.I)


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [
        ("rapport", "explanation"),
        ("low", "explanation"),
        ("model_change", "change"),
        ("reminder", "days"),
        ("escalated", "days"),
        ("cover", "therapist"),
        ("silent", "count"),
    ],
)
def test_a_note_that_lacks_something_is_refused(kind: str, lacks: str) -> None:
    with pytest.raises(ValueError, match=f"needs {lacks}"):
        alert_text(kind, "en")


def test_an_unknown_kind_of_note_is_refused() -> None:
    with pytest.raises(ValueError, match="'gossip' is not a kind of note"):
        alert_text("gossip", "en")


def test_a_language_we_lack_is_written_in_english() -> None:
    assert note("call", "de-CH") == note("call", "en")
