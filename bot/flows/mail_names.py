"""What the sender's domain says in DNS about who may send for it: without that, mails end among the junk.

SPF: RFC 7208. DMARC: RFC 7489. DKIM (RFC 6376) is the mail provider's work; its key has a name only they know.
"""

from collections.abc import Callable
from email.utils import parseaddr

import dns.exception
import dns.resolver

PATIENCE = 5.0  # seconds
Lookup = Callable[[str], list[str]]


def lookup(name: str) -> list[str]:
    """The TXT records of a name; none where it doesn't exist. Raises OSError when nobody answers."""
    return lookup_with(dns.resolver.Resolver())(name)


def lookup_with(resolver: dns.resolver.Resolver) -> Lookup:
    """The same, asking a given resolver."""

    def texts(name: str) -> list[str]:
        try:
            found = resolver.resolve(name, "TXT", lifetime=PATIENCE)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise OSError(error.__class__.__name__) from error
        return [b"".join(each.strings).decode("ascii", "replace") for each in found]

    return texts


def missing(mail_from: str, texts: Lookup = lookup) -> list[str]:
    """What the domain of MAIL_FROM lacks, each in a sentence. Raises OSError when nobody answers."""
    domain = parseaddr(mail_from)[1].rpartition("@")[2]
    if not domain:
        return []
    found = []
    spf = [text for text in texts(domain) if text.lower().startswith("v=spf1")]
    if not spf:
        found.append(f"{domain} has no SPF record: add the TXT record your mail provider names (v=spf1 ...).")
    elif len(spf) > 1:
        found.append(f"{domain} has {len(spf)} SPF records, which counts as none: make one of them.")
    dmarc = [text for text in texts(f"_dmarc.{domain}") if text.lower().startswith("v=dmarc1")]
    if not dmarc and not _of_parent(domain, texts):
        found.append(f"{domain} has no DMARC record: add a TXT record at _dmarc.{domain}, such as v=DMARC1; p=none.")
    return found


def _of_parent(domain: str, texts: Lookup) -> list[str]:
    """A subdomain goes by its parent's record."""
    parent = domain.partition(".")[2]
    if "." not in parent:
        return []
    return [text for text in texts(f"_dmarc.{parent}") if text.lower().startswith("v=dmarc1")]
