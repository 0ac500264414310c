"""Owns the numbers about a prompt that a job wants besides samples.

Row i of what the model makes of a prompt speaks of token i + 1: the first token has nothing before it.
"""

from __future__ import annotations

import numpy as np

from tinsmith_local.engine.choose import Array, Scored, draw, likeliest, score, stream
from tinsmith_local.engine.jobs import SampleJob, TopTokens

ALTERNATIVES = 1 << 63
"""First stream of random numbers for alternatives, one a position; the streams below are the samples'."""


class PromptScores:
    """What one job wants about its prompt; `add` may be called from any thread, once a row."""

    def __init__(self, job: SampleJob, seed: int) -> None:
        self._job, self._seed = job, seed
        count = len(job.prompt) - 1
        listed = count if job.prompt_logprobs_last_n is None else min(count, job.prompt_logprobs_last_n)
        self._first = count - listed
        start = count
        if job.prompt_logprobs or job.topk_prompt_logprobs:
            start = self._first
        if job.target_prompt_logprobs is not None or job.prompt_alt_tokens_k:
            start = 0
        self.rows = range(start, count)
        """Rows that must be looked at."""
        self.logprobs: list[float | None] | None = [None] * (count + 1) if job.prompt_logprobs else None
        """As `SampleOutput.prompt_logprobs`."""
        self.topk: list[list[tuple[int, float]] | None] | None = None
        """As `SampleOutput.topk_prompt_logprobs`."""
        if job.topk_prompt_logprobs:
            self.topk = [None] * (count + 1)
        self.targets = None
        """As `SampleOutput.target_prompt_logprobs`."""
        if job.target_prompt_logprobs is not None:
            self.targets = np.full(job.target_prompt_logprobs.shape, np.nan, np.float32)
        self.alternatives: TopTokens | None = None
        """As `SampleOutput.prompt_alt_tokens`."""
        if job.prompt_alt_tokens_k:
            shape = (count, job.prompt_alt_tokens_k)
            self.alternatives = TopTokens(np.zeros(shape, np.int64), np.zeros(shape, np.float32))

    def add(self, row: int, logits: Array) -> None:
        """Compute and keep what the job wants about the token after `row`."""
        scored = score(logits)
        if row >= self._first:
            self._list(row, scored)
        if self.targets is not None and self._job.target_prompt_logprobs is not None:
            tokens = self._job.target_prompt_logprobs[row]
            wanted = tokens >= 0
            self.targets[row, wanted] = scored.logprobs(tokens[wanted])
        if self.alternatives is not None:
            random = stream(self._seed, ALTERNATIVES + row)
            tokens = draw(scored, self._job.temperature, self._job.prompt_alt_tokens_k, random)
            self.alternatives.tokens[row] = tokens
            self.alternatives.logprobs[row] = scored.logprobs(tokens)

    def _list(self, row: int, scored: Scored) -> None:
        if self.logprobs is not None:
            self.logprobs[row + 1] = float(np.float32(scored.logprob(int(self._job.prompt[row + 1]))))
        if self.topk is not None:
            tokens = likeliest(scored.logits, self._job.topk_prompt_logprobs)
            self.topk[row + 1] = [(int(token), scored.logprob(int(token))) for token in tokens]
