"""litellm against a gateway: whole, streaming and async, with its map of costs that needs no network."""

from __future__ import annotations

import asyncio
import os
from importlib.metadata import version
from typing import Any

import litellm

ASKED: dict[str, Any] = {
    "model": f"openai/{os.environ['MODEL']}",
    "api_base": os.environ["OPENAI_BASE_URL"],
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "max_tokens": 24,
    "temperature": 0,
}


def main() -> None:
    """Ask three times in three ways: the answer is the same."""
    whole = litellm.completion(**ASKED)
    text = whole.choices[0].message.content
    assert "Paris" in text, text
    assert whole.usage.total_tokens > 0
    pieces = [chunk.choices[0].delta.content or "" for chunk in litellm.completion(**ASKED, stream=True)]
    assert "".join(pieces) == text
    later = asyncio.run(litellm.acompletion(**ASKED))
    assert later.choices[0].message.content == text
    try:
        litellm.completion(**{**ASKED, "model": "openai/nobody"})
    except litellm.NotFoundError:
        pass
    else:
        raise AssertionError("an unknown model was not refused")
    print(f"  litellm {version('litellm')}: whole, streaming in {len(pieces)} pieces, async, 404")


main()
