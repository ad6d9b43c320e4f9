"""One-tap answers over HTTP: looking records nothing, sending counts once, and danger is never lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.flows.context import Context
from bot.store import answer_links, check_ins, clients, copying, practices
from bot.web.app import create_app
from tests.support.browsing import At
from tests.support.cast import PHONES, Riverside
from tests.support.mails import by_mail
from tests.support.post import Post
from tests.support.talk import CORE, Talk, at

NOON = at("09-07 12:00")
TOKEN = "t" * 43
ALL = {"heard": "5", "respected": "4", "understood": "5"}
FULL = {"heard": 5, "respected": 4, "understood": 5}
TABLES = ("inbox", "answer", "outbox", "alert", "audit", "consent_event", "to_assess", "suppression")


class Phone:
    """A client's browser, without script and without cookies kept."""

    def __init__(self, talk: Talk, now: datetime, token: str = TOKEN) -> None:
        self.talk, self.path = talk, f"/c/{token}"
        self.clock = At(now)
        self.web: FlaskClient = create_app(talk.ctx, self.clock).test_client(use_cookies=False)

    def get(self, query: str = "", method: str = "GET") -> TestResponse:
        return self.web.open(self.path + query, method=method)

    def post(self, **fields: str) -> TestResponse:
        return self.web.post(self.path, data=fields)

    def press(self, shown: TestResponse, button: str = "", **changes: str) -> TestResponse:
        """Send the form as the page came, with what was changed on it, by one of its buttons."""
        fields = defaults_of(shown.text) | changes | ({button: "1"} if button else {})
        return self.web.post(self.path, data=fields)


def defaults_of(page: str) -> dict[str, str]:
    """What a browser would send of a form as it came."""
    found = {}
    for tag in re.findall(r"<input [^>]*>", page):
        names = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if names.get("type") in ("radio", "checkbox") and " checked" not in tag:
            continue
        found[names["name"]] = names.get("value", "")
    return found | {"words": ""}


@pytest.fixture
def talk(ctx: Context, practice: Riverside) -> Talk:
    """Ana has been asked at noon, with a link."""
    talk = Talk(ctx, practice)
    link(talk, talk.asked("Ana", NOON).id)
    return talk


@pytest.fixture
def phone(talk: Talk) -> Phone:
    return Phone(talk, NOON + timedelta(minutes=5))


def link(talk: Talk, check_in_id: str, token: str = TOKEN) -> None:
    with talk.ctx.store.transaction() as tx:
        answer_links.add(tx, talk.id, check_in_id, talk.practice.clients["Ana"], token, NOON)


def everything(talk: Talk) -> dict[str, list[dict[str, object]]]:
    return {table: sorted(talk.practice.rows(f"select * from {table}"), key=str) for table in copying.tables()}


def kept(talk: Talk) -> int:
    return len(talk.practice.rows("select 1 from inbox"))


# ------------------------------------------------------------------------------- looking


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_no_row_of_any_table(phone: Phone, talk: Talk, method: str) -> None:
    """Scanners, previews and prefetching browsers look, again and again."""
    before = everything(talk)
    for purpose in ({}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"}):
        for query in ("", "?s=4", "?s=4", "?s=9&heard=5", "?s=%00"):
            assert phone.web.open(phone.path + query, method=method, headers=purpose).status_code == 200
    assert everything(talk) == before


def test_the_tapped_score_is_chosen_and_no_other(phone: Phone) -> None:
    fields = defaults_of(phone.get("?s=4").text)
    assert {name: fields.get(name) for name in ALL} == {"heard": "4", "respected": None, "understood": None}
    assert not defaults_of(phone.get().text).keys() & ALL.keys()


def test_the_page_names_the_practice_and_nobody_else(phone: Phone, talk: Talk) -> None:
    """No client, no therapist, no number, no answer given before; nothing for caches or search engines."""
    talk.text("Ana", "5 1 2", NOON + timedelta(minutes=1))
    shown = phone.get()
    assert "Riverside" in shown.text
    for secret in ("Ana", "Theo", "+1202", "clients.example", "checked"):
        assert secret not in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Set-Cookie" not in shown.headers


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "How heard did you feel?"),
        ("es-MX", "¿En qué medida siente que le escucharon?"),
        ("fr", "vous écouter ?"),
    ],
)
def test_the_page_speaks_the_clients_language(phone: Phone, talk: Talk, language: str, words: str) -> None:
    set_client(talk, language=language)
    shown = phone.get().text
    assert words in shown
    assert f'<html lang="{language[:2]}">' in shown


def set_client(talk: Talk, **columns: object) -> None:
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    with talk.ctx.store.transaction() as tx:
        tx.run(f"update client set {changes} where id = :id", {**columns, "id": talk.practice.clients["Ana"]})


# ------------------------------------------------------------------------------- sending


def test_a_form_becomes_answers_in_one_row_of_the_inbox_and_the_page_says_what_came(phone: Phone, talk: Talk) -> None:
    """Nothing is sent in answer: the page is the answer."""
    done = phone.press(phone.get("?s=5"), respected="4", understood="5", words="Better than last time")
    assert done.status_code == 200
    assert talk.answers("Ana") == FULL
    assert (talk.last("Ana").state, talk.said("Ana"), talk.alerts()) == ("answered", [], [])
    [row] = talk.kept("Ana")
    assert (row.kind, row.body) == ("answer", "heard 5, respected 4, understood 5\n\nBetter than last time")
    assert '"comment": "Better than last time"' in row.reading
    assert "5 completely" in done.text
    assert "4 mostly" in done.text
    assert len(talk.practice.rows("select 1 from to_assess")) == 1


def test_a_question_may_be_left_out(phone: Phone, talk: Talk) -> None:
    done = phone.press(phone.get(), heard="5", understood="4")
    assert talk.answers("Ana") == {"heard": 5, "understood": 4}
    assert talk.last("Ana").state == "partly_answered"
    assert "left out" in done.text


def test_a_double_tap_counts_once(phone: Phone, talk: Talk) -> None:
    """And the second gets the same thanks."""
    pages = [phone.post(**ALL) for _ in range(3)]
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert all("5 completely" in page.text for page in pages)
    assert (kept(talk), talk.answers("Ana")) == (1, FULL)


def test_eight_taps_at_the_same_moment_count_once(phone: Phone, talk: Talk) -> None:
    def tap(_: int) -> int:
        try:
            return phone.web.application.test_client(use_cookies=False).post(phone.path, data=ALL).status_code
        finally:
            talk.ctx.store.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(tap, range(8))) == {200}
    assert (kept(talk), talk.answers("Ana")) == (1, FULL)


def test_by_the_back_button_a_full_new_set_replaces_the_first_and_both_are_kept(phone: Phone, talk: Talk) -> None:
    """Back again, and the first choice again: what was sent last stands."""
    phone.post(**ALL)
    changed = phone.post(**ALL | {"heard": "1"})
    assert "count in place of the first" in changed.text
    assert talk.answers("Ana") == FULL | {"heard": 1}
    phone.post(**ALL)
    assert talk.answers("Ana") == FULL
    assert (kept(talk), len(talk.practice.rows("select 1 from answer"))) == (3, 9)


def test_less_than_a_full_set_changes_nothing_that_was_answered(phone: Phone, talk: Talk) -> None:
    phone.post(**ALL)
    changed = phone.post(heard="1")
    assert talk.answers("Ana") == FULL
    assert "stay as they are" in changed.text


def test_words_can_be_added_later(phone: Phone, talk: Talk) -> None:
    phone.post(**ALL)
    phone.clock.time += timedelta(minutes=1)
    phone.post(words="One more thing: the room was cold.")
    assert [row.kind for row in talk.kept("Ana")] == ["answer", "comment"]
    assert talk.answers("Ana") == FULL


def test_correcting_ends_a_day_after_the_answer(phone: Phone, talk: Talk) -> None:
    phone.post(**ALL)
    phone.clock.time += timedelta(hours=23, minutes=59)
    assert "until 8 September 2026, 12:05 pm" in phone.get().text
    phone.clock.time += timedelta(minutes=2)
    assert phone.get().status_code == 410
    assert phone.post(**ALL | {"heard": "1"}).status_code == 410
    assert (kept(talk), talk.answers("Ana")) == (1, FULL)


def test_who_asks_to_be_called_is_passed_on(phone: Phone, talk: Talk) -> None:
    done = phone.post(call="1")
    assert talk.alerts() == [("call", "Ana")]
    assert "can&#39;t promise a time" in done.text


def test_who_ticks_stop_gets_no_more_and_the_answers_count(phone: Phone, talk: Talk) -> None:
    done = phone.post(stop="1", **ALL)
    assert talk.practice.client("Ana").stopped
    assert (talk.answers("Ana"), talk.said("Ana")) == (FULL, [])
    assert "No more check-ins will come" in done.text


def test_values_that_are_no_choice_are_none(phone: Phone, talk: Talk) -> None:
    """Nothing the page didn't offer is ever stored."""
    for bad in ("0", "6", "-1", "4.5", "٤", "05", "", "on", "5\x00"):
        assert phone.post(heard=bad).status_code == 422
    assert phone.post(dependable="5").status_code == 422
    assert kept(talk) == 0


# ------------------------------------------------------------------------------- danger


@pytest.mark.parametrize("answered", [False, True])
def test_danger_in_words_alerts_as_a_reply_does_and_the_page_says_whom_to_call(
    phone: Phone, talk: Talk, answered: bool
) -> None:
    done = phone.post(words="I want to kill myself", **(ALL if answered else {}))
    assert talk.alerts() == [("danger", "Ana")]
    assert talk.practice.client("Ana").halted
    assert "call 911" in done.text
    assert "Nobody may be reading now" in done.text
    assert talk.answers("Ana") == (FULL if answered else {})


def test_danger_written_on_a_page_that_has_closed_meanwhile_alerts_all_the_same(phone: Phone, talk: Talk) -> None:
    """The scores come too late; the words don't."""
    phone.clock.time = NOON + timedelta(days=4)
    done = phone.post(words="I want to kill myself", **ALL)
    assert talk.alerts() == [("danger", "Ana")]
    assert "call 911" in done.text
    assert talk.answers("Ana") == {}


def test_danger_after_a_stop_alerts_and_promises_nothing(phone: Phone, talk: Talk) -> None:
    talk.text("Ana", "STOP", NOON + timedelta(minutes=1))
    phone.post(words="I want to kill myself")
    assert ("danger", "Ana") in talk.alerts()


# ------------------------------------------------------------------------------- machines


def test_a_scanner_that_follows_the_link_and_sends_the_form_as_it_finds_it_records_nothing(
    phone: Phone, talk: Talk
) -> None:
    """The one score that was tapped is asked about once more; the button that says "as it is" has a name of its own,
    which only a press sends."""
    for query in ("", "?s=1", "?s=5"):
        asked_again = phone.press(phone.get(query))
        assert asked_again.status_code == 422
        assert phone.press(asked_again).status_code == 422
    assert kept(talk) == 0


def test_a_person_who_answers_only_the_first_question_presses_once_more(phone: Phone, talk: Talk) -> None:
    asked_again = phone.press(phone.get("?s=2"))
    assert "One question is answered so far" in asked_again.text
    phone.press(asked_again, button="sure")
    assert talk.answers("Ana") == {"heard": 2}


def test_a_robot_that_fills_in_every_field_records_nothing(phone: Phone, talk: Talk) -> None:
    assert phone.post(website="http://spam.example", words="Buy now", call="1", **ALL).status_code == 422
    assert kept(talk) == 0


def test_a_flood_is_refused_in_words_but_words_of_danger_get_through(phone: Phone, talk: Talk) -> None:
    for n in range(20):
        phone.post(**ALL | {"heard": str(n % 5 + 1)})
    flooded = phone.post(**ALL | {"heard": "3"})
    assert (flooded.status_code, kept(talk)) == (429, 20)
    phone.post(words="I want to kill myself")
    assert talk.alerts() == [("danger", "Ana")]


# ------------------------------------------------------------------------------- the link's life


def test_a_link_that_is_not_ours_shows_nothing(phone: Phone, talk: Talk) -> None:
    for token in ("x" * 43, TOKEN[:-1], TOKEN + "t", "é" * 43, "0"):
        other = Phone(talk, NOON, token)
        assert (other.get().status_code, other.post(**ALL).status_code) == (404, 404)


def test_the_token_itself_is_not_stored(talk: Talk) -> None:
    assert TOKEN not in str(everything(talk))


@pytest.mark.parametrize("how", ["expired", "stopped", "stopped by the provider", "died", "cancelled"])
def test_a_link_dies_with_its_check_in_an_opt_out_or_a_death(phone: Phone, talk: Talk, how: str) -> None:
    """The page says only that the questions have closed."""
    ana = talk.practice.clients["Ana"]
    with talk.ctx.store.transaction() as tx:
        if how == "stopped by the provider":
            clients.stop(tx, talk.id, talk.practice.client("Ana").address, "provider", NOON)
        elif how == "died":
            clients.set_state(tx, talk.id, ana, "died")
        elif how == "cancelled":
            tx.run("update check_in set state = 'cancelled'", {})
    if how == "stopped":
        talk.text("Ana", "STOP", NOON)
    if how == "expired":
        phone.clock.time = NOON + timedelta(hours=72)
    before = kept(talk)
    assert phone.get().status_code == 410
    assert phone.post(**ALL).status_code == 410
    assert (kept(talk), talk.answers("Ana")) == (before, {})
    assert "have closed" in phone.get().text


def test_an_old_link_answers_its_own_check_in_never_the_next_one(phone: Phone, talk: Talk) -> None:
    """A week on, with another check-in open, last week's link is closed."""
    with talk.ctx.store.transaction() as tx:
        tx.run("update check_in set state = 'expired'", {})
    later = NOON + timedelta(days=7)
    talk.asked("Ana", later)
    phone.clock.time = later + timedelta(minutes=5)
    assert phone.post(**ALL).status_code == 410
    assert talk.answers("Ana") == {}


# ------------------------------------------------------------------------------- two channels at once


def test_a_text_and_then_a_form_count_once_the_later_full_set_stands_and_both_are_kept(
    phone: Phone, talk: Talk
) -> None:
    talk.text("Ana", "1 2 1", NOON + timedelta(minutes=1))
    phone.post(**ALL)
    assert talk.answers("Ana") == FULL
    assert [row.kind for row in talk.kept("Ana")] == ["answer", "answer"]
    assert len(talk.practice.rows("select 1 from answer where replaced_at is not null")) == 3


def test_a_form_and_then_a_text_count_once_too(phone: Phone, talk: Talk) -> None:
    phone.post(**ALL)
    talk.text("Ana", "1 2 1", NOON + timedelta(minutes=10))
    assert talk.answers("Ana") == {"heard": 1, "respected": 2, "understood": 1}
    talk.text("Ana", "3", NOON + timedelta(minutes=12))
    assert talk.answers("Ana") == {"heard": 1, "respected": 2, "understood": 1}


def test_a_double_tap_is_one_after_the_other_with_nothing_in_between(phone: Phone, talk: Talk) -> None:
    """After a text that says otherwise the same form is no repeat: what was said last stands, and all are kept."""
    phone.post(**ALL)
    talk.text("Ana", "1 2 1", NOON + timedelta(minutes=10))
    phone.clock.time = NOON + timedelta(minutes=12)
    again = phone.post(**ALL)
    assert "stay as they are" not in again.text
    assert (talk.answers("Ana"), kept(talk)) == (FULL, 3)
    phone.post(**ALL)
    assert kept(talk) == 3


def test_whoever_says_on_the_page_that_it_is_not_for_them_lets_go_of_where_the_link_was_sent(talk: Talk) -> None:
    """It went by mail, and by now the client is written to by text: the phone is theirs, the address isn't."""
    by_mail(talk.practice, phone=PHONES["Ana"])
    mailed = at("09-14 12:00")
    post = Post(talk.ctx, talk.practice)
    post.ask("Ana", mailed)
    post.send(mailed)
    by_mail(talk.practice, phone=PHONES["Ana"], channel="sms")
    link(talk, talk.last("Ana").id, "m" * 43)
    Phone(talk, mailed + timedelta(minutes=5), "m" * 43).post(words="wrong person")
    client = talk.practice.client("Ana")
    assert (client.phone, client.email) == (PHONES["Ana"], "")
    with talk.ctx.store.transaction(write=False) as tx:
        assert clients.is_stopped(tx, talk.id, "ana@clients.example")
        assert not clients.is_stopped(tx, talk.id, PHONES["Ana"])


def test_a_full_form_after_half_an_answer_by_text_is_a_new_set(phone: Phone, talk: Talk) -> None:
    """What the form says is what the client meant, also about what they had texted."""
    talk.text("Ana", "heard 2", NOON + timedelta(minutes=1))
    assert talk.answers("Ana") == {"heard": 2}
    phone.post(**ALL)
    assert (talk.answers("Ana"), talk.last("Ana").state) == (FULL, "answered")


def under_way(talk: Talk, check_in_id: str) -> None:
    """Its question is with the provider, whose answer was lost."""
    row = {"id": check_in_id, "practice_id": talk.id, "kind": "check_in", "dedupe": check_in_id, "channel": "mail"}
    row |= {"client_id": talk.practice.clients["Ana"], "check_in_id": check_in_id, "attempt_id": "a", "urgency": 2}
    row |= dict.fromkeys(("address_sealed", "address_index", "body_sealed"), "x")
    with talk.ctx.store.transaction() as tx:
        row["address_sealed"] = tx.sealer.seal(f"outbox|address|{check_in_id}", "ana@clients.example")
        tx.insert("outbox", row | {"due_at": 0, "state": "in_doubt", "created_at": 0})
        check_ins.set_feelings(tx, talk.id, check_in_id, CORE)


def test_a_form_sent_before_the_providers_yes_counts(phone: Phone, talk: Talk) -> None:
    """Whoever holds the link has got the question: its sending may still be in doubt here."""
    with talk.ctx.store.transaction() as tx:
        tx.run("update check_in set state = 'planned', asked_at = null", {})
    under_way(talk, talk.practice.check_ins("Ana")[0].id)
    assert phone.post(**ALL).status_code == 200
    assert (talk.answers("Ana"), talk.last("Ana").state) == (FULL, "answered")


def test_a_correction_is_no_answer_to_the_next_question_under_way(phone: Phone, talk: Talk) -> None:
    """Two visits in two days: yesterday's link corrects yesterday's answers."""
    talk.practice.set_rule(min_gap_days="0")
    phone.post(**ALL)
    talk.practice.visit("Ana", NOON + timedelta(hours=18), now=NOON + timedelta(hours=20))
    first, second = talk.practice.check_ins("Ana")
    under_way(talk, second.id)
    phone.clock.time = NOON + timedelta(hours=21)
    phone.post(**ALL | {"heard": "1"})
    with talk.ctx.store.transaction(write=False) as tx:
        assert check_ins.answers(tx, talk.id, first.id) == FULL | {"heard": 1}
        assert check_ins.answers(tx, talk.id, second.id) == {}


def test_what_cannot_be_read_is_kept_and_someone_is_told(
    phone: Phone, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr("surveys.tap.read", broken)
    done = phone.post(**ALL)
    assert "someone will look at it" in done.text
    assert [row.kind for row in talk.kept("Ana")] == ["unread"]
    assert talk.alerts() != []


def test_behind_another_name_the_page_leads_to_itself(phone: Phone) -> None:
    """Its form posts to where it was opened; nothing is loaded from elsewhere."""
    shown = phone.get().text
    assert '<form method="post">' in shown
    assert not re.search(r'(?:src|href|action)="https?:', shown)


def test_the_practice_may_have_danger_words_of_its_own(phone: Phone, talk: Talk) -> None:
    own = replace(talk.practice.practice, settings={"crisis_words": "the blue bridge"})
    with talk.ctx.store.transaction() as tx:
        practices.save(tx, own)
    phone.post(words="I am going to the blue bridge")
    assert talk.alerts() == [("danger", "Ana")]
