"""No STOP and no danger is missed, whatever stands beside it; words in another sense raise nothing."""

import pytest

from tests.surveys.replies.reading import read


@pytest.mark.parametrize(
    "text", ["STOP", "s t o p", "Stop!!!", "stpo", "STOPPPP", "pls stop", "ALTO", "arrêtez", "opt-out", "CANCEL"]
)
def test_a_keyword_alone_opts_out(text: str) -> None:
    assert read(text).kind == "optout"


@pytest.mark.parametrize(
    "text",
    [
        *("please take me off your list", "don't text me anymore", "how do I make these stop", "no more surveys"),
        *("email me instead of texting", "ya no me manden mensajes", "denme de baja", "désabonnez-moi"),
    ],
)
def test_a_wish_for_no_more_messages_opts_out(text: str) -> None:
    assert read(text).opt_out


@pytest.mark.parametrize(
    "text",
    [
        *("step", "and", "quiet", "can we stop the EMDR for now", "he won't stop texting me", "please keep texting me"),
        *("cancel my appointment", "we used the STOP skill", "don't stop sending these", "me di de baja en el trabajo"),
        *("In the end I felt ok", "arrêter de fumer c'est dur", "I want to stop drinking"),
    ],
)
def test_stop_about_anything_else_does_not_opt_out(text: str) -> None:
    assert not read(text).opt_out


@pytest.mark.parametrize(
    "text",
    [
        *("kms", "I want to die", "im going to kil myself", "better off without me", "been cutting again"),
        *("I took all my pills", "my stepdad touched me again", "not safe at home tonight", "I might hurt my kids"),
        *("my son says he wants to die", "quiero morirme", "mi esposo me pegó anoche", "j'ai envie d'en finir"),
    ],
)
def test_present_danger_is_flagged(text: str) -> None:
    reply = read(text)
    assert reply.crisis
    assert reply.kind == "crisis"
    assert reply.comment == text


@pytest.mark.parametrize(
    "text",
    [
        *("deadline is killing me", "killed it today", "almost died of embarrassment", "my uncle's suicide came up"),
        *("it hit me hard that I miss her", "estoy muerto de hambre", "je tuerais pour un café", "sad and tired"),
    ],
)
def test_idioms_and_sadness_raise_no_alarm(text: str) -> None:
    reply = read(text)
    assert not reply.crisis
    assert reply.note is None


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("not suicidal, just tired", "denial"),
        ("no quiero morir, solo descansar", "denial"),
        ("I tried to kill myself when I was 16", "past"),
        ("my dad hit me as a kid, that's what we worked on today", "past"),
    ],
)
def test_a_denial_or_a_story_of_the_past_is_noted_for_the_therapist(text: str, note: str) -> None:
    reply = read(text)
    assert (reply.crisis, reply.note) == (False, note)


def test_the_past_is_no_shelter_for_what_goes_on() -> None:
    assert read("I used to cut and last night I cut myself again").crisis


@pytest.mark.parametrize(
    "text",
    [
        *("i'm going to kill myself in 20 minutes", "me voy a matar en 2 horas", "je vais me tuer en 10 minutes"),
        *("since my divorce last year i want to die", "hace 3 meses que pienso en matarme", "pero ya no quiero vivir"),
        *("ça fait 2 ans que je veux mourir", "I've wanted to die for years", "my childhood is why i want to die"),
        "i wish i was dead but finally told someone about the bullying in middle school",
        *("he hit me when i was cooking", "He choked me in 2 places", "in the past week I cut myself three times"),
        *("my dad died years ago and i took 40 pills", "hace dos años que mi esposo me golpea"),
        *("my abusive ex is at my door with a gun", "since i last talked to you i took an overdose"),
    ],
)
def test_what_is_said_of_the_present_is_never_taken_for_past(text: str) -> None:
    assert read(text).crisis


@pytest.mark.parametrize(
    "text",
    ["ten years ago I wanted to die", "I was suicidal but that was years ago", "I used to cut myself, years ago now"],
)
def test_what_is_told_as_past_stays_a_note(text: str) -> None:
    reply = read(text)
    assert (reply.crisis, reply.note) == (False, "past")


@pytest.mark.parametrize(
    "text",
    [
        *("i told her i wasn't suicidal. i lied", "i told her i wasn't suicidal but i am", "i'm not not suicidal"),
        *("no thoughts of suicide, except last night i tried", "le dije que no quiero morir. mentí"),
    ],
)
def test_a_denial_that_is_taken_back_denies_nothing(text: str) -> None:
    assert read(text).crisis


@pytest.mark.parametrize(
    "text",
    [
        *("not suicidal, but i am tired", "no suicidal thoughts. It's not true that therapy is bad"),
        "I'm not suicidal. She was lying about her age",
    ],
)
def test_a_denial_with_something_else_after_it_stays_one(text: str) -> None:
    assert not read(text).crisis


def test_scores_flags_and_comment_do_not_hide_each_other() -> None:
    reply = read("5 4 3. Stop texting me. I want to die")
    assert reply.scores == (5, 4, 3)
    assert reply.opt_out
    assert reply.crisis
    assert "I want to die" in (reply.comment or "")


def test_a_practice_adds_its_own_words_of_danger() -> None:
    assert not read("I went to the quarry").crisis
    assert read("I went to the quarry", also_crisis=["the quarry"]).crisis
    assert not read("I went home", also_crisis=["the quarry", "<unreadable>"]).crisis


@pytest.mark.parametrize("text", ["CALL", "please call me", "llámenme por favor", "APPEL"])
def test_a_wish_to_be_called_is_passed_on(text: str) -> None:
    assert read(text).call


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("HELP", "help"),
        ("START", "optin"),
        ("omitir", "skip"),
        ("who is this?", "help"),
        ("I'm driving with Do Not Disturb While Driving turned on.", "autoreply"),
        ("can we move Tuesday to Thursday?", "reschedule_or_other_request"),
        ("7", "out_of_range"),
        ("", "unclear"),
    ],
)
def test_other_kinds_are_told_apart(text: str, kind: str) -> None:
    assert read(text, "heard").kind == kind


@pytest.mark.parametrize(
    "text",
    [
        *("s.u.i.c.i.d.e", "having s*icide thoughts", "k*ll myself", "su1cidal", "i want to d i e", "k.m.s", "K M S"),
        *("kill myselffff", "killllll myself", "wana die", "im suicdal", "unalive urges tn", "i wnt to die"),
    ],
)
def test_danger_is_understood_masked_misspelt_drawn_out_and_spelled_out(text: str) -> None:
    assert read(text).crisis


@pytest.mark.parametrize("text", ["s t o p", "stoppp txtin me", "unsubcribe me plz", "plz rmv my numbr", "dnt txt me"])
def test_stop_is_understood_misspelt(text: str) -> None:
    reply = read(text)
    assert (reply.opt_out, reply.crisis) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        *("quero morrer", "meu marido me bateu ontem", "ich will sterben", "mein Mann schlägt mich", "voglio morire"),
        *("mio marito mi picchia", "хочу умереть", "ik wil dood", "chcę umrzeć", "mwen vle mouri"),
    ],
)
def test_plain_words_of_danger_are_known_in_further_languages(text: str) -> None:
    assert read(text).crisis


@pytest.mark.parametrize("text", ["parem de me mandar mensagens", "bitte keine Nachrichten mehr", "basta messaggi"])
def test_a_wish_for_no_more_messages_is_known_in_further_languages(text: str) -> None:
    assert read(text).opt_out


@pytest.mark.parametrize(
    "text",
    [
        *("estou morrendo de fome", "ich bin todmüde", "sono stanca morta", "danke, es war gut", "tutto bene, grazie"),
        *("my pills make me sleepy", "stuck on the bridge, sorry I was late", "grabbed a knife to chop onions"),
        *("lost my temper with the kids", "the traffic almost killed us", "my grandmother's funeral was beautiful"),
    ],
)
def test_a_single_word_that_often_stands_beside_danger_raises_nothing(text: str) -> None:
    assert not read(text).crisis


def test_words_of_farewell_are_kept_where_they_are_danger() -> None:
    assert read("goodbye, thank you for trying to save me").comment == "goodbye, thank you for trying to save me"


@pytest.mark.parametrize("text", ["wrong guy, quit texting me", "not my boyfriend\nstop texting me"])
def test_words_before_a_comma_take_no_wish_to_stop_back(text: str) -> None:
    assert read(text).opt_out


@pytest.mark.parametrize("text", ["my boyfriend quit texting me", "that guy won't stop texting me, it is a lot"])
def test_somebody_else_who_stops_or_goes_on_is_no_wish_to_stop(text: str) -> None:
    assert not read(text).opt_out


@pytest.mark.parametrize(("text", "stops"), [("5 5 5 STOP", True), ("we worked on how to STOP", False)])
def test_a_keyword_in_capitals_at_the_end_is_a_wish_unless_the_sentence_leads_to_it(text: str, stops: bool) -> None:
    assert read(text).opt_out is stops


@pytest.mark.parametrize(
    ("text", "danger"),
    [
        ("i just took my meds all of them at once", True),
        ("I took my meds 5 5 5", False),
        ("this is my last session", False),
    ],
)
def test_pills_and_last_visits_are_danger_only_where_they_are(text: str, danger: bool) -> None:
    assert read(text).crisis is danger


@pytest.mark.parametrize(
    ("text", "stops"), [("take my mom off of this she passed in april", True), ("they took my dad off the bus", False)]
)
def test_somebody_is_taken_off_the_texts_not_off_anything_else(text: str, stops: bool) -> None:
    assert read(text).opt_out is stops
