"""Backups and restores by Attune's own commands, as an operator types them, on real files."""

import os
import shlex
import subprocess
import sys
from itertools import count
from pathlib import Path
from threading import Event, Thread

from bot.flows.backups import GOOD_BACKUP_AT
from bot.sandbox.processes import environment
from bot.store import SqliteEngine, system
from tests.server.drill import GOAL, practise
from tests.server.site import Door, Site, a_site, text
from tests.support.cast import riverside

REPLIES = 50_000
COPIES = 2


def sids(site: Site, path: str | None = None) -> set[str]:
    """The texts in the database, or in a copy of it."""
    store = site.inside().store
    if path:
        store = SqliteEngine(path, store.sealer)
        assert store.integrity() == "ok"
    with store.transaction(write=False) as tx:
        found = {str(row["provider_id"]) for row in tx.all("select provider_id from inbox")}
    store.close()
    return found


def test_a_backup_made_while_texts_come_in_holds_all_that_were_answered_before_it_began(tmp_path: Path) -> None:
    with a_site(tmp_path) as site:
        riverside(site.context())
        site.serve()
        over, answered = Event(), [0]
        beside = [Thread(target=_post, args=(site, n, answered, over)) for n in range(3)]
        for thread in beside:
            thread.start()
        try:
            for n in range(COPIES):
                before = sids(site)
                site.run("backup", str(tmp_path / f"{n}.db"))
                assert before <= sids(site, str(tmp_path / f"{n}.db"))
        finally:
            over.set()
            for thread in beside:
                thread.join()
        assert answered[0] == len(sids(site)) > COPIES


def _post(site: Site, thread: int, answered: list[int], over: Event) -> None:
    for number in count(thread * 10**6):
        if over.is_set():
            return
        assert Door(site.port).post_text(text(number, "+12025550101", "5 4 5")) == 200
        answered[0] += 1


def test_a_full_disk_spoils_no_earlier_backup_and_the_doctor_still_goes_by_that_one(tmp_path: Path) -> None:
    with a_site(tmp_path) as site:
        riverside(site.context())
        site.run("backup", str(tmp_path / "first.db"))
        good = last_good(site)
        room = int((tmp_path / "first.db").stat().st_size * 1.5)
        said = on_a_small_disk(site, tmp_path, room)
    assert said.stdout.split() == ["0", "2", "good.db"], "one fitted, the next didn't, and nothing else is left"
    assert "make room" in said.stderr, said.stderr
    assert good is not None
    assert last_good(site) == good


def on_a_small_disk(site: Site, folder: Path, room: int) -> "subprocess.CompletedProcess[str]":
    """Copy the first backup to a disk of that many bytes, and make another there. Prints how each ended, and what is
    on the disk after that. The disk is seen by this command alone and goes with it; where none may be made, the size of
    a file is limited instead, so that the copy is cut off all the same."""
    disk = folder / "disk"
    disk.mkdir()
    attune = f"{shlex.quote(sys.executable)} -m bot backup {disk}/another.db"
    after = f"cmp {folder}/first.db {disk}/good.db; echo $?; {{limit}} {attune}; echo $?; ls -A {disk}"
    mount = f"mount -t tmpfs -o size={room} tmpfs {disk} && cp {folder}/first.db {disk}/good.db && "
    alone = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-Urm"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0:
        command = [*alone, "sh", "-c", mount + after.format(limit="")]
    else:
        limit = f"prlimit --fsize={room // 3}"
        command = ["sh", "-c", f"cp {folder}/first.db {disk}/good.db && " + after.format(limit=limit)]
    return subprocess.run(command, env=environment(site.env), capture_output=True, text=True, check=False)


def last_good(site: Site) -> str | None:
    with site.inside().store.transaction(write=False) as tx:
        return system.value(tx, GOOD_BACKUP_AT)


def test_a_fresh_folder_with_fifty_thousand_replies_restored_is_well_again_soon(tmp_path: Path) -> None:
    """A short form of `python -m tests.server.drill`, which does it with a million. On a busy machine the clock on the
    wall says little, so that the restore's own work is bounded, and the rest only must come to its end."""
    drill = practise(REPLIES, tmp_path)
    assert drill.after == drill.before == (REPLIES, 4 * REPLIES)
    assert drill.worked < GOAL / 4, drill
