"""How the embedded service is to behave: its options, its flags for clients, the switches of `--imitate`.

Values only, each policy number with its unit and reason; nothing here opens a file. `imitation` does what the
switches say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, Self, cast, get_args

import attrs
from tinsmith_api import models

DetailStyle = Literal["native", "text", "list"]
FailureStatus = Literal[200, 400, 404, 422]
Wire = Literal["json", "protobuf", "both"]
"""Encodings of batches and results: both, or one alone as some servers have it."""
Flag = bool | int | float | str
"""A setting that the service sends to clients."""

CONFIG_FLAGS: Mapping[str, Flag] = {
    **dict(models.ClientConfigResponse()),
    "parallel_fwdbwd_chunks": False,
    "billing_exception_max_pause_duration_sec": 3600.0,
    "sample_join_sampling_session": True,
}
"""Answer of `client/config`: the contract's defaults but for these. Chunks are to come one after the other: a
number that comes early is held, and the official client sends the first chunk when the others are accepted.
The flags steer clients, and nothing in the service depends on them."""
DYNAMIC_FLAGS: Mapping[str, Flag] = {
    **dict(models.ClientDynamicConfigResponse()),
    "refresh_interval_sec": 300.0,
    "sample_cancel_enabled": True,
}
"""Answer of `dynamic_config`."""


@attrs.frozen(kw_only=True)
class Imitation:
    """Quirks of other servers of this API, to test a loop against them. All off by default."""

    arrival_order: bool = False
    """Apply training requests as they arrive; gaps and disorder of seq_id are not noticed."""
    no_deduplication: bool = False
    """A repeated (model, seq_id) or (sampler, seq_id) is a new request and is applied again."""
    duplicates_409: bool = False
    """A repeated (model, seq_id) is answered 409, also with the same content."""
    exact_next: bool = False
    """A seq_id that is not exactly the next number is answered 409 at once instead of waiting."""
    detail: DetailStyle = "native"
    """Error bodies: `native` as the contract says, `text` is `{"detail": "…"}`,
    `list` is `{"detail": [{loc, msg, type}]}`."""
    status_codes: bool = False
    """Success as 201 (sessions), 202 (promises) and 204 (heartbeat, empty answers) instead of 200."""
    failure_status: FailureStatus = 200
    """Status of a failed promise on retrieve_future; 200 is a body with `error` and `category`."""
    try_again: bool = False
    """A pending promise is answered 200 `{"type": "try_again"}` instead of 408."""
    making_425: bool = False
    """A checkpoint that is still being made is answered 425 at once instead of being waited for."""
    two_segment_paths: bool = False
    """Named sampler checkpoints are reported as `tinker://<run>/<name>`, without `sampler_weights`."""
    short_prompt_logprobs: bool = False
    """prompt_logprobs come one entry short: the leading null is left out."""
    load_first_only: bool = False
    """load_weights is accepted only as the first request of a model, else 400."""
    unheld_polls: bool = False
    """A poll of a pending promise is answered at once instead of being held."""

    @classmethod
    def parse(cls, words: Iterable[str]) -> Self:
        """Build from words such as `arrival-order`, `detail=text`, `failure-status=422`."""
        known = {field.name: field for field in attrs.fields(cls)}
        found: dict[str, object] = {}
        for word in words:
            name, _, value = word.partition("=")
            key = name.strip().replace("-", "_")
            if key not in known:
                raise ValueError(f"unknown imitation {name!r}; known: {', '.join(sorted(cls.words()))}")
            found[key] = _switch_value(key, value)
        return cls(**found)  # type: ignore[arg-type]

    @classmethod
    def words(cls) -> tuple[str, ...]:
        """All words that `parse` understands."""
        return tuple(
            f"{_word(f.name)}={'|'.join(map(str, _VALUES[f.name][1:]))}"
            if f.name in _VALUES
            else _word(f.name)
            for f in attrs.fields(cls)
        )


def parse_wire(text: str) -> Wire:
    """Read `json`, `protobuf` or `both`."""
    for wire in get_args(Wire):
        if text == wire:
            return cast("Wire", wire)
    raise ValueError(f"must be json, protobuf or both, not {text!r}")


_VALUES: Mapping[str, tuple[str | int, ...]] = {
    "detail": get_args(DetailStyle),
    "failure_status": get_args(FailureStatus),
}
"""Values of the switches that are more than on or off; the first is the default."""


def _word(key: str) -> str:
    """Write a name as the command has it."""
    return key.replace("_", "-")


def _switch_value(key: str, value: str) -> object:
    """Read the part after `=` of one word."""
    known = {str(each): each for each in _VALUES.get(key, ())}
    if known and value not in known:
        *most, last = known
        raise ValueError(f"{_word(key)} must be {', '.join(most)} or {last}, not {value!r}")
    if value and not known:
        raise ValueError(f"{_word(key)} takes no value")
    return known.get(value, True)


def parse_flags(words: Iterable[str]) -> dict[str, Flag]:
    """Read words such as `sample_use_retrieve_futures=true` or `fwdbwd_max_chunk_len=8`."""
    known = {**CONFIG_FLAGS, **DYNAMIC_FLAGS}
    found: dict[str, Flag] = {}
    for word in words:
        name, _, text = word.partition("=")
        key = name.strip().replace("-", "_")
        if key not in known:
            raise ValueError(f"unknown flag {name!r}; known: {', '.join(sorted(known))}")
        found[key] = _flag_value(key, text.strip(), known[key])
    return found


def _flag_value(key: str, text: str, default: Flag) -> Flag:
    """Read a value of the kind of the default."""
    if isinstance(default, bool):
        if text not in {"true", "false"}:
            raise ValueError(f"{key} must be true or false, not {text!r}")
        return text == "true"
    try:
        value: Flag = type(default)(text)
    except ValueError:
        raise ValueError(f"{key} must be a number, not {text!r}") from None
    if not text:
        raise ValueError(f"{key} needs a value")
    if not isinstance(value, str) and not 0 < value < float("inf"):
        raise ValueError(f"{key} must be above 0, not {text!r}")
    return value


@attrs.frozen(kw_only=True)
class ServeOptions:
    """What the embedded service needs to know; every number with its unit."""

    data_dir: Path
    """Directory of the database, checkpoints and journals; created when missing, locked while in use."""
    models: Mapping[str, Path] = attrs.field(factory=dict)
    """Further base models: name -> Hugging Face directory or GGUF file."""
    reads_paths: bool = False
    """A base model may be named by its path on this machine; for clients that may read its files anyway."""
    token: str | None = attrs.field(default=None, repr=False)
    """Key that every request must carry, as X-API-Key or as Authorization: Bearer; None for none
    (in-process use only)."""
    keep_token: bool = False
    """Without a token, take the one that the data directory keeps, made when it is first served: clients
    go on with their key when the service starts again."""
    allowed_hosts: tuple[str, ...] | None = None
    """Host header values (without port) that are served; None checks nothing (in-process use only)."""
    imitate: Imitation = attrs.field(factory=Imitation)
    """Quirks of other servers."""
    wire: Wire = "both"
    """Encodings of batches and results: `both`, or only one, as older and newer servers have it."""
    client_flags: Mapping[str, Flag] = attrs.field(factory=dict)
    """What `client/config` and `dynamic_config` answer instead of this service's own flags."""
    metadata_bytes: int = 1 << 20
    """Results beyond this are announced by their size first, to polls that allow it."""
    hold_s: float = 20.0
    """Longest time that a poll of a pending promise is held; below 45 s, where official clients give up."""
    session_hold_s: float = 40.0
    """A poll for a whole sampler is held no longer than this, even if the client requests more."""
    making_wait_s: float = 10.0
    """Longest time that a request waits for a checkpoint that is being made, then 425."""
    gap_wait_s: float = 10.0
    """Longest time that a training request waits for the numbers before its own, then 408."""
    result_ttl_s: float = 3600.0
    """Results are kept for this long after they are ready, then polls answer 410."""
    session_ttl_s: float = 24 * 3600.0
    """A session without heartbeat or request for this long is closed; its ephemeral samplers go too."""
    ephemeral_bytes: int = 4 << 30
    """Disk space for ephemeral samplers; the ones unused for longest are dropped beyond it."""
    state_bytes: int = 2 << 30
    """Memory for adapters that are loaded; beyond it the ones unused for longest are written out."""
    max_body_bytes: int = 64 << 20
    """Bigger request bodies are answered 413."""
    max_header_bytes: int = 32 << 10
    """Bigger header blocks are answered 431."""
    head_s: float = 30.0
    """Longest time from the first byte of a request, or from connecting, to the end of its headers; then the
    connection is ended."""
    body_s: float = 300.0
    """Longest time that a request body may take; then the answer is 408."""
    max_connections: int | None = None
    """Connections at once; further ones are ended. None is what the descriptor limit allows."""
    max_queued_samples: int = 10_000
    """Sample requests waiting or running beyond this are answered 429 with Retry-After."""
    max_queued_bytes: int = 1 << 30
    """Training request bytes waiting to be applied beyond this are answered 429 with Retry-After."""
    snapshot_cost_ratio: float = 10.0
    """A model's state is written once steps took this many times the writing's duration: 10 % overhead."""
    snapshot_min_s: float = 2.0
    """Least engine time between two snapshots of a model: about what a restart computes again."""
    archive_url_ttl_s: float = 900.0
    """Life of a signed archive URL."""
