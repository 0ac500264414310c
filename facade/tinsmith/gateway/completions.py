"""/v1/completions: texts or tokens continued, with log-probabilities, and echoed where that is asked for."""

from __future__ import annotations

import asyncio
import secrets
import time
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.gateway.decoding import ChoiceText, TextOfTokens
from tinsmith.gateway.drawing import DrawnTokens, draw_all, draw_pieces, stop_rule
from tinsmith.gateway.prompts import encode_prompt, read_prompts
from tinsmith.gateway.refusals import GatewayRefusal
from tinsmith.gateway.usage import Usage, plain_logprob
from tinsmith.gateway.wishes import Wishes, read_completion_wishes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tinsmith.core.values import SampleResponse
    from tinsmith.gateway.drawing import Top
    from tinsmith.gateway.fields import Fields
    from tinsmith.gateway.model_shelf import ServedModel
    from tinsmith.gateway.prompts import Prompt


@attrs.frozen
class CompletionRequest:
    """A request for completions, checked."""

    wishes: Wishes
    """What is asked for beside the prompts."""
    prompts: list[str | list[int]]
    """What is continued, at least one."""
    echo: bool
    """Whether the answers begin with their prompts."""
    add_special_tokens: bool
    """Whether texts get the special tokens of their tokenizer, such as a beginning of sequence."""

    @classmethod
    def read(cls, fields: Fields) -> CompletionRequest:
        """Read a body."""
        prompts = read_prompts(fields.required("prompt"))
        echo, special = fields.flag("echo"), fields.flag("add_special_tokens", True)
        wishes = read_completion_wishes(fields)
        fields.finish()
        if echo and wishes.stream:
            raise GatewayRefusal(
                "echo: is not supported with stream", param="echo", code="unsupported_parameter"
            )
        return cls(wishes, prompts, echo, special)

    @property
    def choices(self) -> int:
        """How many choices the answer has."""
        return len(self.prompts) * self.wishes.n

    def encode(self, model: ServedModel) -> list[Prompt]:
        """Return the prompts with their tokens, which must leave room for the answers."""
        made = []
        for given in self.prompts:
            prompt = encode_prompt(model.tokenizer, given, add_special_tokens=self.add_special_tokens)
            model.check_room(len(prompt.tokens), self.wishes.max_tokens, "prompt")
            made.append(prompt)
        return made


def _head(model: str) -> dict[str, Any]:
    return {
        "id": f"cmpl-{secrets.token_hex(12)}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": model,
    }


async def complete(request: CompletionRequest, model: ServedModel) -> dict[str, Any]:
    """Return the whole answer."""
    wishes, stop = request.wishes, stop_rule(model, request.wishes, chat=False)
    prompts = await asyncio.to_thread(request.encode, model)
    wants_prompt = request.echo and wishes.logprobs
    draws_none = wishes.max_tokens == 0 and not wants_prompt
    tokens = [] if draws_none else [prompt.tokens for prompt in prompts]
    answers = await draw_all(model, tokens, wishes, stop, prompt_logprobs=wants_prompt)
    usage, choices = Usage(), list[dict[str, Any]]()
    for prompt, drawn in zip_longest(prompts, answers):
        usage.prompt(len(prompt.tokens), drawn.prompt_cache_hit_tokens if drawn else 0)
        choices += await asyncio.to_thread(_choices, request, model, prompt, drawn, usage)
    numbered = [{"index": index, **choice} for index, choice in enumerate(choices)]
    return {**_head(wishes.model), "choices": numbered, "usage": usage.document}


def _choices(
    request: CompletionRequest, model: ServedModel, prompt: Prompt, drawn: SampleResponse | None, usage: Usage
) -> list[dict[str, Any]]:
    """Return the choices of one prompt."""
    wishes = request.wishes
    head = prompt.text if request.echo else ""
    found = []
    sequences = drawn.sequences if drawn is not None and wishes.max_tokens != 0 else [None] * wishes.n
    for sequence in sequences:
        text = ChoiceText(model.tokenizer, ends=model.ends, stop=wishes.stop)
        logprobs = CompletionLogprobs(model, wishes.top_logprobs) if wishes.logprobs else None
        if logprobs is not None and request.echo and drawn is not None:
            logprobs.add(prompt.tokens, _check(drawn.prompt_logprobs), drawn.topk_prompt_logprobs)
        shown, reason = "", "length"
        if sequence is not None:
            piece = DrawnTokens.of(0, sequence)
            shown = text.feed(piece.tokens)
            shown += text.end()
            reason = text.finish_reason(piece.stop_reason)
            if logprobs is not None:
                logprobs.add(piece.tokens, _check(piece.logprobs), piece.top)
        usage.completion_tokens += text.tokens
        found.append(
            {
                "text": head + shown,
                "logprobs": None if logprobs is None else logprobs.take(),
                "finish_reason": reason,
            }
        )
    return found


def _check(logprobs: Sequence[float | None] | None) -> Sequence[float | None]:
    if logprobs is None:
        raise GatewayRefusal(
            "logprobs: the server sends none", param="logprobs", code="unsupported_parameter"
        )
    return logprobs


async def stream_completion(request: CompletionRequest, model: ServedModel) -> AsyncGenerator[dict[str, Any]]:
    """Yield the events of an answer."""
    wishes, stop = request.wishes, stop_rule(model, request.wishes, chat=False)
    prompts = await asyncio.to_thread(request.encode, model)
    head, usage = _head(wishes.model), Usage()
    for prompt in prompts:
        usage.prompt(len(prompt.tokens), 0)
    texts = [ChoiceText(model.tokenizer, ends=model.ends, stop=wishes.stop) for _ in range(request.choices)]
    logprobs = [CompletionLogprobs(model, wishes.top_logprobs) for _ in texts]
    async for drawn in draw_pieces(model, [prompt.tokens for prompt in prompts], wishes, stop):
        text, values = texts[drawn.index], logprobs[drawn.index]
        piece, reason = text.feed(drawn.tokens), None
        if wishes.logprobs:
            values.add(drawn.tokens, _check(drawn.logprobs), drawn.top)
        if drawn.stop_reason is not None:
            piece += text.end()
            reason = text.finish_reason(drawn.stop_reason)
        if piece or reason:
            choice = {
                "index": drawn.index,
                "text": piece,
                "logprobs": values.take() if wishes.logprobs else None,
            }
            yield {**head, "choices": [{**choice, "finish_reason": reason}]}
    usage.completion_tokens = sum(text.tokens for text in texts)
    if wishes.include_usage:
        yield {**head, "choices": [], "usage": usage.document}


class CompletionLogprobs:
    """The log-probabilities of a choice, as /v1/completions has them: four lists with an entry a token."""

    _NAMES = ("tokens", "token_logprobs", "top_logprobs", "text_offset")

    def __init__(self, model: ServedModel, top: int) -> None:
        self._texts, self._top = model.token_texts, top
        self._text = TextOfTokens(model.tokenizer)
        self._length = 0
        self._is_first = True
        self._lists: dict[str, list[Any]] = {name: [] for name in self._NAMES}

    def take(self) -> dict[str, list[Any]]:
        """Return what was added since it was last taken."""
        taken, self._lists = self._lists, {name: [] for name in self._NAMES}
        return taken

    def add(
        self, tokens: Sequence[int], logprobs: Sequence[float | None], top: Sequence[Top | None] | None
    ) -> None:
        """Add tokens; the first one of a prompt has no log-probability."""
        for at, token in enumerate(tokens):
            logprob = plain_logprob(logprobs[at], first=self._is_first)
            self._is_first = False
            likeliest = self._likeliest(token, logprob, top[at] if top is not None else None)
            row = (self._texts.text(token), logprob, likeliest, self._length)
            for name, value in zip(self._NAMES, row, strict=True):
                self._lists[name].append(value)
            self._length += len(self._text.feed([token]))

    def _likeliest(self, token: int, logprob: float | None, top: Top | None) -> dict[str, float] | None:
        """Return the likeliest tokens, and the one that stands there with the value that it has there."""
        if logprob is None:
            return None
        likeliest = {self._texts.text(other): value for other, value in (top or [])[: self._top]}
        return {**likeliest, self._texts.text(token): logprob}
