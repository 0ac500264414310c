"""SamplingParams, and the requests that a server reads. Owns their fields and which numbers are taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from tinsmith_api.model import Value
from tinsmith_api.numbers import above_zero, at_least_zero, require
from tinsmith_api.reading import own_fields

from tinsmith.core.values.datum import Datum
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.tensor import TensorData


def _probability(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    require(0 < value <= 1, attribute, value, "in (0, 1]")


def _top_k(_: object, attribute: attrs.Attribute[Any], value: int) -> None:
    require(value == -1 or value > 0, attribute, value, "-1 or above 0")


@attrs.frozen(field_transformer=own_fields)
class SamplingParams(Value):
    """How tokens are drawn."""

    max_tokens: int | None = attrs.field(default=None, validator=above_zero)
    """Most tokens to draw; None leaves it to the server."""
    seed: int | None = None
    """Seed; None draws one."""
    stop: str | Sequence[str] | Sequence[int] | None = None
    """Text, texts or token ids that end a sequence. None keeps the end-of-sequence token; [] disables all."""
    temperature: float = attrs.field(default=1, validator=at_least_zero)
    """Divides the logits; 0 is greedy."""
    top_k: int = attrs.field(default=-1, validator=_top_k)
    """Draw from the k likeliest tokens; -1 is no limit."""
    top_p: float = attrs.field(default=1, validator=_probability)
    """Draw from the smallest set of tokens with this much probability, in (0, 1]."""


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
