"""POST /webhooks/mail: whoever knows the secret hands mails in; nobody else leaves a trace."""

import base64
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from bot import cli
from bot.config import SETTINGS
from bot.flows import receiving
from bot.flows.context import Context
from bot.web.app import create_app
from tests.support.cast import Riverside
from tests.support.talk import at

NOON = at("09-07 12:00")
SECRET = "a-word-the-mail-server-knows"
RAW = b"From: ana@clients.example\r\nMessage-ID: <1@x>\r\n\r\n5 4 5"
BEARER = {"Authorization": f"Bearer {SECRET}"}


class Stopped:
    """A clock that shows one time."""

    def now(self) -> datetime:
        return NOON

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits."""


def browser(ctx: Context, secret: str = SECRET) -> FlaskClient:
    return create_app(replace(ctx, config=replace(ctx.config, mail_webhook_secret=secret)), Stopped()).test_client()


def basic(words: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}


def kept(practice: Riverside) -> int:
    return len(practice.rows("select 1 from inbox"))


@pytest.mark.parametrize(
    "head", [BEARER, basic(f"mail:{SECRET}"), basic(f":{SECRET}")], ids=["bearer", "basic", "bare"]
)
@pytest.mark.parametrize("kind", ["message/rfc822", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_mail_handed_in_with_the_secret_is_stored_once(
    ctx: Context, practice: Riverside, head: dict[str, str], kind: str
) -> None:
    web = browser(ctx)
    answers = [web.post("/webhooks/mail", data=RAW, headers=head, content_type=kind) for _ in range(2)]
    assert [(answer.status_code, answer.data) for answer in answers] == [(204, b"")] * 2
    assert kept(practice) == 1


TEXT = RAW.decode()
SES = {"notificationType": "Received", "receipt": {"action": {"type": "SNS", "encoding": "UTF-8"}}, "content": TEXT}
SES_64 = SES | {
    "receipt": {"action": {"type": "SNS", "encoding": "BASE64"}},
    "content": base64.b64encode(RAW).decode(),
}


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/webhooks/mail", {"json": {"From": "x@y.example", "Subject": "", "RawEmail": TEXT}}),
        ("/webhooks/mail/mime", {"data": {"recipient": "notes@riverside.example", "body-mime": TEXT}}),
        ("/webhooks/mail", {"data": {"to": "x", "email": TEXT}, "content_type": "multipart/form-data"}),
        ("/webhooks/mail", {"json": {"Type": "Notification", "Message": json.dumps(SES)}}),
        ("/webhooks/mail", {"data": json.dumps(SES_64), "content_type": "text/plain; charset=UTF-8"}),
    ],
    ids=["postmark", "mailgun", "sendgrid", "ses by sns", "ses by sns, raw, base64"],
)
def test_a_mail_in_a_providers_wrapping_is_the_same_mail(
    ctx: Context, practice: Riverside, path: str, given: dict[str, Any]
) -> None:
    """Posted both ways it counts once."""
    web = browser(ctx)
    assert web.post(path, headers=BEARER, **given).status_code == 204
    assert web.post("/webhooks/mail", data=RAW, headers=BEARER).status_code == 204
    assert kept(practice) == 1
    with ctx.store.transaction(write=False) as tx:
        [row] = practice.rows("select * from inbox")
        assert tx.open("inbox", "body", str(row["id"]), str(row["body_sealed"])) == "5 4 5"


def test_a_large_mail_fits_into_a_form(ctx: Context, practice: Riverside) -> None:
    """A picture beside the answer is no reason to lose it."""
    big = {"body-mime": TEXT + "\r\n" + "x" * 1_000_000}
    assert browser(ctx).post("/webhooks/mail/mime", data=big, headers=BEARER).status_code == 204
    assert kept(practice) == 1


@pytest.mark.parametrize(
    "given", [{}, {"RawEmail": ""}, {"RawEmail": 5}, {"content": 5}, {"Message": "{"}, {"Message": None}, {"a": "b"}]
)
def test_a_wrapping_without_a_mail_is_refused(ctx: Context, practice: Riverside, given: dict[str, Any]) -> None:
    sent = {"From": "x"} | given
    assert browser(ctx).post("/webhooks/mail", json=sent, headers=BEARER).status_code == 400
    assert kept(practice) == 0


def test_amazon_is_told_to_be_confirmed_by_a_person(
    ctx: Context, practice: Riverside, capsys: pytest.CaptureFixture[str]
) -> None:
    """We open no address that a request names; the log shows it, if it is Amazon's."""
    ours = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc"
    for address in (ours, "https://sns.amazonaws.com.evil.example/?Token=abc"):
        sent = {"Type": "SubscriptionConfirmation", "SubscribeURL": address}
        browser(ctx).post("/webhooks/mail", json=sent, headers=BEARER)
    said = "".join(capsys.readouterr())
    assert ours in said
    assert "evil" not in said
    assert kept(practice) == 0


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Digest {SECRET}"},
        {"Authorization": "Basic !"},
        {"Authorization": SECRET},
        {"Authorization": f"Bearer {SECRET}x"},
        {"Authorization": "Bearer é"},
        basic(f"{SECRET}:wrong"),
        basic("é:é"),
    ],
)
def test_without_the_right_secret_nothing_is_taken(ctx: Context, practice: Riverside, head: dict[str, str]) -> None:
    assert browser(ctx).post("/webhooks/mail", data=RAW, headers=head).status_code == 403
    assert kept(practice) == 0


@pytest.mark.parametrize("head", [{}, {"Authorization": "Bearer "}, basic("mail:"), BEARER])
def test_where_no_secret_is_set_nothing_is_taken(ctx: Context, practice: Riverside, head: dict[str, str]) -> None:
    assert browser(ctx, "").post("/webhooks/mail", data=RAW, headers=head).status_code == 403
    assert kept(practice) == 0


@pytest.mark.parametrize(("body", "code"), [(RAW + b"x" * 5_000_000, 413), (b"", 400), (b"\r\n", 400)])
def test_nothing_and_too_much_are_refused(ctx: Context, practice: Riverside, body: bytes, code: int) -> None:
    assert browser(ctx).post("/webhooks/mail", data=body, headers=BEARER).status_code == code
    assert kept(practice) == 0


def test_a_mail_that_could_not_be_stored_is_not_taken(
    ctx: Context, practice: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it is handed in again."""
    monkeypatch.setattr(receiving, "receive", _full)
    assert browser(ctx).post("/webhooks/mail", data=RAW, headers=BEARER).status_code == 500


def _full(*_: Any) -> bool:
    raise OSError("no space left on device")


# ---------------------------------------------------------------------------------- the pipe


def command(ctx: Context, raw: bytes, **env: str) -> Any:
    """`attune receive-mail` as a mail server's pipe runs it."""
    settings = {**dict.fromkeys(SETTINGS, ""), "DATABASE_URL": ctx.config.database_url}
    settings["SECRET_KEY"] = ctx.config.secrets[0]
    return CliRunner().invoke(cli.main, ["receive-mail"], input=raw, env={**settings, **env})


def test_a_piped_mail_is_stored(ctx: Context, practice: Riverside) -> None:
    assert [command(ctx, RAW).exit_code for _ in range(2)] == [0, 0]
    assert kept(practice) == 1


@pytest.mark.parametrize("env", [{"DATABASE_URL": "sqlite:////nowhere/attune.db"}, {"SECRET_KEY": ""}, {"PORT": "x"}])
def test_a_piped_mail_that_could_not_be_stored_is_tried_again_later(
    ctx: Context, practice: Riverside, env: dict[str, str]
) -> None:
    """Any other code than 75 would send it back to the client."""
    done = command(ctx, RAW, **env)
    assert (done.exit_code, kept(practice)) == (75, 0)
    assert done.stderr.strip()
    assert "Traceback" not in done.output


def test_a_full_disk_is_no_bounce(ctx: Context, practice: Riverside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "receive", _full)
    done = command(ctx, RAW)
    assert (done.exit_code, done.stderr) == (75, "Not stored: OSError.\n")
