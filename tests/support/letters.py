"""Letters to the practice's own people, as they stand in the outbox, and ways to change who there is to write to."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bot.flows import receiving
from bot.flows.links import AlertLink, read_alert_link
from bot.store import outbox, people, practices
from bot.store.inbox import Inbound
from bot.store.outbox import Message
from tests.support.cast import PHONES, Riverside


def letters(practice: Riverside) -> list[Message]:
    """Everything queued to the practice's own people, oldest first."""
    rows = practice.rows("select * from outbox where person_id is not null order by id")
    with practice.ctx.store.transaction(write=False) as tx:
        return [outbox.message_of(tx, row) for row in rows]


def told(practice: Riverside) -> list[tuple[str, str]]:
    """Who was written to, and what their letter says first."""
    return [(m.address.partition("@")[0], m.body.splitlines()[0]) for m in letters(practice) if m.channel == "mail"]


def whom(practice: Riverside) -> list[str]:
    return [name for name, _ in told(practice)]


def engage(practice: Riverside, name: str, role: str, email: str, phone: str = "") -> str:
    """Somebody new with a role; their id."""
    with practice.ctx.store.transaction() as tx:
        now = datetime.fromisoformat("2026-09-01T00:00+00:00")
        person_id, _ = people.save(tx, practice.practice.id, name=name, email=email, phone=phone, now=now)
        people.give_role(tx, practice.practice.id, person_id, role)
    return person_id


def leave(practice: Riverside, name: str) -> None:
    """Somebody is no longer with the practice."""
    with practice.ctx.store.transaction() as tx:
        tx.run("update person set active = 0 where id = :id", {"id": practice.staff[name]})


def without(practice: Riverside, *roles: str) -> None:
    with practice.ctx.store.transaction() as tx:
        for role in roles:
            people.take_role(tx, practice.practice.id, role)


def link_of(practice: Riverside, letter: Message) -> AlertLink:
    found = re.search(r"http\S+/a/\S+", letter.body)
    assert found, "a letter about an alert has a link"
    link = read_alert_link(practice.ctx.config, urlsplit(found[0]).path.removeprefix("/a/"))
    assert link
    return link


def text(practice: Riverside, words: str, now: datetime, sender: str = PHONES["Ana"]) -> None:
    receiving.receive(practice.ctx, Inbound("sms", f"SM{int(now.timestamp()):032x}", sender, words), now)


def choose(practice: Riverside, name: str, **settings: Any) -> None:
    """One of the staff chooses settings of their own, as they are stored."""
    with practice.ctx.store.transaction() as tx:
        person = people.get(tx, practice.practice.id, practice.staff.get(name, name))
        people.save_settings(tx, replace(person, **settings))


def prefer(practice: Riverside, **settings: str) -> None:
    """The practice chooses settings."""
    practice.practice = replace(practice.practice, settings={**practice.practice.settings, **settings})
    with practice.ctx.store.transaction() as tx:
        practices.save(tx, practice.practice)
