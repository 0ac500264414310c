"""Results of promises as values of the contract, and the JSON of these. Numbers must be finite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import orjson
from tinsmith_api import models
from tinsmith_api.conversion import sent_fields
from tinsmith_api.model import Model, named_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tinsmith_local.engine.jobs import Sample, SampleOutput
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
    "SampleResponse": frozenset({"prompt_logprobs", "topk_prompt_logprobs"}),
    "SaveWeightsForSamplerResponse": frozenset({"path", "sampling_session_id"}),
    "SessionSearchResponse": frozenset({"next_cursor"}),
    "SessionSummary": frozenset({"display_name", "user_metadata"}),
    "TrainingRun": frozenset({"last_checkpoint", "last_sampler_checkpoint", "user_metadata"}),
}
"""Fields that are null where there is nothing, for programs that read the JSON themselves; others are left
out."""
_NO_NULLS: frozenset[str] = frozenset()


def encode(value: Model) -> bytes:
    """Write a value of the contract as JSON."""
    return orjson.dumps(value, default=_fields, option=_OPTIONS)


def _fields(value: Any) -> Mapping[str, Any]:
    """Return the fields of a value by name; orjson asks for those of the values in it."""
    known, nulls = {}, _NULLS.get(value.__class__.__name__, _NO_NULLS)
    for name, needed in sent_fields(value.__class__):
        part = getattr(value, name)
        if part is not None or needed or name in nulls:
            known[name] = part
    return known if value.extra is None else {**named_extra(value), **known}


def batch(output: BatchOutput) -> models.ForwardBackwardOutput:
    """Return the result of forward or forward_backward."""
    records = []
    for index, (logprobs, losses) in enumerate(zip(output.logprobs, output.elementwise_loss, strict=True)):
        if not (np.isfinite(logprobs).all() and np.isfinite(losses).all()):
            raise NotFiniteError.of(f"datum {index}: the loss")
        records.append({"logprobs": _tensor(logprobs), "elementwise_loss": _tensor(losses)})
    return models.ForwardBackwardOutput.of_owned(
        loss_fn_output_type="ArrayRecord",
        loss_fn_outputs=records,
        metrics=_finite(output.metrics),
        extra=None,
    )


def step(metrics: Mapping[str, float]) -> models.OptimStepResponse:
    """Return the result of optim_step."""
    return models.OptimStepResponse(metrics=_finite(metrics))


def saved(operation: Save, size_bytes: int) -> Model:
    """Return the result of a save, as its operation has it."""
    path = operation.tinker_path
    if operation.op == "save_weights_for_sampler":
        return models.SaveWeightsForSamplerResponse(path=path)
    if operation.op == "save_weights_external":
        return models.SaveWeightsExternalResponse(path=path, size_bytes=size_bytes)
    return models.SaveWeightsResponse(path=path)


def loaded(operation: Load) -> models.LoadWeightsResponse:
    """Return the result of load_weights; it names a model that it made."""
    model_id = operation.model_id if operation.creates else None
    return models.LoadWeightsResponse(path=operation.tinker_path, model_id=model_id)


def sample(
    output: SampleOutput, *, prompt_logprobs: bool, targets: PromptTargets | None = None
) -> models.SampleResponse:
    """Return the result of asample."""
    if not all(np.isfinite(one.logprobs).all() for one in output.samples):
        raise NotFiniteError.of("a sampled logprob")
    prompt = output.prompt_logprobs if prompt_logprobs else None
    if prompt is not None and not all(math.isfinite(value) for value in prompt if value is not None):
        raise NotFiniteError.of("a prompt logprob")
    return models.SampleResponse.of_owned(
        sequences=[_sequence(one) for one in output.samples],
        prompt_logprobs=prompt,
        topk_prompt_logprobs=output.topk_prompt_logprobs,
        target_prompt_logprobs=_targets(output, targets),
        prompt_alt_tokens=_alternatives(output),
        prompt_cache_hit_tokens=output.known_tokens or None,  # absent means 0
        type="sample",
        extra=None,
    )


def _sequence(one: Sample) -> models.SampledSequence:
    """Return one continuation; the likeliest tokens only where they were asked for."""
    topk = None
    if one.topk is not None:
        rows = zip(one.topk.tokens.tolist(), one.topk.logprobs.tolist(), strict=True)
        topk = [list(zip(*row, strict=True)) for row in rows]
    return models.SampledSequence.of_owned(
        stop_reason=one.stop_reason,
        tokens=np.ascontiguousarray(one.tokens),
        logprobs=np.ascontiguousarray(one.logprobs),
        topk_sampled_logprobs=topk,
        sequence_id=None,
        extra=None,
    )


def _targets(output: SampleOutput, targets: PromptTargets | None) -> models.TensorDataOutput | None:
    """Return the logprobs of the prompt's targets, in the form in which these were given."""
    if output.target_prompt_logprobs is None or targets is None:
        return None
    values = np.ascontiguousarray(targets.picked(output.target_prompt_logprobs))
    if not np.isfinite(values).all():
        raise NotFiniteError.of("a prompt logprob")
    sparse = None
    if targets.crow_indices is not None:
        sparse = {
            "sparse_crow_indices": list(targets.crow_indices),
            "sparse_col_indices": list(targets.col_indices or ()),
        }
    return _tensor(values, list(targets.shape), sparse)


def _alternatives(output: SampleOutput) -> models.PromptAltTokens | None:
    """Return the tokens that were drawn in place of those of the prompt."""
    drawn = output.prompt_alt_tokens
    if drawn is None:
        return None
    return models.PromptAltTokens.of_owned(
        tokens=_tensor(drawn.tokens), logprobs=_tensor(drawn.logprobs), extra=None
    )


def _tensor(
    array: npt.NDArray[Any], shape: Sequence[int] | None = None, extra: Mapping[str, Any] | None = None
) -> models.TensorDataOutput:
    """Return an array, row by row."""
    return models.TensorDataOutput.of_owned(
        data=np.ascontiguousarray(array).reshape(-1),
        dtype="int64" if array.dtype.kind == "i" else "float32",
        shape=array.shape if shape is None else shape,
        extra=extra,
    )


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Check metrics: JSON has no word for NaN."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise NotFiniteError.of(f"metric {name}")
    return dict(metrics)
