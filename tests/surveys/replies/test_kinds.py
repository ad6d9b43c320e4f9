"""What kind of message a reply is: words that could mean a skip or a stranger count only where they do."""

import pytest

from tests.surveys.replies.reading import read, scores


@pytest.mark.parametrize(
    "text", ["skip", "Pass!", "I'd rather not say", "no idea, sorry", "omitir", "prefiero no contestar", "je passe"]
)
def test_a_skip_in_the_place_of_a_score_is_one(text: str) -> None:
    assert read(text, "heard").kind == "skip"


@pytest.mark.parametrize(
    "text",
    [
        "I am not sure whether the breathing helps, but I like that we start with it.",
        "We talked by phone from the platform, which was better than nothing.",
        "El tiempo se me pasó volando y no sé decirle que no a mi hermana.",
        "Mañana paso por la consulta a recoger la hoja.",
        "Ma tante est tombée dans l'escalier et je passe chez elle tous les jours.",
        "Le plus dur a été de m'asseoir à côté de mon oncle sans rien dire.",
    ],
)
def test_the_same_words_in_a_sentence_of_their_own_are_a_comment(text: str) -> None:
    reply = read(text)
    assert (reply.kind, reply.comment) == ("comment", text)


@pytest.mark.parametrize(
    "text",
    [
        "Cela fait deux ans que mon père est décédé, j'ai cuisiné sa soupe.",
        "Ma grand-mère est décédée, c'était dur d'en parler.",
        "Lloré por mi tío que falleció el año pasado.",
    ],
)
def test_a_death_in_the_clients_family_is_no_wrong_person(text: str) -> None:
    assert read(text).kind == "comment"


@pytest.mark.parametrize("text", ["Ella falleció en enero", "La paciente falleció", "Elle est décédée hier"])
def test_news_of_the_clients_own_death_is_a_wrong_person(text: str) -> None:
    assert read(text).kind == "wrong_person"


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("5 5 5 n'envoyez plus rien", "optout"),
        ("5 5 5 nothing more please", "optout"),
        ("5 5 5 nothing matters anymore", "crisis"),
        ("5 5 5 rien ne va, je veux mourir", "crisis"),
    ],
)
def test_a_word_that_can_mean_a_skip_takes_no_score_away_where_it_is_part_of_a_flag(text: str, flag: str) -> None:
    reply = read(text)
    assert (reply.kind, reply.scores) == (flag, (5, 5, 5))


def test_a_skip_beside_a_flag_is_still_one() -> None:
    assert scores("5 5 pass stop texting me") == [5, 5, None]


def test_what_follows_as_many_scores_as_questions_is_a_comment_also_where_it_begins_like_a_skip() -> None:
    reply = read("5 4 5 no idea what else to say")
    assert (reply.scores, reply.comment) == ((5, 4, 5), "no idea what else to say")
