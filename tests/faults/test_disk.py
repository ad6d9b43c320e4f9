"""The disk that forgets does forget: else a run on it would show nothing."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.disk import AFTER, BEFORE, POWER, WAYS, Disk, with_disk

RNG = random.Random(7)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "old").write_bytes(b"old")
    return Disk(tmp_path / "disk", tmp_path / "book")


def do(disk: Disk, *steps: str) -> int:
    """Each step by a process of its own; how the last one ended."""
    opening = "import os\ndef sync(name):\n    handle = os.open(name, os.O_RDONLY)\n    os.fsync(handle)\n"
    for step in steps:
        ended = subprocess.run([sys.executable, "-c", opening + step], cwd=disk.folder, env=with_disk(os.environ, disk))
    return ended.returncode


def left(disk: Disk) -> dict[str, object]:
    return inside(disk.folder)


def inside(folder: Path) -> dict[str, object]:
    """What is in it: each file's content, each folder's own."""
    return {path.name: inside(path) if path.is_dir() else path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_synced_stays(disk: Disk, way: str) -> None:
    do(disk, "open('new', 'wb').write(b'new'); sync('new'); sync('.')")
    disk.cut(RNG, way)
    assert left(disk) == {"old": b"old", "new": b"new"}


def test_what_was_not_synced_is_lost(disk: Disk) -> None:
    do(disk, "open('old', 'r+b').write(b'new'); open('new', 'wb').write(b'new')")
    assert left(disk) == {"old": b"new", "new": b"new"}, "until the power fails, all is as it seems"
    disk.cut(RNG, "lost")
    assert left(disk) == {"old": b"old"}


def test_a_name_is_only_there_once_its_folder_was_synced(disk: Disk) -> None:
    do(disk, "open('new', 'wb').write(b'new'); sync('new')", "os.rename('old', 'older')")
    disk.cut(RNG, "lost")
    assert left(disk) == {"old": b"old"}


def test_a_disk_with_a_journal_keeps_names_with_any_file_that_is_synced(disk: Disk) -> None:
    """Also in folders within the folder, as PostgreSQL has them."""
    steps = ("os.mkdir('in'); open('in/new', 'wb').write(b'new'); sync('in/new')", "os.unlink('old')")
    do(disk, *steps)
    disk.cut(RNG, "lost")
    assert left(disk) == {"old": b"old", "in": {}}
    journaled = Disk(disk.folder, disk.book, journal=True)
    do(journaled, *(step.replace("os.mkdir('in'); ", "") for step in steps))
    journaled.cut(RNG, "lost")
    assert left(journaled) == {"old": b"old", "in": {"new": b"new"}}


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ("os.pwritev(handle, [b'n', b'ew'], 1)", b"old", b"onew"),
        ("os.posix_fallocate(handle, 0, 5)", b"old", b"old\0\0"),
        ("os.posix_fallocate(handle, 0, 2)", b"old", b"old"),
    ],
)
def test_every_way_to_change_a_file_is_forgotten_unless_it_is_synced(
    disk: Disk, step: str, before: bytes, after: bytes
) -> None:
    opening = "handle = os.open('old', os.O_RDWR);"
    do(disk, f"{opening} {step}")
    disk.cut(RNG, "lost")
    assert left(disk) == {"old": before}
    do(disk, f"{opening} {step}; os.fsync(handle)")
    disk.cut(RNG, "lost")
    assert left(disk) == {"old": after}


def test_a_sync_is_of_what_was_written_before_it_by_anyone(disk: Disk) -> None:
    do(disk, "open('old', 'r+b').write(b'new')", "sync('old')")
    disk.cut(RNG, "lost")
    assert left(disk) == {"old": b"new"}


def test_sectors_survive_one_by_one(disk: Disk) -> None:
    """Neither all nor nothing, sooner or later."""
    rng, kept = random.Random(7), set()
    for _ in range(10):
        (disk.folder / "old").write_bytes(b"o" * 2048)
        disk.begin()
        do(disk, "open('old', 'r+b').write(b'n' * 2048)")
        disk.cut(rng, "scattered")
        kept.add((disk.folder / "old").read_bytes().count(b"n" * 512))
    assert len(kept) > 2


@pytest.mark.parametrize(("moment", "found"), [(BEFORE, b"old"), (AFTER, b"new")])
def test_a_process_dies_before_or_after_its_second_sync(disk: Disk, moment: int, found: bytes) -> None:
    disk.die_at(2, moment | POWER)
    assert do(disk, "sync('.'); open('old', 'r+b').write(b'new'); sync('old'); open('late', 'w')") == -9
    assert disk.died()
    assert disk.is_off()
    disk.cut(RNG, "lost")
    assert left(disk) == {"old": found}
