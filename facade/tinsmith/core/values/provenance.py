"""Where stretches of a datum come from. Owns the two kinds of spans; knows no wire format."""

from __future__ import annotations

import attrs
from tinsmith_api.model import Model
from tinsmith_api.numbers import at_least_zero
from tinsmith_api.reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class PromptProvenanceSpan(Model):
    """A stretch that was taken from the prompt of a sampled sequence."""

    sequence_id: str
    """Name of the sequence, from `SampledSequence.sequence_id`."""
    offset: int = attrs.field(default=0, validator=at_least_zero)
    """First position, in tokens of the prompt."""
    length: int = attrs.field(kw_only=True, validator=at_least_zero)
    """Tokens in the stretch."""


@attrs.frozen(field_transformer=own_fields)
class SampledProvenanceSpan(Model):
    """A stretch that was taken from what was sampled."""

    sequence_id: str
    """Name of the sequence, from `SampledSequence.sequence_id`."""
    offset: int = attrs.field(default=0, validator=at_least_zero)
    """First position, in sampled tokens."""
    length: int = attrs.field(kw_only=True, validator=at_least_zero)
    """Tokens in the stretch."""


Span = PromptProvenanceSpan | SampledProvenanceSpan
"""A span of either kind."""

ProvenanceSpans = list[Span]
"""Spans of either kind."""
