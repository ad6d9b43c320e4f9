"""A file that holds one number and outlives a power cut: how far a database had come, kept outside of it."""

import os
from contextlib import suppress
from pathlib import Path
from threading import get_native_id


def read(file: Path) -> int | None:
    """The number; None where there is none to be read."""
    with suppress(OSError, ValueError):
        return int(file.read_text())
    return None


def write(file: Path, number: int) -> None:
    """So that a power cut leaves this number or the one before, not an empty file or none. Raises OSError.

    Any number of processes and threads may write at the same moment; one of their numbers is there then.
    """
    part = file.with_name(f"{file.name}.{os.getpid()}-{get_native_id()}")
    with part.open("w") as opened:
        opened.write(str(number))
        opened.flush()
        os.fsync(opened.fileno())
    part.chmod(0o600)
    os.replace(part, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
