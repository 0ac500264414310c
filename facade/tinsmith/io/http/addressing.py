"""Where requests go and what they carry there: origins, proxies and the headers of a client.

It must not import an HTTP library, nor send.
"""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from tinsmith.core import __version__
from tinsmith.core.config import set_variables
from tinsmith.core.errors import InputError

if TYPE_CHECKING:
    from tinsmith.core.config import ClientConfig


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


def client_headers(config: ClientConfig) -> dict[str, str]:
    """Return the headers that go with each request to the origin of base_url, and nowhere else."""
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"tinsmith/{__version__}",
    }
    if config.api_key is not None:
        headers["X-API-Key"] = config.api_key.reveal()
    return {**headers, **config.default_headers}


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
