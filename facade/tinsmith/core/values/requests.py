"""Bodies of requests as values. Owns field names and defaults; `codec` turns them into bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from tinsmith.core.values.datum import Datum
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.optimizers import DimuonParams, OptimizerConfig
from tinsmith.core.values.ownership import own_fields
from tinsmith.core.values.params import AdamParams, LoraConfig, SamplingParams
from tinsmith.core.values.tensor import TensorData
from tinsmith.core.values.value import Value

SamplingClientKind = Literal["snapshot", "inflight"]
"""Whether a sampler keeps the weights that it was given, or follows the training."""


@attrs.frozen(field_transformer=own_fields)
class CreateSessionRequest(Value):
    """Open a session."""

    tags: list[str] = attrs.field(factory=list)
    """Labels."""
    user_metadata: dict[str, Any] | None = attrs.field(factory=dict)
    """What the user attaches."""
    sdk_version: str = ""
    """Version of the client."""
    project_id: str | None = None
    """Project that pays."""
    display_name: str | None = None
    """Name for people."""
    type: str = "create_session"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class SessionHeartbeatRequest(Value):
    """Keep a session alive."""

    session_id: str
    """The session."""
    type: str = "session_heartbeat"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class CreateSamplingSessionRequest(Value):
    """Make a sampler; one of base_model and model_path is set."""

    session_id: str
    """The session."""
    sampling_session_seq_id: int
    """Number of the sampler in its session, from 0."""
    base_model: str | None = None
    """Base model to sample."""
    model_path: str | None = None
    """Checkpoint to sample."""
    type: str = "create_sampling_session"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class CreateModelRequest(Value):
    """Make a model."""

    session_id: str
    """The session."""
    model_seq_id: int
    """Number of the model in its session, from 0."""
    base_model: str
    """Base model."""
    user_metadata: dict[str, Any] | None = None
    """What the user attaches."""
    lora_config: LoraConfig | None = None
    """Shape of the adapter."""
    optimizer_config: OptimizerConfig | None = None
    """Optimizer; None is the server's default, Adam."""
    type: str = "create_model"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class GetInfoRequest(Value):
    """Ask about a model."""

    model_id: str
    """The model."""
    type: str = "get_info"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class UnloadModelRequest(Value):
    """Drop a model."""

    model_id: str
    """The model."""
    type: str = "unload_model"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class ForwardBackwardInput(Value):
    """A batch and its loss."""

    data: list[Datum]
    """The batch."""
    loss_fn: str
    """Name of the loss."""
    loss_fn_config: dict[str, float | str] | None = None
    """Settings of the loss."""


@attrs.frozen(field_transformer=own_fields)
class ForwardRequest(Value):
    """Run the model; no gradient."""

    forward_input: ForwardBackwardInput
    """Batch and loss."""
    model_id: str
    """The model."""
    seq_id: int | None = None
    """Number on the model."""


@attrs.frozen(field_transformer=own_fields)
class ForwardBackwardRequest(Value):
    """Run the model and add to its gradient."""

    forward_backward_input: ForwardBackwardInput
    """Batch and loss."""
    model_id: str
    """The model."""
    seq_id: int | None = None
    """Number on the model."""


@attrs.frozen(field_transformer=own_fields)
class OptimStepRequest(Value):
    """Step, and clear the gradient."""

    adam_params: AdamParams | None = None
    """A step of Adam."""
    model_id: str = ""
    """The model."""
    seq_id: int | None = None
    """Number on the model."""
    optimizer_params: DimuonParams | Mapping[str, Any] | None = None
    """A step of another optimizer."""
    type: str = "optim_step"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class SaveWeightsRequest(Value):
    """Save weights and optimizer."""

    model_id: str
    """The model."""
    path: str | None = None
    """A bare name."""
    seq_id: int | None = None
    """Number on the model."""
    ttl_seconds: int | None = None
    """Seconds until the server deletes it; None is never."""
    overwrite: bool | None = None
    """Replace a checkpoint of the same name."""
    user_metadata: dict[str, str] | None = None
    """What the user attaches to the checkpoint."""
    type: str = "save_weights"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class LoadWeightsRequest(Value):
    """Load weights."""

    model_id: str
    """The model."""
    path: str
    """A `tinker://` path."""
    optimizer: bool = False
    """Load the optimizer's state too."""
    seq_id: int | None = None
    """Number on the model."""
    weights_access_token: str | None = attrs.field(default=None, repr=False)
    """Token for somebody else's checkpoint."""
    type: str = "load_weights"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class SaveWeightsForSamplerRequest(Value):
    """Save weights to sample from; one of path and sampling_session_seq_id is set."""

    model_id: str
    """The model."""
    path: str | None = None
    """A bare name."""
    sampling_session_seq_id: int | None = None
    """Number of the sampler that the weights become."""
    seq_id: int | None = None
    """Number on the model."""
    ttl_seconds: int | None = None
    """Seconds until the server deletes it; None is never."""
    user_metadata: dict[str, str] | None = None
    """What the user attaches to the checkpoint."""
    kind: SamplingClientKind | None = None
    """`snapshot`, or `inflight` for a sampler that follows the training."""
    type: str = "save_weights_for_sampler"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class SaveWeightsExternalRequest(Value):
    """Save weights as files to download."""

    model_id: str
    """The model."""
    path: str
    """A bare name."""
    seq_id: int | None = None
    """Number on the model."""
    ttl_seconds: int | None = None
    """Seconds until the server deletes it; None is never."""
    age_encryption_recipients: list[str] | None = None
    """Public age keys to encrypt the files for."""
    type: str = "save_weights_external"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class CopyWeightsRequest(Value):
    """Copy a checkpoint into a project or a session."""

    source_path: str
    """A `tinker://` path."""
    destination_project_id: str | None = None
    """The project."""
    session_id: str | None = None
    """The session, with model_seq_id."""
    model_seq_id: int | None = None
    """Number of the model in that session."""
    ttl_seconds: int | None = None
    """Seconds until the server deletes the copy; None is never."""


@attrs.frozen(field_transformer=own_fields)
class SampleRequest(Value):
    """Draw continuations."""

    prompt: ModelInput
    """What the model reads first."""
    sampling_params: SamplingParams
    """How to draw."""
    num_samples: int = 1
    """How many."""
    base_model: str | None = None
    """Base model, without a sampler."""
    model_path: str | None = None
    """Checkpoint, without a sampler."""
    sampling_session_id: str | None = None
    """The sampler."""
    seq_id: int | None = None
    """Number on the sampler, from 0."""
    prompt_logprobs: bool | None = None
    """Ask for the prompt's logprobs."""
    topk_prompt_logprobs: int = 0
    """Ask for this many alternatives at each prompt position."""
    topk_sample_logprobs: int = 0
    """Ask for this many alternatives at each sampled position."""
    target_prompt_logprobs: TensorData | None = None
    """Token ids whose log-probabilities are wanted at each prompt position."""
    prompt_alt_tokens_k: int = 0
    """Ask for this many other tokens drawn at each prompt position."""
    prompt_logprobs_last_n: int | None = None
    """Prompt logprobs of the last n positions only; None is all."""
    type: str = "sample"
    """Tag."""


@attrs.frozen(field_transformer=own_fields)
class FutureRetrieveRequest(Value):
    """Ask for a promise."""

    request_id: str
    """Its id."""
    allow_metadata_only: bool | None = None
    """Take the size instead, where the result is large."""
