"""A thread that is struck by an exception at each step it takes, one after the other: whatever came up there (Ctrl-C, a
server that ends its worker, no memory) must leave nothing held."""

import sys
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any


class Struck(BaseException):
    """What strikes. No `except Exception` holds it back."""


def struck(
    work: Callable[[], object],
    number: int,
    files: Collection[str],
    kept: list[BaseException] | None = None,
    error: type[BaseException] = Struck,
) -> bool:
    """Do `work` in this thread and raise `error` at the step that comes as the so-manieth in one of the files; False if
    there are fewer. What came of it is dropped, with all that hangs on it, or put into `kept`."""
    steps = 0

    def step(_frame: FrameType, what: str, _arg: object) -> Any:
        nonlocal steps
        if what == "opcode":
            steps += 1
            if steps == number:
                raise error
        return step

    def call(frame: FrameType, _event: str, _arg: object) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes = True
        return step

    before = sys.gettrace()
    sys.settrace(call)
    try:
        work()
    except BaseException as raised:
        if kept is not None:
            kept.append(raised)
    finally:
        sys.settrace(before)
    return steps >= number


def unwatched(work: Callable[[], object]) -> None:
    """Do what a test itself does in the middle of it: no exception strikes there."""
    watch = sys.gettrace()
    sys.settrace(None)
    try:
        work()
    finally:
        sys.settrace(watch)
