"""Owns what the model makes of a prompt: its keys and values and what follows its last token.

A prompt is computed by itself, so that its bits depend on it alone; jobs with the same prompt and adapter
share the result. Must not know how tokens are chosen.
"""

from collections import OrderedDict

import numpy as np
import numpy.typing as npt
from attrs import frozen

from tinsmith.local.engine.batch import Example
from tinsmith.local.engine.choose import Scored, score
from tinsmith.local.engine.decode import Decoder
from tinsmith.local.engine.jobs import SampleJob
from tinsmith.local.engine.kv import KeyValues
from tinsmith.local.engine.lora import Adapter
from tinsmith.local.engine.model import BaseModel
from tinsmith.local.engine.stack import Stack
from tinsmith.local.engine.tape import Keep
from tinsmith.local.engine.unembed import Unembedding
from tinsmith.local.engine.workers import Team

Array = npt.NDArray[np.float32]

KEPT_BYTES = 128 * 1024 * 1024
"""Keys and values of finished prompts kept for the next request with the same prompt."""


@frozen(eq=False)
class Prompt:
    """A prompt as the model sees it."""

    adapter: Adapter | None
    """Whose adapter."""
    cache: KeyValues
    """Of every token; never changed."""
    following: Scored
    """Logits of the first new token."""
    residual: Array
    """[tokens, hidden] after the last block."""
    tokens: npt.NDArray[np.int64]
    """The prompt itself."""


class Prompts:
    """Computes prompts and keeps the latest."""

    def __init__(self, model: BaseModel) -> None:
        self._model = model
        self._kept: OrderedDict[tuple[object, ...], Prompt] = OrderedDict()

    def get(self, job: SampleJob, decoder: Decoder, team: Team) -> Prompt:
        """Return the prompt of a job, computed now or earlier."""
        images = tuple((span.start, span.patches.tobytes()) for span in job.images)
        key = (id(job.adapter), job.prompt.tobytes(), images)
        held = self._kept.pop(key, None)
        if held is None or held.adapter is not job.adapter:
            held = self._compute(job, decoder, team)
        self._kept[key] = held
        while len(self._kept) > 1 and sum(prompt.cache.nbytes for prompt in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)
        return held

    def forget(self) -> None:
        """Drop what is kept."""
        self._kept.clear()

    def _compute(self, job: SampleJob, decoder: Decoder, team: Team) -> Prompt:
        sites = decoder.sites(job.adapter)
        example = Example(tokens=job.prompt, targets=job.prompt, images=job.images)
        stack = Stack(self._model, sites, [example], Keep.NOTHING, team)
        dtype = self._model.weights.embed.dtype
        cache = KeyValues(self._model.config, len(job.prompt), dtype)
        everything = slice(0, len(job.prompt))

        def watch(index: int, keys: Array, values: Array) -> None:
            cache.write(index, everything, keys, values)

        residual = stack.forward(watch).copy()
        cache.length = len(job.prompt)
        following = score(decoder.unembed(residual[-1], job.adapter))
        return Prompt(job.adapter, cache, following, residual, job.prompt)

    def logprobs(self, prompt: Prompt, decoder: Decoder, team: Team) -> list[float | None]:
        """Return the logprob of each prompt token given those before it; None for the first."""
        count = len(prompt.tokens)
        targets = np.append(prompt.tokens[1:], 0)[:, None]
        found = np.zeros((count, 1))
        head = Unembedding(self._model, decoder.sites(prompt.adapter).unembed, team)
        head.run(prompt.residual, targets, np.arange(count - 1), logprobs=found)
        return [None, *found[: count - 1, 0].astype(np.float32).tolist()]

    def top(
        self, prompt: Prompt, count: int, decoder: Decoder, team: Team
    ) -> list[list[tuple[int, float]] | None]:
        """Return the likeliest tokens at each prompt position; None for the first."""
        head = Unembedding(self._model, decoder.sites(prompt.adapter).unembed, team)
        return [None, *head.top(prompt.residual[:-1], count)]
