"""Stopping by a mail's link: one POST and no more comes; looking stops nothing."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from bot.flows import erasing
from bot.flows.context import Context
from bot.flows.links import stop_link
from bot.store.outbox import Message
from bot.web.app import create_app
from tests.support.browsing import At
from tests.support.cast import Riverside
from tests.support.mails import ANA, by_mail
from tests.support.managing import manager
from tests.support.post import Post
from tests.support.talk import Talk, at

NOON = at("09-07 12:00")
PRESSED = {"sure": "1"}


@pytest.fixture
def asked(ctx: Context, practice: Riverside) -> Message:
    by_mail(practice)
    post = Post(ctx, practice)
    post.ask("Ana", NOON)
    post.send(NOON)
    return post.messages("Ana")[-1]


@pytest.fixture
def web(ctx: Context, asked: Message) -> FlaskClient:
    return create_app(ctx, At(NOON + timedelta(minutes=5))).test_client(use_cookies=False)


def path(ctx: Context, message: Message) -> str:
    return stop_link(ctx.config, message.id).removeprefix(ctx.config.public_url)


def test_the_mail_programs_one_click_stops_everything(
    ctx: Context, practice: Riverside, web: FlaskClient, asked: Message
) -> None:
    """As RFC 8058 has it: a POST of one field, without cookies, without a page in between."""
    done = web.post(path(ctx, asked), data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert practice.client("Ana").stopped
    assert [c.state for c in practice.check_ins("Ana")] == ["cancelled"]
    assert Talk(ctx, practice).said(ANA) == ["check_in"]
    assert practice.rows("select what from consent_event where what = 'stopped'")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_stops_nothing_and_shows_a_button_and_no_name(
    ctx: Context, practice: Riverside, web: FlaskClient, asked: Message, method: str
) -> None:
    shown = web.open(path(ctx, asked), method=method)
    assert shown.status_code == 200
    assert not practice.client("Ana").stopped
    assert practice.rows("select 1 from inbox") == []
    if method == "GET":
        assert '<form method="post"><button name="sure" value="1">Yes, send no more</button>' in shown.text
        assert "Ana" not in shown.text


def test_a_scanner_that_sends_the_page_s_form_unpressed_stops_nobody(
    ctx: Context, practice: Riverside, web: FlaskClient, asked: Message
) -> None:
    assert "Yes, send no more" in web.post(path(ctx, asked)).text
    assert not practice.client("Ana").stopped


def test_twice_is_once_and_it_holds_again_after_a_start(
    ctx: Context, practice: Riverside, web: FlaskClient, asked: Message
) -> None:
    for _ in range(2):
        assert web.post(path(ctx, asked), data=PRESSED).status_code == 200
    talk = Talk(ctx, practice)
    talk.text(ANA, "START", NOON + timedelta(hours=1), channel="mail")
    assert not practice.client("Ana").stopped
    later = create_app(ctx, At(NOON + timedelta(hours=2))).test_client(use_cookies=False)
    later.post(path(ctx, asked), data=PRESSED)
    assert practice.client("Ana").stopped


def test_the_same_link_stands_in_the_mail_for_people_to_follow(ctx: Context, asked: Message) -> None:
    link = stop_link(ctx.config, asked.id)
    assert link in asked.body
    assert f'href="{link}"' in asked.html


def test_the_link_works_for_someone_who_has_since_got_another_address(
    ctx: Context, practice: Riverside, web: FlaskClient, asked: Message
) -> None:
    with ctx.store.transaction() as tx:
        tx.run("update client set email_index = 'moved' where id = :id", {"id": practice.clients["Ana"]})
    web.post(path(ctx, asked), data=PRESSED)
    assert practice.client("Ana").stopped


def test_the_link_of_somebody_who_was_erased_says_that_no_more_comes(
    ctx: Context, practice: Riverside, web: FlaskClient, asked: Message
) -> None:
    """Their address is gone from the message: nobody else is stopped by it, and nothing is kept of it."""
    erasing.erase(ctx, manager(ctx, practice.practice, practice.staff["Dana"]), practice.clients["Ana"], "C-Ana", NOON)
    assert web.get(path(ctx, asked)).status_code == 200
    done = web.post(path(ctx, asked), data=PRESSED)
    assert done.status_code == 200
    assert "No more check-ins will come" in done.text
    assert practice.rows("select 1 from inbox") == []
    assert practice.rows("select 1 from suppression") == []


@pytest.mark.parametrize(
    "spoil", [lambda p: p[:-1], lambda p: p + "x", lambda p: "/c/stop/" + "A" * 22, lambda p: p.swapcase()]
)
def test_a_link_that_is_not_ours_stops_nobody(
    ctx: Context, practice: Riverside, web: FlaskClient, asked: Message, spoil: object
) -> None:
    bad = spoil(path(ctx, asked))  # type: ignore[operator]
    assert (web.get(bad).status_code, web.post(bad, data=PRESSED).status_code) == (404, 404)
    assert not practice.client("Ana").stopped


def test_the_mails_own_link_opens_the_form_with_what_was_tapped(web: FlaskClient, asked: Message) -> None:
    """From the mail to the answer: what a client does."""
    found = re.findall(r'href="http://attune\.example(/c/[^"]+\?s=4)"', asked.html)
    assert len(found) == 1
    shown = web.get(found[0])
    assert re.search(r'name="heard" value="4" checked', shown.text)
