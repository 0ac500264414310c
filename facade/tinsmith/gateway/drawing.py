"""Draws the choices of one request: whole, or piece by piece.

Owns how samples are asked for, and withdrawn from the server where nobody waits for them any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.values import ModelInput
from tinsmith.gateway.refusals import too_busy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from tinsmith.core.values import SampledSequence, SampleResponse, SamplingParams
    from tinsmith.gateway.model_shelf import ServedModel
    from tinsmith.gateway.wishes import Wishes

Stop = list[str] | list[int] | None
"""What ends a sample on the server: texts, tokens, or the model's own end of sequence."""

Top = list[tuple[int, float]]
"""The likeliest tokens at one position."""


@attrs.frozen
class DrawnTokens:
    """Tokens of one choice that were drawn, one or more."""

    index: int
    """The place of the choice in the answer, from 0."""
    tokens: Sequence[int]
    """Token ids."""
    logprobs: Sequence[float | None] | None
    """Log-probability of each; None where the server sends none."""
    top: Sequence[Top | None] | None
    """The likeliest tokens at each position; None unless asked for."""
    stop_reason: str | None
    """`stop` or `length` with the last tokens of a choice, else None."""

    @classmethod
    def of(cls, index: int, drawn: SampledSequence) -> DrawnTokens:
        """Take a whole choice."""
        return cls(index, drawn.tokens, drawn.logprobs, drawn.topk_sampled_logprobs, str(drawn.stop_reason))


class Places:
    """How many choices are being drawn; beyond a bound there is room for no more."""

    def __init__(self, most: int) -> None:
        self._most, self.taken = most, 0

    @contextmanager
    def take(self, choices: int) -> Iterator[None]:
        """Take places while the block runs; GatewayRefusal with status 429 where there are too few."""
        if self.taken + choices > self._most:
            raise too_busy()
        self.taken += choices
        try:
            yield
        finally:
            self.taken -= choices


async def draw(
    model: ServedModel, prompt: Sequence[int], wishes: Wishes, stop: Stop,
    *, prompt_logprobs: bool = False,
) -> SampleResponse:  # fmt: skip
    """Draw all choices of a prompt; a cancelled call withdraws them."""
    future = model.sampler.sample(
        ModelInput.from_ints(list(prompt)),
        wishes.n if wishes.max_tokens != 0 else 1,
        wishes.params(stop),
        include_prompt_logprobs=prompt_logprobs,
        topk_prompt_logprobs=wishes.top_logprobs if prompt_logprobs else 0,
        topk_sample_logprobs=wishes.top_logprobs,
    )
    try:
        return await future
    except asyncio.CancelledError:
        future.cancel()
        raise


async def draw_all(
    model: ServedModel, prompts: Sequence[Sequence[int]], wishes: Wishes, stop: Stop,
    *, prompt_logprobs: bool = False,
) -> list[SampleResponse]:  # fmt: skip
    """Draw all choices of several prompts at once; where one fails, the others are withdrawn."""
    tasks = [
        asyncio.create_task(draw(model, prompt, wishes, stop, prompt_logprobs=prompt_logprobs))
        for prompt in prompts
    ]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _withdraw(tasks)


async def draw_pieces(
    model: ServedModel, prompts: Sequence[Sequence[int]], wishes: Wishes, stop: Stop
) -> AsyncGenerator[DrawnTokens]:
    """Yield the tokens of all choices of several prompts as they come."""
    if wishes.max_tokens == 0:
        for index in range(len(prompts) * wishes.n):
            yield DrawnTokens(index, [], [], None, "length")
        return
    choices = ((prompt, choice) for prompt in prompts for choice in range(wishes.n))
    sources = [
        _streamed(model, prompt, wishes.params(stop, choice), wishes.top_logprobs, index)
        for index, (prompt, choice) in enumerate(choices)
    ]
    queue: asyncio.Queue[DrawnTokens | BaseException | None] = asyncio.Queue()

    async def forward(source: AsyncIterator[DrawnTokens]) -> None:
        try:
            async for drawn in source:
                queue.put_nowait(drawn)
        except Exception as error:  # noqa: BLE001  # it is raised where the pieces are read
            queue.put_nowait(error)
        else:
            queue.put_nowait(None)

    tasks = [asyncio.create_task(forward(source)) for source in sources]
    open_sources = len(tasks)
    try:
        while open_sources:
            drawn = await queue.get()
            if isinstance(drawn, BaseException):
                raise drawn
            if drawn is None:
                open_sources -= 1
            else:
                yield drawn
    finally:
        await _withdraw(tasks)


async def _streamed(
    model: ServedModel, prompt: Sequence[int], params: SamplingParams, top: int, index: int
) -> AsyncIterator[DrawnTokens]:
    """Yield the tokens of one choice: one by one where the server streams them, else all at once."""
    async with model.sampler.stream(ModelInput.from_ints(list(prompt)), params, top) as pieces:
        async for piece in pieces:
            reason = None if piece.stop_reason is None else str(piece.stop_reason)
            yield DrawnTokens(index, piece.tokens, piece.logprobs, piece.topk_logprobs, reason)


async def _withdraw(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """End tasks that may still run, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def stop_rule(model: ServedModel, wishes: Wishes, *, chat: bool) -> Stop:
    """Return what ends a sample on the server: its own end of sequence, the end of a turn, and stop texts.

    A stop rule replaces the end of sequence on the server, and holds either texts or tokens: beside stop
    texts the ends are named by their texts.
    """
    if wishes.stop:
        texts = [model.token_texts.text(token) for token in model.ends]
        return [*wishes.stop, *(text for text in texts if text not in wishes.stop)]
    return model.chat_stop if chat else None
