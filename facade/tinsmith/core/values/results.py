"""Results of training and sampling. Owns their fields; arrays stay as they were decoded."""

from __future__ import annotations

from typing import Literal

import attrs

from tinsmith.core.values.tensor import TensorData

StopReason = Literal["length", "stop"]
"""Why a sequence ended: no room left, or a stop."""

TopkLogprobs = list[list[tuple[int, float]] | None]
"""At each position the likeliest (token, logprob) pairs, or None where there are none."""

LossFnOutput = dict[str, TensorData]
"""Named tensors that a loss gives back for one datum."""


@attrs.frozen
class ForwardBackwardOutput:
    """Result of forward and forward_backward."""

    loss_fn_output_type: str
    """Name of the kind of output."""
    loss_fn_outputs: list[LossFnOutput]
    """One record a datum, in the order of the data."""
    metrics: dict[str, float]
    """Numbers about the whole batch; the part after the colon says how chunks were merged."""


@attrs.frozen
class OptimStepResponse:
    """Result of optim_step."""

    metrics: dict[str, float] | None = None
    """Numbers about the step, if the server gives any."""


@attrs.frozen
class SampledSequence:
    """One sampled continuation."""

    stop_reason: StopReason
    """`length` or `stop`."""
    tokens: list[int]
    """Sampled token ids."""
    logprobs: list[float] | None = None
    """Log-probability of each sampled token."""
    topk_sampled_logprobs: TopkLogprobs | None = None
    """Likeliest (token, logprob) pairs at each sampled position; None unless asked for."""
    sequence_id: str | None = None
    """Name of the sequence, for provenance spans; None where the server gives none."""

    @property
    def topk_logprobs(self) -> TopkLogprobs | None:
        """The official name of `topk_sampled_logprobs`."""
        return self.topk_sampled_logprobs


@attrs.frozen
class PromptAltTokens:
    """Other tokens drawn at each prompt position."""

    tokens: TensorData
    """Token ids, of shape [positions, k]."""
    logprobs: TensorData
    """Their log-probabilities, of the same shape."""


@attrs.frozen
class SampleResponse:
    """Result of sample."""

    sequences: list[SampledSequence]
    """One entry a requested sample."""
    prompt_logprobs: list[float | None] | None = None
    """One entry a prompt token, the first None; None unless asked for."""
    topk_prompt_logprobs: TopkLogprobs | None = None
    """Likeliest (token, logprob) pairs at each prompt position; None unless asked for."""
    target_prompt_logprobs: TensorData | None = None
    """Log-probabilities of the tokens that `target_prompt_logprobs` asked for."""
    prompt_alt_tokens: PromptAltTokens | None = None
    """What `prompt_alt_tokens_k` asked for."""
    prompt_cache_hit_tokens: int = 0
    """Prompt tokens that the server had computed before, as far as it says."""
    type: str = "sample"
    """Tag of this result."""


@attrs.frozen
class SaveWeightsResponse:
    """Result of save_state."""

    path: str
    """A `tinker://` path of training weights."""
    type: str | None = "save_weights"
    """Tag of this result."""


@attrs.frozen
class SaveWeightsForSamplerResponse:
    """Result of save_weights_for_sampler."""

    path: str | None = None
    """A `tinker://` path, for a named checkpoint; never parse it before using it."""
    sampling_session_id: str | None = None
    """Sampler made of unnamed weights."""
    type: str | None = "save_weights_for_sampler"
    """Tag of this result."""


@attrs.frozen
class LoadWeightsResponse:
    """Result of load_state."""

    path: str | None = None
    """What was loaded."""
    model_id: str | None = None
    """Model that the load created, where the server creates one."""
    type: str | None = "load_weights"
    """Tag of this result."""


@attrs.frozen
class SaveWeightsExternalResponse:
    """Result of save_weights_external."""

    path: str
    """A `tinker://` path of files to download."""
    size_bytes: int | None = None
    """Their size in all, where the server says."""
    type: str | None = "save_weights_external"
    """Tag of this result."""
