"""One sample that a client was asked for: what is known of it, its bytes and how its result is read.

It must not send them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.codec.decode import aligned_prompt, decode_sample
from tinsmith.core.codec.encode import encode_sample
from tinsmith.core.config import RetryConfig
from tinsmith.core.errors import InputError
from tinsmith.core.values.model_input import ModelInput
from tinsmith.core.values.requests import SamplingParams
from tinsmith.core.values.results import SampleResponse
from tinsmith.io.future import APIFuture
from tinsmith.io.http.messages import Body
from tinsmith.io.queues.sampling_session import SamplingSession

if TYPE_CHECKING:
    from tinsmith.core.codec.wire import Payload


@attrs.define(eq=False, repr=False)
class SampleJob:
    """One sample that waits or is in flight; small, since thousands may wait."""

    sampler: SamplingSession
    """Where it goes."""
    prompt: ModelInput
    """What is continued."""
    num_samples: int
    """How many continuations."""
    params: SamplingParams
    """How tokens are drawn."""
    prompt_logprobs: bool
    """Whether the prompt's own log-probabilities are wanted."""
    topk_prompt_logprobs: int
    """How many of the likeliest tokens are wanted at each prompt position."""
    retry: RetryConfig | None = None
    """Retry rules; None for the client's."""
    further: Mapping[str, object] = attrs.field(factory=dict)
    """What is asked for beyond that, by the names of the wire."""
    future: APIFuture[SampleResponse] = attrs.field(factory=APIFuture)
    """What the user holds."""
    task: asyncio.Task[None] | None = None
    """The task that carries it, once it is in flight."""
    has_room: bool = False
    """Whether it takes one of the places that `max_queued` grants."""
    is_submitted: bool = False
    """Whether its submission is over."""
    is_pushed_back: bool = False
    """Whether the server took nothing of it for now; it holds no place among those in flight."""

    def body(self, seq_id: int) -> Body:
        """Build the bytes."""
        encoded = encode_sample(
            self.prompt,
            self.params,
            sampling_session_id=self.sampler.bound_id,
            seq_id=seq_id,
            num_samples=self.num_samples,
            prompt_logprobs=self.prompt_logprobs,
            topk_prompt_logprobs=self.topk_prompt_logprobs,
            further=self.further,
        )
        return Body.of((encoded,))

    def read(self, payload: Payload) -> SampleResponse:
        """Read the result, with what is told of the prompt at its positions, where their number is known."""
        result = decode_sample(payload, self.num_samples)
        wishes = {
            "prompt_logprobs": self.prompt_logprobs,
            "topk_prompt_logprobs": self.topk_prompt_logprobs > 0,
        }
        asked = [name for name, wanted in wishes.items() if wanted]
        if not asked:
            return result
        try:
            positions = self.prompt.length
        except InputError:
            return result
        last_n: Any = self.further.get("prompt_logprobs_last_n")
        return aligned_prompt(result, asked, positions, last_n)
