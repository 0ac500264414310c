"""Results of promises as JSON, in the shapes of the contract. Numbers must be finite.

The two that hold many arrays are written from these; a value for each array would double the time. All others
are values of the contract, which `encode` writes.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import orjson
from tinsmith_api import models
from tinsmith_api.conversion import sent_fields
from tinsmith_api.model import Model, named_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tinsmith_local.engine.jobs import DrawnToken, Sample, SampleOutput
    from tinsmith_local.engine.train import BatchOutput
    from tinsmith_local.work.operations import Load, PromptTargets, Save

AFTER_DIVERGENCE = (
    "Load a checkpoint that was saved before, and go on with a smaller learning rate or grad_clip_norm."
)
"""What to do with a model that has diverged."""

_OPTIONS = (
    orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
)


class NotFiniteError(ValueError):
    """A result holds NaN or infinity: the model has diverged."""

    @classmethod
    def of(cls, what: str) -> NotFiniteError:
        """Say what is not finite."""
        return cls(f"{what} is not finite; the model has diverged. {AFTER_DIVERGENCE}")


_NULLS: Mapping[str, frozenset[str]] = {
    "Checkpoint": frozenset({"expires_at", "user_metadata"}),
    "CreateSessionResponse": frozenset({"info_message", "warning_message", "error_message"}),
    "CurrentCheckpointStorageUsageItem": frozenset({"project_id"}),
    "GetSamplerResponse": frozenset({"model_path"}),
    "GetSessionResponse": frozenset({"user_metadata", "display_name"}),
    "GetTokenizerResponse": frozenset({"chat_template", "bos_token", "eos_token", "pad_token", "unk_token"}),
    "SaveWeightsForSamplerResponse": frozenset({"path", "sampling_session_id"}),
    "SessionSearchResponse": frozenset({"next_cursor"}),
    "SessionSummary": frozenset({"display_name", "user_metadata"}),
    "TrainingRun": frozenset({"last_checkpoint", "last_sampler_checkpoint", "user_metadata"}),
}
"""Fields that are null where there is nothing, for programs that read the JSON themselves; others are left
out."""


def encode(value: Model) -> bytes:
    """Write a value of the contract as JSON."""
    return orjson.dumps(value, default=_fields, option=_OPTIONS)


def _fields(value: Any) -> Mapping[str, Any]:
    """Return the fields of a value by name; orjson calls this for each value in it too."""
    known = {
        name: part
        for name, as_null in _written(value.__class__)
        if (part := getattr(value, name)) is not None or as_null
    }
    return known if value.extra is None else {**named_extra(value), **known}


@cache
def _written(cls: Any) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a class, and whether each is written as null where there is nothing."""
    nulls = _NULLS.get(cls.__name__, frozenset())
    return tuple((name, needed or name in nulls) for name, needed in sent_fields(cls))


def batch(output: BatchOutput) -> bytes:
    """Write the result of forward or forward_backward."""
    datums = list(zip(output.logprobs, output.elementwise_loss, strict=True))
    if not np.isfinite(np.concatenate(output.logprobs + output.elementwise_loss, axis=None)).all():
        index = next(i for i, arrays in enumerate(datums) if not all(np.isfinite(a).all() for a in arrays))
        raise NotFiniteError.of(f"datum {index}: the loss")
    records = [
        {"logprobs": _tensor(logprobs), "elementwise_loss": _tensor(losses)} for logprobs, losses in datums
    ]
    return orjson.dumps(
        {
            "loss_fn_output_type": "ArrayRecord",
            "loss_fn_outputs": records,
            "metrics": _finite(output.metrics),
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def step(metrics: Mapping[str, float]) -> bytes:
    """Write the result of optim_step."""
    return encode(models.OptimStepResponse(metrics=_finite(metrics)))


def saved(operation: Save, size_bytes: int) -> bytes:
    """Write the result of a save, as its operation has it."""
    path = operation.tinker_path
    if operation.op == "save_weights_for_sampler":
        return encode(models.SaveWeightsForSamplerResponse(path=path))
    if operation.op == "save_weights_external":
        return encode(models.SaveWeightsExternalResponse(path=path, size_bytes=size_bytes))
    return encode(models.SaveWeightsResponse(path=path))


def loaded(operation: Load) -> bytes:
    """Write the result of load_weights; it names a model that it made."""
    model_id = operation.model_id if operation.creates else None
    return encode(models.LoadWeightsResponse(path=operation.tinker_path, model_id=model_id))


def sample(output: SampleOutput, targets: PromptTargets | None = None) -> bytes:
    """Write the result of asample; what came up empty along the prompt is left out."""
    if not all(np.isfinite(one.logprobs).all() for one in output.samples):
        raise NotFiniteError.of("a sampled logprob")
    if not all(math.isfinite(value) for value in output.prompt_logprobs or () if value is not None):
        raise NotFiniteError.of("a prompt logprob")
    fields: dict[str, Any] = {
        "type": "sample",
        "sequences": [_sequence(one) for one in output.samples],
        "prompt_logprobs": output.prompt_logprobs,
        "topk_prompt_logprobs": output.topk_prompt_logprobs,
    }
    if output.known_tokens:
        fields["prompt_cache_hit_tokens"] = output.known_tokens
    if output.target_prompt_logprobs is not None and targets is not None:
        fields["target_prompt_logprobs"] = _targets(output.target_prompt_logprobs, targets)
    if output.prompt_alt_tokens is not None:
        drawn = output.prompt_alt_tokens
        fields["prompt_alt_tokens"] = {"tokens": _tensor(drawn.tokens), "logprobs": _tensor(drawn.logprobs)}
    return orjson.dumps(fields, option=orjson.OPT_SERIALIZE_NUMPY)


def failed(error: str, category: str) -> bytes:
    """Write a failure."""
    return encode(models.RequestFailedResponse(error=error, category=category))


def piece(drawn: Sequence[DrawnToken], stop_reason: str | None) -> bytes:
    """Write the next piece of a sample that is streamed."""
    logprobs = np.array([one.logprob for one in drawn], np.float32)
    if not np.isfinite(logprobs).all():
        raise NotFiniteError.of("a sampled logprob")
    # As float64, so that they read as those of a whole sample do, which come as float32.
    fields: dict[str, Any] = {"tokens": [one.token for one in drawn], "logprobs": logprobs.tolist()}
    if drawn and drawn[0].topk is not None:
        rows = [one.topk for one in drawn if one.topk is not None]
        fields["topk_sampled_logprobs"] = [_pairs(tokens.tolist(), row.tolist()) for tokens, row in rows]
    if stop_reason is not None:
        fields["stop_reason"] = stop_reason
    return orjson.dumps(fields)


def _pairs(tokens: list[int], logprobs: list[float]) -> list[tuple[int, float]]:
    return list(zip(tokens, logprobs, strict=True))


def _sequence(one: Sample) -> dict[str, Any]:
    """Return one continuation; the likeliest tokens only where they were requested."""
    fields: dict[str, Any] = {
        "stop_reason": one.stop_reason,
        "tokens": np.ascontiguousarray(one.tokens),
        "logprobs": np.ascontiguousarray(one.logprobs),
    }
    if one.topk is not None:
        rows = zip(one.topk.tokens.tolist(), one.topk.logprobs.tolist(), strict=True)
        fields["topk_sampled_logprobs"] = [_pairs(*row) for row in rows]
    return fields


def _targets(logprobs: npt.NDArray[np.float32], targets: PromptTargets) -> dict[str, Any]:
    """Return the logprobs of the prompt's targets, in the form in which these were given."""
    values = targets.picked(logprobs)
    if not np.isfinite(values).all():
        raise NotFiniteError.of("a prompt logprob")
    tensor = {**_tensor(values), "shape": targets.shape}
    if targets.crow_indices is not None:
        tensor["sparse_crow_indices"] = targets.crow_indices
        tensor["sparse_col_indices"] = targets.col_indices or ()
    return tensor


def _tensor(array: npt.NDArray[Any]) -> dict[str, Any]:
    """Return an array, row by row."""
    dtype = "int64" if array.dtype.kind == "i" else "float32"
    return {"data": array.ravel(), "dtype": dtype, "shape": array.shape}


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Check metrics: JSON has no NaN."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise NotFiniteError.of(f"metric {name}")
    return dict(metrics)
