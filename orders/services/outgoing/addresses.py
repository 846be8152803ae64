"""Where a webhook may go: a public host over https, by the very address that was looked at.

Whoever registers an endpoint could otherwise have the shop speak to what only the shop can reach: a
database, a metadata service, a router. Names may answer differently from one moment to the next, so
it is the addresses that are judged, at each attempt, and those are connected to and no others.

A shop on a loopback host (development, tests) may also be told to call that same machine, over http too.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from orders.services.outgoing.errors import NotSent, WebhookUrlInvalid

MAX_URL = 500
# https, a name with at least one dot, the usual port or one above 1000, a path. No user, no fragment, no
# number in place of a name. The same in Python and in JSON Schema.
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
URL_PATTERN = (
    rf"^https://(?:{LABEL}\.)+(?:[A-Za-z]{{2,63}}|xn--[A-Za-z0-9]{{1,59}})"
    r"(?::(?:443|[1-9][0-9]{3}|[1-5][0-9]{4}))?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$"
)
LOOPBACK_URL = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{2,5})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in IPv6 clothes
UNICAST = IPv6Network("2000::/3")  # all that IANA has given out for the internet
# Of IANA's special-purpose addresses (RFC 6890) those that some Python calls global, also where IANA does:
# who answers at an anycast address may well be a machine of one's own network.
SPECIAL = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments; PCP and TURN anycast among them
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # relays of 6to4
        "192.175.48.0/24",  # AS112
        "2001::/23",  # protocol assignments; Teredo, ORCHID and anycast among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: IPv4 addresses again
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation (RFC 9637)
    )
)
MAX_ADDRESSES = 3


@dataclass(frozen=True)
class Target:
    """Where to connect (`addresses`), and what to say there."""

    is_tls: bool
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.is_tls else 80) else f"{name}:{self.port}"


def url_clean(url: str) -> str:
    """The address as it is kept. Raises WebhookUrlInvalid."""
    if len(url) > MAX_URL:
        raise WebhookUrlInvalid
    if is_local_shop() and LOOPBACK_URL.fullmatch(url) and _port_of(url) is not None:
        return url
    if not re.fullmatch(URL_PATTERN, url):
        raise WebhookUrlInvalid
    return url


def is_local_shop() -> bool:
    """The shop itself has a loopback address: its webhooks may go to this machine."""
    host = urlsplit(settings.SITE_BASE_URL).hostname or ""
    return host in ("localhost", "127.0.0.1", "::1")


def target_of(url: str) -> Target:
    """Look the name up and judge every address. Raises NotSent."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    host, port = parts.hostname or "", _port_of(url) or (443 if is_tls else 80)
    addresses = _look_up(host, port)
    may_be_here = is_local_shop()
    for address in addresses:
        ip = ip_address(address.partition("%")[0])
        is_here = may_be_here and ip.is_loopback
        if not (is_here or (is_tls and is_public(ip))):
            raise NotSent(
                "address_not_public", _("{host} is not a public address.").format(host=host)
            )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_tls, host, port, path, addresses[:MAX_ADDRESSES])


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Reachable for everybody, and not merely a wrapping of an address that is not."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(ip.ipv4_mapped)
        if ip in NAT64:
            return is_public(IPv4Address(int(ip) & 0xFFFFFFFF))
        if ip not in UNICAST:
            return False
    if any(ip.version == network.version and ip in network for network in SPECIAL):
        return False
    return ip.is_global and not (
        ip.is_multicast or ip.is_reserved or ip.is_private or ip.is_unspecified
    )


def _port_of(url: str) -> int | None:
    """The port, 0 where there is none; None for what cannot be one."""
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return None


def _look_up(host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent("name_unknown", _("{host} cannot be found.").format(host=host)) from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise NotSent("name_unknown", _("{host} cannot be found.").format(host=host))
    return addresses
