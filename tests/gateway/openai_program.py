"""The official `openai` client against a gateway: plain, async, streaming; its types, errors and speed.

Run by `run.py` in an environment that has nothing of Tinsmith; OPENAI_BASE_URL and OPENAI_API_KEY name the
gateway, MODEL the model. Prints one line for each thing shown.
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import openai
from openai import AsyncOpenAI, OpenAI

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai.types.chat import ChatCompletionMessageParam

MODEL = os.environ["MODEL"]
QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is the capital of France?"}]
GREEDY: dict[str, Any] = {"model": MODEL, "messages": QUESTION, "max_tokens": 24, "temperature": 0}
AT_ONCE, IN_TURN = 64, 4
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def plain(client: OpenAI) -> str:
    """Ask as most programs do, and check what typed answers hold."""
    answer = client.chat.completions.create(**GREEDY, logprobs=True, top_logprobs=2)
    [choice] = answer.choices
    text = choice.message.content
    assert text is not None
    assert "Paris" in text, text
    assert choice.finish_reason == "stop", choice
    used = answer.usage
    assert used is not None
    assert used.total_tokens == used.prompt_tokens + used.completion_tokens
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    raw = b"".join(bytes(entry.bytes or []) for entry in choice.logprobs.content)
    assert raw.decode().startswith(text)
    assert {len(entry.top_logprobs) for entry in choice.logprobs.content} == {2}
    several = client.chat.completions.create(**{**GREEDY, "temperature": 1, "n": 3, "seed": 5})
    again = client.chat.completions.create(**{**GREEDY, "temperature": 1, "n": 3, "seed": 5})
    assert [one.message.content for one in several.choices] == [one.message.content for one in again.choices]
    stopped = client.chat.completions.create(**GREEDY, stop=[" Paris", "never"])
    assert stopped.choices[0].message.content == text.partition(" Paris")[0]
    with_tools = client.chat.completions.create(**GREEDY, tools=[TOOL])
    assert with_tools.choices[0].message.role == "assistant"
    return str(text)


def streamed(client: OpenAI, text: str) -> int:
    """Read the same answer as it comes; how many pieces there were."""
    with client.chat.completions.create(
        **GREEDY, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    pieces = [
        chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content
    ]
    assert "".join(pieces) == text
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    return len(pieces)


def completed(client: OpenAI) -> None:
    """Continue texts and tokens, and rate a prompt."""
    rated = client.completions.create(
        model=MODEL, prompt="The capital of France is Paris", max_tokens=0, echo=True, logprobs=2
    )
    [choice] = rated.choices
    assert choice.text == "The capital of France is Paris"
    found = choice.logprobs
    assert found is not None
    assert found.tokens is not None
    assert found.token_logprobs is not None
    assert found.top_logprobs is not None
    assert found.token_logprobs[0] is None
    assert "".join(found.tokens) == choice.text
    assert sum(value for value in found.token_logprobs if value is not None) < 0
    both = client.completions.create(model=MODEL, prompt=[[504, 3575], [504]], max_tokens=4, temperature=0)
    assert [one.index for one in both.choices] == [0, 1]


def refused(client: OpenAI) -> None:
    """Errors arrive as the classes of the client."""
    for wrong, kind, param in (
        ({**GREEDY, "model": "nobody"}, openai.NotFoundError, "model"),
        ({**GREEDY, "presence_penalty": 1}, openai.BadRequestError, "presence_penalty"),
        ({**GREEDY, "messages": []}, openai.BadRequestError, "messages"),
    ):
        error = error_of(partial(client.chat.completions.create, **wrong), kind)
        assert error.param == param
        assert error.code
    error = error_of(lambda: OpenAI(api_key="wrong").models.list(), openai.AuthenticationError)
    assert error.code == "invalid_api_key"


def error_of(call: Callable[[], object], kind: type[openai.APIStatusError]) -> Any:
    """Return the error that a call raises."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


async def at_once() -> tuple[float, float]:
    """Return the seconds of a request in turn, and of one among many at once."""
    async with AsyncOpenAI() as client:

        async def ask(number: int) -> None:
            # A prompt that none shares, and no early end: each request is the same work.
            text = f"Count from {number} and go on for as long as you can."
            answer = await client.completions.create(
                model=MODEL, prompt=text, max_tokens=12, logprobs=0, seed=number
            )
            assert answer.usage is not None
            assert answer.usage.completion_tokens > 0

        await ask(1000)
        began = time.perf_counter()
        for number in range(IN_TURN):
            await ask(2000 + number)
        in_turn_s = (time.perf_counter() - began) / IN_TURN
        began = time.perf_counter()
        await asyncio.gather(*[ask(number) for number in range(AT_ONCE)])
        return in_turn_s, (time.perf_counter() - began) / AT_ONCE


async def together(text: str) -> None:
    """Use the async client: an answer, and one that streams."""
    async with AsyncOpenAI() as client:
        answer, stream = await asyncio.gather(
            client.chat.completions.create(**GREEDY), client.chat.completions.create(**GREEDY, stream=True)
        )
        assert answer.choices[0].message.content == text
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(pieces) == text


def main() -> None:
    """Show one thing after the other."""
    with OpenAI() as client:
        assert MODEL in [model.id for model in client.models.list()]
        assert client.models.retrieve(MODEL).object == "model"
        text = plain(client)
        print(f"  openai {openai.__version__}: chat, log-probabilities, n, seed, stop, tools: {text!r}")
        print(f"  openai: the same answer streamed, in {streamed(client, text)} pieces")
        completed(client)
        print("  openai: completions of texts and tokens, echo with log-probabilities")
        refused(client)
        print("  openai: 400, 401 and 404 as its own errors, with param and code")
    asyncio.run(together(text))
    print("  openai: the async client, whole and streaming")
    if os.environ.get("MEASURE"):
        alone_s, together_s = asyncio.run(at_once())
        print(
            f"  openai: {AT_ONCE} requests at once take {together_s * AT_ONCE:.1f} s, in turn they would take"
            f" {alone_s * AT_ONCE:.1f} s ({IN_TURN} measured): {alone_s / together_s:.1f} times as fast"
        )
        assert alone_s / together_s > 1.2, "requests that come together are not batched"


main()
