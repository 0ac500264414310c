"""What a user sets, and every policy constant with its unit and its reason.

Owns ClientConfig and its parts, Secret, and the check of the key. The only place that reads the
environment. Opens nothing.
"""

from __future__ import annotations

import hmac
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NoReturn, get_args

import attrs

from tinsmith.core.addresses import DEFAULT_BASE_URL, check_base_url, check_headers, is_local
from tinsmith.core.errors import InputError, TinkerError
from tinsmith.core.key_file import StoredKey, stored_key


class Secret:
    """A value whose repr, str and format are `***`, and which refuses to pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def of(cls, value: str | Secret | None) -> Secret | None:
        """Wrap a string; let a Secret or None through."""
        return cls(value) if isinstance(value, str) else value

    def reveal(self) -> str:
        """Return the value, for the one header that carries it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret does not pickle; set TINKER_API_KEY where it is needed")


KeySource = Literal["environment", "command", "file"]
"""Where a key comes from that no argument gave: TINKER_API_KEY, TINKER_CREDENTIAL_CMD, or the file of `auth
login`. The first one that is there counts."""

OptimAfter = Literal["accepted", "results"]
"""When an optim_step may go out: after the chunks before it were accepted, or after their results are in."""

EncodingChoice = Literal["auto", "json", "protobuf"]
"""How batches are written; `auto` asks the server, at most once."""

ServerChoice = Literal["auto", "hosted", "skyrl-0.3", "skyrl-0.4", "tuft", "hatchery", "tinsmith", "unknown"]
"""Which kind of server it is; `auto` recognises it by its answers."""

OnUnknown = Literal["raise", "resend"]
"""What to do when nobody knows whether a training request was applied."""


LONG_WAIT_S = 60.0
"""Seconds after which a wait is logged: longer than a cycle of the hosted service."""


def positive(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    """Validate that a limit is above 0, or absent."""
    if value is not None and not value > 0:
        raise InputError(f"must be above 0, not {value!r}", field=attribute.name)


@attrs.frozen
class RetryConfig:
    """How requests are retried; per client, or per call. The first six names are the official ones."""

    max_connections: int | None = attrs.field(default=1000, validator=positive)
    """Samples in flight at once; None is no limit. 1000 is what the hosted service allows a client."""
    progress_timeout: float = attrs.field(default=7200.0, validator=positive)
    """Seconds without progress of a promise before its wait is given up: queues of an hour are normal."""
    retry_delay_base: float = attrs.field(default=0.5, validator=positive)
    """Seconds before the first retry; doubles from there."""
    retry_delay_max: float = attrs.field(default=8.0, validator=positive)
    """Most seconds between two attempts, unless the server asks for more."""
    jitter_factor: float = 1.0
    """Share of a delay that is random, 0 to 1; 1 spreads many clients best."""
    enable_retry_logic: bool = True
    """Whether to retry at all."""
    retryable_exceptions: tuple[type[Exception], ...] = ()
    """Has no effect; it exists for programs that set it. Faults are classified by their kind instead."""
    max_retries: int = attrs.field(default=10, validator=attrs.validators.ge(0))
    """Largest number of retries of one request. After a 429 a retry does not count: nothing was accepted."""
    deadline_s: float = attrs.field(default=300.0, validator=positive)
    """Seconds from the first attempt after which no further one starts."""
    start_retries: int = attrs.field(default=2, validator=attrs.validators.ge(0))
    """Retries while the server was never reached: a wrong address should be reported soon."""
    start_deadline_s: float = attrs.field(default=15.0, validator=positive)
    """Seconds from the first attempt for these retries."""
    retry_after_cap_s: float = attrs.field(default=120.0, validator=positive)
    """Longest wait that a server may ask for; above it the error is raised with the value."""
    budget_capacity: float = attrs.field(default=100.0, validator=positive)
    """Retries that all requests of a client may use together at once, before they are slowed down."""
    budget_per_success: float = 0.5
    """Retries added by each success: a server that fails half of the time is still worth trying."""
    budget_per_s: float = 1.0
    """Retries added each second: bounds the load on a server that is down."""

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.jitter_factor <= 1:
            raise InputError(f"must be in [0, 1], not {self.jitter_factor}", field="jitter_factor")


@attrs.frozen
class ChunkLimits:
    """How many datums one request may hold. A server may set lower limits."""

    max_items: int | None = attrs.field(default=500_000, validator=positive)
    """Tokens, image bytes, pointer characters and tensor elements in one request; None is no limit."""
    max_datums: int = attrs.field(default=128, validator=positive)
    """Datums in one request."""
    max_bytes: int | None = attrs.field(default=None, validator=positive)
    """Estimated bytes of one request as protobuf, which is how servers say it; None is no limit."""


@attrs.frozen
class PollPolicy:
    """When to ask for a promise again. This is not retrying: waiting is the normal case."""

    read_timeout_s: float = attrs.field(default=45.0, validator=positive)
    """Seconds that the server may hold one poll before it is repeated: less than common proxies allow."""
    held_s: float = 0.25
    """A "not yet" that took this long was held by the server, so the next poll needs no pause."""
    floor_s: float = 0.02
    """First pause in seconds after a poll that was answered at once."""
    growth: float = 3.0
    """Factor from one such pause to the next."""
    ramp_s: float = 0.12
    """Pause in seconds at which this growth ends: 8 polls a second cost little, and no result is later."""
    elapsed_share: float = 0.05
    """Later pauses are this share of the time waited so far: a result is never more than 5 % late."""
    ceiling_s: float = 1.0
    """Longest pause in seconds without a fault."""
    storm_base_s: float = 1.0
    """Pause in seconds after the first 5xx or 429 to a poll; it doubles with each further one."""
    storm_max_s: float = 30.0
    """Longest such pause in seconds."""
    storm_jitter: float = 0.7
    """Random share of such a pause, so that the longest ones lie between 9 and 30 s."""
    storm_polls_per_s: float = 20.0
    """Largest number of polls a second of one client while polls fail."""
    broken_limit: int = 8
    """Unreadable answers with the same bytes in a row before the poll fails, if they lasted long enough."""
    broken_span: float = 120.0
    """How long they must last, in units of `storm_base_s`: two minutes. A proxy's page goes away sooner."""
    bare_400_limit: int = 4
    """Empty 400s in a row before a submission fails: some proxies send one when a connection went stale."""
    detail_500_limit: int = 12
    """Equal 500s with a `detail` in a row before they are the result: some servers report failures so."""
    billing_pause_s: float = 5.0
    """Pause in seconds after 402."""
    billing_patience_s: float = 3600.0
    """Seconds after which a call fails if the server still answers 402."""


@attrs.frozen
class Timeouts:
    """Limits of one attempt, in seconds."""

    connect_s: float = attrs.field(default=5.0, validator=positive)
    """To reach the server."""
    read_s: float = attrs.field(default=60.0, validator=positive)
    """Between two pieces of an answer."""
    write_s: float = attrs.field(default=60.0, validator=positive)
    """Between two pieces of an upload."""
    total_s: float = attrs.field(default=180.0, validator=positive)
    """For the whole attempt, so that an answer that trickles in ends too."""
    heartbeat_s: float = attrs.field(default=10.0, validator=positive)
    """For a heartbeat: an answer after the next one is useless."""
    telemetry_s: float = attrs.field(default=5.0, validator=positive)
    """For a batch of telemetry."""
    cancel_s: float = attrs.field(default=30.0, validator=positive)
    """To tell the server that a sample is not wanted any more."""

    @classmethod
    def of(cls, seconds: float | None) -> Timeouts:
        """Take the official single number: it bounds each phase."""
        if seconds is None:
            return cls()
        return cls(connect_s=seconds, read_s=seconds, write_s=seconds, total_s=max(180.0, seconds))


@attrs.frozen
class FlowLimits:
    """How much one client may have in progress at the same time."""

    sample_dispatch: int = attrs.field(default=400, validator=positive)
    """Samples being submitted, that is, sent and not yet accepted."""
    sample_bytes: int = attrs.field(default=10_485_760, validator=positive)
    """Estimated bytes of samples being submitted."""
    upload_bytes: int = attrs.field(default=50_000_000, validator=positive)
    """Built request bodies in memory: about two full chunks, so that one is built while one is sent."""
    response_bytes: int = attrs.field(default=52_428_800, validator=positive)
    """Bytes of large results being fetched."""
    max_queued: int | None = attrs.field(default=None, validator=positive)
    """Samples that may wait in the queue; if it is full, `sample` blocks. None is no limit."""
    exit_drain_s: float = 30.0
    """Seconds that the end of the process, or of the client, waits for requests in flight."""


_KEY = re.compile(r"[!-~]+")


def is_one_piece(key: str) -> bool:
    """Say whether a text can be a key: visible ASCII, in one piece."""
    return _KEY.fullmatch(key) is not None


def _models(given: Mapping[str, str | os.PathLike[str]]) -> dict[str, str]:
    """Take names and paths of models; a path may be any path-like, `~` is the user's home."""
    if not isinstance(given, Mapping):
        raise InputError(f"must be a mapping of names to paths, not {type(given).__name__}", field="models")
    for name, path in given.items():
        if not (isinstance(name, str) and name and isinstance(path, (str, os.PathLike)) and os.fspath(path)):
            raise InputError(f"{name!r}: {path!r} is no name with a path", field="models")
    return {name: str(Path(path).expanduser()) for name, path in given.items()}


def gateway_key(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the key that clients of a gateway send, from TINSMITH_GATEWAY_KEY; None where there is none."""
    env = os.environ if environ is None else environ
    key = env.get("TINSMITH_GATEWAY_KEY", "").strip()
    if key and not is_one_piece(key):
        raise InputError("TINSMITH_GATEWAY_KEY must be visible ASCII, in one piece")
    return key or None


def models_of_user(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the base models that TINSMITH_MODELS offers: `NAME=PATH`, separated like the entries of PATH."""
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
    """Command that prints the key; it runs if there is no other key, or if the server asks for it."""
    require_key_prefix: bool = True
    """Refuse keys that do not start with `tml-` (or `eyJ`, a JWT): they belong to another service."""
    insecure: bool = False
    """Allow plain HTTP to another machine; the key is then sent unencrypted."""
    tags: tuple[str, ...] = ()
    """Labels of the session."""
    project_id: str | None = None
    """Project to which the session belongs, for lists and bills."""
    display_name: str | None = None
    """Name of the session in lists."""
    user_metadata: Mapping[str, str] = attrs.field(factory=dict)
    """Your own names and texts for the session, which the server keeps with it."""
    default_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Headers on every request."""
    default_query: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Query parameters on every request."""
    retry: RetryConfig = attrs.field(factory=RetryConfig)
    """How requests are sent again."""
    timeouts: Timeouts = attrs.field(factory=Timeouts)
    """Limits of one attempt."""
    chunk_limits: ChunkLimits = attrs.field(factory=ChunkLimits)
    """Size of one forward_backward request."""
    poll: PollPolicy = attrs.field(factory=PollPolicy)
    """How results are asked for."""
    flow: FlowLimits = attrs.field(factory=FlowLimits)
    """How much is in progress at the same time."""
    heartbeat_interval_s: float = attrs.field(default=10.0, validator=positive)
    """Seconds between heartbeats; servers drop a session after about two minutes without one."""
    session_warn_after_s: float = attrs.field(default=120.0, validator=positive)
    """Seconds without a heartbeat after which the log warns of each further failure."""
    progress_timeout_s: float | None = attrs.field(default=7200.0, validator=positive)
    """Seconds without progress of a promise before its future fails; None waits for ever."""
    optim_after: OptimAfter = attrs.field(
        default="accepted", validator=attrs.validators.in_(("accepted", "results"))
    )
    """When an optim_step is sent: once its gradients are `accepted`, or once their `results` are there. The
    second never steps on a part of a batch, and costs one more round trip."""
    chunks_at_once: bool | None = None
    """Whether the chunks of one batch are sent without waiting for each other, which saves a round trip a
    chunk. None: where the server is known to order them by number. False: one after the other, so that a
    refused one never leaves others behind it at the server."""
    server: ServerChoice = attrs.field(default="auto", validator=attrs.validators.in_(get_args(ServerChoice)))
    """Which kind of server it is, by the name of its profile; `auto` recognises it by its answers."""
    server_deduplicates: bool | None = None
    """Whether the server applies a request once even if it arrives twice. None: as its profile says; an
    unknown server is assumed to, with one warning. False: after an unknown outcome nothing is sent again."""
    on_unknown: OnUnknown = attrs.field(default="resend", validator=attrs.validators.in_(("raise", "resend")))
    """Whether a submission of unknown outcome (training, sampling, saving) is sent again, byte for byte, or
    raises."""
    encoding: EncodingChoice = attrs.field(
        default="auto", validator=attrs.validators.in_(("auto", "json", "protobuf"))
    )
    """How batches are written: `json`, `protobuf`, or (`auto`) what the server reads. Unless it is `auto`,
    the server is not asked."""
    models: Mapping[str, str] = attrs.field(factory=dict, converter=_models)
    """Your own base models for `local:`, by name; each is a Hugging Face directory or a GGUF file."""
    telemetry: bool = False
    """Whether to send telemetry. DO_NOT_TRACK=1 turns it off in any case."""
    log_level: str | None = None
    """`debug` or `info`: the log is written to stderr. None: it goes where the program sends it."""

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
        url = base_url if base_url is not None else env.get("TINKER_BASE_URL") or DEFAULT_BASE_URL
        if not isinstance(api_key, (str, Secret, NoneType)):
            raise InputError(f"must be text, not {type(api_key).__name__}", field="api_key")
        if not isinstance(url, str):
            raise InputError(f"must be text, not {type(url).__name__}", field="base_url")
        command = settings.pop("credential_command", None) or env.get("TINKER_CREDENTIAL_CMD") or None
        return cls(
            base_url=url,
            api_key=None if is_local(url) else _chosen_key(env, api_key, command),
            credential_command=command,
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


def key_source(environ: Mapping[str, str] | None = None) -> KeySource | None:
    """Return where `ClientConfig.from_environment` finds the key if it gets none; None if there is none.

    TinkerError for a file of keys that cannot be used.
    """
    env = os.environ if environ is None else environ
    if env.get("TINKER_API_KEY", "").strip():
        return "environment"
    if env.get("TINKER_CREDENTIAL_CMD"):
        return "command"
    return "file" if _stored(env) else None


def key_file(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the file that `auth login` writes: TINSMITH_CREDENTIALS, else that of the official client.

    None where neither the variable nor the home folder is known.
    """
    env = os.environ if environ is None else environ
    if chosen := env.get("TINSMITH_CREDENTIALS"):
        return Path(chosen).expanduser()
    home = env.get("HOME") or env.get("USERPROFILE")
    return Path(home, ".tinker", "credentials.json") if home else None


def _chosen_key(env: Mapping[str, str], api_key: str | Secret | None, command: str | None) -> Secret | None:
    if api_key is not None:
        return Secret.of(api_key)
    if env.get("TINKER_API_KEY", "").strip() or command:
        return Secret.of(env.get("TINKER_API_KEY"))
    found = _stored(env)
    return Secret(found.key) if found else None


def _stored(env: Mapping[str, str]) -> StoredKey | None:
    path = key_file(env)
    return stored_key(path) if path else None


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


def telemetry_wanted(chosen: bool) -> bool:
    """Say whether telemetry that the user wants is sent: DO_NOT_TRACK=1 wins."""
    return _telemetry(os.environ, chosen)


def _telemetry(env: Mapping[str, str], chosen: bool | None) -> bool:
    if env.get("DO_NOT_TRACK", "") not in ("", "0"):
        return False
    return _chosen(chosen, _switched_on(env, "TINKER_TELEMETRY"))


def _chosen(value: bool | None, otherwise: bool) -> bool:
    return otherwise if value is None else value


def _switched_on(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "").lower() in ("1", "true", "yes", "on")


def check_key(key: Secret | None, *, base_url: str, require_prefix: bool) -> None:
    """Refuse a missing key, a foreign one, and one that no header can carry."""
    if is_local(base_url):
        return
    if key is None or not key.reveal():
        unread = key is None and set_variables("TINKER_API_KEY")
        hint = " It is set, but only ClientConfig.from_environment() reads it, and ClientConfig() does not."
        raise TinkerError(
            "no API key: pass api_key=, set TINKER_API_KEY or TINKER_CREDENTIAL_CMD, or run tinsmith auth"
            f" login (base_url='local:' needs none).{hint if unread else ''}"
        )
    if not is_one_piece(key.reveal()):
        raise InputError(
            "the key from api_key= or TINKER_API_KEY or the file of auth login holds a blank, a line end or a"
            " character that is not ASCII, which no header carries",
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
