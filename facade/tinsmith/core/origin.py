"""What may stand in a base URL, a header or a path segment. Owns these checks; sends nothing."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tinsmith.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_BASE_URL = "https://tinker.thinkingmachines.dev/services/tinker-prod/"
"""The hosted service."""

_LOCAL = "local:"
_FORBIDDEN = re.compile(r"[\r\n\0]")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")
_BELOW_LOCALHOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.localhost\.?")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


def is_local(base_url: str) -> bool:
    """Tell whether a base URL means the embedded service."""
    return base_url.startswith(_LOCAL)


def local_path(base_url: str) -> str | None:
    """Return the data directory of `local:PATH`, or None for a private temporary one."""
    return base_url.removeprefix(_LOCAL) or None


def is_loopback(host: str) -> bool:
    """Tell whether a host name is this machine, as far as the name tells; see `must_resolve_here`."""
    if host == "localhost" or _BELOW_LOCALHOST.fullmatch(host):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def must_resolve_here(base_url: str) -> str | None:
    """Return the host of an http URL that is this machine only if its name resolves to it, else None.

    `something.localhost` ought to, but a resolver may ask the network for it.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    return host if parts.scheme == "http" and _BELOW_LOCALHOST.fullmatch(host) else None


def check_resolved(host: str, addresses: Iterable[str]) -> None:
    """Refuse a name below `localhost` that resolves to another machine, or to nothing."""
    found = list(addresses)
    away = [each for each in found if not ip_address(each.partition("%")[0]).is_loopback]
    if away or not found:
        what = f"resolves to {away[0]}, which is not this machine" if away else "does not resolve"
        raise InputError(
            f"{host} {what}, and http would send the key in the clear; use https, localhost or 127.0.0.1,"
            " or pass insecure=True or set TINSMITH_INSECURE=1",
            field="base_url",
        )


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
    if "%" in parts.netloc and not parts.netloc.startswith("["):
        raise InputError(f"{host!r} is no host name: it holds escapes", field="base_url")
    if parts.scheme == "http" and not (insecure or is_loopback(host)):
        raise InputError(
            f"http to {host} would send the key in the clear; use https, or pass insecure=True"
            " or set TINSMITH_INSECURE=1",
            field="base_url",
        )
    return base_url if base_url.endswith("/") else base_url + "/"


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse header names and values that would start another header, or that no library would send."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise InputError("is not a header name", field=repr(name))
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise InputError(
                "a header value is ASCII text on one line, without blanks at its ends or control characters",
                field=name,
            )


def check_segment(value: str, field: str) -> str:
    """Refuse an id or name that cannot stand in a URL path; return it."""
    if not isinstance(value, str) or not value:
        raise InputError("must be text, and not empty", field=field)
    if _CONTROL.search(value) or any(c in value for c in "?#\\%"):
        raise InputError(f"{value!r} holds characters that cannot stand in a path", field=field)
    if any(part in ("", ".", "..") for part in value.split("/")):
        raise InputError(f"{value!r} holds an empty or relative part", field=field)
    return value
