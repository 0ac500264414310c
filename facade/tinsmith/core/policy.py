"""Every policy constant, with its unit and its reason.

Owns retry, chunk, poll, time and flow limits; `config` joins them with what a user sets.
"""

from __future__ import annotations

from typing import Any, Literal

import attrs

from tinsmith.core.errors import InputError

OptimAfter = Literal["accepted", "results"]
"""When an optim_step may go out: after the chunks before it were accepted, or after their results are in."""

EncodingChoice = Literal["auto", "json", "protobuf"]
"""How batches are written; `auto` asks the server, at most once."""

ServerChoice = Literal["auto", "hosted", "skyrl-0.3", "skyrl-0.4", "tuft", "hatchery", "tinsmith", "unknown"]
"""Which kind of server it is; `auto` recognises it by its answers."""

OnUnknown = Literal["raise", "resend"]
"""What to do when nobody knows whether a training request was applied."""


LONG_WAIT_S = 60.0
"""A wait this long says what it waits for: longer than a cycle of the hosted service."""


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
    """Most seconds between two tries, unless the server asks for more."""
    jitter_factor: float = 1.0
    """Share of a delay that is random, 0 to 1; 1 spreads a herd of clients best."""
    enable_retry_logic: bool = True
    """Retry at all."""
    retryable_exceptions: tuple[type[Exception], ...] = ()
    """Kept for programs that set it; transport faults are classified by kind here."""
    max_retries: int = attrs.field(default=10, validator=attrs.validators.ge(0))
    """Most re-sends of one request. 429 does not count: the server took nothing."""
    deadline_s: float = attrs.field(default=300.0, validator=positive)
    """Seconds from the first try after which no further one starts."""
    start_retries: int = attrs.field(default=2, validator=attrs.validators.ge(0))
    """Re-sends while the server was never reached: a wrong address should be told soon."""
    start_deadline_s: float = attrs.field(default=15.0, validator=positive)
    """Seconds for those."""
    retry_after_cap_s: float = attrs.field(default=120.0, validator=positive)
    """Longest wait that a server may ask for; above it the error is raised with the value."""
    budget_capacity: float = attrs.field(default=100.0, validator=positive)
    """Retries that a client may spend at once; the bucket is shared by all its requests."""
    budget_per_success: float = 0.5
    """Retries earned by a success: a server that fails half of the time is still worth trying."""
    budget_per_s: float = 1.0
    """Retries earned by waiting, a second: bounds the load on a server that is down."""

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.jitter_factor <= 1:
            raise InputError(f"must be in [0, 1], not {self.jitter_factor}", field="jitter_factor")


@attrs.frozen
class ChunkLimits:
    """How many datums one request may hold. Servers may dictate others."""

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
    """Seconds that one poll may be held before we ask again: below the idle limit of common proxies."""
    held_s: float = 0.25
    """A "not yet" that took this long was held by the server, so the next poll needs no pause."""
    floor_s: float = 0.02
    """First pause in seconds after a poll that was answered at once."""
    growth: float = 3.0
    """Factor from one such pause to the next."""
    ramp_s: float = 0.12
    """Where the growth ends: 8 polls a second cost nothing, and a result is at most this late."""
    elapsed_share: float = 0.05
    """Pauses grow on as this share of the time waited so far: never more than 5 % late."""
    ceiling_s: float = 1.0
    """Longest pause in seconds without a fault."""
    storm_base_s: float = 1.0
    """Pause in seconds after the first 5xx or 429; doubles. At most 1 poll a second a future."""
    storm_max_s: float = 30.0
    """Longest such pause in seconds."""
    storm_jitter: float = 0.7
    """Random share of such a pause, so that the longest ones lie between 9 and 30 s."""
    storm_polls_per_s: float = 20.0
    """Polls a second of one client while polls fail."""
    broken_limit: int = 8
    """Unreadable answers with the same bytes in a row before the poll fails, if they lasted long enough."""
    broken_span: float = 120.0
    """How long they must last, in units of `storm_base_s`: two minutes. A proxy's page goes away sooner."""
    bare_400_limit: int = 4
    """Empty 400s in a row before a submission fails: some proxies answer so when a connection went stale."""
    detail_500_limit: int = 12
    """Equal 500s with a `detail` in a row before they are the result: some servers report failures so."""
    billing_pause_s: float = 5.0
    """Pause in seconds after 402."""
    billing_patience_s: float = 3600.0
    """Seconds of 402 before the poll fails."""


@attrs.frozen
class Timeouts:
    """Bounds of one try, in seconds."""

    connect_s: float = attrs.field(default=5.0, validator=positive)
    """Reaching the server."""
    read_s: float = attrs.field(default=60.0, validator=positive)
    """Gap between two pieces of an answer."""
    write_s: float = attrs.field(default=60.0, validator=positive)
    """Gap between two pieces of an upload."""
    total_s: float = attrs.field(default=180.0, validator=positive)
    """The whole try, so that a slow drip ends."""
    heartbeat_s: float = attrs.field(default=10.0, validator=positive)
    """A heartbeat: later than the next one is useless."""
    telemetry_s: float = attrs.field(default=5.0, validator=positive)
    """A telemetry batch."""
    cancel_s: float = attrs.field(default=30.0, validator=positive)
    """Telling the server that a sample is not wanted any more."""

    @classmethod
    def of(cls, seconds: float | None) -> Timeouts:
        """Take the official single number: it bounds each phase."""
        if seconds is None:
            return cls()
        return cls(connect_s=seconds, read_s=seconds, write_s=seconds, total_s=max(180.0, seconds))


@attrs.frozen
class FlowLimits:
    """What may be under way at once on one client."""

    sample_dispatch: int = attrs.field(default=400, validator=positive)
    """Samples being submitted."""
    sample_bytes: int = attrs.field(default=10_485_760, validator=positive)
    """Estimated bytes of samples being submitted."""
    upload_bytes: int = attrs.field(default=50_000_000, validator=positive)
    """Built request bodies in memory: about two full chunks, so that one is built while one is sent."""
    response_bytes: int = attrs.field(default=52_428_800, validator=positive)
    """Large results being fetched."""
    max_queued: int | None = attrs.field(default=None, validator=positive)
    """Samples waiting; when full, the call blocks. None is no bound."""
    exit_drain_s: float = 30.0
    """Seconds that leaving the process waits for work in flight."""
