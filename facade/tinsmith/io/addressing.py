"""Where requests go and what they carry there: origins, proxies and the headers of a client.

It must not import an HTTP library, nor send.
"""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tinsmith import __version__
from tinsmith.core.errors import TinkerError

if TYPE_CHECKING:
    from tinsmith.core.config import ClientConfig


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for `url`, with NO_PROXY honoured."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    chosen = proxies.get(parts.scheme) or proxies.get("all")
    if not chosen or urllib.request.proxy_bypass(parts.netloc):
        return None
    if "://" not in chosen:
        chosen = f"http://{chosen}"
    if urlsplit(chosen).scheme not in ("http", "https"):
        raise TinkerError(
            f"the proxy for {parts.scheme} is of a kind that is not supported (http and https are)"
        )
    return chosen


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
