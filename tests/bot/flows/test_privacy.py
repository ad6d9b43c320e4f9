"""Who is told when answers leave Attune, or somebody gets a way into another's account."""

from dataclasses import replace
from typing import Any

import pytest

from bot.flows import accounts, client_export, colleagues, exporting, settings
from bot.flows.access import Me
from bot.sandbox import Sandbox
from bot.store.outbox import Message
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.letters import engage, letters, without
from tests.support.managing import manager
from tests.support.post import Post
from tests.support.therapist import me_of

NOW = MONDAY_NOON


@pytest.fixture
def dana(practice: Riverside) -> Me:
    return manager(practice.ctx, practice.practice, practice.staff["Dana"])


def told(practice: Riverside) -> list[Message]:
    return [letter for letter in letters(practice) if letter.kind == "privacy"]


def command(practice: Riverside, kind: str) -> None:
    list(exporting.export(practice.ctx, practice.practice, kind, "Ana asked", "csv", "command", NOW))


@pytest.mark.parametrize(("kind", "words"), [("answers", "exported the answers"), ("alerts", "list of")])
def test_an_export_of_what_clients_said_is_told_to_the_privacy_contact_and_nobody_else(
    practice: Riverside, kind: str, words: str
) -> None:
    engage(practice, "Pia", "privacy", "pia@riverside.example")
    command(practice, kind)
    [letter] = told(practice)
    assert letter.address == "pia@riverside.example"
    assert words in letter.body
    assert "Whoever runs the server" in letter.body
    assert "Ana" not in letter.body + letter.subject


def test_an_export_of_when_messages_went_is_nothing_to_tell(practice: Riverside) -> None:
    command(practice, "messages")
    assert told(practice) == []


def test_without_a_contact_managers_are_told_and_without_those_the_next(practice: Riverside) -> None:
    command(practice, "answers")
    without(practice, "manager")
    command(practice, "answers")
    assert [letter.address for letter in told(practice)] == ["dana@riverside.example"] * 2
    without(practice, "duty")
    command(practice, "answers")
    assert len(told(practice)) == 2


def test_a_therapists_export_names_them_and_no_client(practice: Riverside) -> None:
    client_export.by_therapist(practice.ctx, me_of(practice), practice.clients["Ana"], "Ana asked for it", NOW)
    [letter] = told(practice)
    assert "Theo exported all that is stored about one client" in letter.body
    assert "Ana" not in letter.body


def test_a_managers_export_holds_no_answers_and_is_nothing_to_tell(practice: Riverside, dana: Me) -> None:
    client_export.by_manager(practice.ctx, dana, practice.clients["Ana"], "Ana asked for it", NOW)
    assert told(practice) == []


def test_ways_into_anothers_account_are_told(practice: Riverside, dana: Me) -> None:
    made: tuple[Any, ...] = (practice.ctx, practice.practice, "theo@riverside.example", NOW)
    accounts.sign_in_link(*made)
    accounts.sign_in_link(*made, forget=True)
    accounts.forget_second_factor(practice.ctx, dana, practice.staff["Theo"], NOW)
    link, forgotten, by_dana = told(practice)
    assert "Whoever runs the server made a link that signs in as Theo." in link.body
    assert "Whoever runs the server took password, second step" in forgotten.body
    assert "Dana took password, second step and passkeys off the account of Theo" in by_dana.body


@pytest.mark.parametrize("to", [{"privacy_email": ""}, {"privacy_email": "theo@riverside.example"}])
def test_whoever_is_no_longer_the_contact_is_told_by_whom(
    practice: Riverside, dana: Me, sandbox: Sandbox, to: dict[str, str]
) -> None:
    """Or a manager would take the contact away, do what is to be told, and put it back."""
    engage(practice, "Pia", "privacy", "pia@riverside.example")
    settings.set_practice(practice.ctx, practice.practice, to, NOW, dana.person.id)
    [letter] = told(practice)
    assert letter.address == "pia@riverside.example"
    assert "Dana took it from you to be the privacy contact" in letter.body
    Post(practice.ctx, practice).send(NOW)
    assert "pia@riverside.example" in {mail.recipients[0] for mail in sandbox.mailbox.all()}


def test_a_contact_who_is_noted_as_having_left_is_told(practice: Riverside, dana: Me, sandbox: Sandbox) -> None:
    pia = engage(practice, "Pia", "privacy", "pia@riverside.example")
    colleagues.set_active(practice.ctx, dana, pia, False, NOW)
    [letter] = told(practice)
    assert (letter.address, "Dana took it from you" in letter.body) == ("pia@riverside.example", True)
    Post(practice.ctx, practice).send(NOW)
    assert "pia@riverside.example" in {mail.recipients[0] for mail in sandbox.mailbox.all()}


def test_a_contact_who_stays_is_told_nothing(practice: Riverside, dana: Me) -> None:
    engage(practice, "Pia", "privacy", "pia@riverside.example")
    changes = {"privacy_email": "pia@riverside.example", "privacy_phone": "+12025550123", "language": "fr"}
    settings.set_practice(practice.ctx, practice.practice, changes, NOW, dana.person.id)
    assert told(practice) == []


def test_where_no_mail_can_be_sent_nothing_is_queued(practice: Riverside) -> None:
    without_mail = {name: channel for name, channel in practice.ctx.channels.items() if name != "mail"}
    practice.ctx = replace(practice.ctx, channels=without_mail)
    engage(practice, "Pia", "privacy", "pia@riverside.example")
    command(practice, "answers")
    settings.set_practice(practice.ctx, practice.practice, {"privacy_email": ""}, NOW)
    assert told(practice) == []
