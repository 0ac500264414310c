"""Owns the requests of sampling and their results, and checks the requests; computes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.batch import ExampleError, ImageSpan, check_tokens
from tinsmith_local.engine.lora import Adapter

if TYPE_CHECKING:
    from tinsmith_local.engine.config import ModelConfig


@attrs.frozen(kw_only=True)
class StopRule:
    """When a sample ends before its length is used up; what stops it stays in the sample."""

    token_ids: frozenset[int] = frozenset()
    """A sample ends with any of these."""
    strings: tuple[str, ...] = ()
    """A sample ends when its text contains any of these."""
    decode: Callable[[Sequence[int]], str] | None = None
    """Turns tokens into text; needed when `strings` is not empty."""


@attrs.frozen(eq=False)
class TopTokens:
    """Some tokens at each of several positions."""

    tokens: npt.NDArray[np.int64]
    """[positions, k]."""
    logprobs: npt.NDArray[np.float32]
    """[positions, k], of each token under the model at temperature 1, without top-k and top-p."""


@attrs.frozen(eq=False)
class DrawnToken:
    """One token of a sample that is not finished."""

    index: int
    """Which of the job's samples."""
    position: int
    """Place in the sample, from 0."""
    token: int
    """What was sampled."""
    logprob: float
    """Under the model at temperature 1, without top-k and top-p."""
    topk: tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]] | None
    """The likeliest tokens there and their logprobs; None unless requested."""


@attrs.frozen(kw_only=True, eq=False)
class SampleJob:
    """One request: a prompt and how to continue it."""

    prompt: npt.NDArray[np.int64]
    """[P] tokens, at least one; 0 at positions covered by `images`."""
    images: tuple[ImageSpan, ...] = ()
    """Image positions of the prompt."""
    adapter: Adapter | None = None
    """A snapshot that nobody changes, or None for the base model; jobs with the same object share prompts."""
    owner: Hashable = None
    """Whose job it is: owners are served in rotation, so that none waits for all the jobs of another."""
    num_samples: int = 1
    """How many continuations."""
    max_tokens: int | None = None
    """Longest continuation; None: up to the model's context. 0 computes prompt logprobs only."""
    temperature: float = 1.0
    """0 is greedy."""
    top_k: int = -1
    """Keep the k likeliest tokens; -1 all."""
    top_p: float = 1.0
    """Keep the likeliest tokens up to this mass."""
    seed: int | None = None
    """Makes the samples reproducible, each its own; None draws a seed from the system."""
    stop: StopRule | None = None
    """None: the model's end-of-sequence tokens. `StopRule()` stops at nothing."""
    prompt_logprobs: bool = False
    """Whether to return the logprob of each prompt token."""
    topk_prompt_logprobs: int = 0
    """How many likeliest tokens to return at each prompt position; 0 none."""
    prompt_logprobs_last_n: int | None = None
    """The two above for the last n prompt positions only; None: for all."""
    target_prompt_logprobs: npt.NDArray[np.int64] | None = None
    """[P - 1, K] tokens whose logprobs are wanted: row i at prompt position i + 1; -1 for none."""
    prompt_alt_tokens_k: int = 0
    """How many tokens to draw at each prompt position but the first, at `temperature`, with nothing cut."""
    topk_sample_logprobs: int = 0
    """How many likeliest tokens to return at each sampled position; 0 none."""
    follow: Callable[[DrawnToken], None] | None = None
    """Called with each token as it is drawn, during `step`, from one of its threads; it must not wait. A
    sample that is preempted begins anew, and comes out the same."""


@attrs.frozen(kw_only=True, eq=False)
class Sample:
    """One continuation."""

    tokens: npt.NDArray[np.int64]
    """What was sampled, the stopping token included."""
    logprobs: npt.NDArray[np.float32]
    """Of each token under the model at temperature 1, without top-k and top-p."""
    stop_reason: Literal["length", "stop"]
    """`stop` when the stop rule ended it."""
    topk: TopTokens | None
    """The likeliest tokens at each sampled position, likeliest first; None unless requested."""


@attrs.frozen(kw_only=True, eq=False)
class SampleOutput:
    """Result of one job."""

    samples: tuple[Sample, ...]
    """`num_samples` of them, in a fixed order."""
    prompt_logprobs: list[float | None] | None
    """One entry a prompt token, None for the first and those before the last n; None unless requested."""
    topk_prompt_logprobs: list[list[tuple[int, float]] | None] | None
    """One entry a prompt token, None as above: (token, logprob), likeliest first; None unless requested."""
    target_prompt_logprobs: npt.NDArray[np.float32] | None
    """Shape of the job's; NaN where the job has -1. None unless requested."""
    prompt_alt_tokens: TopTokens | None
    """[P - 1, k] tokens drawn in place of prompt token i + 1; None unless requested."""
    known_tokens: int
    """How much of the prompt was kept from an earlier job, in tokens: all of it, or 0."""


class SampleHandle:
    """A submitted job. Read from any thread; set by the thread that calls `Scheduler.step`."""

    job: SampleJob
    """The request."""
    output: SampleOutput | None = None
    """Set once when finished."""
    error: BaseException | None = None
    """Set once when the job failed or was cancelled."""

    def __init__(self, job: SampleJob) -> None:
        self.job = job

    @property
    def done(self) -> bool:
        """Whether `output` or `error` is set."""
        return self.output is not None or self.error is not None


def check_job(job: SampleJob, config: ModelConfig) -> int:
    """Check a job; return how many tokens each sample may have. ExampleError names the wrong field."""
    check_tokens(job.prompt, job.images, config, field="prompt")
    if job.num_samples < 1:
        raise ExampleError("must be at least 1", field="num_samples")
    if job.max_tokens is not None and job.max_tokens < 0:
        raise ExampleError("must not be negative", field="max_tokens")
    if not (math.isfinite(job.temperature) and job.temperature >= 0.0):
        raise ExampleError("must be a finite number of at least 0", field="temperature")
    if not 0.0 < job.top_p <= 1.0:
        raise ExampleError("must be above 0 and at most 1", field="top_p")
    if job.top_k < -1 or job.top_k == 0:
        raise ExampleError("must be -1 or at least 1", field="top_k")
    for name in ("topk_prompt_logprobs", "topk_sample_logprobs"):
        if not 0 <= getattr(job, name) <= config.vocab_size:
            raise ExampleError("must be between 0 and the size of the vocabulary", field=name)
    _check_prompt_scores(job, config)
    if job.stop is not None and job.stop.strings and (job.stop.decode is None or "" in job.stop.strings):
        raise ExampleError("stop strings must not be empty and need a decoder", field="stop")
    room = config.max_context - len(job.prompt)
    if room < 1 and job.max_tokens != 0:
        raise ExampleError(f"leaves no room in the model's context of {config.max_context}", field="prompt")
    return room if job.max_tokens is None else min(room, job.max_tokens)


def _check_prompt_scores(job: SampleJob, config: ModelConfig) -> None:
    """Check what the job wants about its prompt."""
    if job.prompt_alt_tokens_k < 0:
        raise ExampleError("must not be negative", field="prompt_alt_tokens_k")
    if job.prompt_logprobs_last_n is not None and job.prompt_logprobs_last_n < 0:
        raise ExampleError("must not be negative", field="prompt_logprobs_last_n")
    targets = job.target_prompt_logprobs
    if targets is None:
        return
    fail = partial(ExampleError, field="target_prompt_logprobs")
    if targets.ndim != 2 or len(targets) != len(job.prompt) - 1:
        raise fail(f"has shape {targets.shape}, needs one row for each of {len(job.prompt) - 1} positions")
    if targets.size and not (targets.min() >= -1 and targets.max() < config.vocab_size):
        raise fail(f"holds a token that is neither -1 nor in the vocabulary of {config.vocab_size}")
