"""Results of promises as JSON bytes, in the shapes of the contract. Numbers must be finite."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import orjson

if TYPE_CHECKING:
    from tinsmith.local.engine.sample import SampleOutput
    from tinsmith.local.engine.train import BatchOutput


class NotFiniteError(ValueError):
    """A result holds NaN or infinity: the model has diverged."""


def plain(**fields: object) -> bytes:
    """Encode a small result."""
    return orjson.dumps(fields)


def batch(output: "BatchOutput") -> bytes:
    """Encode the result of forward or forward_backward."""
    records = []
    for index, (logprobs, losses) in enumerate(zip(output.logprobs, output.elementwise_loss, strict=True)):
        if not (np.isfinite(logprobs).all() and np.isfinite(losses).all()):
            raise NotFiniteError(f"datum {index}: the loss is not finite; the model has diverged")
        records.append({"logprobs": _tensor(logprobs), "elementwise_loss": _tensor(losses)})
    return orjson.dumps(
        {
            "loss_fn_output_type": "ArrayRecord",
            "loss_fn_outputs": records,
            "metrics": _finite(output.metrics),
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def step(metrics: Mapping[str, float]) -> bytes:
    """Encode the result of optim_step."""
    return orjson.dumps({"metrics": _finite(metrics)})


def sample(output: "SampleOutput", *, prompt_logprobs: bool, short: bool) -> bytes:
    """Encode the result of asample; `short` leaves the leading null of the prompt's logprobs out."""
    sequences = [
        {
            "stop_reason": one.stop_reason,
            "tokens": np.ascontiguousarray(one.tokens),
            "logprobs": np.ascontiguousarray(one.logprobs),
        }
        for one in output.samples
    ]
    if not all(np.isfinite(one.logprobs).all() for one in output.samples):
        raise NotFiniteError("a sampled logprob is not finite; the model has diverged")
    prompt = output.prompt_logprobs if prompt_logprobs else None
    if prompt is not None and not all(math.isfinite(value) for value in prompt if value is not None):
        raise NotFiniteError("a prompt logprob is not finite; the model has diverged")
    return orjson.dumps(
        {
            "type": "sample",
            "sequences": sequences,
            "prompt_logprobs": prompt[1:] if prompt and short else prompt,
            "topk_prompt_logprobs": output.topk_prompt_logprobs,
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def _tensor(array: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> dict[str, object]:
    """Write an array as TensorData, row by row."""
    return {"data": np.ascontiguousarray(array).reshape(-1), "dtype": "float32", "shape": list(array.shape)}


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Check metrics: JSON has no word for NaN."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise NotFiniteError(f"metric {name} is not finite; the model has diverged")
    return dict(metrics)
