"""Requests that hold values with behaviour of their own: datums, inputs of models. Owns their fields."""

from __future__ import annotations

import attrs
from tinsmith_api.model import Value
from tinsmith_api.reading import own_fields

from tinsmith.core.values.datum import Datum
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.params import SamplingParams
from tinsmith.core.values.tensor import TensorData


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
    record_stability_info: bool | None = None
    """Ask the server to note facts for its diagnosis."""
    type: str = "sample"
    """Tag."""
