"""What a loss reads, as users give it: arrays, tensors of torch and flat lists, to TensorData by its name.

Owns which element type a name has. Knows no datum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinsmith_api.ownership import is_array

from tinsmith.core.errors import InputError
from tinsmith.core.given import TensorDtype
from tinsmith.core.values.tensor import TensorData

LIST_DTYPES: dict[str, TensorDtype] = {
    "target_tokens": "int64",
    "weights": "float32",
    "advantages": "float32",
    "logprobs": "float32",
    "clip_low_threshold": "float32",
    "clip_high_threshold": "float32",
    "sequence_ratio_mask": "float32",
}
"""A plain list says nothing of its element type, so these names do."""


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
