"""Names of types that the official SDK has beside the contract's, and the known values of texts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from tinsmith_api.models import (
    AdamOptimizerConfig,
    AdamParams,
    DimuonOptimizerConfig,
    DimuonParams,
    OtherOptimizerConfig,
    TelemetrySendRequest,
)

CheckpointType = Literal["training", "sampler", "external"]
"""What a checkpoint can be used for. Servers may send other values."""

SamplingClientKind = Literal["snapshot", "inflight"]
"""Whether a sampler keeps the weights that it was given, or follows the training."""

LossFnType = Literal[
    "cross_entropy", "importance_sampling", "ppo", "cispo", "dro", "gspo", "stable_reinforce", "custom"
]
"""Losses that the API documents. Other names are sent as they are: servers may have more losses."""

AuditEventType = Literal["all", "checkpoints", "projects", "teams", "organizations"]
"""Which entries of the audit log are listed."""

ModelID = str
"""Id of a model, `<session>:train:<n>`."""

RequestID = str
"""Id of a promise, opaque."""

FutureRetrieveResponse = Any
"""What retrieve_future answers: try again, a failure, or the result that the caller expects."""

OptimizerConfig = AdamOptimizerConfig | DimuonOptimizerConfig | OtherOptimizerConfig | Mapping[str, Any]
"""Which optimizer a model has; a mapping with a `type` for kinds that are not known here."""

OptimParams = AdamParams | DimuonParams | Mapping[str, Any]
"""One step of an optimizer; a mapping with a `type` for kinds that are not known here."""

TelemetryBatch = TelemetrySendRequest
"""The official SDK's name of `TelemetrySendRequest`."""


class Severity(StrEnum):
    """How bad an event is."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class EventType(StrEnum):
    """Kinds of events."""

    SESSION_START = "SESSION_START"
    SESSION_END = "SESSION_END"
    UNHANDLED_EXCEPTION = "UNHANDLED_EXCEPTION"
    GENERIC_EVENT = "GENERIC_EVENT"
