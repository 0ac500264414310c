"""What a user sets, and the only place that reads the environment.

Owns ClientConfig and the check of the key; the policy constants are in `policy`. Opens nothing.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import attrs

from tinsmith.core.errors import InputError, TinkerError
from tinsmith.core.origin import DEFAULT_BASE_URL, check_base_url, check_headers, is_local
from tinsmith.core.policy import (
    ChunkLimits,
    EncodingChoice,
    FlowLimits,
    OnUnknown,
    OptimAfter,
    PollPolicy,
    RetryConfig,
    ServerChoice,
    Timeouts,
    positive,
)
from tinsmith.core.secret import Secret

_KEY = re.compile(r"[!-~]+")
"""A key: visible ASCII, in one piece."""


def _models(given: Mapping[str, str | os.PathLike[str]]) -> dict[str, str]:
    """Take names and paths of models; a path may be any path-like, `~` is the user's home."""
    if not isinstance(given, Mapping):
        raise InputError(f"must be a mapping of names to paths, not {type(given).__name__}", field="models")
    for name, path in given.items():
        if not (isinstance(name, str) and name and isinstance(path, (str, os.PathLike)) and os.fspath(path)):
            raise InputError(f"{name!r}: {path!r} is no name with a path", field="models")
    return {name: str(Path(path).expanduser()) for name, path in given.items()}


def models_of_user(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the base models that TINSMITH_MODELS offers: `NAME=PATH`, parted as the entries of PATH are."""
    env = os.environ if environ is None else environ
    found: dict[str, str] = {}
    for part in env.get("TINSMITH_MODELS", "").split(os.pathsep):
        name, _, path = part.strip().partition("=")
        if part.strip() and not (name and path):
            raise InputError(f"{part!r} in TINSMITH_MODELS is not NAME=PATH", field="models")
        if name:
            found[name] = path
    return found


@attrs.frozen
class ClientConfig:
    """All settings of one ServiceClient. Two clients share none of them."""

    base_url: str = DEFAULT_BASE_URL
    """Where the service is; `local:` and `local:PATH` mean the embedded one. Ends with a slash."""
    api_key: Secret | None = None
    """The key, sent as `X-API-Key` to the origin of base_url only. None for `local:`."""
    credential_command: str | None = attrs.field(default=None, repr=False)
    """Command that prints the key; run where there is no key, or where the server wants it so."""
    require_key_prefix: bool = True
    """Refuse keys that do not start with `tml-` (or `eyJ`, a JWT): they belong to another service."""
    insecure: bool = False
    """Allow http to a host that is not loopback."""
    tags: tuple[str, ...] = ()
    """Labels of the session."""
    project_id: str | None = None
    """Project that pays."""
    display_name: str | None = None
    """Name of the session for people."""
    user_metadata: Mapping[str, str] = attrs.field(factory=dict)
    """What the user attaches to the session."""
    default_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Headers on every request."""
    default_query: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Query parameters on every request."""
    retry: RetryConfig = attrs.field(factory=RetryConfig)
    """Retries."""
    timeouts: Timeouts = attrs.field(factory=Timeouts)
    """Bounds of one try."""
    chunk_limits: ChunkLimits = attrs.field(factory=ChunkLimits)
    """Size of one forward_backward request."""
    poll: PollPolicy = attrs.field(factory=PollPolicy)
    """Waiting for promises."""
    flow: FlowLimits = attrs.field(factory=FlowLimits)
    """Work under way at once."""
    heartbeat_interval_s: float = attrs.field(default=10.0, validator=positive)
    """Seconds between heartbeats; servers drop a session after about two minutes without one."""
    session_warn_after_s: float = attrs.field(default=120.0, validator=positive)
    """Seconds without a heartbeat after which each further failure is warned of."""
    progress_timeout_s: float | None = attrs.field(default=7200.0, validator=positive)
    """Seconds without progress of a promise before its future fails; None waits for ever."""
    optim_after: OptimAfter = attrs.field(
        default="accepted", validator=attrs.validators.in_(("accepted", "results"))
    )
    """When an optim_step goes out; `results` never steps on part of a batch, for one more round trip."""
    server: ServerChoice = attrs.field(default="auto", validator=attrs.validators.in_(get_args(ServerChoice)))
    """Which kind of server it is, by the name of its profile; `auto` recognises it by its answers."""
    server_deduplicates: bool | None = None
    """Whether the server applies (model, seq_id) once. None: as its profile says; one that was not recognised
    is taken to, with one warning. False: never resend."""
    on_unknown: OnUnknown = attrs.field(default="resend", validator=attrs.validators.in_(("raise", "resend")))
    """Whether a training request of unknown outcome is sent again, byte for byte, or raised."""
    encoding: EncodingChoice = attrs.field(
        default="auto", validator=attrs.validators.in_(("auto", "json", "protobuf"))
    )
    """How batches are written: `json`, `protobuf`, or what the server turns out to parse. Forced, it is never
    asked."""
    models: Mapping[str, str] = attrs.field(factory=dict, converter=_models)
    """Base models of the user for `local:`, by name: a Hugging Face directory or a GGUF file each."""
    telemetry: bool = False
    """Send telemetry. Off unless asked for; DO_NOT_TRACK=1 wins."""
    log_level: str | None = None
    """`debug` or `info` turns the package's logger on, on stderr."""

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "base_url", check_base_url(self.base_url, insecure=self.insecure))
        object.__setattr__(self, "api_key", _stripped(self.api_key))
        check_headers(self.default_headers)
        if self.models and not self.local:
            raise InputError(
                "is for base_url='local:'; `tinsmith serve --model NAME=PATH` offers models to other clients",
                field="models",
            )
        if self.api_key is not None or self.credential_command is None:
            check_key(self.api_key, base_url=self.base_url, require_prefix=self.require_key_prefix)

    @property
    def local(self) -> bool:
        """Whether the embedded service is meant."""
        return is_local(self.base_url)

    @classmethod
    def from_environment(
        cls,
        *,
        environ: Mapping[str, str] | None = None,
        api_key: str | Secret | None = None,
        base_url: str | None = None,
        tags: Sequence[str] | None = None,
        project_id: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        require_key_prefix: bool | None = None,
        insecure: bool | None = None,
        models: Mapping[str, str | os.PathLike[str]] | None = None,
        telemetry: bool | None = None,
        log_level: str | None = None,
        **settings: Any,  # the other fields of this class, by name; attrs refuses unknown ones
    ) -> ClientConfig:
        """Fill what the caller left open from the environment; an explicit value always wins."""
        env = os.environ if environ is None else environ
        key = api_key if api_key is not None else env.get("TINKER_API_KEY")
        url = base_url if base_url is not None else env.get("TINKER_BASE_URL") or DEFAULT_BASE_URL
        if not isinstance(key, (str, Secret, NoneType)):
            raise InputError(f"must be text, not {type(key).__name__}", field="api_key")
        if not isinstance(url, str):
            raise InputError(f"must be text, not {type(url).__name__}", field="base_url")
        return cls(
            base_url=url,
            api_key=None if is_local(url) else Secret.of(key),
            credential_command=settings.pop("credential_command", None)
            or env.get("TINKER_CREDENTIAL_CMD")
            or None,
            tags=tuple(dict.fromkeys(tags if tags is not None else _split_tags(env.get("TINKER_TAGS", "")))),
            project_id=project_id or env.get("TINKER_PROJECT_ID") or None,
            default_headers={**_access_headers(env), **(default_headers or {})},
            require_key_prefix=_chosen(require_key_prefix, not _switched_on(env, "TINSMITH_ANY_KEY")),
            insecure=_chosen(insecure, _switched_on(env, "TINSMITH_INSECURE")),
            models={**(models_of_user(env) if is_local(url) else {}), **(models or {})},
            telemetry=_telemetry(env, telemetry),
            log_level=log_level or env.get("TINKER_LOG") or None,
            **settings,
        )


def _split_tags(text: str) -> list[str]:
    return [tag for tag in (part.strip() for part in text.split(",")) if tag]


def _stripped(key: Secret | None) -> Secret | None:
    """Return a key without the white space around it, which files and shells leave; an empty one is none."""
    text = "" if key is None else key.reveal().strip()
    if not text:
        return None
    return key if key is not None and key.reveal() == text else Secret(text)


def _access_headers(env: Mapping[str, str]) -> dict[str, str]:
    """Read the pair of headers that Cloudflare Access wants."""
    found: dict[str, str] = {}
    for header, variable in (
        ("CF-Access-Client-Id", "CLOUDFLARE_ACCESS_CLIENT_ID"),
        ("CF-Access-Client-Secret", "CLOUDFLARE_ACCESS_CLIENT_SECRET"),
    ):
        value = env.get(variable, "").strip()
        if not value:
            continue
        try:
            check_headers({header: value})
        except InputError as wrong:
            raise InputError(f"{wrong.message} (from {variable})") from None
        found[header] = value
    return found


def telemetry_wanted(asked: bool) -> bool:
    """Say whether telemetry that was asked for is sent: DO_NOT_TRACK=1 wins."""
    return _telemetry(os.environ, asked)


def _telemetry(env: Mapping[str, str], asked: bool | None) -> bool:
    if env.get("DO_NOT_TRACK", "") not in ("", "0"):
        return False
    return _chosen(asked, _switched_on(env, "TINKER_TELEMETRY"))


def _chosen(asked: bool | None, otherwise: bool) -> bool:
    return otherwise if asked is None else asked


def _switched_on(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "").lower() in ("1", "true", "yes", "on")


def check_key(key: Secret | None, *, base_url: str, require_prefix: bool) -> None:
    """Refuse a missing key, a foreign one, and one that no header can carry."""
    if is_local(base_url):
        return
    if key is None or not key.reveal():
        raise TinkerError(
            "no API key: pass api_key= or set TINKER_API_KEY, or TINKER_CREDENTIAL_CMD"
            " (base_url='local:' needs none)"
        )
    if not _KEY.fullmatch(key.reveal()):
        raise InputError(
            "the key from api_key= or TINKER_API_KEY holds a blank, a line end or a character that is not"
            " ASCII, which no header carries",
            field="X-API-Key",
        )
    if require_prefix and not key.reveal().startswith(("tml-", "eyJ")):
        raise TinkerError(
            "the API key does not start with 'tml-'; for a self-hosted server with other keys pass"
            " require_key_prefix=False or set TINSMITH_ANY_KEY=1"
        )


def set_variables(*names: str) -> dict[str, str]:
    """Return those of some environment variables that are set and not empty, for errors that name them."""
    return {name: value for name in names if (value := os.environ.get(name))}


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the user's cache of fetched models: TINSMITH_CACHE, else the platform's place for caches."""
    env = os.environ if environ is None else environ
    if chosen := env.get("TINSMITH_CACHE"):
        return Path(chosen).expanduser()
    if xdg := env.get("XDG_CACHE_HOME"):
        return Path(xdg).expanduser() / "tinsmith"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tinsmith"
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "tinsmith" / "Cache"
    return Path.home() / ".cache" / "tinsmith"


def hub_cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return where the Hugging Face hub keeps its files: HF_HUB_CACHE, HF_HOME/hub, else its default."""
    env = os.environ if environ is None else environ
    if chosen := env.get("HF_HUB_CACHE"):
        return Path(chosen).expanduser()
    if home := env.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    base = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser()
    return base / "huggingface" / "hub"


__all__ = [
    "ChunkLimits",
    "ClientConfig",
    "EncodingChoice",
    "FlowLimits",
    "OnUnknown",
    "OptimAfter",
    "PollPolicy",
    "RetryConfig",
    "Secret",
    "ServerChoice",
    "Timeouts",
    "cache_dir",
    "check_key",
    "hub_cache_dir",
    "models_of_user",
    "set_variables",
]
