"""A disk that forgets what was not synced: `disk.c` keeps the book, and a power cut is played from it.

A cut leaves of every file what a sync had reached, and of the folder the names that a sync of the folder had reached.
Of all that came after, it may leave nothing, the first part of it with its last write torn, or any sectors at all: a
disk writes in the order it likes.
"""

import mmap
import random
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SECTOR = 512  # what a disk writes whole or not at all
BOOK_SIZE = 1 << 30  # sparse: only what is written takes room
WAYS = ("lost", "torn", "scattered")

_FIRST = 4096
_FIELDS = ("size", "tail", "last", "off", "syncs", "die_at", "moment", "died", "delay")
_ENTRY = struct.Struct("<IIQQQQII")
_WRITE, _TRUNCATE, _SYNC, _CREATE, _UNLINK, _RENAME, _SYNC_FOLDER = range(1, 8)
_DONE = 1
BEFORE, AFTER, POWER = 1, 2, 4


@dataclass(eq=False)
class _File:
    """What of a file is on the platter, and the writes that aren't yet: (place in the book, offset, data) and, for a
    change of size, data None."""

    content: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, int, bytes | None]] = field(default_factory=list)

    def put(self, offset: int, data: bytes | None) -> None:
        if len(self.content) < offset:
            self.content.extend(bytes(offset - len(self.content)))
        if data is None:
            del self.content[offset:]
        else:
            self.content[offset : offset + len(data)] = data


class Disk:
    """One folder on such a disk, with the folders in it. What is in it when it is made is on the platter.

    `journal`: whoever syncs a file syncs all names, too, as on ext4 and XFS; PostgreSQL counts on it. SQLite doesn't.
    """

    def __init__(self, folder: Path, book: Path, journal: bool = False) -> None:
        self.folder, self.book, self._journal = folder.resolve(), book, journal
        with book.open("w+b") as file:
            file.truncate(BOOK_SIZE)
            self._memory = mmap.mmap(file.fileno(), BOOK_SIZE)
        self.env = {
            "LD_PRELOAD": str(library()),
            "ATTUNE_DISK": str(self.folder),
            "ATTUNE_DISK_BOOK": str(book),
        }
        self.begin()

    def begin(self) -> None:
        """All that is in the folder now is on the platter, and the book is empty. Nobody may be at work."""
        self._begin({})

    def _begin(self, known: Mapping[str, _File]) -> None:
        """`known`: what is in some of the files."""
        found = {path: str(path.relative_to(self.folder)) for path in self._files()}
        self._platter = {
            name: _File(known[name].content if name in known else bytearray(path.read_bytes()))
            for path, name in found.items()
        }
        self._inodes = {path.stat().st_ino: self._platter[name] for path, name in found.items()}
        self._marks = {name: _mark(path) for path, name in found.items()}
        self._touched = set[_File]()
        for name, value in {"size": BOOK_SIZE, "tail": _FIRST, "last": 0, "syncs": 0}.items():
            self._set(name, value)
        self.die_at(0)
        self._set("off", 0)

    def die_at(self, sync: int, moment: int = BEFORE) -> None:
        """Whoever begins the sync of that number (from now on: `syncs()` + n) dies there: BEFORE it or AFTER it;
        with `| POWER` the power fails at the same moment. 0: nobody."""
        self._set("died", 0)
        self._set("moment", moment)
        self._set("die_at", sync)

    def syncs(self) -> int:
        """How many syncs have begun since the last cut."""
        return self._get("syncs")

    def died(self) -> bool:
        """Whether somebody died at the sync they were to die at."""
        return bool(self._get("died"))

    def slow(self, seconds: float) -> None:
        """Each sync takes so long."""
        self._set("delay", int(seconds * 1e6))

    def power_off(self) -> None:
        """From now on nobody gets any further. Whoever is at work must be killed then."""
        self._set("off", 1)

    def is_off(self) -> bool:
        """Whether the power failed and is not back yet."""
        return bool(self._get("off"))

    def cut(self, rng: random.Random, way: str = "") -> str:
        """Leave in the folder what a power cut leaves. Everyone must be dead. The way it was done (see WAYS)."""
        way = way or rng.choice(WAYS)
        names, waiting = self._replay()
        if way != "lost":
            self._survive(rng, way, names, waiting)
        as_it_was = {name for name, file in names.items() if self._is_as_it_was(name, file)}
        for path in self._files():
            if str(path.relative_to(self.folder)) not in as_it_was:
                path.unlink()
        for name in names.keys() - as_it_was:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(names[name].content)
        known = dict(names)
        for name in self._shared_memory(rng):
            known.pop(name, None)
        self._begin(known)
        return way

    def _is_as_it_was(self, name: str, file: _File) -> bool:
        """Neither the book nor the file itself knows of any change: most of a server's files."""
        same = self._platter.get(name) is file and file not in self._touched
        return same and (self.folder / name).exists() and _mark(self.folder / name) == self._marks[name]

    def _replay(self) -> tuple[dict[str, _File], list[tuple[int, str, str, _File]]]:
        """The names on the platter, and changes of names that aren't there yet."""
        names, waiting = dict(self._platter), list[tuple[int, str, str, _File]]()
        for place, kind, inode, offset, old, new, data in self._entries():
            if kind == _CREATE:
                self._inodes[inode] = _File()
            file = self._inodes.setdefault(inode, _File())
            if kind in (_WRITE, _TRUNCATE):
                self._touched.add(file)
                file.waiting.append((place, offset, data if kind == _WRITE else None))
            elif kind == _SYNC:
                for _, start, content in _taken(file.waiting, offset):
                    file.put(start, content)
            if kind == _SYNC_FOLDER or (kind == _SYNC and self._journal):
                for _, before, after, moved in _taken(waiting, offset):
                    _rename(names, before, after, moved)
            elif kind in (_CREATE, _UNLINK, _RENAME):
                waiting.append((place, "" if kind == _CREATE else old, old if kind == _CREATE else new, file))
        return names, waiting

    def _entries(self) -> Iterator[tuple[int, int, int, int, str, str, bytes]]:
        place, end = _FIRST, self._get("tail")
        while place < end:
            kind, state, inode, offset, length, room, name, other = _ENTRY.unpack_from(self._memory, place)
            start = place + _ENTRY.size
            old = self._name(start, name)
            new = self._name(start + name, other)
            if state == _DONE:
                data = start + name + other
                yield place, kind, inode, offset, old, new, self._memory[data : data + length]
            elif state == 0 and place != self._get("last"):
                raise AssertionError("the book holds an entry that was never decided")
            place = start + room

    def _name(self, start: int, length: int) -> str:
        path = self._memory[start : start + length - 1].decode()
        return path.removeprefix(f"{self.folder}/") if path else ""

    def _survive(
        self, rng: random.Random, way: str, names: dict[str, _File], waiting: list[tuple[int, str, str, _File]]
    ) -> None:
        """Some of what was not synced reached the platter all the same. Names keep their order, as journals do."""
        writes = sorted(
            ((each, file) for file in {*self._inodes.values(), *names.values()} for each in file.waiting),
            key=lambda pair: pair[0][0],
        )
        places = [each[0] for each, _ in writes] + [each[0] for each in waiting]
        until = rng.choice([*places, self._get("tail")]) if places else 0
        share = 2.0 if way == "torn" else rng.random()
        for (place, offset, data), file in writes:
            if way == "torn" and place > until:
                break
            torn = way == "torn" and place == until
            _keep(rng, file, offset, data, share, torn)
        for place, before, after, file in waiting:
            if place < until:
                _rename(names, before, after, file)

    def _shared_memory(self, rng: random.Random) -> Iterator[str]:
        """SQLite's -shm is memory: after a power cut it may be gone, or hold anything. The names of such files."""
        for path in self._files():
            if path.name.endswith("-shm"):
                yield str(path.relative_to(self.folder))
                size = path.stat().st_size
                path.unlink()
                if rng.random() < 0.5:
                    path.write_bytes(rng.randbytes(size))

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def _get(self, name: str) -> int:
        return int(struct.unpack_from("<Q", self._memory, 8 * _FIELDS.index(name))[0])

    def _set(self, name: str, value: int) -> None:
        struct.pack_into("<Q", self._memory, 8 * _FIELDS.index(name), value)


def _taken(waiting: list, until: int) -> list:  # type: ignore[type-arg]
    """What was entered before a place in the book; it is taken off the list."""
    reached = [each for each in waiting if each[0] < until]
    waiting[:] = [each for each in waiting if each[0] >= until]
    return reached


def _mark(path: Path) -> tuple[int, int, int]:
    """What changes when a file does."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _rename(names: dict[str, _File], before: str, after: str, file: _File) -> None:
    if before:
        names.pop(before, None)
    if after:
        names[after] = file


def _keep(rng: random.Random, file: _File, offset: int, data: bytes | None, share: float, torn: bool) -> None:
    """Put what survives of one write in its place: each sector with this probability; of a torn one the first few."""
    if data is None:
        if not torn and rng.random() < share:
            file.put(offset, None)
        return
    first = offset - offset % SECTOR
    sectors = range(first, offset + len(data), SECTOR)
    most = rng.randrange(len(sectors) + 1) if torn else len(sectors)
    for sector in list(sectors)[:most]:
        if rng.random() < share:
            start, end = max(sector, offset), min(sector + SECTOR, offset + len(data))
            file.put(start, data[start - offset : end - offset])


@cache
def library() -> Path:
    """disk.c, compiled; it is gone with this process. Raises CalledProcessError with gcc's words."""
    _places.append(tempfile.TemporaryDirectory(prefix="attune-disk-"))
    target = Path(_places[-1].name) / "disk.so"
    source = Path(__file__).with_name("disk.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-o", target, source, "-ldl", "-lpthread"], check=True)
    return target


_places: list[tempfile.TemporaryDirectory[str]] = []


def with_disk(env: Mapping[str, str], disk: Disk) -> dict[str, str]:
    """An environment for processes that work on that disk."""
    return {**env, **disk.env}
