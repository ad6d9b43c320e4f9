"""What the doctor finds: each fault an operator can make is named, with what to do about it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from wsgiref.simple_server import make_server

import pytest

from bot.config import TWILIO_ADDRESS
from bot.flows import backups, context, operating, settings
from bot.flows.context import Context
from bot.flows.operating import Finding
from bot.store import outbox, people, practices, system
from bot.store.outbox import Draft
from bot.web import create_app
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.imap import mailbox
from tests.support.mails import mime
from tests.support.weeks import At

NOW = MONDAY_NOON
READY = {
    "duty_hours": "all day",
    "not_for_appraisal": "yes",
    "local_lines": "call 911",
    "duty_email": "dana@riverside.example",
}


def found(ctx: Context, **changes: object) -> list[Finding]:
    """What the doctor says, with other settings where given; the clock of the sandbox is its own."""
    config = replace(ctx.config, **{"clock_url": "http://127.0.0.1:1/clock", **changes})
    return operating.doctor(replace(ctx, config=config), NOW)


def about(findings: list[Finding], subject: str) -> list[tuple[str, str]]:
    return [(each.level, each.text) for each in findings if each.subject == subject]


@contextmanager
def answering(reply: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server on loopback that answers as told; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply(self)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def plain(handler: BaseHTTPRequestHandler, status: int = 200, body: bytes = b"hello", **headers: str) -> None:
    handler.send_response_only(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def test_a_practice_that_is_well_hears_nothing_bad(ctx: Context, practice: Riverside, tmp_path: Path) -> None:
    settings.set_practice(ctx, practice.practice, READY, NOW)
    backups.backup(ctx, str(tmp_path / "copy.db"), NOW)
    with ctx.store.transaction() as tx:
        system.beat(tx, "worker", NOW - timedelta(seconds=20))
    with make_server("127.0.0.1", 0, create_app(ctx, At(NOW))) as server:
        threading.Thread(target=server.handle_request).start()
        url = f"http://127.0.0.1:{server.server_port}"
        findings = found(ctx, public_url=url, mail_webhook_secret="a-secret")
    assert {each.level for each in findings if not each.text.startswith("is not https")} == {"good"}
    assert about(findings, "worker") == [("good", "seen 20 seconds ago.")]
    assert ("good", "leads here.") in about(findings, "PUBLIC_URL")
    assert about(findings, "backup") == [("good", "the last one was made 2026-09-07 16:00 UTC.")]
    assert ctx.store.path in about(findings, "database")[0][1]


@pytest.mark.parametrize(
    ("field", "setting", "level", "words"),
    [
        ("twilio_account_sid", "TWILIO_ACCOUNT_SID", "warn", "no texts can be sent"),
        ("twilio_auth_tokens", "TWILIO_AUTH_TOKEN", "warn", "no texts can be sent"),
        ("twilio_from", "TWILIO_MESSAGING_SERVICE_SID (or TWILIO_FROM)", "warn", "no texts can be sent"),
        ("smtp_url", "SMTP_URL", "bad", "alerts can't reach anyone"),
        ("mail_from", "MAIL_FROM", "bad", "alerts can't reach anyone"),
        ("public_url", "PUBLIC_URL", "bad", "signatures can't be checked"),
        ("secrets", "SECRET_KEY", "bad", "attune new-key"),
    ],
)
def test_a_missing_setting_is_named(ctx: Context, field: str, setting: str, level: str, words: str) -> None:
    empty = () if isinstance(getattr(ctx.config, field), tuple) else ""
    [(said, text)] = about(found(ctx, **{field: empty}), setting)
    assert (said, words in text) == (level, True)


def test_a_short_key_is_named(ctx: Context) -> None:
    [(level, text)] = about(found(ctx, secrets=("short",)), "SECRET_KEY")
    assert (level, "new-key" in text) == ("warn", True)


def test_an_address_in_the_open_is_named(ctx: Context) -> None:
    assert ("warn", "is not https: real clients' answers would travel in the open.") in about(found(ctx), "PUBLIC_URL")


def test_an_address_that_does_not_answer_is_named(ctx: Context) -> None:
    [*_, (level, text)] = about(found(ctx, public_url="http://127.0.0.1:1"), "PUBLIC_URL")
    assert (level, "can't be reached from here" in text) == ("warn", True)


@pytest.mark.parametrize(
    ("status", "headers"), [(200, {}), (404, {}), (301, {"Location": "https://elsewhere.example"})]
)
def test_an_address_that_leads_elsewhere_is_named(ctx: Context, status: int, headers: dict[str, str]) -> None:
    """Also one that only redirects: Twilio signs the address it was given."""
    with answering(lambda handler: plain(handler, status, **headers)) as url:
        [*_, (level, text)] = about(found(ctx, public_url=url), "PUBLIC_URL")
    assert (level, f"answers {status} to /healthz" in text) == ("bad", True)


def test_twilio_out_of_reach_is_named(ctx: Context) -> None:
    [(level, text)] = about(found(ctx, twilio_api_url="http://127.0.0.1:1"), "Twilio")
    assert (level, "doesn't answer" in text) == ("bad", True)


@pytest.mark.parametrize(
    ("date", "subject", "level"),
    [
        ("Mon, 07 Sep 2026 16:00:20 GMT", "Twilio", "good"),
        ("Mon, 07 Sep 2026 15:50:00 GMT", "clock", "bad"),
        ("Mon, 07 Sep 2026 16:10:00 GMT", "clock", "bad"),
        ("not a date", "Twilio", "bad"),
    ],
)
def test_a_clock_that_is_wrong_is_named(ctx: Context, date: str, subject: str, level: str) -> None:
    with answering(lambda handler: plain(handler, Date=date)) as url:
        [(said, text)] = about(found(ctx, twilio_api_url=url, clock_url=""), subject)
    assert said == level
    assert subject != "clock" or "600 seconds off" in text


def test_a_mail_server_out_of_reach_is_named_without_its_password(ctx: Context) -> None:
    findings = found(ctx, smtp_url="smtp://user:hunter2@127.0.0.1:1")
    [(level, text)] = about(findings, "mail server")
    assert (level, text.startswith("127.0.0.1:1 takes no connection")) == ("bad", True)
    assert "hunter2" not in str(findings)


def test_a_worker_that_never_ran_or_has_stopped_is_named(ctx: Context) -> None:
    assert about(found(ctx), "worker") == [("bad", "none has been seen yet: start `attune worker`.")]
    with ctx.store.transaction() as tx:
        system.beat(tx, "worker", NOW - timedelta(minutes=7))
    assert about(found(ctx), "worker") == [("bad", "was last seen 7 minutes ago: nothing is sent. Start it again.")]


def test_messages_that_wait_for_a_person_are_named(ctx: Context, practice: Riverside) -> None:
    with ctx.store.transaction() as tx:
        outbox.put(tx, practice.practice.id, Draft("help", "h", "sms", "+12025550101", "x"), NOW, NOW)
        tx.run("update outbox set state = 'needs_person'")
    [(level, text)] = about(found(ctx), "messages")
    assert (level, "(1)" in text) == ("warn", True)


def test_a_backup_that_is_missing_or_old_is_named(ctx: Context, tmp_path: Path) -> None:
    assert about(found(ctx), "backup")[0][0] == "warn"
    backups.backup(ctx, str(tmp_path / "copy.db"), NOW - timedelta(days=5))
    assert about(found(ctx), "backup") == [("warn", "the last one is 5 days old.")]


def test_what_a_practice_lacks_is_named_and_bad_only_where_real_clients_are_texted(
    ctx: Context, practice: Riverside
) -> None:
    lacking = [text.split()[1] for _, text in about(found(ctx), "Riverside Counseling")]
    assert lacking == ["duty_hours:", "not_for_appraisal:", "local_lines:"]
    assert {level for level, _ in about(found(ctx), "Riverside Counseling")} == {"warn"}
    real = found(ctx, twilio_api_url=TWILIO_ADDRESS, twilio_from="")
    assert {level for level, _ in about(real, "Riverside Counseling")} == {"bad"}


def test_a_practice_without_a_name_or_a_duty_contact_is_not_ready(ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        practices.first(tx, NOW)
    lacking = [text.split()[1] for _, text in about(found(ctx), practices.FIRST_NAME)]
    assert {"sms_name:", "duty_email:"} < set(lacking)


def test_where_no_manager_is_yet_the_way_in_is_named(ctx: Context) -> None:
    """Right after `attune migrate`, and in a practice that only commands have touched."""
    [(level, text)] = about(found(ctx), "practice")
    assert (level, "`attune invite manager EMAIL`" in text) == ("warn", True)
    with ctx.store.transaction() as tx:
        first = practices.first(tx, NOW)
    assert about(found(ctx), "practice") == []
    [(level, text)] = about(found(ctx), "manager")
    assert (level, text.startswith(f"{practices.FIRST_NAME} has none yet: `attune invite manager")) == ("warn", True)
    with ctx.store.transaction() as tx:
        dana, _ = people.save(tx, first.id, name="Dana", email="dana@riverside.example", phone=None, now=NOW)
        people.give_role(tx, first.id, dana, "manager")
    assert about(found(ctx), "manager") == []


@pytest.mark.usefixtures("practice")
def test_another_key_is_named_with_what_to_do_and_the_rest_is_looked_at_all_the_same(ctx: Context) -> None:
    """Nothing is said of audit trails, which would look changed under another key."""
    config = replace(ctx.config, secrets=("another-key-that-is-long-enough-too",), clock_url="http://127.0.0.1:1/clock")
    findings = operating.doctor(context.build(config), NOW)
    [(level, text)] = about(findings, "SECRET_KEY")
    assert (level, text.startswith("doesn't open this database: ")) == ("bad", True)
    assert "SECRET_KEY=new,old" in text
    assert {"database", "worker", "backup"} <= {each.subject for each in findings}
    assert [each for each in findings if each.subject.startswith("audit trail")] == []


def test_what_waits_for_a_way_to_be_sent_is_told_of_with_what_is_missing(ctx: Context, practice: Riverside) -> None:
    with ctx.store.transaction() as tx:
        for name, due in (("a", NOW), ("b", NOW), ("c", NOW + timedelta(minutes=1))):
            outbox.put(tx, practice.practice.id, Draft("help", name, "sms", "+12025550101", "x"), due, NOW)
    assert operating.stuck(ctx, NOW) == []
    without = context.build(replace(ctx.config, twilio_auth_tokens=()))
    assert operating.stuck(without, NOW) == ["2 due and waiting: no texts can be sent without TWILIO_AUTH_TOKEN."]
    assert operating.stuck(context.build(replace(ctx.config, mail_from="")), NOW) == [], "no mail is due"


def test_a_database_that_is_not_there_lacks_steps_or_is_damaged_is_named(ctx: Context, tmp_path: Path) -> None:
    def said(path: Path) -> tuple[str, str]:
        other = context.build(replace(ctx.config, database_url=f"sqlite:///{path}"))
        [only] = about(operating.doctor(other, NOW), "database")
        return only

    level, text = said(tmp_path / "none.db")
    assert (level, "attune migrate" in text) == ("bad", True)
    assert not (tmp_path / "none.db").exists(), "looking must not make one"
    (tmp_path / "empty.db").touch()
    level, text = said(tmp_path / "empty.db")
    assert (level, "attune migrate" in text) == ("bad", True)
    (tmp_path / "junk.db").write_bytes(b"junk" * 2000)
    level, text = said(tmp_path / "junk.db")
    assert (level, "is not a database" in text) == ("bad", True)


def test_health_tells_of_database_and_worker(ctx: Context) -> None:
    assert operating.health(ctx, NOW) == {"database": "ok", "worker_seen_seconds_ago": None, "needs_person": 0}
    with ctx.store.transaction() as tx:
        system.beat(tx, "worker", NOW - timedelta(seconds=5))
    assert operating.health(ctx, NOW)["worker_seen_seconds_ago"] == 5
    with ctx.store.transaction() as tx:
        tx.run("drop table worker")
    assert operating.health(ctx, NOW)["database"] != "ok"


def test_a_mailbox_that_opens_is_well_and_one_that_nobody_empties_is_not(ctx: Context) -> None:
    with mailbox() as folder:
        [only] = about(found(ctx, imap_url=folder.url), "IMAP_URL")
        assert only[0] == "good"
        assert "127.0.0.1/INBOX opens" in only[1]
        for _ in range(operating.MOST_UNSEEN):
            folder.put(mime("5 4 5"))
        [only] = about(found(ctx, imap_url=folder.url), "IMAP_URL")
        assert only[0] == "warn"
        assert "does the worker run?" in only[1]
        assert folder.seen == set(), "the doctor only looks"


def test_a_mailbox_that_does_not_open_is_named_without_its_password(ctx: Context) -> None:
    with mailbox() as folder:
        wrong = folder.url.replace("s3cret%20words", "guessed-words")
        for url in (wrong, folder.url.replace("INBOX", "Elsewhere"), "imap://u:guessed-words@127.0.0.1:1/INBOX"):
            [(level, text)] = about(found(ctx, imap_url=url), "IMAP_URL")
            assert level == "bad"
            assert "can't be read" in text
            assert "words" not in text.partition(": ")[0]
            assert "guessed" not in text


def test_replies_by_mail_that_nobody_takes_in_are_told_of(ctx: Context) -> None:
    [(level, text)] = about(found(ctx), "IMAP_URL")
    assert (level, text.startswith("is not set, nor is MAIL_WEBHOOK_SECRET: ")) == ("warn", True)
    assert about(found(ctx, mail_webhook_secret="a-secret"), "IMAP_URL") == []
    assert about(found(ctx, smtp_url=""), "IMAP_URL") == []


@pytest.mark.parametrize(("url", "level"), [("https://127.0.0.1:1", "good"), ("http://127.0.0.1:1", "warn")])
def test_one_click_unsubscribe_needs_https(ctx: Context, url: str, level: str) -> None:
    [only] = about(found(ctx, public_url=url, clock_url="", twilio_account_sid="", mail_from="x@127.0.0.1"),
                   "one-click unsubscribe")  # fmt: skip
    assert only[0] == level
