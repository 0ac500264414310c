"""What the embedded service tells clients of itself in `client/config` and `dynamic_config`.

Values only: the flags steer clients, and nothing in the service depends on them.
"""

from collections.abc import Iterable, Mapping

Flag = bool | int | float | str

#: Answer of `client/config`. Batches leave one after the other, as one thread works on them anyway.
CONFIG_FLAGS: Mapping[str, Flag] = {
    "pjwt_auth_enabled": False,
    "credential_default_source": "api_key",
    "sample_dispatch_bytes_semaphore_size": 10_485_760,
    "inflight_response_bytes_semaphore_size": 52_428_800,
    "parallel_fwdbwd_chunks": False,
    "proto_compress_fwdbwd": False,
    "fwdbwd_max_chunk_len": 1024,
    "fwdbwd_max_chunk_bytes_count": 5_000_000,
    "fwdbwd_dispatch_bytes_semaphore_size": 50_000_000,
    "billing_exception_max_pause_duration_sec": 3600.0,
    "sample_no_retries": False,
    "sample_enable_stuck_detection": True,
    "sample_max_concurrent_requests": 2000,
    "use_pyqwest_transport": True,
    "sample_use_retrieve_futures": False,
    "custom_loss_server_side": False,
    "sample_join_sampling_session": True,
}
#: Answer of `dynamic_config`.
DYNAMIC_FLAGS: Mapping[str, Flag] = {
    "refresh_interval_sec": 300.0,
    "sample_cancel_enabled": True,
    "sample_cancel_max_batch_size": 64,
}


def parse_flags(words: Iterable[str]) -> dict[str, Flag]:
    """Read words such as `sample_use_retrieve_futures=true` or `fwdbwd_max_chunk_len=8`."""
    known = {**CONFIG_FLAGS, **DYNAMIC_FLAGS}
    found: dict[str, Flag] = {}
    for word in words:
        name, _, text = word.partition("=")
        key = name.strip().replace("-", "_")
        if key not in known:
            raise ValueError(f"unknown flag {name!r}; known: {', '.join(sorted(known))}")
        found[key] = _value(key, text.strip(), known[key])
    return found


def _value(key: str, text: str, default: Flag) -> Flag:
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
