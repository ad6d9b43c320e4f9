"""How often somebody may knock: per account and per network address, counted in the database that all processes
share, by the application's own clock."""

import ipaddress
from datetime import timedelta
from math import ceil

from flask import request
from flask_limiter import Limiter
from limits.storage import Storage

from bot.flows import attempts
from bot.web.guard import current
from bot.web.here import ctx, now

_NEAR = [
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
]


class SharedCounts(Storage):
    """Counts in the table of attempts, for `limits`; which database and clock is asked anew each time."""

    STORAGE_SCHEME = ["attune"]  # noqa: RUF012 - the library's own way to name it

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a fault of the store looks like."""
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count so many more in a window of so many seconds; how many there are now."""
        return attempts.count(ctx(), key, timedelta(seconds=expiry), now(), amount)

    def get(self, key: str) -> int:
        """How many there are now."""
        return attempts.counted(ctx(), key, now())[0]

    def get_expiry(self, key: str) -> float:
        """When the window ends, in epoch seconds."""
        return attempts.counted(ctx(), key, now())[1].timestamp()

    def check(self) -> bool:
        """The store tells by itself when it isn't well."""
        return True

    def reset(self) -> None:
        """Nothing here is ever forgotten all at once."""

    def clear(self, key: str) -> None:
        """Forget one count."""
        attempts.clear(ctx(), key)


def network() -> str:
    """Where a request came from: one IPv4 address, or an IPv6 network of the size that one household gets.

    A proxy on this machine or its private network is believed about whom it serves: the last address in
    X-Forwarded-For, which is the one it saw itself.
    """
    seen = _address(request.remote_addr or "")
    if seen is not None and any(seen in near for near in _NEAR):
        seen = _address(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()) or seen
    if isinstance(seen, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((seen, 64), strict=False))
    return str(seen or "unknown")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def account() -> str:
    """The account that is tried: the address in the form, as typed but for case and blanks."""
    typed = request.form.get("username" if request.path.endswith("/password") else "email", "")
    return typed.strip().casefold()[:300]


def person() -> str:
    """The person who is half-way in."""
    me = current()
    return me.person.id if me else network()


def minutes_left() -> int:
    """How long until the limit that was met ends, in whole minutes."""
    met = limiter.current_limit
    return max(1, ceil((met.window.reset_time - now().timestamp()) / 60)) if met else 1


limiter = Limiter(network, storage_uri="attune://", strategy="fixed-window")


@limiter.request_filter
def _signed() -> bool:
    """Webhooks aren't counted: they are signed, and many come at once."""
    return request.path.startswith("/webhooks/")
