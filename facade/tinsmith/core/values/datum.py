"""Datum: one training example. Owns the conversion of arrays, tensors and flat lists to TensorData."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from tinsmith_api.model import Model
from tinsmith_api.reading import own_fields

from tinsmith.core.errors import InputError
from tinsmith.core.loss_inputs import convert_inputs
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.provenance import ProvenanceSpans, Span
from tinsmith.core.values.tensor import TensorData

LossFnInputs = dict[str, TensorData]
"""Named tensors that a loss reads."""


@attrs.frozen(field_transformer=own_fields)
class Datum(Model):
    """What the model reads, and what the loss needs for each of its positions."""

    loss_fn_inputs: LossFnInputs = attrs.field(converter=convert_inputs)
    """Tensors by name; numpy arrays, torch tensors and flat lists are converted."""
    model_input: ModelInput
    """What the model reads."""
    model_input_spans: ProvenanceSpans | None = None
    """Where the positions of the input come from, for servers that track it; not sent as JSON."""
    loss_fn_input_spans: ProvenanceSpans | None = None
    """Where the rows of the loss's inputs come from; not sent as JSON."""

    def with_provenance(self, model_input: Sequence[Span], loss_fn_inputs: Sequence[Span]) -> Datum:
        """Return the datum with where its positions come from: spans that follow each other without a gap.

        `model_input` covers the tokens of the input, `loss_fn_inputs` the target tokens, each exactly; else
        `InputError`.
        """
        targets = self.loss_fn_inputs.get("target_tokens")
        flat = targets is not None and (targets.shape is None or len(targets.shape) == 1)
        _check_covers("model_input", model_input, self.model_input.length)
        if targets is not None and flat:
            _check_covers("loss_fn_inputs", loss_fn_inputs, len(targets))
        return attrs.evolve(
            self, model_input_spans=list(model_input), loss_fn_input_spans=list(loss_fn_inputs)
        )


def _check_covers(field: str, spans: Sequence[Span], positions: int) -> None:
    covered = sum(span.length for span in spans)
    if covered != positions:
        raise InputError(f"the spans cover {covered} positions, there are {positions}", field=field)
