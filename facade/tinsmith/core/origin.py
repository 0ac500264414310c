"""What may stand in a base URL, a header or a path segment. Owns these checks; sends nothing."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tinsmith.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_BASE_URL = "https://tinker.thinkingmachines.dev/services/tinker-prod/"
"""The hosted service."""

_LOCAL = "local:"
_FORBIDDEN = re.compile(r"[\r\n\0]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


def is_local(base_url: str) -> bool:
    """Tell whether a base URL means the embedded service."""
    return base_url.startswith(_LOCAL)


def local_path(base_url: str) -> str | None:
    """Return the data directory of `local:PATH`, or None for a private temporary one."""
    return base_url.removeprefix(_LOCAL) or None


def is_loopback(host: str) -> bool:
    """Tell whether a host name is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_base_url(base_url: str, *, insecure: bool = False) -> str:
    """Refuse URLs that would leak the key; return the URL with a trailing slash."""
    if not isinstance(base_url, str):
        raise InputError(f"must be text, not {type(base_url).__name__}", field="base_url")
    if is_local(base_url):
        if _FORBIDDEN.search(base_url):
            raise InputError("a path holds no line breaks", field="base_url")
        return base_url
    if _CONTROL.search(base_url):
        raise InputError("a URL holds no spaces or control characters", field="base_url")
    try:
        parts = urlsplit(base_url)
        host, _port = parts.hostname or "", parts.port
    except ValueError as cause:
        raise InputError(f"is not a URL: {cause}", field="base_url") from cause
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(
            f"must start with https:// (or http:// for this machine) or be local:, not {base_url!r}",
            field="base_url",
        )
    if parts.username is not None or parts.password is not None:
        raise InputError("must hold no user name or password", field="base_url")
    if parts.query or parts.fragment:
        raise InputError("must hold no query and no fragment", field="base_url")
    if parts.scheme == "http" and not (insecure or is_loopback(host)):
        raise InputError(
            f"http to {host} would send the key in the clear; use https, or pass insecure=True"
            " or set TINSMITH_INSECURE=1",
            field="base_url",
        )
    return base_url if base_url.endswith("/") else base_url + "/"


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse header names and values that would start another header."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise InputError("is not a header name", field=repr(name))
        if not isinstance(value, str) or _FORBIDDEN.search(value) or not value.isascii():
            raise InputError("a header value is ASCII text on one line", field=name)


def check_segment(value: str, field: str) -> str:
    """Refuse an id or name that cannot stand in a URL path; return it."""
    if not isinstance(value, str) or not value:
        raise InputError("must be text, and not empty", field=field)
    if _CONTROL.search(value) or any(c in value for c in "?#\\%"):
        raise InputError(f"{value!r} holds characters that cannot stand in a path", field=field)
    if any(part in ("", ".", "..") for part in value.split("/")):
        raise InputError(f"{value!r} holds an empty or relative part", field=field)
    return value
