"""The calls of a training loop as values for the line: how each is built, checked, decoded and merged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from tinsmith_api.models import (
    LoadWeightsResponse,
    OptimStepResponse,
    SaveWeightsExternalResponse,
    SaveWeightsForSamplerResponse,
    SaveWeightsResponse,
)

from tinsmith.core.arguments import checkpoint_name, labels, loss_settings, ttl
from tinsmith.core.checks import check_batch
from tinsmith.core.chunking import count, plan
from tinsmith.core.codec.decode import decode_forward_backward
from tinsmith.core.codec.encode import encode_body, encode_forward_backward, encode_optim_step
from tinsmith.core.codec.structure import to_value
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.merge import merge_forward_backward
from tinsmith.core.paths import check_tinker_path
from tinsmith.core.place import Kind
from tinsmith.core.values.names import SamplingClientKind
from tinsmith.core.values.optimizers import check_step
from tinsmith.core.values.results import MissingOutputs
from tinsmith.io import operations
from tinsmith.io.call import Call, Part
from tinsmith.io.secrets import secrets_in
from tinsmith.io.wire import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tinsmith.core.values.datum import Datum
    from tinsmith.core.values.optimizers import OptimParams
    from tinsmith.core.values.results import ForwardBackwardOutput
    from tinsmith.io.link import Link
    from tinsmith.io.pipeline import Pipeline

BYTES_PER_NUMBER = 9
"""About how many bytes of JSON a token id or a float takes with its comma; for the byte budget only."""


def forward_backward(
    line: Pipeline,
    operation: Literal["forward", "forward_backward"],
    data: Sequence[Datum],
    loss_fn: str,
    loss_fn_config: Mapping[str, float | str] | None,
) -> Call[ForwardBackwardOutput]:
    """Make the call of forward or forward_backward: one part a chunk."""
    check_batch(data, loss_fn, loss_fn_config)
    return chunked(line, operation, list(data), loss_fn, loss_settings(loss_fn_config))


def chunked(
    line: Pipeline,
    operation: Literal["forward", "forward_backward"],
    data: list[Datum],
    loss_fn: str,
    settings: dict[str, float | str] | None,
) -> Call[ForwardBackwardOutput]:
    """Make the call of checked data, of which bytes are built at each part's turn."""

    def build(chunk: range, seq_id: int) -> Body:
        encode = partial(
            encode_forward_backward, operation, data, loss_fn, settings, line.bound_id, seq_id, chunk=chunk
        )
        spans = any(data[index].model_input_spans or data[index].loss_fn_input_spans for index in chunk)
        return terms.batch(encode, spans=spans)

    read = _reader(line.link)
    terms = line.link.terms
    planned_for = terms.limits.chunks

    def cut() -> list[Part]:
        return [
            Part(
                partial(build, chunk),
                partial(read, len(chunk)),
                BYTES_PER_NUMBER * sum(count(data[index]) for index in chunk) + 256 * len(chunk),
            )
            for chunk in plan(data, planned_for)
        ]

    def recut() -> list[Part] | None:
        """Cut by the limits that the server told since, if they are others."""
        nonlocal planned_for
        if terms.limits.chunks == planned_for:
            return None
        planned_for = terms.limits.chunks
        return cut()

    return Call(
        operation,
        operations.request_type(operation),
        operations.target(operation),
        cut(),
        merge_forward_backward,
        Kind.GRADIENT if operation == "forward_backward" else Kind.OTHER,
        operations.target("forward_backward"),
        replan=recut,
    )


def _reader(link: Link) -> Callable[[int, Any], ForwardBackwardOutput]:
    """Make the decoder of one call's chunks: joined, their outputs must be those of its datums."""
    with_outputs: set[bool] = set()

    def read(datums: int, payload: Any) -> ForwardBackwardOutput:
        result = decode_forward_backward(payload, datums)
        if isinstance(result.loss_fn_outputs, MissingOutputs):
            link.caller.warn_once(
                "few outputs",
                "the server gave %s; metrics are handed out, and reading loss_fn_outputs is an error",
                result.loss_fn_outputs,
            )
        with_outputs.add(bool(result.loss_fn_outputs))
        if len(with_outputs) > 1:
            problem = "The server's answer is no ForwardBackwardOutput: only some chunks have loss_fn_outputs"
            raise APIResponseValidationError(message=problem, status_code=200)
        return result

    return read


def optim_step(line: Pipeline, params: OptimParams) -> Call[OptimStepResponse]:
    """Make the call of optim_step."""
    check_step(params)

    def build(seq_id: int) -> Body:
        return Body.of((encode_optim_step(params, line.bound_id, seq_id),))

    return _single("optim_step", build, OptimStepResponse, Kind.STEP)


def save_state(
    line: Pipeline,
    name: str,
    ttl_seconds: int | None,
    overwrite: bool | None,
    user_metadata: Mapping[str, str] | None,
) -> Call[SaveWeightsResponse]:
    """Make the call of save_weights; the line remembers the path for errors that ask for a checkpoint."""
    fields = {
        "path": checkpoint_name(name),
        "ttl_seconds": ttl(ttl_seconds),
        "overwrite": overwrite,
        "user_metadata": labels(user_metadata),
    }
    return _single("save_weights", _body("save_weights", line, fields), SaveWeightsResponse, noted=line)


def load_state(
    line: Pipeline, path: str, optimizer: bool, weights_access_token: str | None
) -> Call[LoadWeightsResponse]:
    """Make the call of load_weights."""
    check_tinker_path(path)
    fields = {"path": path, "optimizer": optimizer, "weights_access_token": weights_access_token}
    return _single("load_weights", _body("load_weights", line, fields), LoadWeightsResponse, noted=line)


def save_weights_for_sampler(
    line: Pipeline, name: str, ttl_seconds: int | None, user_metadata: Mapping[str, str] | None
) -> Call[SaveWeightsForSamplerResponse]:
    """Make the call of a named save_weights_for_sampler."""
    fields = {
        "path": checkpoint_name(name),
        "ttl_seconds": ttl(ttl_seconds),
        "user_metadata": labels(user_metadata),
    }
    build = _body("save_weights_for_sampler", line, fields)
    return _single("save_weights_for_sampler", build, SaveWeightsForSamplerResponse)


def save_ephemeral(
    line: Pipeline, sampler_number: int, kind: SamplingClientKind
) -> Call[SaveWeightsForSamplerResponse]:
    """Make the call that hands the weights to a sampler without naming them."""
    if kind not in get_args(SamplingClientKind):
        raise InputError(f"must be 'snapshot' or 'inflight', not {kind!r}", field="kind")
    fields = {
        "sampling_session_seq_id": sampler_number,
        "kind": None if kind == "snapshot" else kind,  # the default, which not every server knows by name
    }
    build = _body("save_weights_for_sampler", line, fields)
    return _single("save_weights_for_sampler", build, SaveWeightsForSamplerResponse)


def save_external(
    line: Pipeline, name: str, ttl_seconds: int | None, recipients: Sequence[str] | None
) -> Call[SaveWeightsExternalResponse]:
    """Make the call of save_weights_external."""
    if isinstance(recipients, str):
        raise InputError("is a list of public age keys, not one text", field="age_encryption_recipients")
    fields = {
        "path": checkpoint_name(name),
        "ttl_seconds": ttl(ttl_seconds),
        "age_encryption_recipients": None if recipients is None else list(recipients),
    }
    build = _body("save_weights_external", line, fields)
    return _single("save_weights_external", build, SaveWeightsExternalResponse)


def _body(operation: str, line: Pipeline, fields: Mapping[str, object]) -> Callable[[int], Body]:
    kept = {name: value for name, value in fields.items() if value is not None}

    def build(seq_id: int) -> Body:
        encoded = encode_body({"model_id": line.bound_id, **kept, "seq_id": seq_id, "type": operation})
        return Body.of((encoded,), secrets=secrets_in(kept))

    return build


def _single(
    operation: str,
    build: Callable[[int], Body],
    result: type[Any],
    kind: Kind = Kind.OTHER,
    *,
    noted: Pipeline | None = None,
) -> Call[Any]:
    def merge(values: list[Any]) -> Any:
        if noted is not None:
            noted.last_checkpoint = values[0].path or noted.last_checkpoint
        return values[0]

    return Call(
        operation,
        operations.request_type(operation),
        operations.target(operation),
        [Part(build, partial(to_value, result))],
        merge,
        kind,
    )
