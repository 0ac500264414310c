"""What answers say in numbers: how many tokens were used, and log-probabilities as JSON has them."""

from __future__ import annotations

import math
from typing import Any

import attrs

LOWEST = -9999.0
"""The log-probability that the OpenAI API gives to what is next to impossible; JSON has no infinity."""


@attrs.define
class Usage:
    """The tokens of one answer."""

    prompt_tokens: int = 0
    """Tokens of all prompts."""
    cached_tokens: int = 0
    """Those that the server had computed before."""
    completion_tokens: int = 0
    """Tokens of all choices, the ends among them."""

    def prompt(self, tokens: int, cached: int) -> None:
        """Count a prompt."""
        self.prompt_tokens += tokens
        self.cached_tokens += cached

    @property
    def document(self) -> dict[str, Any]:
        """The numbers as answers have them."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        }


def plain_logprob(value: float | None, *, first: bool = False) -> float | None:
    """Return a log-probability as JSON has it; None only for the first token of a prompt, which has none."""
    if value is None or math.isnan(value):
        return None if first else LOWEST
    return max(value, LOWEST)
