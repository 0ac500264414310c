"""TrainingClient: one model in training. Owns the calls of a training loop, in the order of its caller.

Saving and loading are the contract's methods, from `tinsmith_api.resources`; `_send` queues them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

from tinsmith_api.models import GetInfoResponse, OptimStepResponse
from tinsmith_api.resource import Ask
from tinsmith_api.resources import OperationsInOrder

from tinsmith.clients import custom_loss
from tinsmith.clients.created_client import CreatedClient
from tinsmith.clients.creation import NewModel, SavedModel, create_sampler
from tinsmith.clients.custom_loss import CustomLoss
from tinsmith.clients.sampling import SamplingClient
from tinsmith.core.codec.answers import to_value
from tinsmith.core.config import RetryConfig
from tinsmith.core.errors import InputError
from tinsmith.core.names import LossFnType, OptimParams, SamplingClientKind
from tinsmith.core.values.datum import Datum
from tinsmith.core.values.results import ForwardBackwardOutput
from tinsmith.io.context import ClientContext
from tinsmith.io.future import APIFuture, awaited, twice_awaited
from tinsmith.io.http import operations
from tinsmith.io.queues.jobs import Job
from tinsmith.io.queues.sample_dispatcher import SamplingSession
from tinsmith.io.queues.training_requests import (
    ForwardBackward,
    OptimStep,
    PromiseRequest,
    TrainingRequest,
    save_for_sampling,
)

T = TypeVar("T")


class TrainingClient(CreatedClient["TrainingClient"], OperationsInOrder):
    """A model on the server, and the queue of its requests.

    Calls return futures at once, and the order of the calls is the order of training, from whichever threads
    they come and whenever their results are read. A call itself raises `InputError`, before anything is sent.
    Its future raises, with `applied` "no", `BadRequestError` and other refusals, `RequestFailedError` (the
    server accepted the request, and it failed then) and `ClientPoisonedError`; with "yes", `ResultLostError`
    ("unknown" where the server does not deduplicate); with "unknown", `InternalServerError`,
    `APIConnectionError` and `APITimeoutError` ("no" if the server was never reached). When nobody knows
    whether a call changed the model, the client is closed: its later calls raise `ClientPoisonedError`, which
    names the cause. `ModelLostError` names the last checkpoint. `retry_config` holds for one call.

    >>> import tinsmith
    >>> from tinsmith import AdamParams, Datum, ModelInput
    >>> inputs = {"target_tokens": [2, 3, 4], "weights": [1.0, 1.0, 1.0]}
    >>> datum = Datum(model_input=ModelInput.from_ints([1, 2, 3]), loss_fn_inputs=inputs)
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     trainer = service.create_lora_training_client("tinsmith/tiny", rank=4)
    ...     gradient = trainer.forward_backward([datum], "cross_entropy")
    ...     step = trainer.optim_step(AdamParams(learning_rate=1e-3))
    ...     output, _ = gradient.result(), step.result()
    >>> output.loss_fn_outputs[0]["logprobs"].shape
    [3]
    """

    _what = "the model"

    def __init__(
        self, context: ClientContext, *, base_model: str | None = None, rank: int | None = None
    ) -> None:
        super().__init__(context)
        self._queue = context.training_queue(self)
        self._base_model = base_model
        self._rank = rank

    @classmethod
    def _of(cls, context: ClientContext, wanted: NewModel | SavedModel) -> TrainingClient:
        """Have a model made, and return its client at once."""
        context.connection.check()
        client = cls(context, base_model=wanted.base_model, rank=wanted.rank)

        async def make() -> None:
            client._base_model, client._rank = await wanted.make(context, client._queue)

        return client._make(make)

    @property
    def model_id(self) -> str:
        """The server's id of the model; waits until the server has made it, or raises why it has not."""
        self._wait_until_made("model_id")
        return self._queue.bound_id

    def forward(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType | str,
        loss_fn_config: Mapping[str, float | str] | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Compute a loss and its outputs, and leave the gradient as it is.

        Takes and returns what `forward_backward` does, and raises the same, but never `PartialBatchError`.
        """
        request = ForwardBackward.of("forward", data, loss_fn, loss_fn_config)
        return self._enter(request, retry_config)

    forward_async = twice_awaited(forward)

    def forward_backward(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType | str,
        loss_fn_config: Mapping[str, float | str] | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Compute a loss, and add its gradient to the gradient of the next `optim_step`.

        `loss_fn` names a loss of the server, such as "cross_entropy", and `loss_fn_config` its settings
        (None: the server's). `target_tokens`, `weights`, `logprobs` and `advantages` of a datum have one
        entry for each position of its model input. `loss_fn_outputs` of the result has one record for each
        datum, in order; with "cross_entropy" its `logprobs` are natural logarithms in the shape of
        `target_tokens`. The loss in `metrics` is a sum, not a mean.

        Large batches are split into chunks (`ClientConfig.chunk_limits`), whose results are merged. The call
        raises `InputError`, which names the datum and the field. The future raises `PartialBatchError`
        (`applied` "unknown", and the client is closed) if some chunks failed while others were applied.
        """
        request = ForwardBackward.of("forward_backward", data, loss_fn, loss_fn_config)
        return self._enter(request, retry_config)

    forward_backward_async = twice_awaited(forward_backward)

    def forward_backward_custom(
        self,
        data: Sequence[Datum],
        loss_fn: CustomLoss,
        *,
        backend: custom_loss.Backend | None = None,
        loss_type_input: Literal["logprobs"] | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Compute a loss of your own, and add its gradient to the gradient of the next `optim_step`.

        `loss_fn(data, logprobs)` gets one float array of log-probabilities for each datum, in the shape of
        its `target_tokens`, and returns `(loss, metrics)`. The arrays are torch tensors where torch is
        installed, else autograd's or jax's. With `backend="numpy"` they are plain arrays, and the function
        returns `(loss, metrics, gradients)`, one gradient for each datum in the shape of its
        log-probabilities. `metrics` of the result are the server's and the function's; `loss:sum` is the
        function's loss. `loss_type_input` names what the function gets, which is always "logprobs".

        The function runs in a thread of its own, while later calls of this client are queued behind it. The
        future raises what the function raises, and `InputError` for gradients of other shapes, NaN or
        infinity. A function that waits for a later call of this client, which cannot begin before it returns,
        ends in `InputError`; where it waits in another thread, in `ProgressTimeoutError` after
        `ClientConfig.progress_timeout_s`. The call raises `MissingExtraError` for a backend that is not
        installed.
        """
        if loss_type_input not in (None, "logprobs"):
            raise InputError(f"must be 'logprobs', not {loss_type_input!r}", field="loss_type_input")
        forward, backward = custom_loss.jobs(self._queue, data, loss_fn, backend)
        self._queue.enter(forward, backward)
        return backward.future

    forward_backward_custom_async = twice_awaited(forward_backward_custom)

    def optim_step(
        self,
        adam_params: OptimParams | None = None,
        *,
        optim_params: OptimParams | None = None,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[OptimStepResponse]:
        """Make one step of the model's optimizer with the gradient gathered since the last step.

        `adam_params` and `optim_params` are two names of one argument; `InputError` unless exactly one is
        given: `AdamParams`, or the parameters of the optimizer that the model was made with, such as
        `DimuonParams`. `ClientConfig.optim_after` says whether the step is sent once the gradients before it
        are accepted, or once their results have come. The future raises `PartialBatchError` if one of them
        failed: with `applied` "no" the step was not sent; with "yes" it ran on part of its batch, and the
        client is closed.
        """
        if (adam_params is None) == (optim_params is None):
            raise InputError("give exactly one of adam_params and optim_params", field="adam_params")
        params = optim_params if adam_params is None else adam_params
        assert params is not None
        return self._enter(OptimStep.of(params), retry_config)

    optim_step_async = twice_awaited(optim_step)

    def get_info(self) -> GetInfoResponse:
        """Ask the server for base model, rank and tokenizer id of the model, and wait for the answer."""
        return self._connection.run(self._ask_info()).result()

    async def get_info_async(self) -> GetInfoResponse:
        """As `get_info`, awaited."""
        return await self._connection.run(self._ask_info())

    def save_weights_and_get_sampling_client_submit(
        self, retry_config: RetryConfig | None = None, *, kind: SamplingClientKind = "snapshot"
    ) -> APIFuture[SamplingClient]:
        """As `save_weights_and_get_sampling_client`: an older name, from when that method waited."""
        return self.save_weights_and_get_sampling_client(None, retry_config, kind=kind)

    def save_weights_and_get_sampling_client(
        self,
        name: str | None = None,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
        *,
        kind: SamplingClientKind = "snapshot",
    ) -> SamplingClient:
        """Hand the weights as of this call to a new sampler, and return its client at once.

        Later steps do not change what a "snapshot" samples; an "inflight" sampler follows the training, on
        servers that offer it. No named checkpoint is made, and `name` is not used. `retry_config` holds for
        all samples of the new client (None: the settings of the service's client). `record_stability_info`
        has the server record what the loss `stable_reinforce` needs of each sample. The client raises what a
        save raises.
        """
        saving = self._enter(save_for_sampling(self._context.session.next_sampler(), kind))
        session = SamplingSession()
        client = SamplingClient(
            self._context, session, None, self._base_model, retry_config, record_stability_info
        )
        client.origin = saving

        async def make() -> None:
            saved = await saving
            client._base_model = self._base_model  # a model made of a checkpoint learns it late
            made = saved.sampling_session_id or await create_sampler(
                self._connection, self._context.session, saved.path, None
            )
            session.named(made)

        return client._make(make)

    save_weights_and_get_sampling_client_async = awaited(save_weights_and_get_sampling_client)

    def create_sampling_client(
        self,
        model_path: str,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
    ) -> SamplingClient:
        """Ask for a sampler of a checkpoint, and return its client at once.

        `model_path` is the `path` that `save_weights_for_sampler` returned. `retry_config` holds for all
        samples of the new client (None: the settings of the service's client). `record_stability_info` has
        the server record what the loss `stable_reinforce` needs of each sample. Raises `InputError` for what
        is no `tinker://` path; the client raises `NotFoundError` (`applied` "no") for one that does not
        exist.
        """
        return SamplingClient._of(self._context, model_path, None, retry_config, record_stability_info)

    create_sampling_client_async = awaited(create_sampling_client)

    def _enter(self, request: TrainingRequest[T], retry_config: RetryConfig | None = None) -> APIFuture[T]:
        """Queue a call behind everything that was called before."""
        job = Job(request, retry_config)
        self._queue.enter(job)
        return job.future

    def _send(self, ask: Ask[T]) -> APIFuture[T]:
        """Queue an operation of the contract behind everything that was called before."""
        return self._enter(PromiseRequest.of(ask))

    async def _ask_info(self) -> GetInfoResponse:
        await self
        request = operations.request("get_info", body={"model_id": self._queue.bound_id, "type": "get_info"})
        return to_value(GetInfoResponse, await operations.perform(self._connection.sender, request))

    async def _model_name(self) -> tuple[str, str | None]:
        info = await self._ask_info()
        name = info.model_name or info.model_data.model_name or self._base_model or ""
        return name, info.model_data.tokenizer_id

    def _start(self) -> None:
        self._connection.observers.watch(self._queue.bound_id, self)
        self._queue.open()

    def _refuse(self, error: BaseException) -> None:
        self._queue.end(self._refusal(error))

    def _facts(self) -> dict[str, object]:
        return {
            "model_id": self._queue.model_id,
            "base_model": self._base_model,
            "rank": self._rank,
            "state": self._queue.trouble or self._stage(),
        }
