"""A world of hosts: each a network namespace of its own with a name and an address, all on one bridge.

Nothing of it can be seen from outside, and all of it ends with the process that `inside` starts: its processes are in
a namespace of their own, too, which the kernel clears when their first one is gone.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

NET = "10.77.0"
NOWHERE = "02:de:ad:00:00:01"  # an address of no card: what is sent there is lost without a word
HERE = f"{NET}.1"
_LEAVING = ("setpriv", "--pdeathsig", "KILL")
_APART = ("--net", "--ipc", "--pid", "--mount-proc", "--fork", "--kill-child")


@cache
def way_in() -> tuple[str, ...]:
    """What to put before a command so that it runs in a world of its own; nothing where this machine allows none.

    As root, or as anyone where users may make namespaces.
    """
    for user in ((), ("--user", "--map-root-user")):
        command = (*_LEAVING, "unshare", *user, *_APART, "--")
        joined = [*command, "sh", "-c", "ip link add br0 type bridge && ip link add v0 type veth peer name v1"]
        if subprocess.run(joined, capture_output=True, check=False).returncode == 0:
            return command
    return ()


class Host:
    """One machine. `inside`: what to put before a command so that it runs there."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.address = name, f"{NET}.{number}"
        self._holder = subprocess.Popen([*_LEAVING, "unshare", "--net", "--uts", "sleep", "infinity"])
        self.inside = ("nsenter", "--target", str(self._holder.pid), "--net", "--uts", "--")
        _wait_until_apart(self._holder.pid)
        _do(f"ip link add v{number} type veth peer name eth0 netns {self._holder.pid}")
        _do(f"ip link set v{number} master br0 up")
        for line in (f"hostname {name}", "ip link set lo up", f"ip addr add {self.address}/24 dev eth0"):
            _do(line, self.inside)
        _do("ip link set eth0 up", self.inside)


class World:
    """The bridge, this process's own place on it (`HERE`), and the hosts."""

    def __init__(self) -> None:
        for line in ("ip link set lo up", "ip link add br0 type bridge", f"ip addr add {HERE}/24 dev br0"):
            _do(line)
        _do("ip link set br0 up")
        self.hosts: dict[str, Host] = {}

    def add(self, name: str) -> Host:
        """Another machine."""
        self.hosts[name] = Host(name, 10 + len(self.hosts))
        return self.hosts[name]

    @contextmanager
    def lost(self, *ways: tuple[str, str]) -> Iterator[None]:
        """Meanwhile every packet on these ways (from, to) is lost without a word. "" is this process's own place."""
        for source, target in ways:
            self._neighbour("replace", source, target, f"lladdr {NOWHERE} nud permanent")
        try:
            yield
        finally:
            for source, target in ways:
                self._neighbour("del", source, target)

    def cut(self, one: str, *others: str) -> list[tuple[str, str]]:
        """The ways between one host and others, both directions."""
        return [way for other in others for way in ((one, other), (other, one))]

    def _neighbour(self, verb: str, source: str, target: str, how: str = "") -> None:
        address = self.hosts[target].address if target else HERE
        where, inside = ("eth0", self.hosts[source].inside) if source else ("br0", ())
        _do(f"ip neigh {verb} {address} {how} dev {where}", inside)


def _wait_until_apart(pid: int) -> None:
    ours = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{pid}/ns/net") == ours or not os.path.exists(f"/proc/{pid}/ns/uts"):
        time.sleep(0.005)


def _do(line: str, inside: Sequence[str] = ()) -> None:
    done = subprocess.run([*inside, *line.split()], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{line}: {done.stderr.strip()}")
