"""What a request for an answer asks for: the parameters of the OpenAI API, read, checked and named.

Owns which parameters are supported, which are ignored and which are refused; docs/gateway.md has the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.values import SamplingParams
from tinsmith.gateway.refusals import GatewayRefusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinsmith.gateway.fields import Fields

MOST_N, MOST_TOP = 128, 20
"""Most choices of one prompt, and most likeliest tokens at a position, as the OpenAI API has them."""

MOST_STOPS, LONGEST_STOP = 16, 1000
"""Most stop texts, and the characters of one."""

MOST_TOKENS = 1 << 24
"""More tokens than any context has."""

INT64 = 1 << 63
TOKEN_IDS = 1 << 31

WITHOUT_EFFECT = (
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prediction",
)
"""Parameters that change nothing of an answer: who asks, what is kept, what may be quicker."""


@attrs.frozen(kw_only=True)
class Wishes:
    """What is asked for beside the prompt."""

    model: str
    """Name of the model."""
    n: int
    """Choices for each prompt, from 1."""
    max_tokens: int | None
    """Most tokens to draw; None for as many as fit."""
    temperature: float
    """Divides the logits."""
    top_p: float
    """Sample from the smallest set of tokens with this probability."""
    top_k: int
    """Draw from this many of the likeliest tokens; -1 is all of them."""
    seed: int | None
    """Seed of the draws."""
    stop: tuple[str, ...]
    """Texts that end an answer and are not part of it."""
    logprobs: bool
    """Whether log-probabilities are wanted."""
    top_logprobs: int
    """Likeliest tokens wanted at each position."""
    stream: bool
    """Whether the answer comes as events."""
    include_usage: bool
    """Whether the last event tells the usage."""

    def params(self, stop: Sequence[str] | Sequence[int] | None, choice: int = 0) -> SamplingParams:
        """Return how tokens are drawn; `choice` is the place of one that is drawn by itself.

        A token is drawn even where none is wanted: the log-probabilities of the prompt come with it.
        """
        return SamplingParams(
            max_tokens=None if self.max_tokens is None else max(self.max_tokens, 1),
            seed=None if self.seed is None else (self.seed + choice) % INT64,
            stop=stop,
            temperature=self.temperature if self.top_p > 0 else 0,
            top_k=self.top_k,
            top_p=self.top_p or 1,
        )


def read_chat_wishes(fields: Fields) -> Wishes:
    """Read the parameters of /v1/chat/completions but for messages and tools."""
    longest, older = (fields.whole(name, 1, MOST_TOKENS) for name in ("max_completion_tokens", "max_tokens"))
    wanted, top = fields.flag("logprobs"), fields.whole("top_logprobs", 0, MOST_TOP)
    if top and not wanted:
        raise fields.refuse("top_logprobs", "needs logprobs to be true")
    fields.only("modalities", ["text"])
    fields.only("audio")
    fields.only("web_search_options")
    fields.only("functions", [])
    fields.only("function_call", "none")
    fields.only("verbosity", "medium")
    response_format = fields.nested("response_format")
    response_format.only("type", "text")
    response_format.finish()
    return _read(
        fields, max_tokens=longest if longest is not None else older, logprobs=wanted, top_logprobs=top or 0
    )


def read_completion_wishes(fields: Fields) -> Wishes:
    """Read the parameters of /v1/completions but for prompt and echo."""
    max_tokens, top = fields.whole("max_tokens", 0, MOST_TOKENS), fields.whole("logprobs", 0, MOST_TOP)
    best_of = fields.whole("best_of", 1, MOST_N)
    wishes = _read(
        fields,
        max_tokens=16 if max_tokens is None else max_tokens,
        logprobs=top is not None,
        top_logprobs=top or 0,
    )
    if best_of not in (None, wishes.n):
        raise fields.refuse("best_of", "is supported only where it equals n", "unsupported_parameter")
    fields.only("suffix", "")
    return wishes


def _read(fields: Fields, *, max_tokens: int | None, logprobs: bool, top_logprobs: int) -> Wishes:
    """Read what both kinds of requests have."""
    for name in ("presence_penalty", "frequency_penalty"):
        if fields.number(name, -2, 2, 0):
            raise fields.refuse(name, "is not supported by this server", "unsupported_parameter")
    fields.only("logit_bias", {})
    fields.ignore(*WITHOUT_EFFECT)
    stream = fields.flag("stream")
    streaming = fields.nested("stream_options")
    include_usage = streaming.flag("include_usage")
    streaming.ignore("include_obfuscation")
    streaming.finish()
    return Wishes(
        model=_model(fields),
        n=fields.whole("n", 1, MOST_N) or 1,
        max_tokens=max_tokens,
        temperature=fields.number("temperature", 0, 2, 1),
        top_p=fields.number("top_p", 0, 1, 1),
        top_k=fields.whole("top_k", -1, MOST_TOKENS) or -1,
        seed=fields.whole("seed", -INT64, INT64 - 1),
        stop=_stop(fields),
        logprobs=logprobs,
        top_logprobs=top_logprobs,
        stream=stream,
        include_usage=include_usage,
    )


def _model(fields: Fields) -> str:
    name = fields.text("model")
    if not name:
        raise fields.refuse("model", "is required: GET /v1/models lists them", "missing_required_parameter")
    return name


def _stop(fields: Fields) -> tuple[str, ...]:
    value = fields.take("stop")
    texts = [value] if isinstance(value, str) else value or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise fields.refuse("stop", "must be a text or a list of texts", "invalid_type")
    if len(texts) > MOST_STOPS or any(not 0 < len(text) <= LONGEST_STOP for text in texts):
        raise fields.refuse("stop", f"takes {MOST_STOPS} texts of 1 to {LONGEST_STOP} characters")
    return tuple(dict.fromkeys(texts))


def token_ids(value: Any, param: str) -> list[int]:
    """Check a list of token ids."""
    if not (isinstance(value, list) and all(type(one) is int and 0 <= one < TOKEN_IDS for one in value)):
        raise GatewayRefusal(f"{param}: must hold token ids", param=param, code="invalid_type")
    return value
