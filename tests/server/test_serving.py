"""Web's processes part once the application is made: each is whole by itself, and another follows one that ends."""

import signal
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from bot.clock import Clock
from bot.flows.context import Context
from bot.web import create_app, serving, watch
from tests.server.site import Door, Site, a_site, text, until
from tests.support.cast import riverside


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 9, 7, 16, 0, tzinfo=UTC)


def test_each_web_process_begins_to_look_whether_a_worker_is_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[Context, Clock]] = []
    monkeypatch.setattr(watch, "start", lambda ctx, clock: begun.append((ctx, clock)))
    with a_site(tmp_path) as site:
        ctx, clock = site.context(), Noon()
        app = create_app(ctx, clock)
        assert begun == [], "a thread begun before the processes part wouldn't go along"
        serving.post_worker_init(SimpleNamespace(wsgi=app))
    assert begun == [(ctx, clock)]


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGKILL])
def test_processes_told_to_begin_again_and_killed_ones_are_followed_by_others_that_take_texts(
    tmp_path: Path, how: signal.Signals
) -> None:
    with a_site(tmp_path) as site:
        ctx = site.context()
        riverside(ctx)
        web = psutil.Process(site.serve().pid)
        first = _of(web)
        for process in [web] if how is signal.SIGHUP else first:
            process.send_signal(how)
        assert until(lambda: len(_of(web)) == serving.workers and not {*_of(web)} & {*first}), site.log.read_text()
        assert all(_takes(site, number) for number in range(8))
        with ctx.store.transaction(write=False) as tx:
            assert len(tx.all("select id from inbox")) == 8
        ctx.store.close()


def _of(web: psutil.Process) -> list[psutil.Process]:
    return [child for child in web.children() if _lives(child)]


def _lives(child: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):  # it was there a moment ago
        return child.status() != psutil.STATUS_ZOMBIE
    return False


def _takes(site: Site, number: int) -> bool:
    return until(lambda: Door(site.port).post_text(text(number, "+12025550101")) == 200)
