"""`attune`, as it is typed: what it prints, how it exits, and that a mistake is answered in words."""

import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot import cli
from bot.config import SETTINGS
from bot.flows import exporting, intake, settings
from bot.sandbox import Sandbox
from bot.store import open_store
from surveys.schedule import Schedule

ROOT = Path(__file__).parents[2]
KEY = "a-secret-for-tests-that-is-long-enough"
THERAPISTS = "name,email\nTheo,theo@riverside.example\n"
ROSTER = (
    "client_ref,name,phone,email,language,timezone,channel,consent_at,therapist_email\n"
    "C-Ana,Ana,+12025550101,,en,,sms,2026-01-01,theo@riverside.example\n"
)
ENDED = datetime.now(UTC) - timedelta(hours=3)
VISITS = (
    "appointment_ref,client_ref,therapist_email,starts_at,ends_at,status\n"
    f"V-1,C-Ana,theo@riverside.example,{(ENDED - timedelta(minutes=50)).isoformat()},{ENDED.isoformat()},attended\n"
)


class Attune:
    """The command line over one database."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        nothing = dict.fromkeys(SETTINGS, "")
        self.env = {**nothing, "DATABASE_URL": f"sqlite:///{folder}/attune.db", "SECRET_KEY": KEY, **env}

    def __call__(self, *args: str, given: str | bytes = "") -> Result:
        return CliRunner().invoke(cli.main, list(args), input=given, env=self.env)

    def good(self, *args: str, given: str | bytes = "") -> str:
        """What it prints, having exited 0."""
        result = self(*args, given=given)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *args: str, code: int = 2, given: str | bytes = "") -> str:
        """What it says about a call it doesn't carry out: on standard error, and without a trace."""
        result = self(*args, given=given)
        assert result.exit_code == code, (result.exit_code, result.output, result.exception)
        assert isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        return result.stderr

    def process(self, *args: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
        """The same in a process of its own."""
        command = [sys.executable, "-m", "bot", *args]
        env = {**os.environ, **self.env, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def attune(tmp_path: Path) -> Attune:
    """With an empty database."""
    found = Attune(tmp_path)
    found.good("migrate")
    return found


@pytest.fixture
def filled(attune: Attune) -> Attune:
    """With Theo, Ana and a visit that ended three hours ago."""
    for kind, text in {"therapists": THERAPISTS, "roster": ROSTER, "appointments": VISITS}.items():
        attune.good("import", kind, "-", given=text)
    return attune


def pairs(text: str) -> Mapping[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def commands() -> list[tuple[str, ...]]:
    """Every command there is."""
    found: list[tuple[str, ...]] = []
    for name, command in cli.main.commands.items():
        below = getattr(command, "commands", None)
        found += [(name, inner) for inner in below] if below else [(name,)]
    return found


@pytest.mark.parametrize("command", [(), *commands()])
def test_every_command_explains_itself(command: tuple[str, ...], tmp_path: Path) -> None:
    """Without any setting, and in a line's worth of words at least."""
    result = Attune(tmp_path, SECRET_KEY="")(*command, "--help")
    assert result.exit_code == 0
    assert re.search(r"\n\n  \w.{20,}", result.output)


@pytest.mark.parametrize(
    "args", [("nonsense",), ("import", "songs", "x.csv"), ("schedule", "set"), ("export", "answers")]
)
def test_a_call_that_makes_no_sense_exits_2(attune: Attune, args: tuple[str, ...]) -> None:
    assert "Usage:" in attune.refused(*args)


def test_the_command_is_installed_under_its_name() -> None:
    [script] = [each for each in importlib.metadata.entry_points(group="console_scripts") if each.name == "attune"]
    assert script.load() is cli.main


def test_python_m_bot_is_attune_from_any_folder(tmp_path: Path) -> None:
    attune = Attune(tmp_path)
    done = attune.process("migrate", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    done = attune.process("schedule", "show", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert pairs(done.stdout) == Schedule().show()


def test_a_mistake_in_a_process_of_its_own_is_answered_in_words(tmp_path: Path) -> None:
    done = Attune(tmp_path, SECRET_KEY="").process("schedule", "show")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("SECRET_KEY (or SECRET_KEY_FILE) is not set.")


def test_looking_at_the_schedule_loads_neither_numpy_for_the_signal_nor_twilio(filled: Attune) -> None:
    """A second of waiting, each time it is typed; what else was loaded is told apart from how fast this machine is."""
    code = (
        "import sys; from bot.cli import main; main(['schedule', 'show'], standalone_mode=False);"
        "print([name for name in ('twilio', 'requests', 'apscheduler', 'surveys.rapport', 'phonenumbers', 'flask')"
        " if name in sys.modules])"
    )
    env = {**os.environ, **filled.env}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_words_for_kinds_are_those_of_the_flows() -> None:
    """They are written twice so that help needs no flow loaded."""
    assert tuple(intake.COLUMNS) == cli.TABLES
    assert tuple(exporting.KINDS) == cli.EXPORTS


def test_migrating_twice_does_nothing_the_second_time(tmp_path: Path) -> None:
    attune = Attune(tmp_path, SECRET_KEY="")
    assert re.fullmatch(r"\d+ steps? applied.\n", attune.good("migrate"))
    assert attune.good("migrate") == "Nothing to do: the database is up to date.\n"


@pytest.mark.parametrize(
    "args", [("schedule", "show"), ("tick",), ("worker",), ("import", "roster", "-"), ("backup", "x"), ("doctor",)]
)
def test_without_a_database_the_first_step_is_named_and_none_is_made(tmp_path: Path, args: tuple[str, ...]) -> None:
    attune = Attune(tmp_path)
    result = attune(*args)
    assert result.exit_code == (1 if args == ("doctor",) else 2)
    assert "run `attune migrate` first" in result.output
    assert not (tmp_path / "attune.db").exists()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY (or SECRET_KEY_FILE) is not set"),
        ({"PORT": "x", "SEND_PACE": "-1"}, "PORT must be a number from 1 to 65535; it is 'x'.\nSEND_PACE must be"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL must look like sqlite:///"),
        ({"DATABASE_URL": "sqlite:////proc/none/attune.db"}, "attune migrate"),
        ({"SECRET_KEY": "another-key-that-is-long-enough-too"}, "not in SECRET_KEY"),
        ({"ATTUNE_CLOCK_URL": "http://127.0.0.1:1/clock"}, "ATTUNE_CLOCK_URL"),
    ],
)
def test_a_setting_that_is_wrong_is_named(filled: Attune, env: dict[str, str], words: str) -> None:
    filled.env |= env
    assert words in filled.refused("import", "roster", "-", given=ROSTER)


def test_web_names_what_it_needs(attune: Attune) -> None:
    assert "PUBLIC_URL is not set" in attune.refused("web")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "attune.db").write_bytes(b"junk" * 2000)
    assert "is not a database" in Attune(tmp_path).refused("schedule", "show")


def test_files_are_taken_from_disk_or_standard_input(attune: Attune) -> None:
    (attune.folder / "t.csv").write_text(THERAPISTS)
    told = attune.good("import", "therapists", str(attune.folder / "t.csv"))
    assert told == "therapists: 1 new, 0 changed, 0 as before, 0 refused.\n"
    assert "1 as before" in attune.good("import", "therapists", "-", given=THERAPISTS)


def test_a_refused_row_is_named_and_exits_1_and_the_good_ones_are_taken(attune: Attune) -> None:
    result = attune("import", "therapists", "-", given=f"{THERAPISTS}Ines,ines\n,x\n")
    assert result.exit_code == 1
    assert result.stdout == "therapists: 1 new, 0 changed, 0 as before, 2 refused.\n"
    assert result.stderr.splitlines() == [
        "line 3, column email: is not a mail address; write it as name@example.org",
        "line 4, column name: is empty; it holds the therapist's name",
        "line 4, column email: is not a mail address; write it as name@example.org",
    ]


def test_what_is_odd_but_taken_is_said_and_exits_0(attune: Attune) -> None:
    attune.good("import", "therapists", "-", given=THERAPISTS)
    ahead = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    result = attune("import", "roster", "-", given=ROSTER.replace("2026-01-01", ahead))
    assert result.exit_code == 0
    assert "line 2, column consent_at: lies ahead; the client isn't asked before (taken all the same)" in result.stderr


def test_a_file_that_cannot_be_used_exits_2(attune: Attune) -> None:
    assert "No such file" in attune.refused("import", "roster", str(attune.folder / "none.csv"))
    assert "s a directory" in attune.refused("import", "roster", str(attune.folder))
    assert "the header lacks client_ref" in attune.refused("import", "roster", "-", given="a,b\n")
    assert "Excel workbook" in attune.refused("import", "roster", "-", given=b"PK\x03\x04")


def test_a_practice_is_made_by_naming_it_in_an_import(attune: Attune) -> None:
    attune.good("import", "therapists", "-", "--practice", "Riverside", given=THERAPISTS)
    attune.good("import", "therapists", "-", "--practice", "Hillside", given=THERAPISTS)
    assert "add --practice with one of 'Hillside', 'Riverside'" in attune.refused("schedule", "show")
    assert attune.good("practice", "show", "--practice", "Hillside").splitlines()[1] == "name=Hillside"
    assert "no practice called 'Hilside'" in attune.refused("schedule", "show", "--practice", "Hilside")


def test_the_rule_is_set_and_shown_as_it_would_be_typed(attune: Attune) -> None:
    told = attune.good("schedule", "set", "delay_minutes=60", "days=mon..fri", "hours=08:00-21:00")
    assert told == attune.good("schedule", "show")
    assert pairs(told)["days"] == "mon,tue,wed,thu,fri"
    assert attune.good("schedule", "set", *told.splitlines()) == told


def test_a_bad_rule_is_named_by_key_with_a_suggestion_and_nothing_changes(attune: Attune) -> None:
    before = attune.good("schedule", "show")
    words = attune.refused("schedule", "set", "delay_minuts=60", "digits=9", "every=2")
    assert "Did you mean delay_minutes?" in words
    assert "Did you mean delay_minutes?" in attune.refused("schedule", "set", "delay=90")
    assert "digits=9 can't be used" in words
    assert "'every' is not KEY=VALUE" in attune.refused("schedule", "set", "every")
    assert attune.good("schedule", "show") == before


def test_the_practice_is_set_and_shown(attune: Attune) -> None:
    assert (
        attune.good("practice", "set", "sms_name=Riverside", "duty_name=Dana", "duty_email=dana@riverside.example")
        == "Saved.\n"
    )
    shown = pairs(attune.good("practice", "show"))
    assert tuple(shown) == settings.KEYS
    assert (shown["sms_name"], shown["duty_email"]) == ("Riverside", "dana@riverside.example")
    assert "Did you mean duty_email?" in attune.refused("practice", "set", "duty_emial=x")


def test_a_client_on_hold_is_not_asked_until_they_are_active_again(filled: Attune) -> None:
    filled.good("schedule", "set", "hours=00:00-24:00", "days=mon..sun", "delay_minutes=1440")
    store = open_store(filled.env["DATABASE_URL"], (KEY,))

    def planned() -> int:
        with store.transaction(write=False) as tx:
            return len(tx.all("select * from check_in where state = 'planned'"))

    assert planned() == 1
    assert filled.good("client", "set", "C-Ana", "state=on_hold") == "Saved.\n"
    assert planned() == 0
    assert filled.good("client", "set", "C-Ana", "state=on_hold") == "It was so before.\n"
    assert "set state=active first" in filled.refused("client", "resume", "C-Ana")
    filled.good("client", "set", "C-Ana", "state=active")
    assert planned() == 1
    assert filled.good("client", "resume", "C-Ana") == "Nothing held them up.\n"


def test_a_state_or_a_client_there_is_not_is_named(filled: Attune) -> None:
    assert "state must be one of active, on_hold" in filled.refused("client", "set", "C-Ana", "state=gone")
    assert "Only the state can be set" in filled.refused("client", "set", "C-Ana", "consent=no")
    assert "C-Zed" in filled.refused("client", "set", "C-Zed", "state=died")


def test_exports_need_a_reason(filled: Attune) -> None:
    assert "--reason" in filled.refused("export", "answers")
    assert "kept in the audit trail" in filled.refused("export", "answers", "--reason", "  ")
    told = filled.good("export", "answers", "--reason", "audit")
    assert told == "client_ref,appointment_ref,feeling,score,answered_at\r\n" or told.startswith("client_ref,")


def test_an_export_is_the_same_bytes_in_any_terminal(filled: Attune) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "export", "messages", "--reason", "x"],
        cwd=ROOT,
        env={**os.environ, **filled.env, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.endswith(b"sent_at,delivery\r\n")


def test_a_token_is_shown_once_and_opens_the_interface(filled: Attune) -> None:
    token = filled.good("token", "new", "Riverside's calendar").strip()
    assert token.startswith("attune_")
    store = open_store(filled.env["DATABASE_URL"], (KEY,))
    with store.transaction(write=False) as tx:
        assert token not in str(tx.all("select * from api_token"))
        assert [row["what"] for row in tx.all("select what from audit")] == ["token"]
    assert "whose token" in filled.refused("token", "new", " ")


def test_try_reply_shows_what_is_understood_and_why_without_any_setting(tmp_path: Path) -> None:
    attune = Attune(tmp_path, SECRET_KEY="")
    lines = attune.good("try-reply", "5 4 5").splitlines()
    assert lines[:5] == ["kind: answer", "heard: 5", "respected: 4", "understood: 5", "flags: none"]
    assert any(line.startswith("because: heard 5 from '5'") for line in lines)
    lines = attune.good("try-reply", "hello there").splitlines()
    assert "because: heard is left open: no number and no word of the scale (S15)" in lines
    lines = attune.good("try-reply", "heard 4").splitlines()
    assert "or: heard 4, respected 4, understood 4 (the same for every question)" in lines
    lines = attune.good("try-reply", "STOP", "--asked", "heard,involved").splitlines()
    assert lines[1:4] == ["heard: open", "involved: open", "flags: opt_out"]
    assert "loved is not a feeling; there are heard" in attune.refused("try-reply", "5", "--asked", "heard,loved")
    assert list(tmp_path.iterdir()) == []


def test_a_tick_sends_what_is_due_by_the_time_it_is_told(filled: Attune) -> None:
    with Sandbox("http://attune.example") as sandbox:
        filled.env |= {**sandbox.environment, "ATTUNE_CLOCK_URL": "", "PUBLIC_URL": "http://attune.example"}
        filled.env["SEND_PACE"] = "5"  # a welcome takes up the next second
        filled.good("schedule", "set", "hours=00:00-24:00", "days=mon..sun", "delay_minutes=1440")
        assert filled.good("tick") == "0 things done.\n"
        later = (ENDED + timedelta(hours=25)).isoformat()
        assert filled.good("tick", "--now", later) != "0 things done.\n"
        assert [message.client for message in sandbox.book.all()] == ["+12025550101", "+12025550101"]
        assert filled.good("tick", "--now", later) == "0 things done.\n"


def test_a_tick_without_a_way_to_send_says_what_waits_and_what_is_missing(filled: Attune) -> None:
    filled.good("schedule", "set", "hours=00:00-24:00", "days=mon..sun", "delay_minutes=0")
    *_, last = filled.good("tick").splitlines()
    assert last.endswith(
        " due and waiting: no texts can be sent without TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, "
        "TWILIO_MESSAGING_SERVICE_SID (or TWILIO_FROM)."
    )


@pytest.mark.parametrize("now", ["yesterday", "2026-13-01", "0001-01-01T00:00:00+05:00"])
def test_a_tick_at_no_time_is_refused(attune: Attune, now: str) -> None:
    assert "--now must be a time such as" in attune.refused("tick", "--now", now)


def test_the_doctor_exits_1_where_something_is_bad(attune: Attune) -> None:
    result = attune("doctor")
    assert result.exit_code == 1
    assert "bad   SMTP_URL: is not set" in result.stdout
    assert re.search(r"^good  database: .*attune.db, SQLite", result.stdout, re.MULTILINE)


def test_the_doctor_looks_also_where_the_key_is_missing(tmp_path: Path) -> None:
    attune = Attune(tmp_path)
    attune.good("migrate")
    attune.env["SECRET_KEY"] = ""
    assert re.search(r"^bad   SECRET_KEY: .*not set", attune("doctor").stdout, re.MULTILINE)


def test_a_backup_is_made_and_restored(filled: Attune) -> None:
    filled.good("schedule", "set", "delay_minutes=1440")  # at no time of the day is anything due yet
    file = str(filled.folder / "copy.db")
    assert "Keep SECRET_KEY elsewhere" in filled.good("backup", file)
    assert "is there already" in filled.refused("backup", file)
    filled.good("practice", "set", "sms_name=Other")
    told = filled.good("restore", file)
    assert told.startswith("Restored. Messages looked up before they may go out again: 0.")
    assert pairs(filled.good("practice", "show"))["sms_name"] != "Other"
    assert "isn't there" in filled.refused("restore", str(filled.folder / "none.db"))


def test_a_restore_beside_a_worker_needs_force(filled: Attune) -> None:
    file = str(filled.folder / "copy.db")
    filled.good("backup", file)
    filled.good("tick")  # by this very process, which goes on
    assert "A worker is still running" in filled.refused("restore", file)
    assert filled.good("restore", file, "--force").startswith("Restored.")


def test_a_new_key_is_long_and_never_the_same(tmp_path: Path) -> None:
    attune = Attune(tmp_path, SECRET_KEY="")
    keys = {attune.good("new-key").strip() for _ in range(3)}
    assert len(keys) == 3
    assert all(len(key) >= 48 and "," not in key for key in keys)


def test_after_a_change_of_key_everything_is_sealed_anew(filled: Attune) -> None:
    new = "the-new-key-that-is-long-enough-as-well"
    filled.env["SECRET_KEY"] = f"{new},{KEY}"
    assert re.fullmatch(r"\d+ rows written anew, 0 left as they were.\n", filled.good("reseal"))
    filled.env["SECRET_KEY"] = new
    assert "1 as before" in filled.good("import", "roster", "-", given=ROSTER)
    filled.env["SECRET_KEY"] = "a-third-key-that-nothing-was-sealed-with"
    assert "which is not in SECRET_KEY or its file" in filled.refused("reseal")


def test_with_nothing_under_an_older_key_reseal_says_that_nothing_needs_it(filled: Attune) -> None:
    """Two noughts would read as if nothing were sealed."""
    assert filled.good("reseal") == "Nothing to do: whatever is sealed is under the first key already.\n"


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert Attune(tmp_path).good("--version") == f"attune {importlib.metadata.version('attune')}\n"


def test_the_readme_leads_to_a_manager_who_is_signed_in_with_the_example_of_settings_as_it_comes(
    tmp_path: Path,
) -> None:
    """The lines under "Using it", typed one after the other: a key of one's own, and links to this machine."""
    text = (ROOT / "README.md").read_text("utf-8")
    [lines] = [block for block in text.split("```") if "attune migrate" in block]
    typed = [line.partition(" #")[0].strip() for line in lines.splitlines() if line.strip()]
    bin_ = Path(sys.executable).parent
    [start] = [place for place, line in enumerate(typed) if line.startswith("cp .env.example")]
    kept = [line for line in typed[start:] if not line.endswith("&")]
    (tmp_path / ".env.example").write_text((ROOT / ".env.example").read_text("utf-8"))
    env = {"PATH": f"{bin_}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    script = 'set -e\nattune() { python -m bot "$@"; }\n' + "\n".join(kept)
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *_, link = done.stdout.splitlines()
    assert link.startswith("http://127.0.0.1:8000/")
    assert "Dana <dana@riverside.example> is now a manager" in done.stdout


def test_no_command_prints_a_name_a_number_or_an_address_it_was_not_asked_for(filled: Attune) -> None:
    bad = ROSTER.replace("+12025550101", "+1202555010x").replace("theo@", "theo2@").replace("C-Ana,Ana", "C-2,Anabel")
    result = filled("import", "roster", "-", given=bad)
    assert result.exit_code == 1
    for secret in ("+1202555010x", "theo2", "Anabel"):
        assert secret not in result.output


def test_the_operators_guide_names_every_setting_and_every_command() -> None:
    text = (ROOT / "docs" / "operators.md").read_text("utf-8")
    assert [name for name in SETTINGS if f"`{name}`" not in text] == []
    assert [command for command in commands() if f"attune {' '.join(command)}" not in text] == []


def test_the_managers_guide_names_every_column_setting_and_contact() -> None:
    text = (ROOT / "docs" / "managers.md").read_text("utf-8")
    columns = {name for names in intake.COLUMNS.values() for name in names}
    assert sorted(name for name in columns | set(settings.KEYS) if f"`{name}`" not in text) == []
