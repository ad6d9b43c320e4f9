"""The mailbox, and the pages a newcomer sees."""

import smtplib
from email.message import EmailMessage
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup
from click.testing import CliRunner

from bot.sandbox import Owner, Sandbox, why_not
from bot.sandbox.__main__ import main
from bot.sandbox.server import ACCOUNT_SID

ANA = "+12025550111"
START = 1_770_000_000.0  # what the sandbox's clock shows at first

REAL = "AC" + "5" * 32


def mail(sandbox: Sandbox, *, login: bool = False) -> None:
    """Send a mail with a text and an HTML part to Theo."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "A note for you", "attune@example.org", "theo@example.org"
    message["Message-ID"] = "<1@example.org>"
    message.set_content("Worth asking. http://localhost/a/1 ñ")
    message.add_alternative("<p>Worth <b>asking</b></p><script>alert(1)</script>", subtype="html")
    host, port = sandbox.environment["SMTP_URL"].removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port), timeout=60) as server:
        if login:
            server.login("any", "body")
        server.send_message(message)


def page(sandbox: Sandbox, path: str = "/") -> BeautifulSoup:
    answer = requests.get(sandbox.url + path, timeout=60)
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def test_a_mail_is_kept_with_its_time_and_both_parts(sandbox: Sandbox) -> None:
    mail(sandbox, login=True)
    [kept] = requests.get(f"{sandbox.url}/sandbox/mails", timeout=60).json()
    assert (kept["subject"], kept["to"], kept["at"]) == ("A note for you", ["theo@example.org"], START)
    assert kept["message_id"] == "<1@example.org>"
    assert "ñ" in kept["text"]
    assert "<b>asking</b>" in kept["html"]


@pytest.mark.parametrize(("kind", "code"), [("mail_451", 451), ("mail_550", 550)])
def test_a_mail_can_be_refused(sandbox: Sandbox, kind: str, code: int) -> None:
    requests.post(f"{sandbox.url}/sandbox/faults", json={"kind": kind}, timeout=60)
    with pytest.raises(smtplib.SMTPDataError) as caught:
        mail(sandbox)
    assert caught.value.smtp_code == code
    assert sandbox.mailbox.all() == []


def test_the_answer_to_a_mail_can_be_lost(sandbox: Sandbox) -> None:
    requests.post(f"{sandbox.url}/sandbox/faults", json={"kind": "mail_lose_answer"}, timeout=60)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        mail(sandbox)
    assert len(sandbox.mailbox.all()) == 1


def test_a_mails_html_is_shown_where_it_can_run_and_load_nothing(sandbox: Sandbox) -> None:
    mail(sandbox)
    frame = page(sandbox, "/mailbox/1").select_one("iframe")
    assert frame
    assert "allow-scripts" not in str(frame["sandbox"])
    policy = requests.get(f"{sandbox.url}{frame['src']}", timeout=60).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_a_mail_that_never_came_is_not_found(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.url}/mailbox/9", timeout=60).status_code == 404


def test_the_guide_leads_from_text_to_alert(sandbox: Sandbox, send: Any, texts: Any) -> None:
    def now() -> str:
        current = page(sandbox).select_one(".steps [aria-current=step] h3")
        return current.get_text(" ", strip=True) if current else "all done"

    assert now() == "A text arrives now"
    send()
    assert now() == "The client replies now"
    texts("5, 4 n 5 and 4 thx!")
    assert now() == "Rapport declines now"
    texts("2 4 2 2")
    texts("2 3 2 2")
    assert now() == "The therapist is told now"
    mail(sandbox)
    assert now() == "all done"


def test_a_phone_shows_the_conversation_and_takes_a_reply(sandbox: Sandbox, webhooks: Any, send: Any) -> None:
    sandbox.parts.name({ANA: Owner("Ana")})
    send(body="How was your visit? <b>")
    answer = requests.post(f"{sandbox.url}/phone/{ANA}", {"body": "5, 4 n 5 and 4 thx!"}, timeout=60)
    assert answer.status_code == 200
    assert webhooks.texts() == ["5, 4 n 5 and 4 thx!"]
    shown = page(sandbox, f"/phone/{ANA}")
    assert shown.h1
    assert shown.h1.get_text() == "Ana’s phone"
    bubbles = [bubble.get_text() for bubble in shown.select(".bubble")]
    assert bubbles == ["Attune: How was your visit? <b>", "Ana: 5, 4 n 5 and 4 thx!"]


def test_an_empty_reply_is_not_sent(sandbox: Sandbox, webhooks: Any) -> None:
    answer = requests.post(f"{sandbox.url}/phone/{ANA}", {"body": "  "}, timeout=60)
    assert answer.status_code == 400
    assert "nothing to send" in answer.text
    assert webhooks.posts == []


def test_a_phone_says_when_attune_did_not_take_a_text(sandbox: Sandbox, webhooks: Any, texts: Any) -> None:
    webhooks.status = 403
    texts("4 5 4")
    assert "not taken: Attune answered 403" in page(sandbox, f"/phone/{ANA}").get_text()


def test_the_clock_can_be_moved_from_any_page(sandbox: Sandbox) -> None:
    sandbox.clock.report("worker", version=10**9, busy=False, next_due=START + 7200)
    headers = {"Referer": f"{sandbox.url}/phone/{ANA}"}
    answer = requests.post(f"{sandbox.url}/move", {"to": "next"}, headers=headers, timeout=60)
    assert answer.url == f"{sandbox.url}/phone/{ANA}"
    assert sandbox.clock.now() == START + 7200
    requests.post(f"{sandbox.url}/move", {"to": "week"}, timeout=60)
    assert sandbox.clock.now() == START + 7200 + 7 * 86400


def test_another_web_site_can_not_send_a_text(sandbox: Sandbox, webhooks: Any) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = requests.post(f"{sandbox.url}/phone/{ANA}", {"body": "hi"}, headers=headers, timeout=60)
    assert answer.status_code == 403
    assert webhooks.posts == []


def test_pages_load_nothing_from_other_hosts(sandbox: Sandbox) -> None:
    for path in ("/", "/mailbox", f"/phone/{ANA}"):
        answer = requests.get(sandbox.url + path, timeout=60)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
        links = [
            tag.get("src") or tag.get("href")
            for tag in BeautifulSoup(answer.text, "html.parser").select("[src], [href]")
        ]
        assert all(str(link).startswith(("/", "#")) for link in links)


@pytest.mark.parametrize(
    ("env", "starts"),
    [
        ({}, True),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT_SID}, True),
        ({"TWILIO_ACCOUNT_SID": REAL}, False),
        ({"TWILIO_ACCOUNT_SID": REAL, "TWILIO_API_URL": "https://api.twilio.com"}, False),
        ({"TWILIO_ACCOUNT_SID": REAL, "TWILIO_API_URL": "https://API.ireland.twilio.com:443/x"}, False),
        ({"TWILIO_ACCOUNT_SID": REAL, "TWILIO_API_URL": "http://127.0.0.1:4010"}, True),
    ],
)
def test_it_does_not_start_beside_a_real_account(env: dict[str, str], starts: bool) -> None:
    assert (why_not(env) == "") is starts


def test_beside_a_real_account_the_command_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", REAL)
    monkeypatch.delenv("TWILIO_API_URL", raising=False)
    ended = CliRunner().invoke(main, [])
    assert ended.exit_code == 2
    assert "could reach real phones" in ended.output


def test_it_has_no_token_in_its_repr(sandbox: Sandbox) -> None:
    assert "sandbox-token" not in repr(sandbox.parts.account)
