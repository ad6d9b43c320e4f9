"""What `make run` and `make demo` are made of: processes kept alive, clients who read, a guide with buttons."""

import io
import os
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup
from click.testing import CliRunner

from bot import cli
from bot.config import SETTINGS
from bot.sandbox import Owner, Sandbox, demo, reading, run, story
from bot.sandbox.processes import FailedToStart, Kept, environment, port_wanted
from bot.sandbox.stage import SECRET
from bot.sandbox.transcript import Transcript
from surveys import instrument, instrument_file
from surveys.wording import Say, Voice, write

ANA = "+12025550111"
REAL = "AC" + "5" * 32


class Remembers:
    """A director that does nothing but remember what it was asked."""

    def __init__(self) -> None:
        self.busy = self.problem = ""
        self.asked: list[tuple[str, str]] = []

    def do(self, what: str, phone: str = "") -> None:
        self.asked.append((what, phone))


@pytest.fixture
def director(sandbox: Sandbox) -> Remembers:
    director = Remembers()
    sandbox.parts.name({ANA: Owner("Ana")})
    sandbox.parts.direct(director)
    return director


def guide(sandbox: Sandbox) -> BeautifulSoup:
    return BeautifulSoup(requests.get(sandbox.url, timeout=60).text, "html.parser")


def test_a_process_that_fails_is_shown_with_its_log(tmp_path: Path) -> None:
    """Started again like any other, and given up after three failures of its own."""
    said: list[str] = []
    process = Kept("no-such-command", {}, tmp_path, said.append)
    process.start()
    with pytest.raises(FailedToStart, match="No such command 'no-such-command'"):
        process.wait_until(lambda: False)
    process.stop()
    assert len(said) == 2


def test_our_processes_get_our_settings_and_none_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.setenv(name, "the user's")
    ours = environment({"PORT": "1234"})
    assert ours["PORT"] == "1234"
    assert "PATH" in ours
    assert [name for name in SETTINGS if ours.get(name) == "the user's"] == []


@pytest.mark.parametrize("command", [demo.main, run.main])
def test_neither_starts_beside_a_real_account(command: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", REAL)
    monkeypatch.delenv("TWILIO_API_URL", raising=False)
    ended = CliRunner().invoke(command, [])  # type: ignore[arg-type]
    assert ended.exit_code == 2
    assert "could reach real phones" in ended.output


@pytest.mark.parametrize("language", instrument_file.LANGUAGES)
def test_a_client_knows_a_check_in_and_what_it_asks(language: str) -> None:
    asked = ("heard", "respected", "understood", "seen")
    voice = Voice(sms_name="Riverside", language=language)
    check_in = write(Say("check_in", asked), voice, instrument.load_all()).text
    assert reading.is_check_in(check_in, "Riverside", language)
    assert reading.feelings_asked(check_in, language) == asked
    assert reading.how_many_asked(check_in) == 4
    for kind in ("welcome", "thanks", "reminder"):
        other = write(Say(kind, asked), voice, instrument.load_all()).text
        assert not reading.is_check_in(other, "Riverside", language)


def test_clients_answer_in_the_order_asked_and_in_their_own_form() -> None:
    turn = story.gives(5, 5, 4, 5, 3, story.messy)
    assert turn.write(("heard", "respected", "understood")) == "5, 4 n 5 thx!"
    assert turn.write(("heard", "respected", "understood", "seen")) == "5, 4 n 5 and 3 thx!"


def test_ben_declines_until_someone_asks_and_then_mends() -> None:
    def heard(week: int, helped: int = 0) -> int:
        turn = next(turn for turn in story.ben(week, helped=helped) if turn)
        return int(turn.write(("heard", "respected", "understood"))[0])

    assert min(heard(week) for week in range(1, 7)) >= 4
    assert [heard(week) for week in (7, 8, 9)] == [3, 2, 1]
    assert heard(9, helped=1) == 4
    assert heard(10, helped=2) == 5


def test_the_guide_has_one_button_and_only_for_the_step_to_take_now(sandbox: Sandbox, director: Remembers) -> None:
    [button] = guide(sandbox).select(".steps button")
    assert button.get_text() == "Ana’s visit has just ended"
    requests.post(f"{sandbox.url}/play", {"what": button["value"]}, timeout=60)
    assert director.asked == [("visit", "")]


def test_the_guide_says_what_is_going_on_and_what_went_wrong(sandbox: Sandbox, director: Remembers) -> None:
    director.busy = "Week 2: Ana answers as usual"
    page = guide(sandbox)
    assert "Week 2" in page.select_one("[role=status]").get_text()  # type: ignore[union-attr]
    assert page.select_one(".steps button").has_attr("disabled")  # type: ignore[union-attr]
    director.busy, director.problem = "", "No check-in came"
    assert "No check-in came" in guide(sandbox).get_text()


def test_a_phone_can_have_a_visit_of_its_own(sandbox: Sandbox, director: Remembers) -> None:
    answer = requests.post(f"{sandbox.url}/play", {"what": "visit", "phone": ANA}, timeout=60)
    assert director.asked == [("visit", ANA)]
    assert answer.url == f"{sandbox.url}/phone/{ANA}"
    assert "Ana’s visit has just ended" in answer.text


def test_without_a_director_there_are_no_such_buttons(sandbox: Sandbox) -> None:
    sandbox.parts.name({ANA: Owner("Ana")})
    assert guide(sandbox).select(".steps button") == []
    assert requests.post(f"{sandbox.url}/play", {"what": "visit"}, timeout=60).status_code == 404


@pytest.mark.parametrize(("follows", "host"), [(True, "127.0.0.1"), (False, "0.0.0.0")])
def test_beside_the_sandbox_attunes_pages_are_for_this_machine_alone(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, follows: bool, host: str
) -> None:
    begun: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, command: begun.append(command))
    own = {"DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "SECRET_KEY": SECRET, "PUBLIC_URL": "http://127.0.0.1:8123"}
    own |= {"PORT": "8123"} | (sandbox.environment if follows else {})
    for command in ("migrate", "web"):
        done = CliRunner(env=environment(own)).invoke(cli.main, [command])
        assert done.exit_code == 0, done.output
    assert begun[0][begun[0].index("--bind") + 1] == f"{host}:8123"


def test_the_guide_says_what_a_moved_clock_and_the_second_step_mean_for_signing_in(
    sandbox: Sandbox, director: Remembers
) -> None:
    director.colleagues = {"Dana": "dana@riverside.example"}  # type: ignore[attr-defined]
    page = " ".join(guide(sandbox).get_text().split())
    assert "after moving it, sign in again here" in page
    assert "Dana manages the practice and supervises" in page


def test_a_mail_that_comes_again_in_the_same_words_is_cut_to_its_beginning() -> None:
    """The weekly letter of a calm caseload would bury the story."""
    out = io.StringIO()
    told = Transcript(lambda: 0.0, out)
    words = "Nothing needs you this week.\n" + "You get this every Monday at 8:00 am. " * 5
    told.mail("theo@riverside.example", "Your week", words)
    whole = out.getvalue()
    told.mail("ines@riverside.example", "Your week", words)
    assert out.getvalue().count("You get this") == 2 * whole.count("You get this"), "it is new to Ines"
    told.mail("theo@riverside.example", "Your week", words)
    again = out.getvalue().removeprefix(whole).splitlines()[-2:]
    assert again[0].endswith("Your week")
    assert again[1].endswith("...")


def test_a_refused_text_is_in_the_providers_book(sandbox: Sandbox, refusal: object) -> None:
    """So that a judge sees what we tried, too."""
    assert refusal(to="+15005550004") == 21610  # type: ignore[operator]
    assert [(each.client, each.code) for each in sandbox.book.refusals()] == [("+15005550004", 21610)]


def test_the_port_is_checked_in_words() -> None:
    assert port_wanted({}) == 0
    assert port_wanted({"PORT": "8080"}) == 8080
    with pytest.raises(FailedToStart, match="PORT must be a number"):
        port_wanted({"PORT": "eighty"})


def test_a_process_that_is_just_started_again_is_ended_too(tmp_path: Path) -> None:
    """Whatever `stop` meets, nothing of ours outlives it."""
    for _ in range(3):
        process = Kept("no-such-command", {}, tmp_path, lambda _: None)
        process.start()
        process.kill()  # the keeper is about to start it again
        process.stop()
        assert process.pid == 0
