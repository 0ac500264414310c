"""Other names that the official SDK has for types, and what texts are known to say. Owns no class."""

from __future__ import annotations

from typing import Any, Literal

CheckpointType = Literal["training", "sampler", "external"]
"""What a checkpoint can be used for; servers may say others."""

SamplingClientKind = Literal["snapshot", "inflight"]
"""Whether a sampler keeps the weights that it was given, or follows the training."""

AuditEventType = Literal["all", "checkpoints", "projects", "teams", "organizations"]
"""Which entries of the audit log."""

ModelID = str
"""Id of a model, `<session>:train:<n>`."""

RequestID = str
"""Id of a promise, opaque."""

FutureRetrieveResponse = Any
"""What retrieve_future answers: try again, a failure, or the result that the caller expects."""
