"""Answers about sessions, models and promises. Owns their fields only."""

from __future__ import annotations

from typing import Any

import attrs

from tinsmith.core.errors import RequestErrorCategory
from tinsmith.core.values.open import Open
from tinsmith.core.values.ownership import own_fields

ModelID = str
"""Id of a model, `<session>:train:<n>`."""
RequestID = str
"""Id of a promise, opaque."""


@attrs.frozen(field_transformer=own_fields)
class SupportedModel(Open):
    """A base model that the server offers."""

    model_name: str | None = None
    """Its name."""
    max_context_length: int | None = None
    """Longest input, in tokens, where the server says."""
    trainable: bool | None = None
    """Whether it can be trained, where the server says."""
    sampleable: bool | None = None
    """Whether it can be sampled, where the server says."""


@attrs.frozen(field_transformer=own_fields)
class GetServerCapabilitiesResponse(Open):
    """What the server offers."""

    supported_models: list[SupportedModel]
    """Base models."""


@attrs.frozen(field_transformer=own_fields)
class HealthResponse(Open):
    """Readiness of the server."""

    status: str
    """`ok`."""


@attrs.frozen(field_transformer=own_fields)
class CreateSessionResponse(Open):
    """A new session."""

    session_id: str
    """Its id."""
    info_message: str | None = None
    """For the log, at INFO."""
    warning_message: str | None = None
    """For the log, at WARNING."""
    error_message: str | None = None
    """For the log, at ERROR."""
    type: str = "create_session"
    """Tag of this answer."""


@attrs.frozen(field_transformer=own_fields)
class SessionHeartbeatResponse(Open):
    """The server heard the heartbeat."""

    type: str = "session_heartbeat"
    """Tag of this answer."""


@attrs.frozen(field_transformer=own_fields)
class CreateSamplingSessionResponse(Open):
    """A new sampler."""

    sampling_session_id: str
    """Its id."""
    type: str = "create_sampling_session"
    """Tag of this answer."""


@attrs.frozen(field_transformer=own_fields)
class CreateModelResponse(Open):
    """A new model."""

    model_id: str
    """Its id."""
    type: str = "create_model"
    """Tag of this result."""


@attrs.frozen(field_transformer=own_fields)
class UnloadModelResponse(Open):
    """A model was unloaded."""

    model_id: str
    """Its id."""
    type: str | None = "unload_model"
    """Tag of this result."""


@attrs.frozen(field_transformer=own_fields)
class ModelData(Open):
    """What a model is made of."""

    arch: str | None = None
    """Architecture."""
    model_name: str | None = None
    """Base model."""
    tokenizer_id: str | None = None
    """Name under which its tokenizer is found."""


@attrs.frozen(field_transformer=own_fields)
class GetInfoResponse(Open):
    """Facts about a model."""

    model_data: ModelData
    """What it is made of."""
    model_id: str
    """Its id."""
    is_lora: bool | None = None
    """Whether it is an adapter."""
    lora_rank: int | None = None
    """Rank of the adapter."""
    model_name: str | None = None
    """Base model."""
    optimizer_config: dict[str, Any] | None = None
    """Its optimizer, where the server says; `type` names the kind."""
    type: str | None = "get_info"
    """Tag of this answer."""


@attrs.frozen(field_transformer=own_fields)
class UntypedAPIFuture(Open):
    """A promise."""

    request_id: str
    """Opaque id to ask with."""
    model_id: str | None = None
    """Model that it belongs to."""


@attrs.frozen(field_transformer=own_fields)
class TryAgainResponse(Open):
    """The promise is not ready."""

    request_id: str | None = None
    """Its id."""
    queue_state: str | None = None
    """`active`, `paused_capacity` or `paused_rate_limit`."""
    queue_state_reason: str | None = None
    """Reason for people."""
    type: str = "try_again"
    """Tag of this answer."""


@attrs.frozen(field_transformer=own_fields)
class RequestFailedResponse(Open):
    """The promise failed."""

    error: str
    """Reason for people."""
    category: RequestErrorCategory = RequestErrorCategory.Unknown
    """Who is to blame."""


FutureRetrieveResponse = Any
"""What retrieve_future answers: try again, a failure, or the result that the caller expects."""
