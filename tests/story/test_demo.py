"""Ten weeks of Ana, Ben and Chidi through the real parts: web and worker as processes, signed webhooks, SMTP."""

import csv
import io
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from bot.sandbox.book import INBOUND, OUTBOUND
from bot.sandbox.demo import Outcome, Plan, perform, play_in
from bot.sandbox.sample import ANA, BEN, CHIDI, CLIENTS
from bot.sandbox.stage import Stage

ROOT = Path(__file__).parents[2]
MESSY = "5, 4 n 5 and 4 thx!"
FORGED = {"MessageSid": "SM" + "a" * 32, "From": ANA.phone, "To": "+15005550006", "Body": "1 1 1"}


@dataclass
class Told:
    """One run: what went over the wire, its transcript, and what its database held at the end."""

    outcome: Outcome
    transcript: str
    answers: list[dict[str, str]] = field(default_factory=list)
    forged: int = 0


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The demo as `make demo` plays it; at the end someone forges a reply of Ana's, and Dana exports the answers."""
    run, transcript = Told(None, ""), io.StringIO()  # type: ignore[arg-type]

    def at_the_end(stage: Stage) -> None:
        headers = {"X-Twilio-Signature": "Zm9yZ2Vk"}
        run.forged = requests.post(
            stage.public_url + "/webhooks/twilio/sms", FORGED, headers=headers, timeout=60
        ).status_code
        run.answers = list(csv.DictReader(io.StringIO(stage.attune("export", "answers", "--reason", "a test"))))

    run.outcome = play_in(tmp_path_factory.mktemp("demo"), Plan(), transcript, at_the_end=at_the_end)
    run.transcript = transcript.getvalue()
    return run


@pytest.fixture(scope="module")
def killed() -> Told:
    """The same, with the worker killed ten times in the middle."""
    transcript = io.StringIO()
    return Told(perform(Plan(kills=10, seed=6), transcript), transcript.getvalue())


def texts(run: Told, phone: str) -> list[tuple[str, str]]:
    """A client's texts in the order of the phone: which way, and the words."""
    return [(m.direction, m.body) for m in run.outcome.record.messages if m.client == phone]


def test_the_demo_keeps_all_its_promises(told: Told) -> None:
    """The alert about Ben reaches Theo, nobody else is alerted, STOP is STOP, nothing comes twice or at night."""
    assert [verdict for verdict in told.outcome.verdicts if verdict.wrong] == []


def test_ana_and_ben_are_asked_every_week_and_chidi_until_stop(told: Told) -> None:
    asked = Counter(m.client for m in told.outcome.record.messages if " visit: did you feel " in m.body)
    assert asked == {ANA.phone: 10, BEN.phone: 10, CHIDI.phone: 3}


def test_a_messy_text_from_the_phone_shows_up_as_four_scores(told: Told) -> None:
    """ "5, 4 n 5 and 4 thx!" is Ana's first reply, and the export has its four digits in the order asked."""
    assert next(body for way, body in texts(told, ANA.phone) if way == INBOUND) == MESSY
    first = sorted({row["appointment_ref"] for row in told.answers if row["client_ref"] == ANA.ref})[0]
    scores = [(row["feeling"], row["score"]) for row in told.answers if row["appointment_ref"] == first]
    assert scores[:3] == [("heard", "5"), ("respected", "4"), ("understood", "5")]
    assert [score for _, score in scores[3:]] == ["4"]


def test_a_forged_webhook_is_refused_and_leaves_no_answer(told: Told) -> None:
    assert told.forged == 403
    assert not [row for row in told.answers if row["client_ref"] == ANA.ref and row["score"] == "1"]


def test_what_is_missing_is_asked_for_once(told: Told) -> None:
    """ "5 and 4" leaves two questions open; the two digits that follow complete it, and thanks come once."""
    sent = texts(told, ANA.phone)
    place = sent.index((INBOUND, "5 and 4"))
    rest, digit, thanks = sent[place + 1 : place + 4]
    assert "Still open, 1-5: understood" in rest[1]
    assert digit == (INBOUND, "5 4")
    assert "Thank you" in thanks[1]


def test_the_transcript_tells_the_whole_story(told: Told) -> None:
    for words in ("Week 10", MESSY, "mail to theo@riverside.example", "it is about Ben", "takes it on", "STOP"):
        assert words in told.transcript
    assert told.transcript.count("Mon 21 Sep 08:00  mail to") == 2, "letters by the calendar come at their hour"
    assert "\x1b[" not in told.transcript, "colour is for terminals"


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_killing_the_worker_ten_times_changes_no_clients_messages(told: Told, killed: Told, client: object) -> None:
    """kill -9 from outside, in the middle of a send among others: the same texts, in the same order, none twice."""
    phone = client.phone  # type: ignore[attr-defined]
    assert texts(killed, phone) == texts(told, phone)
    assert [way for way, _ in texts(killed, phone)].count(OUTBOUND), "someone must have been texted"


def test_the_promises_hold_through_ten_kills(killed: Told) -> None:
    assert killed.transcript.count("killed with -9") == 10
    assert [verdict for verdict in killed.outcome.verdicts if verdict.wrong] == []


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`python -m bot.sandbox.demo` as a user runs it."""
    call = [sys.executable, "-m", "bot.sandbox.demo", *arguments]
    return subprocess.run(call, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, timeout=900)


def test_without_a_decline_no_alert_comes_and_the_demo_fails(tmp_path: Path) -> None:
    """The planted fault: a demo that can't fail proves nothing. It says which promise broke."""
    run = command("--without-decline", "--transcript", str(tmp_path / "transcript.txt"))
    assert run.returncode == 1
    failed = [
        line.split("failed", 1)[1].strip() for line in run.stdout.splitlines() if line.strip().startswith("failed")
    ]
    assert failed == [
        "The alert about Ben reached Theo's mailbox: no mail to Theo leads to a note about Ben",
        "Theo opened it and took it on: no note was taken on",
    ]
    assert "failed" in (tmp_path / "transcript.txt").read_text("utf-8")


def test_the_demo_does_not_start_beside_a_real_account() -> None:
    run = command(TWILIO_ACCOUNT_SID="AC" + "5" * 32, TWILIO_API_URL="")
    assert run.returncode == 2
    assert "could reach real phones" in run.stderr
