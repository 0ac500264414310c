"""Datum: one training example, its loss inputs as tensors, and the provenance of its positions.

Owns the conversion of arrays, tensors and flat lists to TensorData; knows no wire format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from tinsmith_api.model import Model
from tinsmith_api.numbers import at_least_zero
from tinsmith_api.ownership import is_array
from tinsmith_api.reading import own_fields

from tinsmith.core.errors import InputError
from tinsmith.core.inputs import TensorDtype
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.tensor import TensorData


@attrs.frozen(field_transformer=own_fields)
class PromptProvenanceSpan(Model):
    """Positions that were taken from the prompt of a sampled sequence."""

    sequence_id: str
    """Name of the sequence, from `SampledSequence.sequence_id`."""
    offset: int = attrs.field(default=0, validator=at_least_zero)
    """Position in the prompt at which the stretch begins, in tokens, from 0."""
    length: int = attrs.field(kw_only=True, validator=at_least_zero)
    """Number of tokens in the stretch, from 0."""


@attrs.frozen(field_transformer=own_fields)
class SampledProvenanceSpan(Model):
    """Positions that were taken from the sampled tokens of a sequence."""

    sequence_id: str
    """Name of the sequence, from `SampledSequence.sequence_id`."""
    offset: int = attrs.field(default=0, validator=at_least_zero)
    """Position among the sampled tokens at which the stretch begins, from 0."""
    length: int = attrs.field(kw_only=True, validator=at_least_zero)
    """Number of tokens in the stretch, from 0."""


Span = PromptProvenanceSpan | SampledProvenanceSpan
"""A span of either kind."""

ProvenanceSpans = list[Span]
"""Spans of either kind."""


LIST_DTYPES: dict[str, TensorDtype] = {
    "target_tokens": "int64",
    "weights": "float32",
    "advantages": "float32",
    "logprobs": "float32",
    "clip_low_threshold": "float32",
    "clip_high_threshold": "float32",
    "sequence_ratio_mask": "float32",
}
"""Element types of inputs by name: a plain list does not show its own, and masks are often integers."""


def to_tensor(name: str, value: Any) -> TensorData:
    """Convert one loss input; the error names it."""
    if isinstance(value, TensorData):
        return value
    try:
        if is_array(value):
            return _as_documented(name, TensorData.from_numpy(value))
        if type(value).__module__.partition(".")[0] == "torch":
            return _as_documented(name, TensorData.from_torch(value))
        if isinstance(value, Mapping):
            return TensorData.model_validate(value)
    except InputError as cause:
        raise cause.within("", name) from cause
    if not isinstance(value, list):
        kind = type(value).__name__
        raise InputError(
            f"a {kind} cannot be a tensor; give an array, a tensor, a flat list or TensorData", field=name
        )
    if name not in LIST_DTYPES:
        raise InputError("a list says nothing of its dtype here; give TensorData or an array", field=name)
    if any(isinstance(item, (list, tuple)) for item in value[:1]):
        raise InputError("nested lists are not taken; give an array, or TensorData with a shape", field=name)
    return TensorData(value, LIST_DTYPES[name], [len(value)])


def _as_documented(name: str, tensor: TensorData) -> TensorData:
    """Turn whole numbers into floats where the API documents floats: masks are often made as integers."""
    if tensor.dtype == "int64" and LIST_DTYPES.get(name) == "float32":
        return TensorData(tensor.raw, "float32", tensor.shape)
    return tensor


def convert_inputs(inputs: Mapping[str, Any]) -> dict[str, TensorData]:
    """Convert all loss inputs of a datum."""
    if not isinstance(inputs, Mapping):
        raise InputError(
            f"must be a mapping of names to tensors, not {inputs!r:.100}", field="loss_fn_inputs"
        )
    return {name: to_tensor(name, value) for name, value in inputs.items()}


# attrs copies it to the constructor of Datum, where the names have no meaning.
convert_inputs.__annotations__["inputs"] = Mapping[str, Any]


LossFnInputs = dict[str, TensorData]
"""Named tensors that a loss reads."""


@attrs.frozen(field_transformer=own_fields)
class Datum(Model):
    """What the model reads, and what the loss needs for each of its positions."""

    loss_fn_inputs: LossFnInputs = attrs.field(converter=convert_inputs)
    """Tensors by name, such as `weights`; numpy arrays, torch tensors and flat lists are converted."""
    model_input: ModelInput
    """What the model reads."""
    model_input_spans: ProvenanceSpans | None = None
    """Where the positions of the input come from; None for unknown. Not sent as JSON."""
    loss_fn_input_spans: ProvenanceSpans | None = None
    """Where the rows of the loss's inputs come from; None for unknown. Not sent as JSON."""

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
