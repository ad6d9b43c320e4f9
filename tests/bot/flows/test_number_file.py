"""The number kept outside of a database, whoever writes it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from bot.flows import number_file


def test_two_threads_may_write_at_the_same_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither takes the other's half-made file away, which would be told as a folder that can't be written."""
    both, replace = Barrier(2), os.replace

    def replace_together(part: Path, file: Path) -> None:
        both.wait(20)
        replace(part, file)

    monkeypatch.setattr(os, "replace", replace_together)
    file = tmp_path / "attune.epoch"
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(number_file.write, [file, file], [7, 7]))
    assert number_file.read(file) == 7
    assert os.listdir(tmp_path) == [file.name]
