"""SamplingClient: one sampler. Owns the calls that continue prompts; order among them does not matter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal, cast, overload

from tinsmith_api.models import GetSamplerResponse

from tinsmith.clients.created_client import CreatedClient
from tinsmith.clients.sharing import restore, shareable
from tinsmith.clients.tokenizer import Backend, TokenizerShelf
from tinsmith.core.checks import check_asked, check_prompt
from tinsmith.core.codec.structure import to_value
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.paths import check_tinker_path
from tinsmith.core.policy import RetryConfig
from tinsmith.core.tokenizer import Tokenizer
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.params import SamplingParams
from tinsmith.core.values.results import SampleResponse
from tinsmith.core.values.tensor import TensorData
from tinsmith.io import operations
from tinsmith.io.context import ClientContext
from tinsmith.io.events import QueueState
from tinsmith.io.future import APIFuture, then
from tinsmith.io.queues.sample_job import SampleJob
from tinsmith.io.queues.sampling_session import SamplingSession
from tinsmith.io.telemetry import Telemetry


class SamplingClient(CreatedClient["SamplingClient"]):
    """A sampler on the server: of a base model, of a checkpoint, or of a training client's weights.

    Calls return futures at once, and samples may end in any order. A call itself raises `InputError`, before
    sending. Its future raises, with `applied` "no": `BadRequestError` and other refusals, and
    `RequestFailedError` (accepted, then failed); "unknown": `InternalServerError`, `ClosedError`,
    `APIConnectionError` and `APITimeoutError` ("no" if the server was never reached). A failed sample changes
    nothing on the server's model: call again.

    >>> import tinsmith
    >>> from tinsmith import ModelInput, SamplingParams
    >>> prompt = ModelInput.from_ints([1, 2, 3])
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     sampler = service.create_sampling_client(base_model="tinsmith/tiny")
    ...     drawn = sampler.sample(prompt, 2, SamplingParams(max_tokens=4, seed=1)).result()
    ...     logprobs = sampler.compute_logprobs(prompt).result()
    >>> len(drawn.sequences), len(logprobs), logprobs[0]
    (2, 3, None)
    """

    _what = "the sampler"

    def __init__(
        self,
        context: ClientContext,
        sampler: SamplingSession,
        *,
        model_path: str | None = None,
        base_model: str | None = None,
        retry_config: RetryConfig | None = None,
    ) -> None:
        super().__init__()
        self._context = context
        context.register_client(self)
        self._sampler = sampler
        self._model_path = model_path
        self._base_model = base_model
        self._retry_config = retry_config
        self._desk = context.sample_dispatcher(retry_config)
        self._stability = False
        self._tokenizers = TokenizerShelf(context)
        if sampler.sampling_session_id is not None:
            context.connection.observers.watch(sampler.sampling_session_id, self)
            self.settle(self)

    def _recording(self, stability_info: bool) -> SamplingClient:
        """Have each sample ask the server to record what `stable_reinforce` needs, or not; return self."""
        self._stability = stability_info
        return self

    async def _open(self, make: Callable[[], Awaitable[None]]) -> SamplingClient:
        """Let the samples go once the sampler is there."""
        await make()
        self._context.connection.observers.watch(self._sampler.bound_id, self)
        self._desk.opened(self._sampler)
        return self

    def _refuse(self, error: BaseException) -> None:
        """Fail the samples, because the sampler was not made."""
        self._desk.refused(self._sampler, self._refusal(error))

    @staticmethod
    def create(
        holder: ClientContext,
        *,
        model_path: str | None = None,
        base_model: str | None = None,
        sampling_session_id: str | None = None,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
    ) -> APIFuture[SamplingClient]:
        """Make a client of a new sampler, or of the one that `sampling_session_id` names.

        A new one takes exactly one of `model_path` and `base_model`, else `InputError`. `holder` is that of
        another client of the same service; `retry_config` holds for all samples of the new client.
        `record_stability_info` has the server record what the loss `stable_reinforce` needs of each sample.
        """
        from tinsmith.clients.creation import create_sampling, join_sampling

        if sampling_session_id is not None:
            joined = join_sampling(holder, sampling_session_id, model_path, base_model, retry_config)
            return joined._recording(record_stability_info)
        check_one_of(model_path, base_model)
        made = create_sampling(holder, model_path, base_model, retry_config)
        return made._recording(record_stability_info)

    @property
    def holder(self) -> ClientContext:
        """What the clients of one service share; the name is the official one."""
        return self._context

    @property
    def sampling_session_id(self) -> str:
        """The server's name for the sampler; waits until the server has it, and raises why it has not."""
        self._wait_until_made("sampling_session_id")
        return self._sampler.bound_id

    def __repr__(self) -> str:
        kept = self.__dict__
        if "_tokenizers" not in kept:  # a subclass that never called our constructor
            return object.__repr__(self)
        return (
            f"<{type(self).__name__} sampling_session_id={self._sampler.sampling_session_id!r}"
            f" base_model={self._base_model!r} model_path={self._model_path!r} state={self._told_state!r}>"
        )

    def sample(
        self,
        prompt: ModelInput,
        num_samples: int,
        sampling_params: SamplingParams,
        include_prompt_logprobs: bool = False,
        topk_prompt_logprobs: int = 0,
        topk_sample_logprobs: int = 0,
        target_prompt_logprobs: TensorData | None = None,
        prompt_alt_tokens_k: int = 0,
        prompt_logprobs_last_n: int | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[SampleResponse]:
        """Continue `prompt` `num_samples` times.

        `num_samples` is at least 1; the result has that many sequences, each with its token ids and one
        natural logarithm of probability a token. With `include_prompt_logprobs` it has one log-probability a
        prompt token (the first is None); with `topk_prompt_logprobs` k > 0 also the k likeliest `(token,
        logprob)` pairs at each position (the first is None), and with `topk_sample_logprobs` those at each
        sampled position. `prompt_logprobs_last_n` leaves out all but the last n prompt positions.
        `target_prompt_logprobs`, token ids with one row a prompt position, asks for the log-probabilities of
        just these, and `prompt_alt_tokens_k` for k other tokens drawn at each. Only servers of today know
        the last four; the embedded service says what it does not offer. A prompt that with `max_tokens`
        exceeds the context is a `BadRequestError` (`applied` "no"). The call blocks while
        `FlowLimits.max_queued` samples wait.
        """
        further = check_asked(
            topk_sample_logprobs, target_prompt_logprobs, prompt_alt_tokens_k, prompt_logprobs_last_n
        )
        if self._stability:
            further = {**further, "record_stability_info": True}
        check_prompt(prompt, num_samples, topk_prompt_logprobs)
        if not isinstance(sampling_params, SamplingParams):
            kind = type(sampling_params).__name__
            raise InputError(f"must be SamplingParams, not {kind}", field="sampling_params")
        job = SampleJob(
            self._sampler,
            prompt,
            num_samples,
            sampling_params,
            include_prompt_logprobs,
            topk_prompt_logprobs,
            retry_config or self._retry_config,
            further=further,
        )
        job.future.operation = "sample"
        if not self.done():
            job.future.origin = self
        self._desk.enter(job)
        return job.future

    async def sample_async(
        self,
        prompt: ModelInput,
        num_samples: int,
        sampling_params: SamplingParams,
        include_prompt_logprobs: bool = False,
        topk_prompt_logprobs: int = 0,
        topk_sample_logprobs: int = 0,
        target_prompt_logprobs: TensorData | None = None,
        prompt_alt_tokens_k: int = 0,
        prompt_logprobs_last_n: int | None = None,
        *,
        retry_config: RetryConfig | None = None,
    ) -> SampleResponse:
        """As `sample`, awaited: the result itself, not a future. The loop is never blocked."""
        ask = partial(
            self.sample,
            prompt,
            num_samples,
            sampling_params,
            include_prompt_logprobs,
            topk_prompt_logprobs,
            topk_sample_logprobs,
            target_prompt_logprobs,
            prompt_alt_tokens_k,
            prompt_logprobs_last_n,
            retry_config=retry_config,
        )
        if self._context.connection.config.flow.max_queued is None:
            return await ask()
        return await (await asyncio.to_thread(ask))

    def compute_logprobs(
        self, prompt: ModelInput, prompt_logprobs_last_n: int | None = None
    ) -> APIFuture[list[float | None]]:
        """Compute the log-probability of each prompt token given those before it.

        The list has one natural logarithm a prompt token; the first is None. `prompt_logprobs_last_n` keeps
        the last n, on servers of today. One token is sampled on the way. Raises what `sample` does, and
        `APIResponseValidationError` if the server sends none.
        """
        sampled = self.sample(
            prompt,
            1,
            SamplingParams(max_tokens=1),
            include_prompt_logprobs=True,
            prompt_logprobs_last_n=prompt_logprobs_last_n,
        )
        return then(sampled, _prompt_logprobs)

    async def compute_logprobs_async(
        self, prompt: ModelInput, prompt_logprobs_last_n: int | None = None
    ) -> list[float | None]:
        """As `compute_logprobs`, awaited."""
        return await self.compute_logprobs(prompt, prompt_logprobs_last_n)

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

    def get_base_model(self) -> str:
        """Name the base model that is sampled; asks the server, once, where this client was not told."""
        self._wait_until_made("base model")
        return self._base_model or self._base().result()

    async def get_base_model_async(self) -> str:
        """As `get_base_model`, awaited."""
        await self
        return self._base_model or await self._base()

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None while it is off, as it is by default."""
        return self._context.telemetry

    def on_queue_state_change(self, queue_state: QueueState) -> None:
        """Hear why samples wait; override or patch it, for long waits are logged anyway."""

    def __reduce__(self) -> Any:
        if self._context.connection.config.local:
            raise TypeError(
                "a SamplingClient of base_url='local:' lives in this process and does not pickle; start"
                " `tinsmith serve` and use its address"
            )
        self._wait_until_made("sampling_session_id")
        return restore, (
            shareable(self._context.connection.config),
            self.sampling_session_id,
            self._model_path,
            self._base_model,
            self._retry_config,
            self._stability,
        )

    def _base(self) -> APIFuture[str]:
        return self._context.run(self._ask_base())

    async def _ask_base(self) -> str:
        if self._base_model is None:
            asked = operations.request("get_sampler", path={"sampler_id": self.sampling_session_id})
            found = to_value(
                GetSamplerResponse, await operations.perform(self._context.connection.sender, asked)
            )
            self._base_model = found.base_model
        return self._base_model

    async def _model_name(self) -> tuple[str, str | None]:
        return await self._ask_base(), None


def check_one_of(model_path: str | None, base_model: str | None) -> None:
    """Refuse both or neither of the two names of what is sampled."""
    if (model_path is None) == (base_model is None):
        raise InputError("give exactly one of model_path and base_model", field="model_path")
    if model_path is not None:
        check_tinker_path(model_path, "model_path")


def _prompt_logprobs(response: SampleResponse) -> list[float | None]:
    if response.prompt_logprobs is None:
        raise APIResponseValidationError(message="the server sent no prompt_logprobs")
    return response.prompt_logprobs
