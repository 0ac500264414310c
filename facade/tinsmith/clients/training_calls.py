"""The calls of a training loop as values for the line: how each is built, checked, decoded and merged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import attrs
from tinsmith_api.models import LoadWeightsResponse, OptimStepResponse, SaveWeightsForSamplerResponse
from tinsmith_api.resource import Ask

from tinsmith.core.arguments import check_step, loss_settings
from tinsmith.core.checks import check_batch
from tinsmith.core.chunking import count, plan
from tinsmith.core.codec.decode import decode_forward_backward
from tinsmith.core.codec.encode import encode_body, encode_forward_backward, encode_optim_step
from tinsmith.core.errors import APIResponseValidationError
from tinsmith.core.merge import MissingOutputs, merge_forward_backward
from tinsmith.core.ticket import Kind
from tinsmith.core.values.names import SamplingClientKind
from tinsmith.io.http import operations
from tinsmith.io.http.messages import Body, secrets_in
from tinsmith.io.queues.jobs import Chunk, Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tinsmith.core.values.datum import Datum
    from tinsmith.core.values.names import OptimParams
    from tinsmith.core.values.results import ForwardBackwardOutput
    from tinsmith.io.http.sender import Sender
    from tinsmith.io.queues.training_queue import TrainingQueue
T = TypeVar("T")

RESTORABLE = frozenset({"save_weights", "load_weights"})
"""Operations that name a checkpoint from which the training can go on."""

BYTES_PER_NUMBER = 9
"""About how many bytes of JSON a token id or a float takes with its comma; for the byte budget only."""


def forward_backward(
    line: TrainingQueue,
    operation: Literal["forward", "forward_backward"],
    data: Sequence[Datum],
    loss_fn: str,
    loss_fn_config: Mapping[str, float | str] | None,
) -> Job[ForwardBackwardOutput]:
    """Make the call of forward or forward_backward: one part a chunk."""
    check_batch(data, loss_fn, loss_fn_config)
    return chunked(line, operation, list(data), loss_fn, loss_settings(loss_fn_config))


def chunked(
    line: TrainingQueue,
    operation: Literal["forward", "forward_backward"],
    data: list[Datum],
    loss_fn: str,
    settings: dict[str, float | str] | None,
) -> Job[ForwardBackwardOutput]:
    """Make the call of checked data, of which bytes are built at each part's turn."""

    def build(chunk: range, seq_id: int) -> Body:
        encode = partial(
            encode_forward_backward, operation, data, loss_fn, settings, line.bound_id, seq_id, chunk=chunk
        )
        spans = any(data[index].model_input_spans or data[index].loss_fn_input_spans for index in chunk)
        return terms.batch(encode, spans=spans)

    read = _reader(line.connection.sender)
    terms = line.settings
    planned_for = terms.limits.chunks

    def cut() -> list[Chunk]:
        return [
            Chunk(
                partial(build, chunk),
                partial(read, len(chunk)),
                BYTES_PER_NUMBER * sum(count(data[index]) for index in chunk) + 256 * len(chunk),
            )
            for chunk in plan(data, planned_for)
        ]

    def recut() -> list[Chunk] | None:
        """Cut by the limits that the server told since, if they are others."""
        nonlocal planned_for
        if terms.limits.chunks == planned_for:
            return None
        planned_for = terms.limits.chunks
        return cut()

    return Job(
        operation,
        operations.request_type(operation),
        operations.target(operation),
        cut(),
        merge_forward_backward,
        Kind.GRADIENT if operation == "forward_backward" else Kind.OTHER,
        operations.target("forward_backward"),
        replan=recut,
    )


def _reader(sender: Sender) -> Callable[[int, Any], ForwardBackwardOutput]:
    """Make the decoder of one call's chunks: joined, their outputs must be those of its datums."""
    with_outputs: set[bool] = set()

    def read(datums: int, payload: Any) -> ForwardBackwardOutput:
        result = decode_forward_backward(payload, datums)
        if isinstance(result.loss_fn_outputs, MissingOutputs):
            sender.warn_once(
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


def optim_step(line: TrainingQueue, params: OptimParams) -> Job[OptimStepResponse]:
    """Make the call of optim_step."""
    check_step(params)

    def build(seq_id: int) -> Body:
        return Body.of((encode_optim_step(params, line.bound_id, seq_id),))

    return _single("optim_step", build, OptimStepResponse, Kind.STEP)


def promise(line: TrainingQueue, ask: Ask[T]) -> Job[T]:
    """Make the call of an operation of the contract that has a place in the order of training.

    The line remembers the path of what was saved or loaded, for errors that ask for a checkpoint.
    """
    fit = operations.fit(ask)
    assert isinstance(fit.body, dict)
    fields = {name: value for name, value in fit.body.items() if name != "type"}
    noted = line if ask.operation in RESTORABLE else None
    build = _body(line, fields, fit.body.get("type", ask.operation))
    return _single(ask.operation, build, ask.result, noted=noted)


def load_state(
    line: TrainingQueue, path: str, optimizer: bool, weights_access_token: str | None
) -> Job[LoadWeightsResponse]:
    """Make the call of load_weights."""
    fields = {"path": path, "optimizer": optimizer, "weights_access_token": weights_access_token}
    return promise(line, Ask("load_weights", LoadWeightsResponse, body=fields))


def save_ephemeral(
    line: TrainingQueue, sampler_number: int, kind: SamplingClientKind
) -> Job[SaveWeightsForSamplerResponse]:
    """Make the call that hands the weights to a sampler without naming them."""
    fields: dict[str, object] = {"sampling_session_seq_id": sampler_number, "kind": kind}
    ask = operations.fit(Ask("save_weights_for_sampler", SaveWeightsForSamplerResponse, body=fields))
    if kind == "snapshot":  # the default, which not every server knows by name
        fields["kind"] = None
    return promise(line, attrs.evolve(ask, body=fields))


def _body(line: TrainingQueue, fields: Mapping[str, object], tag: object) -> Callable[[int], Body]:
    def build(seq_id: int) -> Body:
        encoded = encode_body({"model_id": line.bound_id, **fields, "seq_id": seq_id, "type": tag})
        return Body.of((encoded,), secrets=secrets_in(fields))

    return build


def _single(
    operation: str,
    build: Callable[[int], Body],
    result: type[Any],
    kind: Kind = Kind.OTHER,
    *,
    noted: TrainingQueue | None = None,
) -> Job[Any]:
    def merge(values: list[Any]) -> Any:
        if noted is not None:
            noted.last_checkpoint = values[0].path or noted.last_checkpoint
        return values[0]

    return Job(
        operation,
        operations.request_type(operation),
        operations.target(operation),
        [Chunk(build, partial(operations.read, result))],
        merge,
        kind,
    )
