"""TrainingClient: one model in training. Owns the calls of a training loop, in the order of its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from tinsmith.clients import custom_loss
from tinsmith.clients import training_calls as calls
from tinsmith.clients.tokenizer import TokenizerShelf
from tinsmith.core.codec.structure import to_value
from tinsmith.core.values.service import GetInfoResponse
from tinsmith.io import operations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tinsmith.clients.custom_loss import CustomLoss
    from tinsmith.clients.sampling import SamplingClient
    from tinsmith.clients.tokenizer import Backend
    from tinsmith.core.policy import RetryConfig
    from tinsmith.core.tokenizer import Tokenizer
    from tinsmith.core.values.datum import Datum
    from tinsmith.core.values.params import AdamParams, LossFnType
    from tinsmith.core.values.results import (
        ForwardBackwardOutput,
        LoadWeightsResponse,
        OptimStepResponse,
        SaveWeightsForSamplerResponse,
        SaveWeightsResponse,
    )
    from tinsmith.io.call import Call
    from tinsmith.io.future import APIFuture
    from tinsmith.io.link import Link
    from tinsmith.io.observe import QueueState
    from tinsmith.io.telemetry import Telemetry


T = TypeVar("T")


class TrainingClient:
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

    def __init__(self, link: Link, model_id: str, *, base_model: str | None = None) -> None:
        self._link = link
        self._line = link.pipeline(model_id)
        self._base_model = base_model
        self._tokenizers = TokenizerShelf(link)
        link.observers.watch(model_id, self)

    @property
    def model_id(self) -> str:
        """The server's name for the model."""
        return self._line.model_id

    @property
    def holder(self) -> Link:
        """What the clients of one service share; the name is the official one."""
        return self._link

    def forward(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType,
        loss_fn_config: Mapping[str, float | str] | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Compute a loss and its outputs without touching the gradient.

        Takes and returns what `forward_backward` does, and raises the same, but never `PartialBatchError`.
        """
        return self._enter(
            calls.forward_backward(self._link, "forward", self.model_id, data, loss_fn, loss_fn_config),
            retry_config,
        )

    async def forward_async(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType,
        loss_fn_config: Mapping[str, float | str] | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Like `forward`; await the future that it returns."""
        return self.forward(data, loss_fn, loss_fn_config, retry_config=retry_config)

    def forward_backward(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType,
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
            calls.forward_backward(
                self._link, "forward_backward", self.model_id, data, loss_fn, loss_fn_config
            ),
            retry_config,
        )

    async def forward_backward_async(
        self,
        data: Sequence[Datum],
        loss_fn: LossFnType,
        loss_fn_config: Mapping[str, float | str] | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Like `forward_backward`; await the future that it returns."""
        return self.forward_backward(data, loss_fn, loss_fn_config, retry_config=retry_config)

    def forward_backward_custom(
        self,
        data: Sequence[Datum],
        loss_fn: CustomLoss,
        *,
        backend: custom_loss.Backend | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Add the gradient of a loss of your own.

        `loss_fn(data, logprobs)` gets one float array of log-probabilities a datum, shaped as its
        `target_tokens`, and returns `(loss, metrics)`. The arrays are torch tensors where torch is installed,
        else autograd's or jax's; with `backend="numpy"` they are plain, and the function returns `(loss,
        metrics, gradients)`. It runs in a thread of its own, while this call holds its turn; its exceptions
        are raised by the future as they are, and `InputError` for gradients of other shapes, NaN or infinity.
        The call raises `MissingExtraError` for a backend that is not installed. The metrics are the server's
        and the function's.
        """
        forward, backward = custom_loss.calls(self._link, self.model_id, data, loss_fn, backend)
        self._line.enter(forward, backward)
        return backward.future

    async def forward_backward_custom_async(
        self,
        data: Sequence[Datum],
        loss_fn: CustomLoss,
        *,
        backend: custom_loss.Backend | None = None,
    ) -> APIFuture[ForwardBackwardOutput]:
        """Like `forward_backward_custom`; await the future that it returns."""
        return self.forward_backward_custom(data, loss_fn, backend=backend)

    def optim_step(
        self, adam_params: AdamParams, *, retry_config: RetryConfig | None = None
    ) -> APIFuture[OptimStepResponse]:
        """Make one Adam step with the gradient gathered since the last one.

        The future raises `PartialBatchError` if a gradient before it failed: with `applied` "no" the step was
        not sent; with "yes" it ran on part of its batch, and the client is poisoned.
        `ClientConfig.optim_after` says whether it goes out once the gradients are accepted or once their
        results are in.
        """
        return self._enter(calls.optim_step(self.model_id, adam_params), retry_config)

    async def optim_step_async(
        self, adam_params: AdamParams, *, retry_config: RetryConfig | None = None
    ) -> APIFuture[OptimStepResponse]:
        """Like `optim_step`; await the future that it returns."""
        return self.optim_step(adam_params, retry_config=retry_config)

    def save_state(
        self, name: str, ttl_seconds: int | None = None, *, overwrite: bool | None = None
    ) -> APIFuture[SaveWeightsResponse]:
        """Save weights and optimizer under `name`; the result's path loads them again.

        `name` has letters, digits, `.`, `_` and `-`, at most 255. The checkpoint expires after `ttl_seconds`
        (None: never; servers may ask for at least 3600). A name that is taken is refused with
        `BadRequestError` (`applied` "no") by the embedded service, unless `overwrite` is true.
        """
        return self._enter(calls.save_state(self._line, name, ttl_seconds, overwrite))

    async def save_state_async(
        self, name: str, ttl_seconds: int | None = None, *, overwrite: bool | None = None
    ) -> APIFuture[SaveWeightsResponse]:
        """Like `save_state`; await the future that it returns."""
        return self.save_state(name, ttl_seconds, overwrite=overwrite)

    def load_state(
        self, path: str, *, weights_access_token: str | None = None
    ) -> APIFuture[LoadWeightsResponse]:
        """Replace the weights by those of a checkpoint; the optimizer starts anew.

        `path` is a `tinker://` path of the same base model, rank and trained parts: the embedded service
        refuses others with `BadRequestError`, and an unknown one with `NotFoundError` (both `applied` "no").
        `weights_access_token` opens a checkpoint of somebody else.
        """
        return self._enter(calls.load_state(self._line, path, False, weights_access_token))

    async def load_state_async(
        self, path: str, *, weights_access_token: str | None = None
    ) -> APIFuture[LoadWeightsResponse]:
        """Like `load_state`; await the future that it returns."""
        return self.load_state(path, weights_access_token=weights_access_token)

    def load_state_with_optimizer(
        self, path: str, *, weights_access_token: str | None = None
    ) -> APIFuture[LoadWeightsResponse]:
        """Replace weights and optimizer by those of a checkpoint.

        As `load_state`; the embedded service refuses a sampler's checkpoint, which has no optimizer, with
        `BadRequestError` (`applied` "no").
        """
        return self._enter(calls.load_state(self._line, path, True, weights_access_token))

    async def load_state_with_optimizer_async(
        self, path: str, *, weights_access_token: str | None = None
    ) -> APIFuture[LoadWeightsResponse]:
        """Like `load_state_with_optimizer`; await the future that it returns."""
        return self.load_state_with_optimizer(path, weights_access_token=weights_access_token)

    def save_weights_for_sampler(
        self, name: str, ttl_seconds: int | None = None
    ) -> APIFuture[SaveWeightsForSamplerResponse]:
        """Save the weights for sampling under `name`; the result's path makes a sampler.

        `name` and `ttl_seconds` as in `save_state`; nothing is overwritten. The optimizer is not saved.
        """
        return self._enter(calls.save_weights_for_sampler(self.model_id, name, ttl_seconds))

    async def save_weights_for_sampler_async(
        self, name: str, ttl_seconds: int | None = None
    ) -> APIFuture[SaveWeightsForSamplerResponse]:
        """Like `save_weights_for_sampler`; await the future that it returns."""
        return self.save_weights_for_sampler(name, ttl_seconds)

    def save_weights_and_get_sampling_client_submit(
        self, retry_config: RetryConfig | None = None
    ) -> APIFuture[SamplingClient]:
        """Hand the weights as they stand in line here to a new sampler; the future ends in its client.

        Later steps do not change what it samples, and no named checkpoint is made.
        """
        number = self._link.session.next_sampler()
        saved = self._enter(calls.save_ephemeral(self.model_id, number))
        return self._link.run(self._sampler_of(saved, retry_config))

    def save_weights_and_get_sampling_client(
        self, name: str | None = None, retry_config: RetryConfig | None = None
    ) -> SamplingClient:
        """Hand the weights as they stand in line here to a new sampler; waits for it. `name` is not used."""
        return self.save_weights_and_get_sampling_client_submit(retry_config).result()

    async def save_weights_and_get_sampling_client_async(
        self, name: str | None = None, retry_config: RetryConfig | None = None
    ) -> SamplingClient:
        """As `save_weights_and_get_sampling_client`, awaited."""
        return await self.save_weights_and_get_sampling_client_submit(retry_config)

    def create_sampling_client(
        self, model_path: str, retry_config: RetryConfig | None = None
    ) -> SamplingClient:
        """Make a sampler of a checkpoint, and wait until the server has it.

        `model_path` is the `path` that `save_weights_for_sampler` gave. Raises `InputError` for what is no
        `tinker://` path, and `NotFoundError` (`applied` "no") for one that is not there.
        """
        return self._sampling(model_path, retry_config).result()

    async def create_sampling_client_async(
        self, model_path: str, retry_config: RetryConfig | None = None
    ) -> SamplingClient:
        """As `create_sampling_client`, awaited."""
        return await self._sampling(model_path, retry_config)

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
        return cast("Tokenizer", self._tokenizers.get(self._model_name, backend))

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None while it is off, as it is by default."""
        return self._link.telemetry

    def on_queue_state_change(self, queue_state: QueueState) -> None:
        """Hear why requests wait; override or patch it, for long waits are logged anyway."""

    def _enter(self, call: Call[T], retry_config: RetryConfig | None = None) -> APIFuture[T]:
        call.retry = retry_config
        self._line.enter(call)
        return call.future

    def _info_future(self) -> APIFuture[GetInfoResponse]:
        return self._link.run(self._ask_info())

    async def _model_name(self) -> tuple[str, str | None]:
        info = await self._ask_info()
        name = info.model_name or info.model_data.model_name or self._base_model or ""
        return name, info.model_data.tokenizer_id

    async def _ask_info(self) -> GetInfoResponse:
        asked = operations.request("get_info", body={"model_id": self.model_id, "type": "get_info"})
        return to_value(GetInfoResponse, await operations.perform(self._link.caller, asked))

    def _sampling(self, model_path: str, retry_config: RetryConfig | None) -> APIFuture[SamplingClient]:
        from tinsmith.clients.creation import create_sampling
        from tinsmith.core.paths import check_tinker_path

        check_tinker_path(model_path, "model_path")
        return self._link.run(create_sampling(self._link, model_path, None, retry_config))

    async def _sampler_of(
        self, saving: APIFuture[SaveWeightsForSamplerResponse], retry_config: RetryConfig | None
    ) -> SamplingClient:
        from tinsmith.clients.creation import create_sampling
        from tinsmith.clients.sampling import SamplingClient
        from tinsmith.io.desk import Sampler

        saved = await saving
        if saved.sampling_session_id is None:
            return await create_sampling(self._link, saved.path, None, retry_config)
        return SamplingClient(
            self._link,
            Sampler(saved.sampling_session_id),
            base_model=self._base_model,
            retry_config=retry_config,
        )
