"""Which encoding a server gets, and which limits and contexts hold. Pure: answers in, decisions out.

Limits come from the flags of `client/config` and `dynamic_config`; a flag of a wrong type is ignored.

The probe is a JSON body that names no model. A server that parses JSON refuses it before it changes anything;
one that does not answers 415. Other answers, and training requests, decide nothing. A server that parses JSON
and was not recognised may get a second probe, in protobuf.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from tinsmith.core.config import ChunkLimits, FlowLimits, PollPolicy, RetryConfig
from tinsmith.core.server_profiles import profile_of

if TYPE_CHECKING:
    from tinsmith_api.models import ClientConfigResponse, ClientDynamicConfigResponse, SupportedModel

    from tinsmith.core.codec.wire import Encoding
    from tinsmith.core.config import ClientConfig
    from tinsmith.core.server_profiles import ServerProfile

_N = TypeVar("_N", int, float)
_F = TypeVar("_F", bound="ClientConfigResponse | ClientDynamicConfigResponse")

PROBE = b"{}"
"""Body of the probe, sent as JSON to `forward_backward`: it names no model, so nothing can be applied."""

PROBE_MODEL = "tinsmith-probe-of-no-model"
"""The model that the second probe names, a forward pass in protobuf: there is none, so nothing is applied."""

WORTH_ASKING_BYTES = 256 * 1024
"""Size of a first batch from which on a round trip is worth asking for protobuf: 8 datums of 512 tokens cost
about the same CPU in both forms, 32 of 1024 three times as much in JSON, 128 of 4096 six times."""

_PARSES_JSON = frozenset({400, 404, 405, 409, 413, 422, 500})


def known_encoding(
    config: ClientConfig, flags: ClientConfigResponse | None, profile: ServerProfile | None = None
) -> Encoding | None:
    """Return the encoding where it is known without a probe: by the settings, the flags or the profile."""
    if config.encoding != "auto":
        return config.encoding
    if flags is not None and flags.proto_compress_fwdbwd:
        return "protobuf"
    return (profile or profile_of(config)).encoding


def unreadable(encoding: Encoding, profile: ServerProfile) -> str | None:
    """Return why a server cannot read batches in an encoding; None if it can, or may."""
    if not profile.reads or encoding in profile.reads:
        return None
    named = " or ".join(profile.reads)
    return f"the server ({profile.name}) reads batches as {named}, not as {encoding}; leave encoding='auto'"


def encoding_shown_by(status: int) -> Encoding | None:
    """Return the encoding that the answer to the probe shows; None if it shows none."""
    if status == 415:
        return "protobuf"
    return "json" if status in _PARSES_JSON or 200 <= status < 300 else None


def probes_again(config: ClientConfig, profile: ServerProfile, found: Encoding, batch_bytes: int) -> bool:
    """Say whether a server that parses JSON gets the second probe."""
    unsettled = config.encoding == "auto" and not profile.reads
    return unsettled and found == "json" and batch_bytes >= WORTH_ASKING_BYTES


def shows_protobuf(status: int, text: str) -> bool:
    """Say whether a server read the probe in protobuf: only then can it say that the model is missing."""
    return status in (404, 410) and ("model" in text.lower())


def context_tokens(offered: Iterable[SupportedModel], *names: str) -> int | None:
    """Return the context of a base model, in tokens; None where the server does not say it.

    The model may be offered under one of several names, such as an alias and that of its tokenizer.
    """
    known = {model.model_name: model.max_context_length for model in offered}
    return next((tokens for tokens in map(known.get, names) if tokens is not None), None)


PARALLEL_FLAG = "parallel_fwdbwd_chunks"
"""The flag by which a server says whether it orders the chunks of a batch by number."""


def sends_chunks_at_once(
    chosen: bool | None, profile: ServerProfile, flag: object, *, may_resend: bool
) -> bool:
    """Say whether the chunks of one batch are sent without waiting for each other.

    The user's choice beats what the server is known for, and its flag; None means that it says nothing. Where
    a request is never sent twice, one that is lost would leave those behind it without their turn.
    """
    if not may_resend:
        return False
    if chosen is not None:
        return chosen
    if profile.chunks_at_once == "yes unless flagged":
        return flag is not False
    return profile.chunks_at_once == "yes" or (profile.chunks_at_once == "no unless flagged" and flag is True)


@attrs.frozen
class Limits:
    """The limits of one client: its own settings, joined with the server's flags."""

    chunks: ChunkLimits
    """Size of one forward_backward request."""
    upload_bytes: int
    """Most bytes of bodies of batches in memory at once."""
    sample_bytes: int
    """Most estimated bytes of samples being submitted at once."""
    response_bytes: int
    """Most bytes of large results being fetched at once."""
    samples_in_flight: int | None
    """Samples in flight at once; None is no limit."""
    billing_patience_s: float
    """Seconds that a request waits while the server answers 402."""
    samples_are_retried: bool = True
    """Whether a sample that failed is sent again. After a 429 it always is."""
    samples_time_out: bool = True
    """Whether samples are given up after the progress timeout."""


def limits_of(config: ClientConfig, flags: ClientConfigResponse | None) -> Limits:
    """Join both: the server's limits replace our defaults, and bound what the user set."""
    chunks, flow, usual = config.chunk_limits, config.flow, FlowLimits()
    if flags is None:
        return Limits(
            chunks,
            flow.upload_bytes,
            flow.sample_bytes,
            flow.response_bytes,
            config.retry.max_connections,
            config.poll.billing_patience_s,
        )
    default = ChunkLimits()
    bytes_limit = flags.fwdbwd_max_chunk_bytes_count
    joined = ChunkLimits(
        max_items=None if chunks.max_items == default.max_items else chunks.max_items,
        max_datums=_joined(chunks.max_datums, default.max_datums, flags.fwdbwd_max_chunk_len),
        max_bytes=bytes_limit if chunks.max_bytes is None else min(chunks.max_bytes, bytes_limit),
    )
    own = config.retry.max_connections
    most = flags.sample_max_concurrent_requests
    return Limits(
        joined,
        _joined(flow.upload_bytes, usual.upload_bytes, flags.fwdbwd_dispatch_bytes_semaphore_size),
        _joined(flow.sample_bytes, usual.sample_bytes, flags.sample_dispatch_bytes_semaphore_size),
        _joined(flow.response_bytes, usual.response_bytes, flags.inflight_response_bytes_semaphore_size),
        most if own is None or own == RetryConfig().max_connections else min(own, most),
        _joined(
            config.poll.billing_patience_s,
            PollPolicy().billing_patience_s,
            float(flags.billing_exception_max_pause_duration_sec),
        ),
        not flags.sample_no_retries,
        flags.sample_enable_stuck_detection,
    )


def _joined(own: _N, default: _N, theirs: _N) -> _N:
    return theirs if own == default else min(own, theirs)


def read_flags(cls: type[_F], payload: object) -> tuple[_F, list[str]]:
    """Read the flags of an answer; also name those that were ignored because of their type or sign."""
    given = payload if isinstance(payload, Mapping) else {}
    kept: dict[str, Any] = {}
    ignored: list[str] = []
    for field in attrs.fields(cls):
        value = given.get(field.name)
        if value is None:
            continue
        if _fits(value, str(field.type)):
            kept[field.name] = value
        else:
            ignored.append(field.name)
    return cls(**kept), ignored


def _fits(value: object, kind: str) -> bool:
    """Say whether a value is of the type of a flag; numbers must be above 0."""
    if kind in ("int", "float"):
        types = (int, float) if kind == "float" else int
        return isinstance(value, types) and not isinstance(value, bool) and value > 0
    return isinstance(value, bool if kind == "bool" else str)
