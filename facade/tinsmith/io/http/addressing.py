"""Where requests may go: the proxies that the environment names, and addresses that are refused.

It must not import an HTTP library, nor send.
"""

from __future__ import annotations

import asyncio
import socket
import urllib.request
from urllib.parse import urlsplit

import attrs

from tinsmith.core.addresses import check_base_url, check_resolved, must_resolve_here
from tinsmith.core.config import set_variables
from tinsmith.core.errors import InputError
from tinsmith.core.retry import Fault
from tinsmith.io.http.messages import Faulted


@attrs.frozen
class ProxyAddress:
    """A proxy that the environment names for a server."""

    url: str = attrs.field(repr=False)
    """Where it is; may hold a password."""
    named: str
    """Host, port and the variable that names it, for errors."""


def proxy_for(url: str) -> ProxyAddress | None:
    """Return the proxy that the environment names for `url`, with NO_PROXY honoured."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    scheme = parts.scheme if proxies.get(parts.scheme) else "all"
    chosen = proxies.get(scheme)
    if not chosen or urllib.request.proxy_bypass(parts.netloc):
        return None
    variable = next(
        iter(set_variables(f"{scheme}_proxy", f"{scheme.upper()}_PROXY")), "the system's settings"
    )
    around = f"NO_PROXY={parts.hostname} goes around it"
    if "://" not in chosen:
        chosen = f"http://{chosen}"
    found = urlsplit(chosen)
    if found.scheme not in ("http", "https"):
        raise InputError(
            f"{variable} names a {found.scheme} proxy, which is not supported (http and https are); {around}"
        )
    try:
        port, host = found.port, found.hostname or ""
    except ValueError:
        port, host = None, ""
    if not host or any(each.isspace() for each in host):
        raise InputError(f"{variable} holds no address of a proxy; {around}")
    where = host if port is None else f"{host}:{port}"
    return ProxyAddress(chosen, f"the proxy {where} of {variable} ({around})")


async def check_signed(url: str, *, insecure: bool) -> None:
    """Refuse an address that a server names for a download and that is none to fetch from."""
    address = url.partition("?")[0]
    named = f"the server names {address[:200]!r}"
    scheme = address.partition(":")[0].lower()
    if scheme == "file":
        raise Faulted(Fault.REDIRECT, f"{named}, a place on its own machine: copy it there")
    if scheme not in ("http", "https"):
        raise Faulted(Fault.REDIRECT, f"{named}, which is not fetched over http")
    try:
        check_base_url(address, insecure=insecure)
        if not insecure:
            await check_loopback(url)
    except InputError as wrong:
        reason = wrong.message.removeprefix(f"field {wrong.field!r}: ")
        raise Faulted(Fault.REDIRECT, f"{named}: {reason}") from None


async def check_loopback(url: str) -> None:
    """Refuse http to a name below localhost that is another machine's."""
    host = must_resolve_here(url)
    if host is None:
        return
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        found = []
    check_resolved(host, [str(address[0]) for *_, address in found])
