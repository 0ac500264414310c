"""Owns what the model makes of a prompt: its keys and values and what follows its last token.

A prompt is computed by itself, so that its bits depend on it alone; jobs with the same prompt and adapter
share the result. Must not know how tokens are chosen.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from attrs import define, field

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

SHORT_TOKENS = 128
"""Prompts up to here go to one worker each; sharing so few rows out would cost more than it saves."""
KEPT_BYTES = 128 * 1024 * 1024
"""Keys and values of finished prompts kept for the next request with the same prompt."""


@define(eq=False)
class Prompt:
    """A prompt as the model sees it."""

    adapter: Adapter | None
    """Whose adapter."""
    cache: KeyValues
    """Of every token; never changed."""
    residual: Array
    """[tokens, hidden] after the last block."""
    tokens: npt.NDArray[np.int64]
    """The prompt itself."""
    following: Scored = field(init=False)
    """Logits of the first new token."""

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.cache.nbytes + self.residual.nbytes


Key = tuple[object, ...]


def _key(job: SampleJob) -> Key:
    """Return what makes two prompts the same; the adapter by identity, which `Prompt` keeps alive."""
    return (job.adapter, job.prompt.tobytes(), *((span.start, span.patches.tobytes()) for span in job.images))


class Prompts:
    """Computes prompts and keeps the latest."""

    def __init__(self, model: BaseModel) -> None:
        self._model = model
        self._kept: OrderedDict[Key, Prompt] = OrderedDict()

    def get(self, jobs: Sequence[SampleJob], decoder: Decoder, team: Team) -> list[Prompt | Exception]:
        """Return the prompt of each job, computed now or earlier, or what went wrong with it."""
        wanted = {_key(job): job for job in jobs}
        missing = {key: job for key, job in wanted.items() if key not in self._kept}
        found: dict[Key, Prompt | Exception] = dict(self._compute(missing, decoder, team))
        for key in wanted:
            if key in self._kept:
                self._kept.move_to_end(key)
                found[key] = self._kept[key]
        for key, prompt in found.items():
            if isinstance(prompt, Prompt):
                self._kept[key] = prompt
        while len(self._kept) > 1 and sum(prompt.nbytes for prompt in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)
        return [found[_key(job)] for job in jobs]

    def _compute(
        self, jobs: dict[Key, SampleJob], decoder: Decoder, team: Team
    ) -> dict[Key, Prompt | Exception]:
        """Compute prompts: short ones side by side, long ones with all workers."""
        found: dict[Key, Prompt | Exception] = {}

        def attempt(key: Key, crew: Team) -> None:
            try:
                found[key] = self._run(jobs[key], decoder, crew)
            except Exception as error:  # noqa: BLE001  (one job's failure is that job's result)
                found[key] = error

        for job in jobs.values():
            decoder.sites(job.adapter)
        short = deque(key for key, job in jobs.items() if len(job.prompt) <= SHORT_TOKENS)

        def task(worker: int) -> None:
            while True:
                try:
                    key = short.popleft()
                except IndexError:
                    return
                attempt(key, team.lanes[worker])

        for key, job in jobs.items():
            if len(job.prompt) > SHORT_TOKENS:
                attempt(key, team)
        if short:
            team.run(task)
        good = [prompt for prompt in found.values() if isinstance(prompt, Prompt)]
        if good:
            last = np.stack([prompt.residual[-1] for prompt in good])
            logits = decoder.unembed(last, [prompt.adapter for prompt in good])
            for prompt, row in zip(good, logits, strict=True):
                prompt.following = score(row.copy())
        return found

    def _run(self, job: SampleJob, decoder: Decoder, team: Team) -> Prompt:
        """Run one prompt through the model."""
        example = Example(tokens=job.prompt, targets=job.prompt, images=job.images)
        stack = Stack(self._model, decoder.sites(job.adapter), [example], Keep.NOTHING, team)
        cache = KeyValues(self._model.config, len(job.prompt), self._model.weights.embed.dtype)
        everything = slice(0, len(job.prompt))

        def watch(index: int, keys: Array, values: Array) -> None:
            cache.write(index, everything, keys, values)

        residual = stack.forward(watch).copy()
        cache.length = len(job.prompt)
        return Prompt(job.adapter, cache, residual, job.prompt)

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
