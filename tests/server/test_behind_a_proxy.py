"""Attune behind the proxies of `deploy/`, as they stand there: real gunicorn, real TLS, real sockets."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bot.flows.context import Context
from bot.sandbox.processes import free_port
from tests.server.proxies import a_proxy
from tests.server.site import SMS, STATUS, TOKEN, Door, Site, a_site, signed, text
from tests.server.slow import HEAD, slow_clients
from tests.support.cast import riverside

SLOW, QUICK, AT_ONCE = 300, 200, 8
_NUMBERS = count(1)


@dataclass(frozen=True)
class Behind:
    """A site, and the door through its proxy."""

    site: Site
    ctx: Context
    folder: Path
    port: int
    certificate: Path

    def door(self) -> Door:
        return Door(self.port, self.certificate)

    def rows(self, sql: str) -> list[dict[str, int]]:
        """What the database holds."""
        with self.ctx.store.transaction(write=False) as tx:
            return tx.all(sql)

    def heard(self) -> int:
        """How many texts are on disk."""
        return self.rows("select count(*) as n from inbox")[0]["n"]


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("behind")
    with ExitStack() as open_:
        site = open_.enter_context(a_site(folder))
        ctx = site.context()
        riverside(ctx)
        site.serve()
        port, certificate = open_.enter_context(a_proxy(request.param, folder / request.param, site.port))
        yield Behind(site, ctx, folder / request.param, port, certificate)


def test_a_text_signed_for_the_public_address_is_taken_although_the_proxy_ends_tls_on_another_port(
    behind: Behind,
) -> None:
    before = behind.heard()
    assert behind.door().post_text(text(next(_NUMBERS), body="5 4 5, naïve ✓ & more=1")) == 200
    assert behind.heard() == before + 1


def test_the_address_with_what_follows_its_question_mark_arrives_as_it_was_signed(behind: Behind) -> None:
    """A callback names the attempt there; slashes, signs and percent codes stay as they are."""
    form = {"MessageSid": f"SM{1:032x}", "MessageStatus": "delivered"}
    for query in (f"?attempt={'a' * 32}", "?attempt=&x=%2F%20%e2%9c%93+y"):
        assert behind.door().ask("POST", STATUS + query, *signed(form, STATUS + query))[0] == 204


def test_a_signature_for_another_text_is_refused(behind: Behind) -> None:
    body, headers = signed(text(next(_NUMBERS)), SMS)
    assert behind.door().ask("POST", SMS, body + b"0", headers)[0] == 403


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-Proto": "http"},
        {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off"},
        {"X-Forwarded-Host": "elsewhere.example", "X-Forwarded-Port": "1"},
        {"X-Forwarded-Prefix": "/elsewhere", "X-Script-Name": "/elsewhere"},
        {"SCRIPT_NAME": "/webhooks", "PATH_INFO": "/healthz"},
        {"Forwarded": "for=10.0.0.1;proto=http;host=elsewhere.example"},
        {"X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz"},
    ],
    ids=lambda forged: next(iter(forged)),
)
def test_what_a_client_says_of_its_way_here_changes_nothing(behind: Behind, forged: dict[str, str]) -> None:
    before = behind.heard()
    assert behind.door().post_text(text(next(_NUMBERS)), forged) == 200
    assert behind.heard() == before + 1


def test_whoever_guesses_passwords_cannot_pass_for_somebody_else_each_time(behind: Behind) -> None:
    """Limits count by the address that the proxy saw, whatever X-Forwarded-For says."""
    with behind.ctx.store.transaction() as tx:
        tx.run("delete from attempt_count")
    door = behind.door()
    _, headers, page = door.ask("GET", "/sign-in")
    token = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    form = urlencode({"csrf_token": token[1], "email": "dana@riverside.example", "password": "a guess"}).encode()
    cookie = headers["set-cookie"].partition(";")[0]
    for guess in range(3):
        pretends = {"X-Forwarded-For": f"203.0.113.{guess}", "Forwarded": f"for=203.0.113.{guess}", "Cookie": cookie}
        door.ask("POST", "/sign-in/password", form, {"Content-Type": "application/x-www-form-urlencoded"} | pretends)
    with behind.ctx.store.transaction(write=False) as tx:
        counts = [row["count"] for row in tx.all("select count from attempt_count order by name")]
    assert set(counts) == {3}, "one address and one account, three times; names are hashed"


def test_three_hundred_slow_clients_hold_up_no_webhook(behind: Behind) -> None:
    """Half of them dribble their headers, half a body, and don't end while they may. Two hundred texts are taken
    meanwhile, none slowly."""
    before = behind.heard()
    with slow_clients(SLOW, behind.port, behind.certificate), ThreadPoolExecutor(AT_ONCE) as pool:
        took = list(pool.map(lambda _: timed(behind), range(QUICK)))
    assert behind.heard() == before + QUICK
    assert sorted(took)[QUICK // 2] < 1.0, f"median {sorted(took)[QUICK // 2]:.2f} s"
    assert max(took) < 10.0, "Twilio waits fifteen seconds"


def timed(behind: Behind) -> float:
    began = time.monotonic()
    assert behind.door().post_text(text(next(_NUMBERS))) == 200
    return time.monotonic() - began


def test_a_body_that_is_too_large_is_refused_and_the_next_request_is_answered(behind: Behind) -> None:
    """By the proxy, from what the request says of its length. Where it says nothing, Caddy sends it on as it comes."""
    kind = {"Content-Type": "message/rfc822", "Authorization": f"Bearer {TOKEN}"}
    for size in (5_000_001, 6_500_000, 12_000_000):
        assert refused(behind, b"x" * size, kind) in (413, None)
    without_length = (b"x" * 100_000 for _ in range(65))
    assert refused(behind, without_length, kind) in (413, None, *([502] if behind.folder.name == "caddy" else []))
    assert not [row for row in behind.rows("select length(body_sealed) as n from inbox") if row["n"] > 1_000_000]
    assert behind.door().ask("GET", "/healthz")[0] == 200


def refused(behind: Behind, body: bytes | Iterator[bytes], headers: dict[str, str]) -> int | None:
    """The status; None where the connection was closed on us while we were still sending, or in the answer."""
    try:
        return behind.door().ask("POST", "/webhooks/mail", body, headers)[0]
    except (OSError, HTTPException):
        return None


def test_headers_that_are_too_large_never_reach_attune_and_large_ones_do_no_harm(behind: Behind) -> None:
    door = behind.door()
    assert door.ask("GET", "/healthz", headers={"Cookie": "c=" + "x" * 7_000})[0] == 200
    assert door.ask("GET", "/healthz", headers={f"X-{n}": "x" * 1_000 for n in range(3)})[0] == 200
    assert door.ask("GET", "/healthz", headers={"Cookie": "c=" + "x" * 40_000})[0] in (400, 413, 431, 494)
    assert behind.door().ask("GET", "/healthz")[0] == 200


def test_one_connection_carries_many_requests(behind: Behind) -> None:
    door = behind.door()
    door.connection.connect()
    line = door.connection.sock
    assert [door.post_text(text(next(_NUMBERS))) for _ in range(20)] == [200] * 20
    assert door.connection.sock is line


def test_a_client_that_sends_two_requests_at_once_gets_two_answers(behind: Behind) -> None:
    """The second isn't taken for a part of the first, nor the first for two."""
    door = behind.door()
    door.connection.connect()
    door.connection.sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: attune.riverside.example\r\n\r\n" * 2)
    assert read_until(door.connection.sock, b"HTTP/1.1 200", 2)


@pytest.mark.parametrize(
    "forged",
    [b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 4, 5\r\n"],
    ids=["chunked", "twice"],
)
def test_a_request_with_two_lengths_is_refused_or_read_in_one_way_only(behind: Behind, forged: bytes) -> None:
    """A text hidden behind the end of another request must not be heard."""
    before = behind.heard()
    hidden, headers = signed(text(next(_NUMBERS)), SMS)
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": str(len(hidden))}.items())
    inner = HEAD.partition("Content-Type")[0].encode() + lines.encode() + b"Connection: close\r\n\r\n" + hidden
    outer = HEAD.encode() + forged + b"\r\n0\r\n\r\n" + inner
    door = behind.door()
    door.connection.connect()
    door.connection.sock.sendall(outer)
    answers = everything(door.connection.sock)
    assert answers.count(b"HTTP/1.1 ") == 1 + (behind.heard() - before), "each text that is taken is answered"


def read_until(line: socket.socket, words: bytes, times: int) -> bool:
    found = b""
    while found.count(words) < times and (piece := line.recv(65536)):
        found += piece
    return found.count(words) == times


def everything(line: socket.socket) -> bytes:
    """All that is said until the line is closed."""
    found = b""
    try:
        while piece := line.recv(65536):
            found += piece
    except ConnectionError:
        pass
    return found


def test_every_answer_has_an_id_of_its_own_which_the_client_does_not_choose(behind: Behind) -> None:
    door = behind.door()
    given = [door.ask("GET", "/healthz", headers={"X-Request-Id": "mine"})[1]["x-request-id"] for _ in range(3)]
    assert len(set(given)) == 3
    assert "mine" not in given


def test_a_fault_stands_in_the_log_with_the_id_that_the_answer_carried(behind: Behind) -> None:
    with behind.ctx.store.transaction() as tx:
        tx.run("alter table inbox rename to elsewhere")
    try:
        body, headers = signed(text(next(_NUMBERS)), SMS)
        status, answered, _ = behind.door().ask("POST", SMS, body, headers)
    finally:
        with behind.ctx.store.transaction() as tx:
            tx.run("alter table elsewhere rename to inbox")
    assert status == 500
    assert answered["x-request-id"] in behind.site.log.read_text()


def test_the_proxy_writes_no_address_down_since_addresses_hold_tokens(behind: Behind) -> None:
    """Neither when all goes well, nor when nobody stands behind it, nor for what it refuses."""
    secret = "t0ken" * 8
    behind.door().ask("GET", f"/c/{secret}")
    refused(behind, b"x" * 6_500_000, {"Referer": f"https://x/{secret}"})
    behind.door().ask("GET", f"/c/{secret}", headers={"Cookie": "c=" + "x" * 40_000})
    with a_proxy(behind.folder.name, behind.folder / "alone", free_port()) as (port, certificate):
        assert Door(port, certificate).ask("GET", f"/c/{secret}")[0] in (502, 503)
    written = b"".join(content(path) for path in behind.folder.rglob("*") if path.is_file())
    assert secret.encode() not in written


def content(path: Path) -> bytes:
    """What is in a file of a proxy that still runs: it may just have removed one."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
