"""/v1/chat/completions: messages through the chat template, and calls of functions read from answers."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.gateway.decoding import ChoiceText
from tinsmith.gateway.drawing import DrawnTokens, draw, draw_pieces, stop_rule
from tinsmith.gateway.prompts import Conversation, read_conversation
from tinsmith.gateway.refusals import GatewayRefusal
from tinsmith.gateway.tool_calls import ToolCallReader, format_of
from tinsmith.gateway.usage import Usage, plain_logprob
from tinsmith.gateway.wishes import Wishes, read_chat_wishes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tinsmith.gateway.fields import Fields
    from tinsmith.gateway.model_shelf import ServedModel
    from tinsmith.gateway.tool_calls import ToolCall


@attrs.frozen
class ChatRequest:
    """A request for a chat's next message, checked."""

    wishes: Wishes
    """What is asked for beside the messages."""
    conversation: Conversation
    """The messages, and the functions that may be called."""
    one_call: bool
    """Whether at most one function is called."""

    @classmethod
    def read(cls, fields: Fields) -> ChatRequest:
        """Read a body."""
        conversation = read_conversation(fields)
        one_call = not fields.flag("parallel_tool_calls", True)
        wishes = read_chat_wishes(fields)
        fields.finish()
        return cls(wishes, conversation, one_call)

    @property
    def choices(self) -> int:
        """How many choices the answer has."""
        return self.wishes.n

    def encode(self, model: ServedModel) -> list[int]:
        """Return the tokens of the prompt, which must leave room for an answer."""
        tokens = self.conversation.render(model.tokenizer)
        model.check_room(len(tokens), self.wishes.max_tokens, "messages")
        return tokens


class ChatChoice:
    """One choice as it grows: content, calls, log-probabilities."""

    def __init__(self, request: ChatRequest, model: ServedModel) -> None:
        tools = request.conversation.tools
        known = format_of(model.tokenizer.get_chat_template(tools=tools)) if tools else None
        # Some families mark calls by special tokens, which content leaves out.
        self.text = ChoiceText(
            model.tokenizer, ends=model.ends, stop=request.wishes.stop, skip_special=known is None
        )
        self._calls = ToolCallReader(known, tools or [])
        self._request, self._model = request, model
        self._logprobs: list[dict[str, Any]] = []

    def feed(self, drawn: DrawnTokens) -> str:
        """Take tokens, and return the content that may be shown."""
        if self._request.wishes.logprobs:
            self._note(drawn)
        return self._calls.feed(self.text.feed(drawn.tokens))

    def end(self, stop_reason: str | None) -> tuple[str, list[ToolCall], str]:
        """Return the rest of the content, the calls, and why the answer ended."""
        content = self._calls.feed(self.text.end())
        rest, calls = self._calls.end()
        if self._request.one_call:
            calls = calls[:1]
        return content + rest, calls, "tool_calls" if calls else self.text.finish_reason(stop_reason)

    def take_logprobs(self) -> dict[str, Any] | None:
        """Return the log-probabilities since they were last taken; None where they are not wanted."""
        taken, self._logprobs = self._logprobs, []
        return {"content": taken, "refusal": None} if self._request.wishes.logprobs else None

    def _note(self, drawn: DrawnTokens) -> None:
        if drawn.logprobs is None:
            raise GatewayRefusal(
                "logprobs: the server sends none", param="logprobs", code="unsupported_parameter"
            )
        for at, (token, logprob) in enumerate(zip(drawn.tokens, drawn.logprobs, strict=True)):
            top = drawn.top[at] if drawn.top is not None else None
            likeliest = (top or [])[: self._request.wishes.top_logprobs]
            entry = self._entry(token, logprob)
            entry["top_logprobs"] = [self._entry(other, value) for other, value in likeliest]
            self._logprobs.append(entry)

    def _entry(self, token: int, logprob: float | None) -> dict[str, Any]:
        texts = self._model.token_texts
        return {
            "token": texts.text(token),
            "logprob": plain_logprob(logprob),
            "bytes": list(texts.raw(token)),
        }


def _head(kind: str, model: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": None,
    }


async def answer_chat(request: ChatRequest, model: ServedModel) -> dict[str, Any]:
    """Return the whole answer."""
    wishes, stop = request.wishes, stop_rule(model, request.wishes, chat=True)
    prompt = await asyncio.to_thread(request.encode, model)
    drawn = await draw(model, prompt, wishes, stop)
    usage = Usage()
    usage.prompt(len(prompt), drawn.prompt_cache_hit_tokens)
    pieces = [DrawnTokens.of(index, sequence) for index, sequence in enumerate(drawn.sequences)]
    choices = await asyncio.to_thread(lambda: [_choice(request, model, piece, usage) for piece in pieces])
    return {**_head("chat.completion", wishes.model), "choices": choices, "usage": usage.document}


def _choice(request: ChatRequest, model: ServedModel, drawn: DrawnTokens, usage: Usage) -> dict[str, Any]:
    choice = ChatChoice(request, model)
    content = choice.feed(drawn)
    rest, calls, reason = choice.end(drawn.stop_reason)
    content += rest
    usage.completion_tokens += choice.text.tokens
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
    if calls:
        message["content"] = content if content.strip() else None
        message["tool_calls"] = [call.document for call in calls]
    return {
        "index": drawn.index,
        "message": message,
        "logprobs": choice.take_logprobs(),
        "finish_reason": reason,
    }


async def stream_chat(request: ChatRequest, model: ServedModel) -> AsyncGenerator[dict[str, Any]]:
    """Yield the events of an answer: the role, content as it comes, calls in one piece, why it ended."""
    wishes, stop = request.wishes, stop_rule(model, request.wishes, chat=True)
    prompt = await asyncio.to_thread(request.encode, model)
    head, usage = _head("chat.completion.chunk", wishes.model), Usage(len(prompt))
    choices = [ChatChoice(request, model) for _ in range(wishes.n)]
    begun = set[int]()

    def event(index: int, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        logprobs = choices[index].take_logprobs() if "role" not in delta else None
        return {
            **head,
            "choices": [{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}],
        }

    async for drawn in draw_pieces(model, [prompt], wishes, stop):
        index, choice = drawn.index, choices[drawn.index]
        if index not in begun:
            begun.add(index)
            yield event(index, {"role": "assistant", "content": ""})
        content = choice.feed(drawn)
        if drawn.stop_reason is None:
            if content:
                yield event(index, {"content": content})
            continue
        rest, calls, reason = choice.end(drawn.stop_reason)
        if content + rest:
            yield event(index, {"content": content + rest})
        if calls:
            deltas = [{"index": at, **call.document} for at, call in enumerate(calls)]
            yield event(index, {"tool_calls": deltas})
        yield event(index, {}, reason)
        usage.completion_tokens += choice.text.tokens
    if wishes.include_usage:
        yield {**head, "choices": [], "usage": usage.document}
