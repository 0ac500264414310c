"""Results of training and sampling, and answers that differ from those of the contract.

Owns their fields; arrays stay as they were decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import attrs
from tinsmith_api.model import Extra, Model
from tinsmith_api.reading import own_fields, taking

from tinsmith.core.errors import RequestErrorCategory
from tinsmith.core.inputs import optional_numbers, whole_numbers
from tinsmith.core.values.tensor import TensorData

StopReason = Literal["length", "stop"]
"""Why a sequence ended: no room left, or a stop."""

TopkLogprobs = list[list[tuple[int, float]] | None]
"""At each position the likeliest (token, logprob) pairs, or None where there are none."""

LossFnOutput = dict[str, TensorData]
"""Named tensors that a loss gives back for one datum."""


@attrs.frozen(field_transformer=own_fields)
class ForwardBackwardOutput(Model):
    """Result of forward and forward_backward."""

    loss_fn_output_type: str
    """Name of the kind of output."""
    loss_fn_outputs: list[LossFnOutput]
    """One record per datum, in the order of the data. Reading them is an error if the server sent fewer."""
    metrics: dict[str, float]
    """Numbers about the whole batch; the part after the colon says how chunks were merged."""


_set = object.__setattr__
"""How a frozen value is filled."""


class _Packed(Model):
    """The numbers of a sequence as they were received, until they are read as lists."""

    __slots__ = ("_packed_logprobs", "_packed_tokens")
    _packed_tokens: bytes
    _packed_logprobs: bytes | None


_read_reason = taking("SampledSequence", "stop_reason", str)
_read_logprobs = taking("SampledSequence", "logprobs", list[float | None] | None)


def _any_reason(reason: StopReason) -> StopReason:
    """Accept any text, since newer servers have other reasons."""
    read: StopReason = _read_reason(reason)
    return read


def _with_gaps(logprobs: list[float] | None) -> list[float] | None:
    """Accept None in place of a number: some servers have no logprob for some tokens."""
    read: list[float] | None = _read_logprobs(logprobs)
    return read


@attrs.frozen(field_transformer=own_fields)
class SampledSequence(_Packed):
    """One sampled continuation."""

    stop_reason: StopReason = attrs.field(converter=_any_reason)
    """`length` or `stop`."""
    tokens: list[int]
    """Sampled token ids."""
    logprobs: list[float] | None = attrs.field(default=None, converter=_with_gaps)
    """Natural logarithm of each sampled token's probability; None where the server sends none."""
    topk_sampled_logprobs: TopkLogprobs | None = None
    """Likeliest (token, logprob) pairs at each sampled position; None unless requested."""
    sequence_id: str | None = None
    """Name of the sequence, for provenance spans; None where the server gives none."""

    @property
    def topk_logprobs(self) -> TopkLogprobs | None:
        """The official name of `topk_sampled_logprobs`."""
        return self.topk_sampled_logprobs

    @classmethod
    def of_bytes(
        cls,
        stop_reason: StopReason,
        tokens: bytes,
        logprobs: bytes | None,
        topk: TopkLogprobs | None = None,
        sequence_id: str | None = None,
        extra: Extra | None = None,
    ) -> SampledSequence:
        """Keep int32 token ids and float32 logprobs (NaN for none) as a decoder found them, little-endian.

        Thousands of lists of numbers would be most of what a loop over samples holds, and each collection of
        garbage would walk them.
        """
        made = cls.__new__(cls)
        _set(made, "stop_reason", stop_reason)
        _set(made, "_packed_tokens", tokens)
        _set(made, "_packed_logprobs", logprobs)
        _set(made, "topk_sampled_logprobs", topk)
        _set(made, "sequence_id", sequence_id)
        _set(made, "extra", extra)
        return made

    def named(self, sequence_id: str) -> SampledSequence:
        """Return the same sequence under the name that the server promised it, unless it has one."""
        if self.sequence_id is not None:
            return self
        if not hasattr(self, "_packed_tokens"):
            return attrs.evolve(self, sequence_id=sequence_id)
        tokens, logprobs = self._packed_tokens, self._packed_logprobs
        topk = self.topk_sampled_logprobs
        return self.of_bytes(self.stop_reason, tokens, logprobs, topk, sequence_id, self.extra)

    if not TYPE_CHECKING:  # pragma: no branch  # else every misspelt attribute would pass the type checker

        def __getattr__(self, name: str) -> Any:
            if name == "tokens":
                found = whole_numbers(self._packed_tokens)
            elif name == "logprobs":
                found = optional_numbers(self._packed_logprobs)
            else:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            _set(self, name, found)
            return found


@attrs.frozen(field_transformer=own_fields)
class SamplePiece(Model):
    """The next tokens of a continuation that is streamed."""

    tokens: list[int]
    """Token ids that were sampled since the last piece; may be empty in the last."""
    logprobs: list[float] | None = attrs.field(default=None, converter=_with_gaps)
    """Natural logarithm of each one's probability; None where the server sends none."""
    topk_sampled_logprobs: TopkLogprobs | None = None
    """Likeliest (token, logprob) pairs at each of these positions; None unless requested."""
    stop_reason: StopReason | None = None
    """`length` or `stop` in the last piece, None in all before."""

    @property
    def topk_logprobs(self) -> TopkLogprobs | None:
        """The same under the shorter name that `SampledSequence` has too."""
        return self.topk_sampled_logprobs


@attrs.frozen(field_transformer=own_fields)
class PromptAltTokens(Model):
    """Other tokens sampled at each prompt position."""

    tokens: TensorData
    """Token ids, of shape [positions, k]."""
    logprobs: TensorData
    """Their log-probabilities, of the same shape."""


@attrs.frozen(field_transformer=own_fields)
class SampleResponse(Model):
    """Result of sample."""

    sequences: list[SampledSequence]
    """One entry per requested sample."""
    prompt_logprobs: list[float | None] | None = None
    """Log-probability of each prompt token, None for the first; None unless asked for."""
    topk_prompt_logprobs: TopkLogprobs | None = None
    """Likeliest (token, logprob) pairs at each prompt position; None unless requested."""
    target_prompt_logprobs: TensorData | None = None
    """Log-probabilities of the tokens that were named at each prompt position; None unless asked for."""
    prompt_alt_tokens: PromptAltTokens | None = None
    """Other tokens drawn at each prompt position; None unless asked for."""
    prompt_cache_hit_tokens: int = 0
    """Number of prompt tokens that the server had computed before; 0 where it does not say."""
    type: str = "sample"
    """The kind of result, always `sample`."""

    def named(self, sequence_ids: Sequence[str]) -> SampleResponse:
        """Give each sequence the name that the server promised it, where the result does not name it."""
        if len(sequence_ids) != len(self.sequences):
            return self
        pairs = zip(self.sequences, sequence_ids, strict=True)
        return attrs.evolve(self, sequences=[sequence.named(name) for sequence, name in pairs])


@attrs.frozen(field_transformer=own_fields)
class RequestFailedResponse(Model):
    """The server accepted a request, and it failed then."""

    error: str
    """Why the request failed, for people."""
    category: RequestErrorCategory = RequestErrorCategory.Unknown
    """Who is at fault; a category that this version does not know is `Unknown`."""


@attrs.frozen(field_transformer=own_fields)
class CheckpointArchiveUrlResponse(Model):
    """Where an archive can be fetched, as the headers of a redirect say it."""

    url: str = attrs.field(repr=False)
    """The signed URL of the archive; treat it as a secret."""
    expires: datetime
    """When the URL stops working, in UTC."""


@attrs.frozen(field_transformer=own_fields)
class WhoamiResponse(Model):
    """To whom the key belongs; None for what the server does not say."""

    user_urn: str | None = None
    """Id of the user."""
    org_urn: str | None = None
    """The organization of the user, `tml:organization:<id>`."""
    email: str | None = None
    """The user's e-mail address."""
