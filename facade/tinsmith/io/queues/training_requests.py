"""The requests of training calls: the data of a call, how its bytes are made and how its result is read.

A client makes a request of what it was given, and `io.queues.training_queue` takes it from there: it plans
the chunks, has each encoded at its turn, and its result decoded and merged. The data are in the request and
nowhere else. It must not send, wait or know the order of calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import attrs
from tinsmith_api.models import LoadWeightsResponse, OptimStepResponse, SaveWeightsForSamplerResponse
from tinsmith_api.operations import OPERATIONS
from tinsmith_api.resource import Ask

from tinsmith.core.arguments import check_step
from tinsmith.core.checks import check_batch, loss_settings
from tinsmith.core.chunking import MissingOutputs, count, merge_forward_backward, plan
from tinsmith.core.codec.answers import to_value
from tinsmith.core.codec.decode import decode_forward_backward
from tinsmith.core.codec.encode import encode_body, encode_forward_backward, encode_optim_step
from tinsmith.core.codec.wire import CONTENT_TYPES, Encoding
from tinsmith.core.errors import APIResponseValidationError
from tinsmith.core.names import OptimParams
from tinsmith.core.sequence import Effect
from tinsmith.core.values.datum import Datum
from tinsmith.core.values.results import ForwardBackwardOutput
from tinsmith.io.http.messages import Body, secrets_in
from tinsmith.io.http.operations import fit

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from tinsmith.core.codec.wire import Payload
    from tinsmith.core.config import ChunkLimits
    from tinsmith.core.names import SamplingClientKind

T = TypeVar("T")

BYTES_PER_NUMBER = 9
"""About how many bytes of JSON a token id or a float takes with its comma; for the byte budget only."""

BYTES_BESIDE_NUMBERS = 256
"""About how many bytes of JSON a datum takes beside its numbers."""

SMALL_BYTES = 1024
"""More bytes than a request without data takes."""

_EFFECTS = {"forward_backward": Effect.GRADIENT, "optim_step": Effect.STEP}

_RESTORABLE = frozenset({"save_weights", "load_weights"})
"""Operations that name a checkpoint from which the training can go on."""


@attrs.frozen
class BatchForm:
    """How a server gets batches. The same batch in the same form always gives the same bytes."""

    encoding: Encoding = "json"
    """JSON, or the binary form."""
    compressed: bool = False
    """Whether the binary form is compressed with zstd."""

    def body(self, pieces: Iterable[bytes]) -> Body:
        """Make the body of pieces that are in this encoding."""
        content_type = CONTENT_TYPES[self.encoding]
        if self.encoding == "json" or not self.compressed:
            return Body.of(pieces, content_type)
        from tinsmith.core.codec.wire import compress  # loads a library that few servers ask for

        return Body.of(compress(pieces), content_type, content_encoding="zstd")


@attrs.frozen
class TrainingRequest(Generic[T]):
    """One call on a model in training, or one chunk of it. What kinds share; each kind says the rest."""

    operation: str
    """The operation id, such as `forward_backward`."""

    @property
    def effect(self) -> Effect:
        """What it does to the gradient on the server."""
        return _EFFECTS.get(self.operation, Effect.OTHER)

    @property
    def kind(self) -> Hashable:
        """What a server that takes one request very likely takes another of, whatever its data."""
        return self.operation

    @property
    def estimate_bytes(self) -> int:
        """About how large its bytes will be."""
        return SMALL_BYTES

    @property
    def changes_the_model(self) -> bool:
        """Whether the state of the model is unknown while the outcome of this request is."""
        return self.effect is not Effect.OTHER or self.operation == "load_weights"

    def target(self, body: Body) -> str:
        """Return the path that takes this body: batches in the binary form have one for both operations."""
        is_json = body.content_type == CONTENT_TYPES["json"]
        return OPERATIONS[self.operation if is_json else "forward_backward"].path.lstrip("/")

    async def prepare(self) -> TrainingRequest[T]:
        """Return what is sent in its place, made while the call holds its turn and has no number."""
        return self

    def plan(self, _limits: ChunkLimits) -> Sequence[TrainingRequest[T]]:
        """Cut it into the chunks that these limits allow, in order; at least one."""
        return (self,)

    def encode(self, model_id: str, seq_id: int, form: BatchForm) -> Body:
        """Build the bytes; the same arguments give the same bytes."""
        raise NotImplementedError

    def decode(self, payload: Payload) -> T:
        """Read the payload of the result."""
        raise NotImplementedError

    def merge(self, results: Sequence[T]) -> T:
        """Make the result of the call of those of its chunks."""
        return results[0]

    def checkpoint(self, _result: T) -> str | None:
        """Return the path of the checkpoint that was saved or loaded, to train on from; None for none."""
        return None

    def missing(self, _result: T) -> str | None:
        """Return a warning where the result lacks something; None where it is whole."""
        return None


@attrs.frozen
class ForwardBackward(TrainingRequest[ForwardBackwardOutput]):
    """A forward or forward_backward of a batch. A chunk of it is one of fewer datums of the same batch."""

    operation: Literal["forward", "forward_backward"]
    """Which of the two: forward computes no gradient."""
    data: Sequence[Datum] = attrs.field(repr=False)
    """The whole batch."""
    loss_fn: str
    """The name of the loss."""
    loss_fn_config: Mapping[str, float | str] | None
    """Settings of the loss; None for the server's."""
    picked: range = attrs.field()
    """Positions in the batch of the datums that this request sends. Errors name a datum by its position."""
    estimate_bytes: int = attrs.field(init=False)
    """About how large its bytes will be."""

    @picked.default
    def _whole(self) -> range:
        return range(len(self.data))

    @estimate_bytes.default
    def _estimate(self) -> int:
        numbers = sum(count(self.data[index]) for index in self.picked)
        return BYTES_PER_NUMBER * numbers + BYTES_BESIDE_NUMBERS * len(self.picked)

    @classmethod
    def of(
        cls,
        operation: Literal["forward", "forward_backward"],
        data: Sequence[Datum],
        loss_fn: str,
        loss_fn_config: Mapping[str, float | str] | None,
    ) -> ForwardBackward:
        """Make the request of what a user gives; an `InputError` names the datum and the field."""
        check_batch(data, loss_fn, loss_fn_config)
        return cls(operation, list(data), loss_fn, loss_settings(loss_fn_config))

    @property
    def kind(self) -> Hashable:
        """The operation, the loss and the names of its settings."""
        return self.operation, self.loss_fn, frozenset(self.loss_fn_config or ())

    def plan(self, limits: ChunkLimits) -> Sequence[ForwardBackward]:
        """Cut the batch into chunks, each as long as the limits allow; no datum is copied."""
        chunks = plan(self.data, limits)
        return [self] if len(chunks) == 1 else [attrs.evolve(self, picked=picked) for picked in chunks]

    def encode(self, model_id: str, seq_id: int, form: BatchForm) -> Body:
        """Build the bytes; the same arguments give the same bytes."""
        return form.body(
            encode_forward_backward(
                self.operation,
                self.data,
                self.loss_fn,
                self.loss_fn_config,
                model_id,
                seq_id,
                chunk=self.picked,
                encoding=form.encoding,
            )
        )

    def decode(self, payload: Payload) -> ForwardBackwardOutput:
        """Read the payload of the result, which has one output a datum, or none at all."""
        return decode_forward_backward(payload, len(self.picked))

    def merge(self, results: Sequence[ForwardBackwardOutput]) -> ForwardBackwardOutput:
        """Join the results of the chunks, whose outputs must be those of the datums."""
        if len({bool(result.loss_fn_outputs) for result in results}) > 1:
            raise APIResponseValidationError(
                message="The server's answer is no ForwardBackwardOutput: only some chunks have"
                " loss_fn_outputs",
                status_code=200,
            )
        return merge_forward_backward(results)

    def left_out(self, form: BatchForm) -> str | None:
        """Return a warning where datums have provenance spans, and the server gets JSON."""
        if form.encoding != "json":
            return None
        if not any(datum.model_input_spans or datum.loss_fn_input_spans for datum in self.data):
            return None
        return "this server gets batches as JSON, which has no place for provenance spans"

    def missing(self, result: ForwardBackwardOutput) -> str | None:
        """Return a warning where there are fewer outputs than datums."""
        outputs: object = result.loss_fn_outputs
        if not isinstance(outputs, MissingOutputs):
            return None
        return f"the server gave {outputs}; metrics are handed out, and reading loss_fn_outputs is an error"


@attrs.frozen
class OptimStep(TrainingRequest[OptimStepResponse]):
    """One step of the model's optimizer."""

    params: OptimParams
    """Parameters of the step."""

    @classmethod
    def of(cls, params: OptimParams) -> OptimStep:
        """Make the request of what a user gives."""
        check_step(params)
        return cls("optim_step", params)

    def encode(self, model_id: str, seq_id: int, _form: BatchForm) -> Body:
        """Build the bytes; the same arguments give the same bytes."""
        return Body.of((encode_optim_step(self.params, model_id, seq_id),))

    def decode(self, payload: Payload) -> OptimStepResponse:
        """Read the payload of the result."""
        return to_value(OptimStepResponse, payload)


@attrs.frozen
class PromiseRequest(TrainingRequest[T]):
    """Any other operation of the contract that has its place in the order of training: saves and loads."""

    fields: Mapping[str, object]
    """The body beside model, number and tag, by the names of the contract."""
    tag: object
    """The body's `type`."""
    result: type[T]
    """What the result is read as."""

    @classmethod
    def of(cls, ask: Ask[T]) -> PromiseRequest[T]:
        """Make the request of an operation of the contract, checked against it."""
        body = fit(ask).body
        fields = dict(body) if isinstance(body, Mapping) else {}
        tag = fields.pop("type", ask.operation)
        return cls(ask.operation, fields, tag, ask.result)

    def encode(self, model_id: str, seq_id: int, _form: BatchForm) -> Body:
        """Build the bytes; the same arguments give the same bytes."""
        encoded = encode_body({"model_id": model_id, **self.fields, "seq_id": seq_id, "type": self.tag})
        return Body.of((encoded,), secrets=secrets_in(self.fields))

    def decode(self, payload: Payload) -> T:
        """Read the payload of the result."""
        return to_value(self.result, payload)

    def checkpoint(self, result: Any) -> str | None:
        """Return the path of the checkpoint that was saved or loaded, to train on from; None for none."""
        return result.path if self.operation in _RESTORABLE else None


def load_weights(
    path: str, optimizer: bool, weights_access_token: str | None
) -> PromiseRequest[LoadWeightsResponse]:
    """Make the request that loads a checkpoint into the model."""
    fields = {"path": path, "optimizer": optimizer, "weights_access_token": weights_access_token}
    return PromiseRequest.of(Ask("load_weights", LoadWeightsResponse, body=fields))


def save_for_sampling(
    sampler_number: int, kind: SamplingClientKind
) -> PromiseRequest[SaveWeightsForSamplerResponse]:
    """Make the request that hands the weights to a sampler without naming a checkpoint."""
    named = None if kind == "snapshot" else kind  # the default, which not every server knows by name
    fields = {"sampling_session_seq_id": sampler_number, "kind": named}
    return PromiseRequest.of(Ask("save_weights_for_sampler", SaveWeightsForSamplerResponse, body=fields))
