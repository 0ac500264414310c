"""Results of promises as JSON bytes, in the shapes of the contract. Numbers must be finite."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

if TYPE_CHECKING:
    import numpy.typing as npt

    from tinsmith_local.engine.sample import Sample, SampleOutput
    from tinsmith_local.engine.train import BatchOutput

    from .operations import PromptTargets


AFTER_DIVERGENCE = (
    "Load a checkpoint that was saved before, and go on with a smaller learning rate or grad_clip_norm."
)
"""What to do with a model that has diverged."""


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
            raise NotFiniteError(
                f"datum {index}: the loss is not finite; the model has diverged. {AFTER_DIVERGENCE}"
            )
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


def sample(
    output: "SampleOutput", *, prompt_logprobs: bool, short: bool, targets: "PromptTargets | None" = None
) -> bytes:
    """Encode the result of asample; `short` leaves the leading null of the prompt's logprobs out."""
    sequences = [_sequence(one) for one in output.samples]
    if not all(np.isfinite(one.logprobs).all() for one in output.samples):
        raise NotFiniteError(f"a sampled logprob is not finite; the model has diverged. {AFTER_DIVERGENCE}")
    prompt = output.prompt_logprobs if prompt_logprobs else None
    if prompt is not None and not all(math.isfinite(value) for value in prompt if value is not None):
        raise NotFiniteError(f"a prompt logprob is not finite; the model has diverged. {AFTER_DIVERGENCE}")
    return orjson.dumps(
        {
            "type": "sample",
            "sequences": sequences,
            "prompt_logprobs": prompt[1:] if prompt and short else prompt,
            "topk_prompt_logprobs": output.topk_prompt_logprobs,
            **_extras(output, targets),
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def _sequence(one: "Sample") -> dict[str, object]:
    """Write one continuation; the likeliest tokens only where they were asked for."""
    found: dict[str, object] = {
        "stop_reason": one.stop_reason,
        "tokens": np.ascontiguousarray(one.tokens),
        "logprobs": np.ascontiguousarray(one.logprobs),
    }
    if one.topk is not None:
        rows = zip(one.topk.tokens.tolist(), one.topk.logprobs.tolist(), strict=True)
        found["topk_sampled_logprobs"] = [list(zip(*row, strict=True)) for row in rows]
    return found


def _extras(output: "SampleOutput", targets: "PromptTargets | None") -> dict[str, object]:
    """Write what newer clients ask for along the prompt, and how much of it was known, if anything was."""
    found: dict[str, object] = {}
    if output.known_tokens:
        found["prompt_cache_hit_tokens"] = output.known_tokens
    if output.target_prompt_logprobs is not None and targets is not None:
        values = np.ascontiguousarray(targets.picked(output.target_prompt_logprobs))
        if not np.isfinite(values).all():
            raise NotFiniteError(
                f"a prompt logprob is not finite; the model has diverged. {AFTER_DIVERGENCE}"
            )
        tensor: dict[str, object] = {"data": values, "dtype": "float32", "shape": list(targets.shape)}
        if targets.crow_indices is not None:
            tensor["sparse_crow_indices"] = list(targets.crow_indices)
            tensor["sparse_col_indices"] = list(targets.col_indices or ())
        found["target_prompt_logprobs"] = tensor
    if output.prompt_alt_tokens is not None:
        drawn = output.prompt_alt_tokens
        found["prompt_alt_tokens"] = {
            "tokens": {**_tensor(drawn.tokens), "dtype": "int64"},
            "logprobs": _tensor(drawn.logprobs),
        }
    return found


def _tensor(array: "npt.NDArray[Any]") -> dict[str, object]:
    """Write an array as TensorData, row by row."""
    return {"data": np.ascontiguousarray(array).reshape(-1), "dtype": "float32", "shape": list(array.shape)}


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Check metrics: JSON has no word for NaN."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise NotFiniteError(f"metric {name} is not finite; the model has diverged. {AFTER_DIVERGENCE}")
    return dict(metrics)
