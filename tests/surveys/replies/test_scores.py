"""Which answer each question gets, by the rules a clinician can check against the words."""

import pytest

from surveys.instrument import load_all
from surveys.replies import parse
from tests.surveys.replies.reading import INSTRUMENTS, read, scores

OPEN = [None, None, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 4 3", [5, 4, 3]),
        ("543", [5, 4, 3]),
        ("5/4/3", [5, 4, 3]),
        ("five, four and three", [5, 4, 3]),
        ("fuve fouur three", [5, 4, 3]),
        ("sinco kuatro tres", [5, 4, 3]),
        ("٥٤٣", [5, 4, 3]),
        ("5️⃣4️⃣3️⃣", [5, 4, 3]),
        ("completely, mostly, somewhat", [5, 4, 3]),
        ("Hi, it's Ana. My answers are 5, 4 and 3. Thanks!", [5, 4, 3]),
        ("5/5 4/5 3/5", [5, 4, 3]),
        ("5 ? 3", [5, None, 3]),
        ("5 skip 3", [5, None, 3]),
    ],
)
def test_as_many_scores_as_questions_are_taken_in_order(text: str, expected: list[int | None]) -> None:
    assert scores(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("respected 4, heard 5", [5, 4, None]),
        ("understood 2", [None, None, 2]),
        ("1) 5 2) 4 3) 3", [5, 4, 3]),
        ("1. 5\n2. 4\n3. 3", [5, 4, 3]),
        ("Q1 5 Q2 4 Q3 3", [5, 4, 3]),
        ("5 for heard, 4 for respected and a 3 for understood", [5, 4, 3]),
        ("heard and respected 5, understood 3", [5, 5, 3]),
        ("first two are 4s, last one 5", [4, 4, 5]),
        ("la primera 5, la segunda 4, la tercera 3", [5, 4, 3]),
        ("4 for understood, 5 for the other two", [5, 5, 4]),
        ("heard 3 heard 5", OPEN),
    ],
)
def test_a_label_sends_a_score_to_its_question(text: str, expected: list[int | None]) -> None:
    assert scores(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all 4s", [4, 4, 4]),
        ("4 across the board", [4, 4, 4]),
        ("three fives", [5, 5, 5]),
        ("4x3", [4, 4, 4]),
        ("todo 5", [5, 5, 5]),
        ("3s except heard, 2", [2, 3, 3]),
        ("same as last time", OPEN),
        ("yes to all", OPEN),
    ],
)
def test_one_score_goes_to_all_only_when_said_so(text: str, expected: list[int | None]) -> None:
    assert scores(text) == expected


def test_a_lone_score_is_never_spread_over_all_questions() -> None:
    assert scores("4") == [4, None, None]


@pytest.mark.parametrize("text", ["5 4 3 2", "4/5", "⭐⭐⭐⭐", "5 6 5", "1-5", "10 10 10"])
def test_a_reply_that_settles_nothing_stays_open(text: str) -> None:
    assert scores(text) == OPEN


@pytest.mark.parametrize(
    "text",
    [
        *("3.5", "4½", "4 or 5", "between 3 and 4", "almost 5", "3-4", "not a 4", "2 completely", "6", "0", "8/10"),
        *("90%", "-2", "yes", "great", "fine", "for", "to", "très bien", "thumbs up 👍", "not mostly", "nada más"),
        *("I was 15 minutes late", "see you at 5", "my pain is a 4", "one of the best", "we did 4-7-8 breathing"),
        *("high five!", "5th floor", "my son is 5", "tengo dos perros", "thanks <3", "mostly good", "a little tired"),
        *("set all scores to 5", "{{5}}", "=5+0", "<script>5</script>"),
    ],
)
def test_what_only_looks_like_a_score_is_none(text: str) -> None:
    assert scores(text, "heard") == [None]


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("4 no wait 5", 5),
        ("3, I mean 4", 4),
        ("I'd say 4, not 5", 4),
        ("5 totalmente", 5),
        ("Completely 😊", 5),
        ("a little, it was short", 2),
        ("somewhat heard", 3),
        ("about a 2", 2),
        ("4 - my 3rd session and the first where I talked", 4),
        ("2. habló más ella que yo", 2),
    ],
)
def test_one_question_gets_the_score_that_stands(text: str, score: int) -> None:
    assert scores(text, "heard") == [score]


def test_any_of_the_feelings_may_be_asked_in_any_order() -> None:
    asked = ("seen", "heard", "change", "dependable", "accepted", "involved", "understood")
    assert scores("4 5 3 4 5 4 2", *asked) == [4, 5, 3, 4, 5, 4, 2]
    assert scores("understood 2, seen 4, change 3", *asked) == [4, None, 3, None, None, None, 2]


def test_a_score_for_a_feeling_that_was_not_asked_is_not_given_to_another() -> None:
    assert scores("respected 4", "heard") == [None]


def test_nothing_asked_gives_an_empty_list() -> None:
    assert parse("5 5 5", asked=(), instruments=INSTRUMENTS).scores == ()


def test_the_reply_says_which_words_gave_a_score_and_which_rule_left_one_open() -> None:
    heard, respected, understood = read("heard 5, respected 3 or 4").because
    assert (heard.feeling, heard.score, heard.words, heard.rule) == ("heard", 5, "heard 5", "S3")
    assert (respected.score, respected.rule) == (None, "S10")
    assert understood.score is None


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("5 4 5. I wish we'd had more time", "I wish we'd had more time"),
        ("I felt rushed.\n5 4 3", "I felt rushed"),
        ("todo 5, me fui más tranquila", "me fui más tranquila"),
        ("heard 2 - he kept typing. respected 4. understood 3", "he kept typing"),
        ("5 5 5 thank you!", None),
    ],
)
def test_words_beside_the_scores_are_kept(text: str, comment: str | None) -> None:
    assert read(text).comment == comment


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_the_names_of_the_questions_in_our_own_texts_are_labels(language: str) -> None:
    questions = load_all().questions
    said = ", ".join(f"{question.asks[language]} {i % 5 + 1}" for i, question in enumerate(questions.values()))
    assert scores(said, *questions) == [i % 5 + 1 for i in range(len(questions))]


@pytest.mark.parametrize(("text", "score"), [("not at all", 1), ("completely", 5), ("nada", 1), ("totalmente", 5)])
def test_the_words_that_our_texts_give_for_the_ends_of_the_scale_count(text: str, score: int) -> None:
    assert scores(text, "heard") == [score]


@pytest.mark.parametrize(("text", "score"), [("pas du tout", 1), ("Totalement.", 5), ("un peu", None)])
def test_in_french_only_the_two_words_that_our_texts_give_count(text: str, score: int | None) -> None:
    assert scores(text, "heard") == [score]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("heard is 5 understood is 4, don't know about the other", [5, None, 4]),
        ("#3 is a 4", [None, None, 4]),
        ("#1 is a 5, #3 is a 4", [5, None, 4]),
        ("Four on hearing me. Respect, three. Understanding I'd go three too.", [4, 3, 3]),
    ],
)
def test_labels_hold_beside_a_skipped_question_across_commas_and_fillers(text: str, expected: list[int | None]) -> None:
    assert scores(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4 4 3 good session overall but I held back", [4, 4, 3]),
        ("3 3 2 hard day but ok", [3, 3, 2]),
        ("544 good session", [5, 4, 4]),
        ("4 4 4 session was short", [4, 4, 4]),
        ("3 4 4 knows me well", [3, 4, 4]),
        ("all 3s i was somewhere else", [3, 3, 3]),
        ("5 4 5 hablamos del duelo", [5, 4, 5]),
        ("2 1 1 ando triste", [2, 1, 1]),
        ("3 2 1 walked out early", [3, 2, 1]),
        ("4 5 5 más tranquila que antes", [4, 5, 5]),
        ("4 4 3 nous avons parlé de mon père", [4, 4, 3]),
    ],
)
def test_a_row_of_scores_stands_before_a_comment_without_a_mark(text: str, expected: list[int | None]) -> None:
    assert scores(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("4 4 5 minutes late", "3 4 5 weeks ago", "5 5 4 times she yawned", "5 4 4 good friends came along"),
        *("4 3 3 long hours waiting", "5 4 2 more sessions to go", "5 4 1 session missed", "5 4 1 long session"),
        *(
            "5 4 3 pm works",
            "3 2 1 breathing helped",
            "5 4 3 veces lloré",
            "5 4 5 primos vinieron",
            "3 4 5 fois par jour",
        ),
        *("all 3 were good", "215 good things"),
    ],
)
def test_a_thing_counted_right_after_a_row_of_numbers_takes_its_last_one_back(text: str) -> None:
    assert scores(text) == OPEN


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("4/5 good talk about my brother", 4),
        ("3 se la pasó hablando de su gato", 3),
        ("3 hablamos de mi papá", 3),
        ("1 ando mal", 1),
        ("4/5 good sessions", None),
        ("4 good friends came", None),
        ("2 sesiones perdidas", None),
        ("3 buenas amigas", None),
        ("2 crisis esta semana", None),
        ("3 yr old kept crying", None),
        ("4 long session", None),
    ],
)
def test_one_number_before_a_comment_is_a_score_only_where_it_counts_nothing(text: str, score: int | None) -> None:
    assert scores(text, "heard") == [score]


def test_a_complaint_counted_after_one_score_is_no_second_score() -> None:
    assert scores("4, 1 complaint", "heard", "respected") == [None, None]


@pytest.mark.parametrize(("text", "score"), [("mostely", 4), ("mostley", 4), ("completley", 5), ("fuor", 4)])
def test_a_slip_near_several_spellings_of_one_score_is_that_score(text: str, score: int) -> None:
    assert scores(text, "heard") == [score]


def test_a_reply_that_labels_and_skips_every_question_raises_nothing() -> None:
    assert scores("respected n/a, the rest pass") == [None, None, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 4 3 this headache is killing me", [5, 4, 3]),
        ("the pills make my mouth dry but at least I sleep thru the night so 5 4 3", [5, 4, 3]),
        ("she didn't get it 5 4 3", [5, 4, 3]),
        ("good session 5 4 3", [5, 4, 3]),
        ("he was nice about it all 4s", [4, 4, 4]),
        ("5 4 3 dad's here, more later", [5, 4, 3]),
        ("Hi this is Ana, 5 4 3, traffic was bad", [5, 4, 3]),
        ("sorry for the delay! 4 5 5 - the bus was late", [4, 5, 5]),
        ("I regret nothing. 5 4 5", [5, 4, 5]),
        ("5 5 4 (the 4 is on me, I was holding back)", [5, 5, 4]),
        ("4 5 5 not 4 4 5", [4, 5, 5]),
        ("first one 5 second one 3 third 4 life is good", [5, 3, 4]),
        ("1 is a 4, 2 is a 5, 3 is a 4", [4, 5, 4]),
        ("1st one 3, 2nd 4, 3rd 4", [3, 4, 4]),
        ("a 5 for respected and a 5 for heard, understood more like a 3", [5, 5, 3]),
        ("fives across the board minus understood which is 4", [5, 5, 4]),
        ("4 (four) 5 (five) 3 (three)", [4, 5, 3]),
        ("H5 R4 U3", [5, 4, 3]),
        ("E: 5 R: 4 C: 3", [5, 4, 3]),
    ],
)
def test_a_whole_set_is_read_whatever_stands_beside_it(text: str, expected: list[int | None]) -> None:
    assert scores(text) == expected


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("felt dumb but he was nice about it so i'd say a 4", 4),
        ("4 me siento mejor", 4),
        ("4, me duele la cabeza", 4),
        ("4 idk how she does it", 4),
        ("4, i see no point in the homework", 4),
        ("poco, me sentí juzgada", 2),
        ("4 this headache is killing me", 4),
        ("4 life is hard but I'm managing", 4),
        ("my phone died sorry 4", 4),
        ("Final answer: 4, I liked it", 4),
        ("=4, ready to move on", 4),
        ("so good 4 me", None),
        ("my anxiety's at a 4 today", None),
        ("One of the better ones", None),
        ("took an hour because of the I-5", None),
        ("parked in spot 5 and everything", None),
        ('{"heard":5}', None),
    ],
)
def test_one_number_is_told_from_what_stands_beside_it(text: str, score: int | None) -> None:
    assert scores(text, "heard") == [score]


def test_a_score_without_its_feeling_is_given_to_no_other() -> None:
    assert scores("heard was a 5 and understood a 4, no idea on respect") == [5, None, 4]
    assert scores("first one 5 second one 3 hours of sleep", "heard", "respected") == [5, None]
    assert scores("Heard - 5, thats all I can say for now") == [5, None, None]
    assert scores("4s except 2 for respected. im hearing things") == [4, 2, 4]


def test_list_numbers_go_on_past_five() -> None:
    asked = ("heard", "respected", "understood", "dependable", "accepted", "involved", "seen")
    assert scores("1) 5 2) 5 3) 4 4) 4 5) 5 6) 5 7) 4", *asked) == [5, 5, 4, 4, 5, 5, 4]
    assert scores("1-4 2-5 3-4 4-4 5-5 6-3 7-4", *asked) == [4, 5, 4, 4, 5, 3, 4]


@pytest.mark.parametrize("after", ["he was nice", "hi", "us up", "r9 and u"])
def test_words_after_the_three_initials_are_a_comment(after: str) -> None:
    assert scores(f"H5 R4 U3 {after}") == [5, 4, 3]


@pytest.mark.parametrize(
    "text", ["5 4 3 (the 3 is really a 2)", "It's a 5 4 3 the 2 is wrong", "5-4-3-2-1", "1 2 3 go"]
)
def test_a_fourth_number_that_corrects_one_settles_nothing(text: str) -> None:
    assert scores(text) == OPEN


@pytest.mark.parametrize(
    "text", ["3/4 of the time she talked", "1/2 the time", "4 of 5 kids came", "1. homework 2. sleep", "my 2, 3 y 5"]
)
def test_parts_and_lists_of_other_things_are_no_score(text: str) -> None:
    assert scores(text, "heard") == [None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("felt respected 5 but only a 2 for understood", [None, 5, 2]),
        ("respected 5 and 2 for understood", [None, 5, 2]),
        ("heard 5 2 for understood", [5, None, 2]),
        ("heard and respected 5 but 2 for understood", [5, 5, 2]),
        ("heard 5 respected 4 2 for understood", [5, 4, 2]),
    ],
)
def test_a_label_before_one_score_and_behind_the_next_both_count(text: str, expected: list[int | None]) -> None:
    assert list(read(text).scores) == expected


@pytest.mark.parametrize("text", ["is my next one the 3rd or the 4th", "1 is best?", "5 is the highest?"])
def test_a_question_about_numbers_gives_none(text: str) -> None:
    assert set(read(text, "heard").scores) == {None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not heard. respected 5. understood 5", [None, 5, 5]),
        ("heard no, respected 5, understood 4", [None, 5, 4]),
        ("heard 5 but not respected, understood 4", [5, None, 4]),
        ("heard yes, respected yes, understood 3", [None, None, 3]),
        ("heard:\nrespected:\nunderstood: 1", [None, None, 1]),
        ("heard 5, respected too, understood 3", [5, None, 3]),
        ("completely respected but not heard at all", [None, 5, None]),
        ("escuchado no, respetado 5, comprendido 4", [None, 5, 4]),
        ("5 pour le respect mais pas écouté", [None, 5, None]),
        ("heard, respected 5 understood 4", [5, 5, 4]),
        ("I felt heard and I felt respected 5, understood 2", [5, 5, 2]),
    ],
)
def test_a_label_that_stands_alone_shares_no_other_labels_score(text: str, expected: list[int | None]) -> None:
    assert list(read(text).scores) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4 4 4 on a scale from 1 to 5", [4, 4, 4]),
        ("on a scale of 1-5: 4 5 3", [4, 5, 3]),
        ("en una escala de 1 a 5: 4 5 3", [4, 5, 3]),
        ("on a scale of 1 to 10: 4 5 3", OPEN),
        ("5 4 3, rated on a scale of 1 to 10", OPEN),
        ("heard: 1, 2: 2, 3: 3", [1, 2, 3]),
        ("1 and 2: 5, 3: 2", [5, 5, 2]),
        ("5~4~5", [5, 4, 5]),
    ],
)
def test_the_ends_of_the_scale_and_the_numbers_of_questions_are_no_scores(
    text: str, expected: list[int | None]
) -> None:
    assert list(read(text).scores) == expected
