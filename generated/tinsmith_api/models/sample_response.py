# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SampleResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .prompt_alt_tokens import PromptAltTokens
from .sampled_sequence import SampledSequence
from .tensor_data_output import TensorDataOutput


@attrs.frozen(field_transformer=own_fields)
class SampleResponse(Model):
    """The completions, and what was asked for about the prompt.

    * `sequences`: One entry for each sample that was asked for.
    * `prompt_logprobs`: Logprob of each prompt token given those before it, in nats. The first
      entry is null; some servers leave it out. Absent or null unless asked for. Unit: nats.
    * `topk_prompt_logprobs`: For each prompt token the likeliest ones, as pairs of token id and
      logprob in nats; null where there are none. Absent or null unless asked for. Unit: nats.
    * `target_prompt_logprobs`: Logprobs of the tokens that `target_prompt_logprobs` of the request
      named, in nats. Absent or null unless asked for.
    * `prompt_cache_hit_tokens`: Prompt tokens that the server had computed before. Absent means 0.
      Unit: tokens.
    * `prompt_alt_tokens`: What `prompt_alt_tokens_k` of the request asked for. Absent or null
      otherwise.
    * `type`: The kind of result, `sample`.
    """

    sequences: list[SampledSequence]
    """One entry for each sample that was asked for."""
    prompt_logprobs: list[float | None] | None = None
    """Logprob of each prompt token given those before it, in nats. The first entry is null; some
    servers leave it out. Absent or null unless asked for. Unit: nats.
    """
    topk_prompt_logprobs: list[list[list[float]] | None] | None = None
    """For each prompt token the likeliest ones, as pairs of token id and logprob in nats; null where
    there are none. Absent or null unless asked for. Unit: nats.
    """
    target_prompt_logprobs: TensorDataOutput | None = None
    """Logprobs of the tokens that `target_prompt_logprobs` of the request named, in nats. Absent or
    null unless asked for.
    """
    prompt_cache_hit_tokens: int = 0
    """Prompt tokens that the server had computed before. Absent means 0. Unit: tokens."""
    prompt_alt_tokens: PromptAltTokens | None = None
    """What `prompt_alt_tokens_k` of the request asked for. Absent or null otherwise."""
    type: str = "sample"
    """The kind of result, `sample`."""
