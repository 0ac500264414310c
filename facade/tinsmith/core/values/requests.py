"""SamplingParams, and the requests that a server reads. Owns their fields and the ranges of their numbers."""

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
    """Most tokens to draw, from 1; None leaves it to the server."""
    seed: int | None = None
    """Seed of the draws; None has the server draw one."""
    stop: str | Sequence[str] | Sequence[int] | None = None
    """Text, texts or token ids that end a sequence. None keeps the end-of-sequence token; [] disables all."""
    temperature: float = attrs.field(default=1, validator=at_least_zero)
    """Divides the logits, from 0; 0 always takes the likeliest token."""
    top_k: int = attrs.field(default=-1, validator=_top_k)
    """Draw from this many of the likeliest tokens, from 1; -1 is all of them."""
    top_p: float = attrs.field(default=1, validator=_probability)
    """Sample from the smallest set of tokens with this probability, in (0, 1]."""


@attrs.frozen(field_transformer=own_fields)
class ForwardBackwardInput(Value):
    """A batch and its loss."""

    data: list[Datum]
    """The datums of the batch."""
    loss_fn: str
    """Name of the loss, such as `cross_entropy`."""
    loss_fn_config: dict[str, float | str] | None = None
    """Settings of the loss, by name; None means the server's."""


@attrs.frozen(field_transformer=own_fields)
class ForwardRequest(Value):
    """Run the model; no gradient."""

    forward_input: ForwardBackwardInput
    """The batch and its loss."""
    model_id: str
    """Id of the model."""
    seq_id: int | None = None
    """Number of the request on its model, from 1; None where it has none yet."""


@attrs.frozen(field_transformer=own_fields)
class ForwardBackwardRequest(Value):
    """Run the model and add to its gradient."""

    forward_backward_input: ForwardBackwardInput
    """The batch and its loss."""
    model_id: str
    """Id of the model."""
    seq_id: int | None = None
    """Number of the request on its model, from 1; None where it has none yet."""


@attrs.frozen(field_transformer=own_fields)
class SampleRequest(Value):
    """Continue a prompt."""

    prompt: ModelInput
    """What the model continues."""
    sampling_params: SamplingParams
    """How tokens are drawn."""
    num_samples: int = 1
    """How many sequences to draw, from 1."""
    base_model: str | None = None
    """Name of the base model to sample; None where a sampler or a checkpoint is named."""
    model_path: str | None = None
    """The checkpoint to sample, a `tinker://` path; None where a sampler or base model is named."""
    sampling_session_id: str | None = None
    """Id of the sampler; None where a base model or a checkpoint is named."""
    seq_id: int | None = None
    """Number of the request on its sampler, from 0; None where it has none yet."""
    prompt_logprobs: bool | None = None
    """Whether to return the log-probability of each prompt token; None means no."""
    topk_prompt_logprobs: int = 0
    """How many of the likeliest tokens to return at each prompt position; 0 is none."""
    topk_sample_logprobs: int = 0
    """How many of the likeliest tokens to return at each sampled position; 0 is none."""
    target_prompt_logprobs: TensorData | None = None
    """Token ids, one row a prompt position, whose log-probabilities to return; None is none."""
    prompt_alt_tokens_k: int = 0
    """How many other tokens to draw at each prompt position; 0 is none."""
    prompt_logprobs_last_n: int | None = None
    """Return all of this for the last n prompt positions alone, from 1; None is all positions."""
    record_stability_info: bool | None = None
    """Whether the server records what the loss `stable_reinforce` needs; None means no."""
    type: str = "sample"
    """The kind of request, always `sample`."""
