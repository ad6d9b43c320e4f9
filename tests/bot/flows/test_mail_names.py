"""Whether the sender's domain lets its mails arrive, asked of a real name server on loopback."""

import socketserver
import threading
from collections.abc import Callable, Iterator

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from bot.flows.mail_names import Lookup, lookup_with, missing

Names = dict[str, list[str]]


class _Server(socketserver.ThreadingUDPServer):
    names: Names


class _Answer(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, sock = self.request
        asked = dns.message.from_wire(data)
        answer = dns.message.make_response(asked)
        assert isinstance(self.server, _Server)
        texts = self.server.names.get(asked.question[0].name.to_text().rstrip("."))
        if texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            quoted = [f'"{text}"' for text in texts]
            answer.answer.append(dns.rrset.from_text_list(asked.question[0].name, 60, "IN", "TXT", quoted))
        sock.sendto(answer.to_wire(), self.client_address)


@pytest.fixture
def ask() -> Iterator[Callable[[Names], Lookup]]:
    """A name server that knows these names, and a way to ask it."""
    with _Server(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

        def knows(names: Names) -> Lookup:
            server.names = names
            resolver = dns.resolver.Resolver(configure=False)
            resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
            return lookup_with(resolver)

        yield knows
        server.shutdown()


FROM = "Riverside <notes@riverside.example>"
SPF, DMARC = "v=spf1 include:mail.example -all", "v=DMARC1; p=none"


def test_a_domain_that_says_both_lacks_nothing(ask: Callable[[Names], Lookup]) -> None:
    """Beside whatever else its records hold."""
    names = {"riverside.example": ["verify=1", SPF], "_dmarc.riverside.example": [DMARC]}
    assert missing(FROM, ask(names)) == []


def test_what_is_missing_is_named_with_the_record_to_add(ask: Callable[[Names], Lookup]) -> None:
    """Both, where the domain says nothing."""
    spf, dmarc = missing(FROM, ask({}))
    assert "no SPF record" in spf
    assert "TXT record at _dmarc.riverside.example" in dmarc


def test_two_spf_records_count_as_none(ask: Callable[[Names], Lookup]) -> None:
    """RFC 7208, 4.5."""
    names = {"riverside.example": [SPF, "v=spf1 -all"], "_dmarc.riverside.example": [DMARC]}
    assert "2 SPF records" in missing(FROM, ask(names))[0]


def test_a_subdomain_goes_by_its_parents_dmarc(ask: Callable[[Names], Lookup]) -> None:
    """RFC 7489, 6.6.3."""
    names = {"mail.riverside.example": [SPF], "_dmarc.riverside.example": [DMARC]}
    assert missing("notes@mail.riverside.example", ask(names)) == []


def test_a_name_server_that_is_silent_is_told_apart() -> None:
    """It says nothing about the domain."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], 9, 0.2
    with pytest.raises(OSError, match=r"NoNameservers|LifetimeTimeout"):
        missing(FROM, lookup_with(resolver))
