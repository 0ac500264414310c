"""Owns one sample while it grows: its tokens, its random numbers and when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.choose import Array, Choice, Scored, choose, likeliest, stream
from tinsmith_local.engine.decode import Row
from tinsmith_local.engine.jobs import DrawnToken, Sample, SampleJob, StopRule, TopTokens

if TYPE_CHECKING:
    from collections.abc import Collection

    from tinsmith_local.engine.prompts import Prompt

WINDOW_TOKENS = 8
"""Tokens decoded beyond the length of the longest stop string: special tokens may be invisible."""


class RunningSample:
    """One sample of a job; `number` grows with each sample that is started."""

    def __init__(
        self,
        job: SampleJob,
        prompt: Prompt,
        *,
        index: int,
        number: int,
        seed: int,
        limit: int,
        eos: Collection[int],
    ) -> None:
        self.index, self.number = index, number
        self.reason: str | None = None if limit else "length"
        self._rule = job.stop if job.stop is not None else StopRule(token_ids=frozenset(eos))
        self._how = Choice(temperature=job.temperature, top_k=job.top_k, top_p=job.top_p)
        self._random = stream(seed, index)
        self._limit = limit
        self._tokens: list[int] = []
        self._logprobs: list[float] = []
        self._likeliest, self._follow = job.topk_sample_logprobs, job.follow
        self._topk: list[tuple[npt.NDArray[np.intp], Array]] = []
        self._window = max((len(text.encode()) for text in self._rule.strings), default=0) + WINDOW_TOKENS
        self.row: Row | None = None
        if limit:
            self.take(prompt.following)
        if self.reason is None:
            room = len(job.prompt) + min(limit, 128)
            self.row = Row(self._tokens[-1], prompt.cache.copy(room), job.adapter)

    def take(self, logits: Scored) -> None:
        """Choose the next token; sets `reason` when it ends the sample."""
        token = choose(logits, self._how, self._random)
        self._tokens.append(token)
        self._logprobs.append(logits.logprob(token))
        if self._likeliest:
            tokens = likeliest(logits.logits, self._likeliest)
            self._topk.append((tokens, logits.logprobs(tokens)))
        if self.row is not None:
            self.row = Row(token, self.row.cache, self.row.adapter)
        if self._stops(token):
            self.reason = "stop"
        elif len(self._tokens) >= self._limit:
            self.reason = "length"
        if self._follow is not None:
            self._follow(self._last())

    def _last(self) -> DrawnToken:
        """Return the token that was drawn last, as who follows the sample gets it."""
        topk = self._topk[-1] if self._likeliest else None
        position = len(self._tokens) - 1
        return DrawnToken(self.index, position, self._tokens[-1], self._logprobs[-1], topk)

    def _stops(self, token: int) -> bool:
        if token in self._rule.token_ids:
            return True
        if not self._rule.strings or self._rule.decode is None:
            return False
        text = self._rule.decode(self._tokens[-self._window :])
        return any(string in text for string in self._rule.strings)

    def finished(self) -> Sample:
        """Return the sample; only once `reason` is set."""
        return Sample(
            tokens=np.array(self._tokens, np.int64),
            logprobs=np.array(self._logprobs, np.float32),
            stop_reason="stop" if self.reason == "stop" else "length",
            topk=self._top_tokens() if self._likeliest else None,
        )

    def _top_tokens(self) -> TopTokens:
        shape = (len(self._topk), self._likeliest)
        tokens, logprobs = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        for index, row in enumerate(self._topk):
            tokens[index], logprobs[index] = row
        return TopTokens(tokens, logprobs)
