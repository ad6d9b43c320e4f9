"""Mails to staff as they leave: a name people read, one thread a note, a picture where it is wanted, patience."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup

from bot.channels import DeliveryFailed
from bot.channels.codes import BUSY
from bot.flows import pictures
from bot.flows.context import Context
from bot.flows.letters import short_name
from bot.flows.settings import BadSetting, set_practice
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.store import practices
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.letters import choose, engage, letters, prefer, text, whom
from tests.support.post import ORDINARY, Post, Scripted, raising
from tests.support.weeks import DECLINE, alerts_of, assess, climb, send, weekly

DAY = timedelta(days=1)
BUSY_SERVER = raising(DeliveryFailed("the mail server said 451", permanent=False, code="451", meaning=BUSY))


def note(practice: Riverside, sandbox: Sandbox) -> EmailMessage:
    """The mail about Ana's decline, as it arrived."""
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    send(practice, now)
    return sandbox.mailbox.all()[-1].message


def parts(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.walk() if not part.is_multipart()]


# ------------------------------------------------------------------------------------------- sender and thread


def test_a_mail_comes_from_attune_for_the_practice_in_its_language(practice: Riverside, sandbox: Sandbox) -> None:
    with practice.ctx.store.transaction() as tx:
        tx.run("update practice set language = 'fr'")
    assert note(practice, sandbox)["From"] == "Attune pour Riverside <notes@riverside.example>"


def test_a_reminder_stands_in_the_thread_of_the_first_mail(practice: Riverside, sandbox: Sandbox) -> None:
    """By References, to the same person; the supervisor's mail begins a thread of its own."""
    engage(practice, "Sam", "supervisor", "sam@riverside.example")
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    for days in range(3):
        send(practice, now + days * DAY)
        climb(practice, now + days * DAY + timedelta(minutes=30))
    first, reminder, escalated = (mail.message for mail in sandbox.mailbox.all())
    assert (first["References"], reminder["References"]) == (None, first["Message-ID"])
    assert reminder["In-Reply-To"] == first["Message-ID"]
    assert (escalated["To"], escalated["References"]) == ("sam@riverside.example", None)


def test_taking_it_on_leads_to_the_page_and_is_done_there(practice: Riverside, sandbox: Sandbox) -> None:
    """A scanner that follows every link must not take a note on."""
    html = BeautifulSoup(str(note(practice, sandbox).get_body(("html",)).get_content()), "html.parser")  # type: ignore[union-attr]
    to_read, to_take = html.select("a")
    assert (to_read.text, to_take.text) == ("Open the note", "I'll take it on")
    assert to_take["href"] == f"{to_read['href']}#take"


# ------------------------------------------------------------------------------------------- whom it is about


@pytest.mark.parametrize(("chosen", "shown"), [("none", None), ("initials", "About A. R."), ("code", "About C-Ana")])
def test_a_mail_names_the_client_as_the_practice_chose(
    practice: Riverside, sandbox: Sandbox, chosen: str, shown: str | None
) -> None:
    """By default not at all, and in no subject ever."""
    prefer(practice, alert_client=chosen)
    with practice.ctx.store.transaction() as tx:
        name = tx.seal("client", "name", practice.clients["Ana"], "Ana Maria Ruiz")
        tx.run("update client set name_sealed = :n where id = :id", {"n": name, "id": practice.clients["Ana"]})
    mail = note(practice, sandbox)
    body = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert (shown in body.splitlines()) if shown else ("About" not in body)
    assert mail["Subject"] == "A note for you"
    assert "Ruiz" not in body


def test_a_mail_about_danger_names_nobody(practice: Riverside) -> None:
    """It may stand on any screen at any hour; the page names the client."""
    prefer(practice, alert_client="code", alert_picture="yes")
    text(practice, "I want to kill myself", MONDAY_NOON)
    climb(practice, MONDAY_NOON)
    assert not [m for m in letters(practice) if "C-Ana" in m.subject + m.body + m.html]


def test_only_the_therapist_is_told_whom_it_is_about(practice: Riverside, sandbox: Sandbox) -> None:
    prefer(practice, alert_client="code", alert_picture="yes")
    engage(practice, "Sam", "supervisor", "sam@riverside.example")
    note(practice, sandbox)
    (alert,) = alerts_of(practice, "Ana")
    for days in range(1, 3):
        climb(practice, alert.opened_at + days * DAY)
        climb(practice, alert.opened_at + days * DAY)
    to_sam = [m for m in letters(practice) if m.address.startswith("sam")]
    assert to_sam
    assert not [m for m in to_sam if "C-Ana" in m.body or "cid:" in m.html]


def test_a_client_of_one_name_has_one_initial(practice: Riverside) -> None:
    prefer(practice, alert_client="initials")
    assert short_name(practice.practice, practice.client("Ana")) == "A."


# ------------------------------------------------------------------------------------------- the picture


def test_by_default_there_is_no_picture(practice: Riverside, sandbox: Sandbox) -> None:
    assert parts(note(practice, sandbox)) == ["text/plain", "text/html"]


def test_a_practice_may_have_a_picture_that_is_told_in_words_too(practice: Riverside, sandbox: Sandbox) -> None:
    """It travels with the mail, so that nothing is fetched; whoever sees no pictures reads the same."""
    prefer(practice, alert_picture="yes")
    mail = note(practice, sandbox)
    assert parts(mail) == ["text/plain", "text/html", "image/png"]
    (picture,) = (part for part in mail.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<trend>"
    assert picture.get_content().startswith(b"\x89PNG")
    html = BeautifulSoup(str(mail.get_body(("html",)).get_content()), "html.parser")  # type: ignore[union-attr]
    (shown,) = html.select("img")
    assert shown["src"] == "cid:trend"
    words = str(shown["alt"])
    assert "Heard: usually 4 to 5. Answers, oldest first: 5, 5, 4, 5, 5, 5, 3, 2." in words
    assert words in str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]


def test_a_fault_in_drawing_costs_the_picture_and_not_the_mail(
    practice: Riverside, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefer(practice, alert_picture="yes")
    monkeypatch.setattr(pictures, "png", lambda *_: 1 / 0)
    mail = note(practice, sandbox)
    assert parts(mail) == ["text/plain", "text/html"]
    assert "Answers, oldest first" in str(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]


def test_the_picture_shows_gaps_and_what_is_below_usual() -> None:
    """Drawn for one feeling or three, with gaps or none: a picture each time, of a mail's size."""
    sketch = pictures.Sketch("Heard", (5, None, 4, 2), ("7 Sep", "14 Sep", "21 Sep", "28 Sep"), 4, 5)
    for drawn in ([sketch], [sketch] * 3):
        found = pictures.png(drawn, "usual")
        assert found.startswith(b"\x89PNG")
        assert len(found) < 60_000


# ------------------------------------------------------------------------------------------- patience


def test_greylisting_is_waited_out(practice: Riverside, sandbox: Sandbox) -> None:
    """A server that puts every newcomer off for five minutes has the note within ten."""
    sandbox.faults.plan(Fault("mail_451", next=3))
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    for seconds in range(0, 600, 30):
        send(practice, now + timedelta(seconds=seconds))
    (mail,) = sandbox.mailbox.all()
    assert mail.recipients == ("theo@riverside.example",)
    assert whom(practice) == ["theo"]


def test_a_mail_put_off_for_three_days_is_given_up_and_managers_told(ctx: Context, practice: Riverside) -> None:
    """It is tried again and again, less and less often, and no sooner given up."""
    post = Post(ctx, practice).by(Scripted(BUSY_SERVER))
    message = post.put("Theo", "alert_rapport")
    tried = [MONDAY_NOON]
    while len(tried) < 200 and post.send(tried[-1]) and post.state(message) == "due":
        tried.append(datetime.fromtimestamp(post.row(message)["due_at"], UTC))
    assert post.state(message) == "refused"
    assert 100 < len(tried) < 200
    waits = [(after - before).total_seconds() for before, after in pairwise(tried)]
    assert (waits[:4], waits == sorted(waits), max(waits)) == ([30, 60, 120, 300], True, 1800)
    assert 3 * DAY < tried[-1] - tried[0] < 3 * DAY + timedelta(hours=1)
    notices = [row["person_id"] for row in practice.rows("select * from outbox where kind = 'notice'")]
    assert notices == [practice.staff["Dana"]]


def test_a_mail_refused_for_good_tells_managers_at_once(practice: Riverside, sandbox: Sandbox) -> None:
    sandbox.faults.plan(Fault("mail_550"))
    now = weekly(practice, "Ana", DECLINE)
    assess(practice, now)
    send(practice, now)
    assert whom(practice) == ["theo", "dana"]
    assert letters(practice)[-1].body.startswith("A message to Theo could not be delivered.")


def test_a_mail_that_is_put_off_waits_for_the_end_of_quiet_hours_too(ctx: Context, practice: Riverside) -> None:
    """Quiet hours hold when it is tried again, not only when it is written."""
    post = Post(ctx, practice).by(Scripted(BUSY_SERVER))
    message = post.put("Theo", "alert_rapport", urgency=ORDINARY)
    post.send(MONDAY_NOON)
    choose(practice, "Theo", quiet_hours="12:00-16:00")
    post.send(MONDAY_NOON + timedelta(minutes=5))
    assert post.row(message)["due_at"] == (MONDAY_NOON + timedelta(hours=4)).timestamp()


# ------------------------------------------------------------------------------------------- a practice's choice


def test_a_practice_chooses_what_mails_may_show(ctx: Context, practice: Riverside) -> None:
    chosen = {"alert_client": "initials", "alert_picture": "yes", "supervisor_after_days": "3"}
    set_practice(ctx, practice.practice, chosen, MONDAY_NOON)
    with ctx.store.transaction(write=False) as tx:
        assert chosen.items() <= practices.get(tx, practice.practice.id).settings.items()


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("alert_client", "name", "alert_client must be none, initials or code."),
        ("alert_picture", "maybe", "alert_picture must be yes or no."),
        ("supervisor_after_days", "1", "supervisor_after_days must be a whole number from 2 to 10: working days."),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_words(
    ctx: Context, practice: Riverside, key: str, value: str, told: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        set_practice(ctx, practice.practice, {key: value}, MONDAY_NOON)
    assert str(refused.value) == told
