# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SampledSequence."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SampledSequence(Model):
    """One sampled completion.

    * `stop_reason`: Why it ended, because of the length (`length`) or because a stop was met
      (`stop`). Known values: `length`, `stop`.
    * `tokens`: Token ids that were sampled, without the prompt. Unit: tokens.
    * `logprobs`: Logprob of each sampled token under the model, before temperature, in nats. Absent
      or null where the server gives none. Unit: nats.
    * `topk_sampled_logprobs`: For each sampled token the likeliest ones, as pairs of token id and
      logprob in nats. Absent or null unless asked for. Unit: nats.
    * `sequence_id`: Id by which later requests say where tokens came from. Absent or null where the
      server gives none.
    """

    stop_reason: str
    """Why it ended, because of the length (`length`) or because a stop was met (`stop`). Known values:
    `length`, `stop`.
    """
    tokens: list[int]
    """Token ids that were sampled, without the prompt. Unit: tokens."""
    logprobs: list[float] | None = None
    """Logprob of each sampled token under the model, before temperature, in nats. Absent or null where
    the server gives none. Unit: nats.
    """
    topk_sampled_logprobs: list[list[list[float]] | None] | None = None
    """For each sampled token the likeliest ones, as pairs of token id and logprob in nats. Absent or
    null unless asked for. Unit: nats.
    """
    sequence_id: str | None = None
    """Id by which later requests say where tokens came from. Absent or null where the server gives none."""
