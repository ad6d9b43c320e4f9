"""What stands in `deploy/` and in the Procfile says the same, and what systemd and the documents are told holds."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from bot.channels import imap, mail, sms
from bot.web import serving
from bot.worker import GOODBYE
from tests.server.proxies import DEPLOY

ROOT = DEPLOY.parent
UNITS = sorted(path.name for path in DEPLOY.glob("attune-*.*"))
OPERATORS = (ROOT / "docs" / "operators.md").read_text()
HOME = "/opt/attune/app/.venv/bin/"
LOOSEST = 20  # tenths, of what systemd calls exposure: 0 is sealed off, 100 is a plain service


def settings(unit: str) -> dict[str, list[str]]:
    """Every KEY=VALUE of a unit."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / unit).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def procfile() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


def instructions() -> list[tuple[str, str]]:
    """The Containerfile, one instruction a pair; a line that ends in \\ goes on in the next."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Containerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], " ".join(line.split()[1:])) for line in lines]


def seconds(value: str) -> float:
    return float(value.removesuffix("min")) * 60 if value.endswith("min") else float(value)


def test_procfile_units_and_container_run_the_same_commands() -> None:
    web, worker = settings("attune-web.service"), settings("attune-worker.service")
    run = procfile()
    assert web["ExecStartPre"] == [HOME + run["release"]]
    assert web["ExecStart"] == [HOME + run["web"]]
    assert worker["ExecStart"] == [HOME + run["worker"]]
    assert dict(instructions())["CMD"] == str(run["web"].split()).replace("'", '"')
    comments = (DEPLOY / "Containerfile").read_text()
    assert all(f"attune {command}\n" in comments for command in run.values())


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_reads_every_unit_without_a_word(unit: str, tmp_path: Path) -> None:
    """With a command that is there in the place of one that is on a server only."""
    for name in UNITS:
        text = (DEPLOY / name).read_text().replace(HOME + "attune", shutil.which("true") or "")
        (tmp_path / name).write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr + said.stdout) == (0, "")


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.endswith(".service")])
def test_a_unit_may_do_little_but_its_work(unit: str) -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={LOOSEST}", "--no-pager", str(DEPLOY / unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout[-200:]


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.endswith(".service")])
def test_every_folder_a_unit_writes_to_is_made_by_the_steps_in_the_document(unit: str) -> None:
    found = settings(unit)
    folders = " ".join(found["ReadWritePaths"]).split()
    assert all(re.search(rf"install -d -o attune.*{folder}\b", OPERATORS) for folder in folders)
    assert found["User"] == ["attune"]
    assert found["EnvironmentFile"] == ["/etc/attune/env"]
    for value in found.get("Environment", []):
        assert any(value.partition("=")[2].startswith(folder) for folder in folders)


def test_systemd_waits_longer_than_web_and_worker_take_to_end() -> None:
    """Else it would kill them in the middle of a call."""
    longest_call = max(sms.CONNECT_SECONDS + sms.READ_SECONDS, mail.TIMEOUT_SECONDS, imap.TIMEOUT_SECONDS)
    assert longest_call < GOODBYE, "a call that is under way ends by itself"
    for unit, needed in {"attune-web.service": serving.graceful_timeout, "attune-worker.service": GOODBYE}.items():
        assert seconds(settings(unit)["TimeoutStopSec"][0]) >= needed + 15


def test_the_container_has_all_that_the_program_is_made_of() -> None:
    steps = instructions()
    assert {name for name, _ in steps} <= {"FROM", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "STOPSIGNAL", "CMD"}
    copied = {source for name, rest in steps if name == "COPY" for source in rest.split()[:-1]}
    assert all((ROOT / source).exists() for source in copied)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.removesuffix("*") for name in packages} <= copied
    assert dict(steps)["USER"] not in ("root", "0")
    assert [name for name, _ in steps].index("USER") > max(i for i, (name, _) in enumerate(steps) if name == "RUN")


def test_litestream_and_the_units_mean_the_database_of_the_document() -> None:
    path = re.search(r"DATABASE_URL=sqlite:///(/\S+)", OPERATORS)
    assert path
    assert f"- path: {path[1]}\n" in (DEPLOY / "litestream.yml").read_text()
    assert path[1].startswith(settings("attune-web.service")["ReadWritePaths"][0] + "/")
