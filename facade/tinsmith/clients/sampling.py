"""SamplingClient: one sampler. Owns the calls that continue prompts, and how the client is pickled.

Order among samples does not matter. A copy in another process takes the key from the environment there, and
draws its numbers from a range of its own, so that the server never takes two samples for one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import attrs
from tinsmith_api.models import GetSamplerResponse
from tinsmith_api.paths import check_tinker_path

from tinsmith.clients.created_client import CreatedClient
from tinsmith.clients.creation import create_sampler
from tinsmith.core.checks import check_prompt, sample_options
from tinsmith.core.codec.answers import to_value
from tinsmith.core.config import ClientConfig, RetryConfig, Secret
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.requests import SamplingParams
from tinsmith.core.values.results import SampleResponse
from tinsmith.core.values.tensor import TensorData
from tinsmith.io.connection import Connection
from tinsmith.io.context import ClientContext
from tinsmith.io.future import APIFuture, awaited, then
from tinsmith.io.http import operations
from tinsmith.io.queues.sample_dispatcher import (
    NUMBERS_A_COPY,
    Sample,
    SampleJob,
    SamplingSession,
    copy_number,
)
from tinsmith.io.queues.sample_stream import SampleStream

_SECRET_FIELDS = frozenset({"api_key", "credential_command", "default_headers", "default_query"})
"""Settings that stay in this process: the key, and headers and queries, which may hold others."""

_shared_contexts: dict[str, ClientContext] = {}
"""What the copies in this process share, by their settings."""


class SamplingClient(CreatedClient["SamplingClient"]):
    """A sampler on the server: of a base model, of a checkpoint, or of a training client's weights.

    Calls return futures at once, and samples may end in any order. A call itself raises `InputError`, before
    anything is sent. Its future raises, with `applied` "no", `BadRequestError` and other refusals, and
    `RequestFailedError` (the server accepted the request, and it failed then); with "unknown",
    `InternalServerError`, `ClosedError`, `APIConnectionError` and `APITimeoutError` ("no" if the server was
    never reached). A sample that failed changed nothing on the server: call again.

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
        model_path: str | None = None,
        base_model: str | None = None,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
    ) -> None:
        super().__init__(context)
        self._sampler = sampler
        self._model_path = model_path
        self._base_model = base_model
        self._retry_config = retry_config
        self._dispatcher = context.sample_dispatcher(retry_config)
        self._stability = record_stability_info
        if sampler.sampling_session_id is not None:
            context.connection.observers.watch(sampler.sampling_session_id, self)
            self.settle(self)

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

        A new one takes exactly one of `model_path`, a `tinker://` path, and `base_model`; `InputError`
        otherwise. `holder` is that of another client of the same service. `retry_config` holds for all
        samples of the new client (None: the settings of the service's client). `record_stability_info` has
        the server record what the loss `stable_reinforce` needs of each sample.
        """
        return SamplingClient._of(
            holder, model_path, base_model, retry_config, record_stability_info, sampling_session_id
        )

    @classmethod
    def _of(
        cls,
        context: ClientContext,
        model_path: str | None,
        base_model: str | None,
        retry_config: RetryConfig | None,
        record_stability_info: bool,
        sampling_session_id: str | None = None,
    ) -> SamplingClient:
        """Return the client of a sampler at once: one to be made, or the one of `sampling_session_id`."""
        if sampling_session_id is None:
            if (model_path is None) == (base_model is None):
                raise InputError("give exactly one of model_path and base_model", field="model_path")
            if model_path is not None:
                check_tinker_path(model_path, "model_path")
        context.connection.check()
        session = SamplingSession()
        client = cls(context, session, model_path, base_model, retry_config, record_stability_info)

        async def make() -> None:
            connection = context.connection
            if sampling_session_id is None:
                session.named(await create_sampler(connection, context.session, model_path, base_model))
            else:
                copy = await copy_number(connection.sender, sampling_session_id) or _random_copy()
                session.named(sampling_session_id, copy * NUMBERS_A_COPY)

        return client._make(make)

    @property
    def sampling_session_id(self) -> str:
        """The server's id of the sampler; waits until the server has made it, or raises why it has not."""
        self._wait_until_made("sampling_session_id")
        return self._sampler.bound_id

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

        `num_samples` is at least 1. The result has that many `sequences`, each with its token ids and one
        log-probability a token. All log-probabilities are natural logarithms. On request the result says
        more:

        * `include_prompt_logprobs`: the log-probability of each prompt token (None for the first).
        * `topk_prompt_logprobs`: the k likeliest `(token, logprob)` pairs at each prompt position (None for
          the first); 0 for none.
        * `topk_sample_logprobs`: the same at each sampled position.
        * `target_prompt_logprobs`, token ids with one row a prompt position: the log-probabilities of these.
        * `prompt_alt_tokens_k`: k other tokens, drawn at each prompt position; 0 for none.
        * `prompt_logprobs_last_n`: all of this for the last n prompt positions alone; None for all of them.

        Older servers do not know the last four arguments; the embedded service refuses what it does not
        offer. `retry_config` holds for this call. The future raises `BadRequestError` (`applied` "no") where
        prompt and `max_tokens` exceed the context. The call blocks while `FlowLimits.max_queued` samples are
        queued.
        """
        further = sample_options(
            topk_sample_logprobs, target_prompt_logprobs, prompt_alt_tokens_k, prompt_logprobs_last_n
        )
        if self._stability:
            further = {**further, "record_stability_info": True}
        job = self._job(
            prompt,
            num_samples,
            sampling_params,
            include_prompt_logprobs,
            topk_prompt_logprobs,
            further,
            retry_config,
        )
        job.future.operation = "sample"
        self._enter(job)
        return job.future

    def _job(
        self,
        prompt: ModelInput,
        num_samples: int,
        sampling_params: SamplingParams,
        prompt_logprobs: bool,
        topk_prompt_logprobs: int,
        further: Mapping[str, object],
        retry_config: RetryConfig | None,
    ) -> SampleJob:
        """Check the arguments of a sample, and make its job."""
        check_prompt(prompt, num_samples, topk_prompt_logprobs)
        if not isinstance(sampling_params, SamplingParams):
            kind = type(sampling_params).__name__
            raise InputError(f"must be SamplingParams, not {kind}", field="sampling_params")
        request = Sample(prompt, num_samples, sampling_params, prompt_logprobs, topk_prompt_logprobs, further)
        return SampleJob(self._sampler, request, retry_config or self._retry_config)

    def _enter(self, job: SampleJob) -> None:
        if not self.done():
            job.future.origin = self
        self._dispatcher.enter(job)

    sample_async = awaited(sample, blocks=lambda self: self._connection.config.flow.max_queued is not None)

    def stream(
        self,
        prompt: ModelInput,
        sampling_params: SamplingParams,
        topk_sample_logprobs: int = 0,
        *,
        retry_config: RetryConfig | None = None,
    ) -> SampleStream:
        """Continue `prompt` once, and read the continuation while it is drawn.

        Returns at once an iterator of pieces, for `for` and for `async for`. A piece has the `tokens` since
        the last one, their `logprobs`, on request `topk_logprobs`, and in the last piece `stop_reason`. The
        same seed gives the same tokens and logprobs as `sample`. To stop early, close it, or leave its
        `with` block: the server then stops too.

        `local:` and `tinsmith serve` stream token by token. Other servers cannot: there the whole
        continuation is one piece. Raises `InputError` before anything is sent; iterating raises what the
        future of `sample` raises, and `APIConnectionError` with `applied` "unknown" for a connection that
        broke: nothing is sent again once a stream has begun. The call blocks as `sample` does.

        >>> import tinsmith
        >>> from tinsmith import ModelInput, SamplingParams
        >>> with tinsmith.ServiceClient(base_url="local:") as service:
        ...     sampler = service.create_sampling_client(base_model="tinsmith/tiny")
        ...     with sampler.stream(ModelInput.from_ints([1, 2, 3]), SamplingParams(max_tokens=4)) as pieces:
        ...         tokens = [token for piece in pieces for token in piece.tokens]
        >>> len(tokens)
        4
        """
        further = sample_options(topk_sample_logprobs, None, 0, None)
        job = self._job(prompt, 1, sampling_params, False, 0, further, retry_config)
        stream = SampleStream(job.future)
        job.pieces = stream.pieces
        job.future.operation = "stream"
        self._enter(job)
        return stream

    def compute_logprobs(
        self, prompt: ModelInput, prompt_logprobs_last_n: int | None = None
    ) -> APIFuture[list[float | None]]:
        """Compute the log-probability of each prompt token given those before it.

        The list has one natural logarithm a prompt token; the first is None. `prompt_logprobs_last_n` keeps
        the last n alone (None: all), on servers that know it. The server samples one token on the way. Raises
        what `sample` raises, and `APIResponseValidationError` if the server sends no log-probabilities.
        """
        sampled = self.sample(
            prompt,
            1,
            SamplingParams(max_tokens=1),
            include_prompt_logprobs=True,
            prompt_logprobs_last_n=prompt_logprobs_last_n,
        )
        return then(sampled, _prompt_logprobs)

    compute_logprobs_async = awaited(compute_logprobs)

    def get_base_model(self) -> str:
        """Return the name of the base model; asks the server, once, where this client does not know it."""
        self._wait_until_made("base model")
        if self._base_model is not None:
            return self._base_model
        return self._connection.run(self._ask_base()).result()

    async def get_base_model_async(self) -> str:
        """As `get_base_model`, awaited."""
        await self
        if self._base_model is not None:
            return self._base_model
        return await self._connection.run(self._ask_base())

    def __reduce__(self) -> Any:
        if self._connection.config.local:
            raise TypeError(
                "a SamplingClient of base_url='local:' lives in this process and does not pickle; start"
                " `tinsmith serve` and use its address"
            )
        self._wait_until_made("sampling_session_id")
        return restore, (
            Shared.of(self._connection.config),
            self.sampling_session_id,
            self._model_path,
            self._base_model,
            self._retry_config,
            self._stability,
        )

    async def _ask_base(self) -> str:
        if self._base_model is None:
            request = operations.request("get_sampler", path={"sampler_id": self.sampling_session_id})
            payload = await operations.perform(self._connection.sender, request)
            self._base_model = to_value(GetSamplerResponse, payload).base_model
        return self._base_model

    async def _model_name(self) -> tuple[str, str | None]:
        return await self._ask_base(), None

    def _start(self) -> None:
        self._connection.observers.watch(self._sampler.bound_id, self)
        self._dispatcher.opened(self._sampler)

    def _refuse(self, error: BaseException) -> None:
        self._dispatcher.refused(self._sampler, self._refusal(error))

    def _facts(self) -> dict[str, object]:
        return {
            "sampling_session_id": self._sampler.sampling_session_id,
            "base_model": self._base_model,
            "model_path": self._model_path,
            "state": self._stage(),
        }


@attrs.frozen
class Shared:
    """The settings of a client without anything secret."""

    config: dict[str, Any]
    """Fields of `ClientConfig`, by name."""

    @classmethod
    def of(cls, config: ClientConfig) -> Shared:
        """Take from a configuration what may leave the process."""
        fields = (field.name for field in attrs.fields(ClientConfig))
        return cls({name: getattr(config, name) for name in fields if name not in _SECRET_FIELDS})

    def context(self) -> ClientContext:
        """Return what all copies of one client share in this process; the key comes from TINKER_API_KEY."""
        key = repr(sorted(self.config.items(), key=lambda item: item[0]))
        context = _shared_contexts.get(key)
        if context is None or context.connection.closed or not context.connection.runtime.is_here:
            from_environment = ClientConfig.from_environment(
                base_url=str(self.config["base_url"]),
                require_key_prefix=bool(self.config["require_key_prefix"]),
                insecure=bool(self.config["insecure"]),
            )
            secret: Secret | None = from_environment.api_key
            config = attrs.evolve(from_environment, **{**self.config, "api_key": secret})
            context = _shared_contexts[key] = ClientContext(Connection(config))
        return context


def restore(
    shared: Shared,
    sampling_session_id: str,
    model_path: str | None,
    base_model: str | None,
    retry_config: RetryConfig | None,
    record_stability_info: bool = False,
) -> SamplingClient:
    """Make the copy of a pickled client in its new process."""
    session = SamplingSession(sampling_session_id, _random_copy() * NUMBERS_A_COPY, unnumbered=True)
    return SamplingClient(
        shared.context(), session, model_path, base_model, retry_config, record_stability_info
    )


def _random_copy() -> int:
    """Draw the number of a copy; 0 is the original."""
    return secrets.randbelow(NUMBERS_A_COPY - 1) + 1


def _prompt_logprobs(response: SampleResponse) -> list[float | None]:
    if response.prompt_logprobs is None:
        raise APIResponseValidationError(message="the server sent no prompt_logprobs")
    return response.prompt_logprobs
