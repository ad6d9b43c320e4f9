"""The labelled mails, all the way: raw MIME in at the webhook, rows of answers out; and replies that quote our mail."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.flows import client_letters
from bot.flows.context import Context
from bot.flows.links import reply_address
from bot.store import check_ins, clients
from bot.store.clients import Entry
from bot.web.app import create_app
from surveys.client_letter import client_letter
from surveys.instrument import load_all
from surveys.instrument_file import LANGUAGES
from surveys.wording import Say, Voice
from tests.support.browsing import At
from tests.support.cast import Riverside
from tests.support.mails import mime
from tests.support.talk import CORE, Talk, at

NOON = at("09-07 12:00")
ROWS = Path(__file__).parents[2] / "data" / "replies" / "public.jsonl"
SECRET = "a-word-the-mail-server-knows"
Row = Mapping[str, Any]


class Office:
    """A practice whose mails come in by the webhook."""

    def __init__(self, ctx: Context, practice: Riverside) -> None:
        self.talk = Talk(ctx, practice)
        config = replace(ctx.config, mail_webhook_secret=SECRET)
        self.web = create_app(replace(ctx, config=config), At(NOON + timedelta(minutes=5))).test_client()

    def ask(self, name: str, asked: tuple[str, ...]) -> str:
        """A new client, asked by mail just now; their check-in."""
        practice = self.talk.practice
        entry = Entry(
            f"C-{name}", name, "", f"{name}@clients.example", "en", "America/New_York", "mail",
            NOON - timedelta(days=30), practice.staff["Theo"],
        )  # fmt: skip
        with self.talk.ctx.store.transaction() as tx:
            practice.clients[name], _ = clients.save(tx, self.talk.id, entry, NOON)
        return self.talk.asked(name, NOON, asked).id

    def post(self, raw: bytes) -> None:
        head = {"Authorization": f"Bearer {SECRET}"}
        assert self.web.post("/webhooks/mail", data=raw, headers=head, content_type="message/rfc822").status_code == 204


@pytest.fixture
def office(ctx: Context, practice: Riverside) -> Office:
    return Office(ctx, practice)


def raw(row: Row, to: str) -> bytes:
    """A row as a mail; its own headers win."""
    headers = {name: value for name, value in row.get("headers", {}).items() if name.lower() != "content-type"}
    kind = str(row.get("headers", {}).get("Content-Type", "text/plain")).partition(";")[0]
    found = {name.replace("-", "_"): value for name, value in headers.items()}
    return mime(row["text"], to=to, kind=kind, **{"sender": f"{row['id']}@clients.example", **found})


def test_every_public_mail_gives_the_rows_its_label_says(office: Office) -> None:
    """Scores, the end of an opt-out, the alert of danger, and machines that answer nothing."""
    rows = [json.loads(line) for line in ROWS.read_text("utf8").splitlines()]
    mails = [row for row in rows if row["channel"] == "email"]
    assert len(mails) > 80
    misses = []
    for row in mails:
        check_in = office.ask(row["id"], tuple(row["asked"]))
        office.post(raw(row, reply_address(office.talk.ctx.config, check_in)))
        if not _fits(office.talk, row, check_in):
            misses.append(row["id"])
    assert misses == []


def _fits(talk: Talk, row: Row, check_in: str) -> bool:
    with talk.ctx.store.transaction(write=False) as tx:
        answers = check_ins.answers(tx, talk.id, check_in)
    readings = [row["label"], *row["label"].get("also", [])]
    scores = [dict(zip(row["asked"], label["scores"], strict=True)) for label in readings]
    if answers not in [{f: s for f, s in each.items() if s is not None} for each in scores]:
        return False
    client = talk.practice.client(row["id"])
    told = ("danger", row["id"]) in talk.alerts()
    kept = [each.kind for each in talk.kept(row["id"])]
    machine = row["label"]["kind"] == "autoreply"
    return (
        client.stopped in {label["optout"] for label in readings}
        and told in {label["crisis"] for label in readings}
        and (not machine or (kept == ["autoreply"] and talk.said(client.email) == []))
    )


def our_mail(language: str) -> tuple[str, str]:
    letter = client_letter(Say("check_in", CORE), Voice("Riverside", language), load_all())
    link, stop = "https://attune.example/c/" + "t" * 43, "https://attune.example/c/stop/x"
    return client_letters.plain(letter, link, stop), client_letters.in_html(letter, link, stop)


def quoted(text: str) -> str:
    return "".join(f"> {line}\n" for line in text.splitlines())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("program", ["gmail", "apple", "outlook", "outlook html", "bare"])
def test_what_we_wrote_ourselves_never_counts_when_it_comes_back(office: Office, language: str, program: str) -> None:
    """Our mail is full of numbers, choices and STOP: only what the client wrote above it counts."""
    text, html = our_mail(language)
    inner = html.partition("<body")[2].partition(">")[2].partition("</body>")[0]
    when = "On Mon, Sep 7, 2026 at 12:00 PM Riverside"
    body, kind = {
        "gmail": (
            '<div dir="ltr">2 4 3</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
            f"{when} &lt;notes@riverside.example&gt; wrote:<br></div>"
            f'<blockquote class="gmail_quote">{inner}</blockquote></div>',
            "text/html",
        ),
        "apple": (
            "2 4 3\n\nSent from my iPhone\n\n"
            "> On Sep 7, 2026, at 12:00 PM, Riverside <notes@riverside.example> wrote:\n> \n" + quoted(text),
            "text/plain",
        ),
        "outlook": (
            "2 4 3\r\n\r\n________________________________\nFrom: Riverside <notes@riverside.example>\nSent: Monday, "
            f"September 7, 2026 12:00 PM\nTo: ana\nSubject: About your visit\n\n{text}",
            "text/plain",
        ),
        "outlook html": (
            '<div>2 4 3</div><hr style="display:inline-block"><div id="divRplyFwdMsg"><b>From:</b> Riverside<br>'
            f"<b>Sent:</b> Monday, September 7, 2026<br><b>Subject:</b> About your visit</div><div>{inner}</div>",
            "text/html",
        ),
        "bare": (f"2 4 3\n\n{when} wrote:\n\n{quoted(text)}", "text/plain"),
    }[program]
    check_in = office.ask("ana", CORE)
    to = reply_address(office.talk.ctx.config, check_in)
    office.post(mime(body, to=to, kind=kind, sender="ana@clients.example", Subject="Re: About your visit"))
    assert office.talk.answers("ana") == {"heard": 2, "respected": 4, "understood": 3}
    assert not office.talk.practice.client("ana").stopped
    reading = json.loads(office.talk.kept("ana")[0].reading)
    assert reading["comment"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reply_with_nothing_of_the_clients_own_answers_nothing(office: Office, language: str) -> None:
    """Sent by mistake, or by a program that sends the quotation back."""
    text, _ = our_mail(language)
    check_in = office.ask("ana", CORE)
    to = reply_address(office.talk.ctx.config, check_in)
    office.post(mime(f"\n\nOn Mon, Sep 7, 2026 at 12:00 PM Riverside wrote:\n\n{quoted(text)}", to=to))
    assert office.talk.answers("ana") == {}
    assert not office.talk.practice.client("ana").stopped
