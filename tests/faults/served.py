"""A PostgreSQL server whose files are on the disk that forgets (`disk.py`)."""

import os
import random
from collections.abc import Sequence
from pathlib import Path

from tests.faults.disk import Disk, library, with_disk
from tests.hosts.server import Server

# Little memory and a short log, so that pages are written, synced and written anew all the time.
SETTINGS = ("shared_buffers=2MB", "max_wal_size=6MB", "min_wal_size=2MB", "checkpoint_warning=0",
            "wal_sync_method=fdatasync", "io_method=sync")  # fmt: skip


class NoServer(Exception):
    """It does not come back."""


class Served:
    """A server with one empty database, whose disk forgets nothing until `put_on_disk`. `spoiled`: more settings, that
    it has from then on."""

    def __init__(self, folder: Path, spoiled: Sequence[str] = ()) -> None:
        self._folder, self._spoiled = folder.resolve(), spoiled
        self._server = Server(self._folder / "pg")
        self._start("fsync=off")
        self.url = self._server.url(self._server.fresh())

    def put_on_disk(self) -> Disk:
        """From now on what isn't synced may be lost. Nobody may be at work."""
        self._server.stop()
        self.disk = Disk(self._server.folder, self._folder / "book", journal=True)
        self._server.let_in(self.disk.book, library())
        self._server.env = with_disk(os.environ, self.disk)
        self.start()
        return self.disk

    def start(self) -> None:
        """Start it, and let it recover. Raises NoServer with its own words if it doesn't."""
        self._start(*self._spoiled)

    def _start(self, *more: str) -> None:
        # what it says of processes that are gone is of no use, and may be torn
        (self._server.folder / "postmaster.pid").unlink(missing_ok=True)
        try:
            self._server.start(*SETTINGS, *more)
        except RuntimeError as error:
            raise NoServer(f"the server doesn't start again: {str(error)[-500:]}") from error

    def strike(self) -> None:
        """kill -9 of all its processes."""
        self._server.strike()

    def mend(self) -> None:
        """Wait until it takes connections: its first process starts all others when one dies. If that fails too, it has
        given up, and is started anew."""
        try:
            self._server.wait()
        except RuntimeError:
            self._server.strike()
            self.start()

    def cut(self, rng: random.Random) -> str:
        """Leave what a power cut leaves; the way it was done. It must have been struck before."""
        way = self.disk.cut(rng)
        self._server.let_in(*(path for path in self._server.folder.rglob("*") if path.is_file()))
        return way
