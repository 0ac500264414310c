"""Owns what sampling is asked for and what it returns; computes nothing."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from attrs import frozen

from tinsmith.local.engine.batch import ImageSpan
from tinsmith.local.engine.lora import Adapter


@frozen(kw_only=True)
class StopRule:
    """When a sample ends before its length is used up; what stops it stays in the sample."""

    token_ids: frozenset[int] = frozenset()
    """A sample ends with any of these."""
    strings: tuple[str, ...] = ()
    """A sample ends when its text contains any of these."""
    decode: Callable[[Sequence[int]], str] | None = None
    """Turns tokens into text; needed when `strings` is not empty."""


@frozen(kw_only=True, eq=False)
class SampleJob:
    """One request: a prompt and how to continue it."""

    prompt: npt.NDArray[np.int64]
    """[P] tokens, at least one; 0 at positions covered by `images`."""
    images: tuple[ImageSpan, ...] = ()
    """Image positions of the prompt."""
    adapter: Adapter | None = None
    """A snapshot that nobody changes, or None for the base model; jobs with the same object share prompts."""
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


@frozen(kw_only=True, eq=False)
class Sample:
    """One continuation."""

    tokens: npt.NDArray[np.int64]
    """What was sampled, the stopping token included."""
    logprobs: npt.NDArray[np.float32]
    """Of each token under the model at temperature 1, without top-k and top-p."""
    stop_reason: Literal["length", "stop"]
    """`stop` when the stop rule ended it."""


@frozen(kw_only=True, eq=False)
class SampleOutput:
    """Result of one job."""

    samples: tuple[Sample, ...]
    """`num_samples` of them, in a fixed order."""
    prompt_logprobs: list[float | None] | None
    """One entry a prompt token, the first None; None when not asked for."""
    topk_prompt_logprobs: list[list[tuple[int, float]] | None] | None
    """One entry a prompt token, the first None: (token, logprob), likeliest first; None if not asked for."""


class SampleHandle:
    """A submitted job. Read from any thread; set by the thread that calls `Scheduler.step`."""

    job: SampleJob
    """What was asked."""
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
