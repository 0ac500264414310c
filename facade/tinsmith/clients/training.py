"""TrainingClient: one model in training. Owns the calls of a training loop, in the order of its caller.

Checkpoints have a class of their own, `CheckpointingCalls`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, overload

from tinsmith_api.models import GetInfoResponse, OptimStepResponse

from tinsmith.clients import custom_loss
from tinsmith.clients import training_calls as calls
from tinsmith.clients.custom_loss import CustomLoss
from tinsmith.clients.tokenizer import Backend
from tinsmith.clients.training_checkpoints import CheckpointingCalls
from tinsmith.core.codec.structure import to_value
from tinsmith.core.errors import InputError
from tinsmith.core.policy import RetryConfig
from tinsmith.core.tokenizer import Tokenizer
from tinsmith.core.values.datum import Datum
from tinsmith.core.values.names import LossFnType, OptimParams
from tinsmith.core.values.results import ForwardBackwardOutput
from tinsmith.io import operations
from tinsmith.io.context import ClientContext
from tinsmith.io.future import APIFuture, handed_out
from tinsmith.io.telemetry import Telemetry


class TrainingClient(CheckpointingCalls):
    """A model on the server, and the line in which its requests stand.

    Calls return futures at once, and the order of the calls is the order of training, whichever thread they
    come from and whenever their results are looked at. A call itself raises `InputError`, before sending. Its
    future raises, with `applied` "no": `BadRequestError` and other refusals, `RequestFailedError` (accepted,
    then failed), `ClientPoisonedError` (the outcome of an earlier call is unknown); "yes": `ResultLostError`
    ("unknown" where the server does not deduplicate); "unknown", which usually poisons the client:
    `InternalServerError`, `APIConnectionError` and `APITimeoutError` ("no" if the server was never reached).
    `ModelLostError` names the last checkpoint. `retry_config` holds for one call.

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

    @property
    def holder(self) -> ClientContext:
        """What the clients of one service share; the name is the official one."""
        return self._context

    def forward(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType | str,
        loss_fn_config: Mapping[str, float | str] | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Compute a loss and its outputs without touching the gradient.

        Takes and returns what `forward_backward` does, and raises the same, but never `PartialBatchError`.
        """
        return self._enter(
            calls.forward_backward(self._line, "forward", data, loss_fn, loss_fn_config),
            retry_config,
        )

    async def forward_async(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType | str,
        loss_fn_config: Mapping[str, float | str] | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Like `forward`; await the future that it returns."""
        return await handed_out(self.forward(data, loss_fn, loss_fn_config, retry_config=retry_config))

    def forward_backward(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType | str,
        loss_fn_config: Mapping[str, float | str] | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Compute a loss and add its gradient to that of the next optim_step.

        `target_tokens`, `weights`, `logprobs` and `advantages` of a datum have one entry a position of its
        model input. The result has one record a datum, in order; with `cross_entropy` its `logprobs` are
        natural logarithms in the shape of `target_tokens`. Losses are sums, not means. Large batches are
        split (`ClientConfig.chunk_limits`) and merged. `InputError` names the datum and the field;
        `PartialBatchError` (`applied` "unknown", poisons) says which chunks failed while others were applied.
        """
        return self._enter(
            calls.forward_backward(self._line, "forward_backward", data, loss_fn, loss_fn_config),
            retry_config,
        )

    async def forward_backward_async(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType | str,
        loss_fn_config: Mapping[str, float | str] | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Like `forward_backward`; await the future that it returns."""
        return await handed_out(
            self.forward_backward(data, loss_fn, loss_fn_config, retry_config=retry_config)
        )

    def forward_backward_custom(
        self,
        data: Sequence[Datum],
        loss_fn: CustomLoss,
        *,
        backend: custom_loss.Backend | None = None,
        loss_type_input: Literal["logprobs"] | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Add the gradient of a loss of your own.

        `loss_fn(data, logprobs)` gets one float array of log-probabilities a datum, shaped as its
        `target_tokens`, and returns `(loss, metrics)`. The arrays are torch tensors where torch is installed,
        else autograd's or jax's; with `backend="numpy"` they are plain, and the function returns `(loss,
        metrics, gradients)`. It runs in a thread of its own, while this call holds its turn; its exceptions
        are raised by the future as they are, and `InputError` for gradients of other shapes, NaN or infinity.
        Waiting in it for a later call of this client is an `InputError`, or, in a thread where it cannot be
        noticed, a `ProgressTimeoutError` after `progress_timeout_s`.
        The call raises `MissingExtraError` for a backend that is not installed. The metrics are the server's
        and the function's. `loss_type_input` names what the function gets, which is always "logprobs".
        """
        if loss_type_input not in (None, "logprobs"):
            raise InputError(f"must be 'logprobs', not {loss_type_input!r}", field="loss_type_input")
        forward, backward = custom_loss.calls(self._line, data, loss_fn, backend)
        self._line.enter(forward, backward)
        return backward.future

    async def forward_backward_custom_async(
        self,
        data: Sequence[Datum],
        loss_fn: CustomLoss,
        *,
        backend: custom_loss.Backend | None = None,
        loss_type_input: Literal["logprobs"] | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Like `forward_backward_custom`; await the future that it returns."""
        return await handed_out(
            self.forward_backward_custom(data, loss_fn, backend=backend, loss_type_input=loss_type_input)
        )

    def optim_step(
        self,
        adam_params: OptimParams | None = None,
        *,
        optim_params: OptimParams | None = None,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[OptimStepResponse]:
        """Make one step of the model's optimizer with the gradient gathered since the last one.

        The parameters are `AdamParams`, or those of the optimizer that the model was made with, such as
        `DimuonParams`; `optim_params` is today's name for the same argument. The future raises
        `PartialBatchError` if a gradient before it failed: with `applied` "no" the step was not sent; with
        "yes" it ran on part of its batch, and the client is poisoned. `ClientConfig.optim_after` says whether
        it goes out once the gradients are accepted or once their results are in.
        """
        if (adam_params is None) == (optim_params is None):
            raise InputError("give exactly one of adam_params and optim_params", field="adam_params")
        params = optim_params if adam_params is None else adam_params
        assert params is not None
        return self._enter(calls.optim_step(self._line, params), retry_config)

    async def optim_step_async(
        self,
        adam_params: OptimParams | None = None,
        *,
        optim_params: OptimParams | None = None,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[OptimStepResponse]:
        """Like `optim_step`; await the future that it returns."""
        return await handed_out(
            self.optim_step(adam_params, optim_params=optim_params, retry_config=retry_config)
        )

    def get_info(self) -> GetInfoResponse:
        """Ask the server for base model, rank and tokenizer id of the model, and wait for the answer."""
        return self._info_future().result()

    async def get_info_async(self) -> GetInfoResponse:
        """As `get_info`, awaited."""
        return await self._info_future()

    @overload
    def get_tokenizer(self) -> Tokenizer: ...
    @overload
    def get_tokenizer(self, *, backend: Literal["tokenizers"]) -> Tokenizer: ...
    @overload
    def get_tokenizer(self, *, backend: Literal["transformers"]) -> Any: ...
    def get_tokenizer(self, *, backend: Backend = "tokenizers") -> Tokenizer:
        """Get the tokenizer of the model, without transformers unless `backend` says so; fetched once."""
        self._wait_until_made("tokenizer")
        return cast("Tokenizer", self._tokenizers.get(self._model_name, backend))

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None while it is off, as it is by default."""
        return self._context.telemetry

    def _info_future(self) -> APIFuture[GetInfoResponse]:
        return self._context.run(self._ask_info())

    async def _model_name(self) -> tuple[str, str | None]:
        info = await self._ask_info()
        name = info.model_name or info.model_data.model_name or self._base_model or ""
        return name, info.model_data.tokenizer_id

    async def _ask_info(self) -> GetInfoResponse:
        await self
        asked = operations.request("get_info", body={"model_id": self._line.bound_id, "type": "get_info"})
        return to_value(GetInfoResponse, await operations.perform(self._context.connection.sender, asked))
