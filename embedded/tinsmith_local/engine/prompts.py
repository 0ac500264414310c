"""Owns what the model makes of a prompt: its keys and values and what follows its last token.

A prompt is computed by itself, in slices whose bounds depend on its length alone, so that its bits depend on
nothing else; jobs with the same prompt and adapter share the result. Must not know how tokens are chosen.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.batch import Example, ImageSpan
from tinsmith_local.engine.choose import Scored, score
from tinsmith_local.engine.kv import KeyValues
from tinsmith_local.engine.lora import Adapter
from tinsmith_local.engine.stack import Stack
from tinsmith_local.engine.tape import Keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinsmith_local.engine.base_model import BaseModel
    from tinsmith_local.engine.decode import Decoder
    from tinsmith_local.engine.jobs import SampleJob
    from tinsmith_local.engine.workers import Team

Array = npt.NDArray[np.float32]

SHORT_TOKENS = 128
"""Prompts up to here go to one worker each; sharing so few rows out would cost more than it saves."""
SLICE_TOKENS = 512
"""Longer prompts are computed in slices, so that other work can be done between them."""
KEPT_BYTES = 128 * 1024 * 1024
"""Keys and values of finished prompts kept for the next request with the same prompt."""


@attrs.define(eq=False)
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
    following: Scored = attrs.field(init=False)
    """Logits of the first new token."""

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.cache.nbytes + self.residual.nbytes


Key = tuple[object, ...]


def _key(job: SampleJob) -> Key:
    """Return what makes two prompts the same; the adapter by identity, which `Prompt` keeps alive."""
    return (job.adapter, job.prompt.tobytes(), *((span.start, span.patches.tobytes()) for span in job.images))


class Reading:
    """A prompt while it is computed."""

    def __init__(self, model: BaseModel, job: SampleJob) -> None:
        self._model, self._job = model, job
        dtype, config = model.weights.embed.dtype, model.config
        self._cache = KeyValues(config, len(job.prompt), dtype)
        self._residual: Array = np.empty((len(job.prompt), config.hidden_size), dtype)

    def step(self, decoder: Decoder, team: Team) -> Prompt | None:
        """Compute the next slice; return the prompt, still without `following`, when it was the last."""
        job, start = self._job, self._cache.length
        rows = slice(start, min(start + SLICE_TOKENS, len(job.prompt)))
        tokens = job.prompt[rows]
        example = Example(tokens=tokens, targets=tokens, images=_inside(job.images, rows))
        stack = Stack(
            self._model, decoder.sites(job.adapter), [example], Keep.NOTHING, team, past=self._cache
        )
        self._residual[rows] = stack.forward()
        if rows.stop < len(job.prompt):
            return None
        return Prompt(job.adapter, self._cache, self._residual, job.prompt)


def _inside(images: Sequence[ImageSpan], rows: slice) -> tuple[ImageSpan, ...]:
    """Cut images to a slice of the prompt, counting positions from its start."""
    found = []
    for span in images:
        start, stop = max(span.start, rows.start), min(span.start + len(span.patches), rows.stop)
        if start < stop:
            patches = span.patches[start - span.start : stop - span.start]
            found.append(ImageSpan(start=start - rows.start, patches=patches))
    return tuple(found)


class Prompts:
    """Computes prompts and keeps the latest."""

    def __init__(self, model: BaseModel) -> None:
        self._model = model
        self._kept: OrderedDict[Key, Prompt] = OrderedDict()

    def find(self, job: SampleJob) -> Prompt | None:
        """Return a job's prompt if it is kept."""
        prompt = self._kept.get(_key(job))
        if prompt is not None:
            self._kept.move_to_end(_key(job))
        return prompt

    def known(self, job: SampleJob) -> int:
        """Return how many tokens of a job's prompt need no work: those of the whole prompt, or none."""
        return len(job.prompt) if _key(job) in self._kept else 0

    def keep(self, job: SampleJob, prompt: Prompt, decoder: Decoder) -> None:
        """Find out what follows a prompt read by itself, and keep it."""
        self._follow([prompt], decoder)
        self._hold({_key(job): prompt})

    def get(self, jobs: Sequence[SampleJob], decoder: Decoder, team: Team) -> list[Prompt | Exception]:
        """Return the prompt of each job, computed now or earlier, or what went wrong with it."""
        wanted = {_key(job): job for job in jobs}
        known = {key: prompt for key, job in wanted.items() if (prompt := self.find(job)) is not None}
        found = self._compute({key: job for key, job in wanted.items() if key not in known}, decoder, team)
        self._hold({key: prompt for key, prompt in found.items() if isinstance(prompt, Prompt)})
        return [(known.get(_key(job)) or found[_key(job)]) for job in jobs]

    def _hold(self, prompts: dict[Key, Prompt]) -> None:
        self._kept |= prompts
        while len(self._kept) > 1 and sum(prompt.nbytes for prompt in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)

    def _compute(
        self, jobs: dict[Key, SampleJob], decoder: Decoder, team: Team
    ) -> dict[Key, Prompt | Exception]:
        """Compute prompts: short ones side by side, long ones with all workers."""
        found: dict[Key, Prompt | Exception] = {}

        def attempt(key: Key, crew: Team) -> None:
            try:
                reading, prompt = Reading(self._model, jobs[key]), None
                while prompt is None:
                    prompt = reading.step(decoder, crew)
                found[key] = prompt
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
        self._follow([prompt for prompt in found.values() if isinstance(prompt, Prompt)], decoder)
        return found

    def _follow(self, prompts: Sequence[Prompt], decoder: Decoder) -> None:
        """Score what follows the last token of each."""
        if not prompts:
            return
        last = np.stack([prompt.residual[-1] for prompt in prompts])
        logits = decoder.unembed(last, [prompt.adapter for prompt in prompts])
        for prompt, row in zip(prompts, logits, strict=True):
            prompt.following = score(row.copy())
