"""How a process that lives for months stays small: said and loaded before anything else."""

import ctypes
import os
from contextlib import suppress

from surveys import vocabulary
from surveys.replies import weighing

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h


def settle_in() -> None:
    """Begin a web or worker process: one heap for all its threads, and the large word lists first."""
    _one_heap()
    # Reading the word lists takes twice the room of what is made of them. What is loaded after them fills the holes.
    vocabulary.load()
    for flag in weighing.FLAGS:
        weighing.load(flag)


def _one_heap() -> None:
    """glibc would give each thread a heap of its own, and none ever gets smaller. Python lets one thread run at a time
    anyway. Other systems' libraries don't know this setting."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        with suppress(AttributeError, OSError, TypeError):
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
