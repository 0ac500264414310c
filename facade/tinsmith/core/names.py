"""Other names that the official SDK has for types, and what texts are known to say. Owns no class."""

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
"""What a checkpoint can be used for; servers may say others."""

SamplingClientKind = Literal["snapshot", "inflight"]
"""Whether a sampler keeps the weights that it was given, or follows the training."""

LossFnType = Literal[
    "cross_entropy", "importance_sampling", "ppo", "cispo", "dro", "gspo", "stable_reinforce", "custom"
]
"""Losses that the API documents; servers have others, which go out under their own names."""

AuditEventType = Literal["all", "checkpoints", "projects", "teams", "organizations"]
"""Which entries of the audit log."""

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
"""Official second name of the batch."""


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
