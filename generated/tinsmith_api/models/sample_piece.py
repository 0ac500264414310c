# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SamplePiece."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SamplePiece(Model):
    """The next tokens of a completion that is streamed.

    * `tokens`: Token ids that were sampled since the last piece; may be empty in the last. Unit:
      tokens.
    * `logprobs`: Logprob of each of them under the model, before temperature, in nats. Absent or
      null where the server gives none. Unit: nats.
    * `topk_sampled_logprobs`: For each of them the likeliest tokens, as pairs of token id and
      logprob in nats. Absent or null unless asked for. Unit: nats.
    * `stop_reason`: Why the completion ended, because of the length (`length`) or because a stop
      was met (`stop`). In the last piece alone. Known values: `length`, `stop`.
    """

    tokens: list[int]
    """Token ids that were sampled since the last piece; may be empty in the last. Unit: tokens."""
    logprobs: list[float] | None = None
    """Logprob of each of them under the model, before temperature, in nats. Absent or null where the
    server gives none. Unit: nats.
    """
    topk_sampled_logprobs: list[list[list[float]] | None] | None = None
    """For each of them the likeliest tokens, as pairs of token id and logprob in nats. Absent or null
    unless asked for. Unit: nats.
    """
    stop_reason: str | None = None
    """Why the completion ended, because of the length (`length`) or because a stop was met (`stop`).
    In the last piece alone. Known values: `length`, `stop`.
    """
