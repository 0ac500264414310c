"""Base URLs, headers, checkpoint paths and names of folders: which are valid, and what they mean.

Sends nothing; whether a checkpoint exists is the server's knowledge.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import attrs
from tinsmith_api.paths import CONTROL, SCHEME, check_segment, check_tinker_path, invalid_path

from tinsmith.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_BASE_URL = "https://tinker.thinkingmachines.dev/services/tinker-prod/"
"""The hosted service."""

LOCAL_ROOT = "http://local.tinsmith/"
"""Root of the URLs that reach an embedded service; no host is ever looked up."""

_LOCAL = "local:"
_FORBIDDEN = re.compile(r"[\r\n\0]")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")
_BELOW_LOCALHOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.localhost\.?")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def is_local(base_url: str) -> bool:
    """Say whether a base URL means the embedded service."""
    return base_url.startswith(_LOCAL)


def local_path(base_url: str) -> str | None:
    """Return the data directory of `local:PATH`, or None for a private temporary one: `local:`, `local:/`."""
    path = base_url.removeprefix(_LOCAL)
    return path if path.strip("/") else None


def is_loopback(host: str) -> bool:
    """Say whether a host name is this machine, as far as the name shows it; see `must_resolve_here`."""
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
    if CONTROL.search(base_url):
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


FILE_SCHEME = "file:"
"""Prefix of the path of an adapter's directory on this machine."""
_FILE_RUN = f"{SCHEME}file-"
_KINDS: dict[str, Literal["training", "sampler", "external"]] = {
    "weights": "training",
    "sampler_weights": "sampler",
    "external_weights": "external",
}

_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
"""Characters that some operating system refuses in the name of a folder."""

_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:[ .].*)?", re.IGNORECASE
)
"""Names that Windows takes for devices, with any extension."""

_FOLDER_BYTES = 200
"""Most bytes in the name of a folder: systems allow 255, and a download adds a prefix and a suffix."""


@attrs.frozen
class ParsedCheckpointTinkerPath:
    """The parts of `tinker://<run>/<kind>/<name>`."""

    tinker_path: str
    """The whole path."""
    training_run_id: str
    """The run that saved the checkpoint."""
    checkpoint_type: Literal["training", "sampler", "external"]
    """What the checkpoint can be used for."""
    checkpoint_id: str
    """Kind and name, e.g. `weights/0001`; the name alone in the two-segment form."""

    @classmethod
    def from_tinker_path(cls, tinker_path: str) -> ParsedCheckpointTinkerPath:
        """Parse a path; some servers write `tinker://<model>/<name>`, which names sampler weights."""
        parts = check_tinker_path(tinker_path).removeprefix(SCHEME).split("/")
        if len(parts) == 2:
            return cls(tinker_path, parts[0], "sampler", parts[1])
        if len(parts) != 3 or parts[1] not in _KINDS:
            raise invalid_path(tinker_path)
        return cls(tinker_path, parts[0], _KINDS[parts[1]], f"{parts[1]}/{parts[2]}")


def checkpoint_id_spellings(checkpoint_id: str, *, has_kinds: bool = False) -> list[str]:
    """Return how the id of a checkpoint may be written in a URL: as it is given, then the other way.

    A name without a kind means sampler weights. The kind is always written if the server is known to want it
    (`has_kinds`), or if the name is itself the name of a kind.
    """
    check_segment(checkpoint_id, "checkpoint_id")
    kind, _, name = checkpoint_id.rpartition("/")
    full = f"{kind or 'sampler_weights'}/{name}"
    if has_kinds or name in _KINDS:
        return [full]
    return [full, name] if kind else [name, full]


def is_device(name: str) -> bool:
    """Say whether Windows takes the name of a file or folder for a device."""
    return _RESERVED.fullmatch(name) is not None


def folder_name(tinker_path: str) -> str:
    """Return a name for the folder of a checkpoint that every system takes, `RUN_weights_NAME`.

    Colons and other characters that some system refuses become underscores, a reserved name gets one in
    front, and a name that is too long ends in the beginning of its SHA-256.
    """
    name = _UNFIT.sub("_", tinker_path.removeprefix(SCHEME))
    stem = name.rstrip(" .")
    name = stem + "_" * (len(name) - len(stem))
    if is_device(name) or name.startswith((" ", ".")):
        name = f"_{name}"
    if len(name.encode()) > _FOLDER_BYTES:
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        name = f"{name.encode()[: _FOLDER_BYTES - 17].decode(errors='ignore')}_{digest}"
    return name


@attrs.frozen
class AdapterFolder:
    """An adapter in a directory of this machine, named to a service that runs here too."""

    directory: str
    """Absolute path."""
    base_model: str | None = None
    """Base model that it is for; None: the one that the adapter itself names."""

    @property
    def tinker_path(self) -> str:
        """The directory as a path of the API: `tinker://file-<base64url>/weights/<base64url or adapter>`."""
        base_model = "adapter" if self.base_model is None else f"on-{_packed(self.base_model)}"
        return f"{_FILE_RUN}{_packed(self.directory)}/weights/{base_model}"

    @classmethod
    def from_tinker_path(cls, tinker_path: str) -> AdapterFolder | None:
        """Read such a path back; None for the path of any other checkpoint."""
        directory, _, rest = tinker_path.removeprefix(_FILE_RUN).partition("/weights/")
        if not (tinker_path.startswith(_FILE_RUN) and (rest == "adapter" or rest.startswith("on-"))):
            return None
        try:
            base_model = None if rest == "adapter" else _unpacked(rest.removeprefix("on-"))
            return cls(_unpacked(directory), base_model)
        except ValueError:
            return None


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogateescape")).decode().rstrip("=")


def _unpacked(text: str) -> str:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    return raw.decode("utf-8", "surrogateescape")
