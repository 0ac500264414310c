"""What a server says of itself: the flags and limits of `client/config` and `dynamic_config`.

Owns their names, defaults and types; a value of another type is ignored and named. Asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

_F = TypeVar("_F", "ServerFlags", "ChangingFlags")


@attrs.frozen
class ServerFlags:
    """The answer of `client/config`; what it does not name has the default that the API documents."""

    pjwt_auth_enabled: bool = False
    """Whether the key is exchanged for a token first."""
    credential_default_source: str = "api_key"
    """Where the key comes from: `api_key`, or `credential_cmd` for the user's command."""
    sample_dispatch_bytes_semaphore_size: int = 10_485_760
    """Bytes of samples being submitted at once."""
    inflight_response_bytes_semaphore_size: int = 52_428_800
    """Bytes of large results being fetched at once."""
    parallel_fwdbwd_chunks: bool = True
    """Whether chunks of one call may arrive out of order. We send in order always, which is allowed too."""
    proto_compress_fwdbwd: bool = False
    """Whether batches are sent as protobuf with zstd."""
    fwdbwd_max_chunk_len: int = 1024
    """Datums in one request."""
    fwdbwd_max_chunk_bytes_count: int = 5_000_000
    """Estimated bytes of one request, as protobuf."""
    fwdbwd_dispatch_bytes_semaphore_size: int = 50_000_000
    """Bytes of batches being submitted at once."""
    billing_exception_max_pause_duration_sec: float = 3600.0
    """Seconds that a client waits for a bill to be paid."""
    sample_no_retries: bool = False
    """Whether a sample that failed is not sent again; one that was pushed back is."""
    sample_enable_stuck_detection: bool = True
    """Whether samples end after the progress timeout."""
    sample_max_concurrent_requests: int = 2000
    """Samples in flight at once."""
    sample_use_retrieve_futures: bool = False
    """Whether one poll may ask for all samples of a sampler."""
    custom_loss_server_side: bool = False
    """Whether the server takes custom losses."""
    sample_join_sampling_session: bool = False
    """Whether the server numbers the copies of a sampler."""


@attrs.frozen
class ChangingFlags:
    """The answer of `dynamic_config`, which may change while a client lives."""

    refresh_interval_sec: float = 300.0
    """Seconds after which it is asked again; at least 10."""
    sample_cancel_enabled: bool = False
    """Whether the server wants to hear of samples that nobody waits for."""
    sample_cancel_max_batch_size: int = 64
    """Cancels under way at once."""


def read_flags(cls: type[_F], payload: object) -> tuple[_F, list[str]]:
    """Read the flags of an answer; also name those that were ignored because of their type or sign."""
    given = payload if isinstance(payload, Mapping) else {}
    kept: dict[str, Any] = {}
    ignored: list[str] = []
    for field in attrs.fields(cls):
        value = given.get(field.name)
        if value is None:
            continue
        if _fits(value, field.default):
            kept[field.name] = value
        else:
            ignored.append(field.name)
    return cls(**kept), ignored


def _fits(value: object, default: object) -> bool:
    """Say whether a value is of the kind of its default; numbers must be above 0."""
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, (int, float)) and value > 0
    if isinstance(default, int):
        return isinstance(value, int) and value > 0
    return isinstance(value, str)
