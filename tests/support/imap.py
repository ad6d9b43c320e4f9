"""A mailbox that speaks just enough IMAP (RFC 3501) to be polled: one folder, in memory, on loopback."""

import re
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

USER, PASSWORD = "attune", "s3cret words"


@dataclass
class Folder:
    """Mails by uid, and which were seen. `cut_at`: the command at which the next connection breaks off."""

    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    cut_at: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        return f"imap://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/INBOX"

    def put(self, raw: bytes) -> int:
        """A mail arrives; its uid."""
        self.mails[len(self.mails) + 1] = raw
        return len(self.mails)


class _Talk(socketserver.StreamRequestHandler):
    folder: Folder

    def handle(self) -> None:
        self._say("* OK [CAPABILITY IMAP4rev1] ready")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            tag, _, command = line.partition(" ")
            self.folder.said.append(command)
            if self.folder.cut_at and command.startswith(self.folder.cut_at):
                self.folder.cut_at = ""
                return
            self._say(f"{tag} {self._answer(command)}")

    def _answer(self, command: str) -> str:
        if command.startswith("LOGIN"):
            return (
                "OK in" if command.replace('"', "") == f"LOGIN {USER} {PASSWORD}" else "NO [AUTHENTICATIONFAILED] wrong"
            )
        if command.startswith("SELECT"):
            self._say(f"* {len(self.folder.mails)} EXISTS")
            return "OK [READ-WRITE] open" if "INBOX" in command else "NO no such folder"
        if command.startswith("UID SEARCH"):
            unseen = [str(uid) for uid in self.folder.mails if uid not in self.folder.seen]
            self._say(" ".join(["* SEARCH", *unseen]))
        elif found := re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command):
            raw = self.folder.mails[int(found[1])][: int(found[2])]
            self._say(f"* {found[1]} FETCH (UID {found[1]} BODY[]<0> {{{len(raw)}}}", raw, b")")
        elif found := re.match(r"UID STORE (\d+) \+FLAGS \(\\Seen\)", command):
            self.folder.seen.add(int(found[1]))
        return "OK done"

    def _say(self, line: str, *more: bytes) -> None:
        self.wfile.write(line.encode() + b"\r\n" + b"".join(more) + (b"\r\n" if more else b""))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def mailbox() -> Iterator[Folder]:
    """A folder behind a port, as long as the block lasts."""
    folder = Folder()
    with _Server(("127.0.0.1", 0), type("Talk", (_Talk,), {"folder": folder})) as server:
        folder.port = int(server.server_address[1])
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield folder
        server.shutdown()
