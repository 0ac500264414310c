"""Which tokenizer belongs to which model. A pure table of names; finds and loads nothing."""

from __future__ import annotations

import attrs

LLAMA3_TOKENIZER = "thinkingmachineslabinc/meta-llama-3-tokenizer"
"""Ungated copy of the Llama 3 tokenizer, for every model named `meta-llama/Llama-3...`."""

KIMI_K2_THINKING = "moonshotai/Kimi-K2-Thinking"
"""Its tokenizer is code in its repository, so that the revision must be pinned."""
KIMI_REVISION = "612681931a8c906ddb349f8ad0f582cb552189cd"
"""The revision that the official client pins."""


@attrs.frozen
class TokenizerId:
    """Where a tokenizer is found on the hub."""

    name: str
    """Repository."""
    revision: str | None = None
    """Commit; None is the newest."""
    trust_remote_code: bool = False
    """Whether the tokenizer is code of the repository (only the transformers backend can run it)."""


def tokenizer_id(model_name: str, told: str | None = None) -> TokenizerId:
    """Choose the tokenizer of a model: what the server told, else by the model's name.

    A name with two slashes is a variant, `owner/model/variant`: the first two parts count.
    """
    name = told or model_name
    if not told:
        if model_name.startswith("meta-llama/Llama-3"):
            name = LLAMA3_TOKENIZER
        elif model_name.count("/") == 2:
            name = model_name.rpartition("/")[0]
    if name == KIMI_K2_THINKING:
        return TokenizerId(name, KIMI_REVISION, trust_remote_code=True)
    return TokenizerId(name)
