"""Work that only one process may be at in a folder, by a lock on the folder itself.

A lock file would stay behind, or be removed under whoever has just opened it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from bot.store.errors import StoreError, files_told_in_words


@contextlib.contextmanager
def alone_in(folder: str, refusal: str) -> Iterator[None]:
    """Raises StoreError, with these words, while somebody else is at it. Whoever dies lets go."""
    with files_told_in_words(folder):
        handle = os.open(folder, os.O_RDONLY)
    try:
        with files_told_in_words(folder):
            if not _locked(handle):
                raise StoreError(refusal)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
