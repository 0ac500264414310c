"""SamplingClient: one sampler. Owns the calls that continue prompts; order among them does not matter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tinsmith.core.checks import check_prompt
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.values.params import SamplingParams
from tinsmith.io.desk import SampleJob, Sampler
from tinsmith.io.future import APIFuture, then

if TYPE_CHECKING:
    from tinsmith.core.policy import RetryConfig
    from tinsmith.core.values.model_input import ModelInput
    from tinsmith.core.values.results import SampleResponse
    from tinsmith.io.link import Link


class SamplingClient:
    """A sampler on the server: of a base model, of a checkpoint, or of a training client's weights."""

    def __init__(
        self,
        link: Link,
        sampler: Sampler,
        *,
        model_path: str | None = None,
        base_model: str | None = None,
        retry_config: RetryConfig | None = None,
    ) -> None:
        self._link = link
        self._sampler = sampler
        self._model_path = model_path
        self._base_model = base_model
        self._retry_config = retry_config
        self._tokenizer: Any = None

    @property
    def holder(self) -> Link:
        """What the clients of one service share; the name is the official one."""
        return self._link

    @property
    def sampling_session_id(self) -> str:
        """The server's name for the sampler."""
        return self._sampler.sampling_session_id

    def sample(
        self,
        prompt: ModelInput,
        num_samples: int,
        sampling_params: SamplingParams,
        include_prompt_logprobs: bool = False,
        topk_prompt_logprobs: int = 0,
        *,
        retry_config: RetryConfig | None = None,
    ) -> APIFuture[SampleResponse]:
        """Continue `prompt` `num_samples` times.

        With `include_prompt_logprobs` the result has one log-probability a prompt token (the first is None);
        with `topk_prompt_logprobs` also the likeliest tokens at each position.
        """
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
        )
        self._link.desk.enter(job)
        return job.future

    async def sample_async(
        self,
        prompt: ModelInput,
        num_samples: int,
        sampling_params: SamplingParams,
        include_prompt_logprobs: bool = False,
        topk_prompt_logprobs: int = 0,
    ) -> SampleResponse:
        """Continue `prompt` `num_samples` times."""
        arguments = (prompt, num_samples, sampling_params, include_prompt_logprobs, topk_prompt_logprobs)
        if self._link.config.flow.max_queued is None:
            return await self.sample(*arguments)
        return await (await asyncio.to_thread(self.sample, *arguments))

    def compute_logprobs(self, prompt: ModelInput) -> APIFuture[list[float | None]]:
        """Compute the log-probability of each prompt token given those before it; the first is None."""
        sampled = self.sample(prompt, 1, SamplingParams(max_tokens=1), include_prompt_logprobs=True)
        return then(sampled, _prompt_logprobs)

    async def compute_logprobs_async(self, prompt: ModelInput) -> list[float | None]:
        """Compute the log-probability of each prompt token given those before it; the first is None."""
        return await self.compute_logprobs(prompt)


def _prompt_logprobs(response: SampleResponse) -> list[float | None]:
    if response.prompt_logprobs is None:
        raise APIResponseValidationError(message="the server sent no prompt_logprobs")
    return response.prompt_logprobs
