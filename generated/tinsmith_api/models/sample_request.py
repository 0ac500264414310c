# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SampleRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .model_input import ModelInput
from .sampling_params import SamplingParams
from .tensor_data import TensorData


@attrs.frozen(field_transformer=own_fields)
class SampleRequest(Value):
    """Sample completions of a prompt.

    * `prompt`: What the model reads before it samples.
    * `sampling_params`: How tokens are drawn.
    * `num_samples`: Number of completions, at least 1. Absent means 1.
    * `base_model`: Base model to sample, instead of a sampler.
    * `model_path`: Saved weights to sample, as a `tinker://` path, instead of a sampler.
    * `sampling_session_id`: The sampler. `seq_id` is then required.
    * `seq_id`: Number of the request within its sampler, from 0. A retry sends the same number.
      Absent or null without a sampler.
    * `prompt_logprobs`: Whether to return the logprob of each prompt token. Absent or null means
      no.
    * `topk_prompt_logprobs`: Number of likeliest tokens to return at each prompt position. Absent
      means 0, none.
    * `topk_sample_logprobs`: Number of likeliest tokens to return at each sampled position. Absent
      means 0, none.
    * `target_prompt_logprobs`: Token ids whose logprobs are wanted at each prompt position. Absent
      or null means none.
    * `prompt_alt_tokens_k`: Number of other tokens to draw at each prompt position. Absent means 0,
      none.
    * `prompt_logprobs_last_n`: Return the logprobs of this many last prompt positions only. Absent
      or null means all. Unit: tokens.
    * `record_stability_info`: Whether to record what is needed to compare sampling with training.
      Absent or null leaves it to the server.
    * `type`: The kind of request, always `sample`.
    """

    prompt: ModelInput
    """What the model reads before it samples."""
    sampling_params: SamplingParams
    """How tokens are drawn."""
    num_samples: int = attrs.field(default=1, validator=Limits(minimum=1))
    """Number of completions, at least 1. Absent means 1."""
    base_model: str | None = None
    """Base model to sample, instead of a sampler."""
    model_path: str | None = None
    """Saved weights to sample, as a `tinker://` path, instead of a sampler."""
    sampling_session_id: str | None = None
    """The sampler. `seq_id` is then required."""
    seq_id: int | None = attrs.field(default=None, validator=Limits(minimum=0, maximum=9223372036854775807))
    """Number of the request within its sampler, from 0. A retry sends the same number. Absent or null
    without a sampler.
    """
    prompt_logprobs: bool | None = None
    """Whether to return the logprob of each prompt token. Absent or null means no."""
    topk_prompt_logprobs: int = attrs.field(default=0, validator=Limits(minimum=0))
    """Number of likeliest tokens to return at each prompt position. Absent means 0, none."""
    topk_sample_logprobs: int = attrs.field(default=0, validator=Limits(minimum=0))
    """Number of likeliest tokens to return at each sampled position. Absent means 0, none."""
    target_prompt_logprobs: TensorData | None = None
    """Token ids whose logprobs are wanted at each prompt position. Absent or null means none."""
    prompt_alt_tokens_k: int = attrs.field(default=0, validator=Limits(minimum=0))
    """Number of other tokens to draw at each prompt position. Absent means 0, none."""
    prompt_logprobs_last_n: int | None = attrs.field(default=None, validator=Limits(minimum=0))
    """Return the logprobs of this many last prompt positions only. Absent or null means all. Unit: tokens."""
    record_stability_info: bool | None = None
    """Whether to record what is needed to compare sampling with training. Absent or null leaves it to
    the server.
    """
    type: Literal["sample"] = "sample"
    """The kind of request, always `sample`."""
