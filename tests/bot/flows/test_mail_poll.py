"""The mailbox: what is new there is taken in once, whatever happens in between."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.flows import mail_poll
from bot.flows.context import Context
from tests.support.cast import Riverside
from tests.support.imap import Folder, mailbox
from tests.support.mails import mime
from tests.support.talk import Talk, at
from tests.support.weeks import send

NOON = at("09-07 12:00")


@pytest.fixture
def folder() -> Iterator[Folder]:
    with mailbox() as found:
        yield found


@pytest.fixture
def talk(ctx: Context, practice: Riverside, folder: Folder) -> Talk:
    """Ana waits to answer, and her mails lie in a mailbox."""
    polled = replace(ctx, config=replace(ctx.config, imap_url=folder.url))
    practice.ctx = polled
    talk = Talk(polled, practice)
    talk.asked("Ana", NOON)
    return talk


def test_new_mails_are_taken_in_in_order_and_marked_as_read(talk: Talk, folder: Folder) -> None:
    folder.put(mime("5 4 5"))
    folder.put(mime("Thank you so much for asking me every week."))
    assert mail_poll.poll(talk.ctx, NOON) == 2
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 5}
    assert folder.seen == {1, 2}
    assert mail_poll.poll(talk.ctx, NOON) == 0


def test_a_kill_between_storing_and_marking_costs_and_doubles_nothing(
    talk: Talk, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put(mime("5 4 5"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mail_poll.Postbox, "mark_seen", killed)
        with pytest.raises(KeyboardInterrupt):
            mail_poll.poll(talk.ctx, NOON)
    assert (len(talk.kept("Ana")), folder.seen) == (1, set())
    assert mail_poll.poll(talk.ctx, NOON) == 0
    assert (len(talk.kept("Ana")), folder.seen) == (1, {1})


@pytest.mark.parametrize("step", ["LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE"])
def test_a_connection_that_breaks_off_anywhere_is_made_up_for_by_the_next(
    talk: Talk, folder: Folder, step: str
) -> None:
    folder.put(mime("5 4 5"))
    folder.cut_at = step
    mail_poll.poll(talk.ctx, NOON)
    mail_poll.poll(talk.ctx, NOON)
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 5}
    assert (len(talk.kept("Ana")), folder.seen) == (1, {1})


@pytest.mark.parametrize("wrong", ["password", "folder", "nobody there"])
def test_a_mailbox_that_cannot_be_opened_is_logged_without_its_password(
    talk: Talk, folder: Folder, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    url = {
        "password": folder.url.replace("s3cret", "guess"),
        "folder": folder.url.replace("INBOX", "Elsewhere"),
        "nobody there": "imap://attune:s3cret@127.0.0.1:9/INBOX",
    }[wrong]
    ctx = replace(talk.ctx, config=replace(talk.ctx.config, imap_url=url))
    assert mail_poll.poll(ctx, NOON) == 0
    said = "".join(capsys.readouterr())
    assert "the mailbox can't be read" in said
    assert "s3cret" not in said
    assert "guess" not in said


def test_a_mail_beyond_measure_is_fetched_only_so_far(
    talk: Talk, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.imap.LARGEST", 2_000)
    folder.put(mime("5 4 5\n" + "\n" * 50_000))
    assert mail_poll.poll(talk.ctx, NOON) == 1
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 5}


def test_the_worker_looks_by_itself(talk: Talk, folder: Folder) -> None:
    folder.put(mime("5 4 5"))
    send(talk.practice, NOON)
    assert folder.seen == {1}


def test_without_a_mailbox_nothing_is_looked_into(ctx: Context, practice: Riverside) -> None:
    assert mail_poll.poll(ctx, NOON) == 0
