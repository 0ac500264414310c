"""Datums on the wire as the engine's examples, with errors that name the datum and the field."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.app.answers import Refusal
from tinsmith_local.app.model_inputs import Where, decode_input, int_array
from tinsmith_local.engine.batch import Example, ExampleError, check_example
from tinsmith_local.engine.losses import LOSS_NAMES, UNPUBLISHED, Loss, resolve
from tinsmith_local.work.operations import Batch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tinsmith_local.engine.config import ModelConfig

Array = npt.NDArray[Any]

_FIELDS = {
    "target_tokens": "targets",
    "weights": "weights",
    "logprobs": "logprobs",
    "advantages": "advantages",
    "sequence_ratio_mask": "mask",
}
"""loss_fn_inputs -> field of an example; further inputs are for the client's own use."""
MAX_DENSE = 64 << 20
"""Most numbers of the dense tensor that a sparse one describes."""


def decode_batch(
    body: Mapping[str, Any], key: str, config: ModelConfig, assets: Path, *, backward: bool
) -> Batch:
    """Decode the input of forward or forward_backward. Refuses with 400."""
    batch = body[key]
    loss_fn = str(batch["loss_fn"])
    if loss_fn not in LOSS_NAMES:
        known = f"there are {', '.join(LOSS_NAMES)}"
        reason = f"loss {loss_fn!r} is not offered here; {UNPUBLISHED.get(loss_fn, known)}"
        raise Refusal(400, reason, field=(key, "loss_fn"))
    if not batch["data"]:
        raise Refusal(400, "is empty: give at least one datum", field=(key, "data"))
    settings = _loss_config(batch.get("loss_fn_config"), (key, "loss_fn_config"))
    try:
        loss = resolve(loss_fn, settings)
    except ValueError as error:
        raise Refusal(400, str(error), field=(key, "loss_fn_config")) from error
    examples = []
    for index, datum in enumerate(batch["data"]):
        example = _example(datum, config, assets, (key, "data", index))
        if loss_fn == "cross_entropy" and example.weights is None and not backward:
            # Without a backward pass the weights do not change the logprobs of the answer.
            example = attrs.evolve(example, weights=np.zeros(example.targets.shape, np.float32))
        _check(example, loss, config, (key, "data"), index)
        examples.append(example)
    return Batch(
        model_id=str(body["model_id"]),
        examples=tuple(examples),
        loss_fn=loss_fn,
        loss_config=settings,
        backward=backward,
    )


def _check(example: Example, loss: Loss, config: ModelConfig, data: Where, index: int) -> None:
    """Check an example against the loss and the model. Refuses with 400, naming the datum and the field."""
    try:
        check_example(example, loss.needs, config, index)
    except ExampleError as error:
        field = (error.field,) if error.field else ()
        inputs = () if field == ("model_input",) else ("loss_fn_inputs",)
        raise Refusal(400, error.reason, field=(*data, index, *inputs, *field)) from error


def _loss_config(config: Mapping[str, Any] | None, where: Where) -> Mapping[str, float] | None:
    """Read the loss's settings: numbers only."""
    if config is None:
        return None
    for name, value in config.items():
        if isinstance(value, str) or not np.isfinite(value):
            raise Refusal(400, "is not a finite number", field=(*where, name))
    return {name: float(value) for name, value in config.items()}


def _example(datum: Mapping[str, Any], config: ModelConfig, assets: Path, where: Where) -> Example:
    """Decode one datum."""
    found = decode_input(datum["model_input"], config, assets, (*where, "model_input"))
    fields: dict[str, Array] = {}
    for name, tensor in datum["loss_fn_inputs"].items():
        if name in _FIELDS:
            wanted = "int64" if name == "target_tokens" else "float32"
            fields[_FIELDS[name]] = decode_tensor(tensor, wanted, (*where, "loss_fn_inputs", name))
    if "targets" not in fields:
        raise Refusal(400, "is missing", field=(*where, "loss_fn_inputs", "target_tokens"))
    return Example(tokens=found.tokens, images=found.images, **fields)


def decode_tensor(tensor: Mapping[str, Any], wanted: str, where: Where, *, absent: int = 0) -> Array:
    """Decode TensorData of a given dtype; `absent` fills up a sparse one. Refuses with 400."""
    if tensor["dtype"] != wanted:
        raise Refusal(400, f"has dtype {tensor['dtype']}, wanted is {wanted}", field=(*where, "dtype"))
    values = (
        int_array(tensor["data"], (*where, "data")) if wanted == "int64" else _floats(tensor["data"], where)
    )
    if tensor.get("sparse_crow_indices") is not None or tensor.get("sparse_col_indices") is not None:
        return _dense(tensor, values, where, absent)
    shape = tensor.get("shape")
    if shape is None:
        return values
    if any(not 0 <= size <= values.size for size in shape) or math.prod(map(int, shape)) != values.size:
        raise Refusal(400, f"{list(shape)[:8]} does not hold {values.size} numbers", field=(*where, "shape"))
    return values.reshape([int(size) for size in shape])


def _floats(data: Any, where: Where) -> Array:
    """Read numbers as float32. Refuses what is not finite there."""
    with np.errstate(over="ignore"):
        try:
            values = np.asarray(data, np.float32) if len(data) else np.zeros(0, np.float32)
        except OverflowError:
            raise Refusal(400, "a number does not fit float32", field=(*where, "data")) from None
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise Refusal(400, "is not a finite float32", field=(*where, "data", int(bad[0])))
    return values


def _dense(tensor: Mapping[str, Any], values: Array, where: Where, absent: int) -> Array:
    """Return the dense form of a compressed sparse row tensor."""
    shape = [int(size) for size in tensor.get("shape") or ()]
    if len(shape) != 2 or min(shape) < 0 or math.prod(map(int, shape)) > MAX_DENSE:
        raise Refusal(400, "of a sparse tensor must have two moderate sizes", field=(*where, "shape"))
    rows, columns = (_indices(tensor, name, where) for name in ("sparse_crow_indices", "sparse_col_indices"))
    counts = np.diff(rows)
    if len(rows) != shape[0] + 1 or rows[0] != 0 or (counts < 0).any() or rows[-1] != len(values):
        raise Refusal(400, "does not fit data and shape", field=(*where, "sparse_crow_indices"))
    if len(columns) != len(values) or (columns < 0).any() or (columns >= shape[1]).any():
        raise Refusal(400, "does not fit data and shape", field=(*where, "sparse_col_indices"))
    dense = np.full(shape, absent, values.dtype)
    dense[np.repeat(np.arange(shape[0]), counts), columns] = values
    return dense


def _indices(tensor: Mapping[str, Any], name: str, where: Where) -> Array:
    """Read the indices of a sparse tensor; none where the field is missing."""
    found = tensor.get(name)
    return int_array(() if found is None else found, (*where, name))
