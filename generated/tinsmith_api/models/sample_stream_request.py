# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SampleStreamRequest."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .model_input import ModelInput
from .sampling_params import SamplingParams


@attrs.frozen(field_transformer=own_fields)
class SampleStreamRequest(Value):
    """Sample one completion of a prompt, token by token.

    * `prompt`: What the model reads before it samples.
    * `sampling_params`: How tokens are drawn. The same seed draws the same tokens as `asample`
      does.
    * `base_model`: Base model to sample, instead of a sampler.
    * `model_path`: Saved weights to sample, as a `tinker://` path, instead of a sampler.
    * `sampling_session_id`: The sampler.
    * `topk_sample_logprobs`: Number of likeliest tokens to return at each sampled position. Absent
      means 0, none.
    """

    prompt: ModelInput
    """What the model reads before it samples."""
    sampling_params: SamplingParams
    """How tokens are drawn. The same seed draws the same tokens as `asample` does."""
    base_model: str | None = None
    """Base model to sample, instead of a sampler."""
    model_path: str | None = None
    """Saved weights to sample, as a `tinker://` path, instead of a sampler."""
    sampling_session_id: str | None = None
    """The sampler."""
    topk_sample_logprobs: int = attrs.field(default=0, validator=Limits(minimum=0))
    """Number of likeliest tokens to return at each sampled position. Absent means 0, none."""
