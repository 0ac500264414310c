"""Which tokenizer belongs to which model. A pure table of names; finds and loads nothing."""

from __future__ import annotations

import attrs

from tinsmith.core.errors import InputError

LLAMA3_TOKENIZER = "thinkingmachineslabinc/meta-llama-3-instruct-tokenizer"
"""Ungated copy of the Llama 3 tokenizer, for every model named `meta-llama/Llama-3...`."""

PINNED = {
    "moonshotai/Kimi-K2-Thinking": "612681931a8c906ddb349f8ad0f582cb552189cd",
    "moonshotai/Kimi-K2.5": "4d01dfe0332d63057c186e0b262165819efb6611",
    "moonshotai/Kimi-K2.6": "b5aabbfb20227ed42becbf5541dbffd213942c58",
    "moonshotai/Kimi-K3": "f831ab66814297da540d832a5235f8e904f29d06",
}
"""Repositories whose tokenizer is code, at the revision that the official client 0.38 pins."""

NOT_PUBLISHED = ("thinkingmachines/", "TML/")
"""Owners whose models have a tokenizer in no repository."""

TEXT_ONLY = "-Text-Only"
"""Ending of a model's name that changes what it reads and not its tokenizer."""


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

    What follows the first colon says how a model is served, `name:peft:131072`, and does not count. A name
    with two slashes is a variant, `owner/model/variant`: the first two parts count. InputError where no
    repository has the tokenizer.
    """
    name = told or _by_name(model_name.partition(":")[0])
    if name.startswith(NOT_PUBLISHED):
        raise InputError(
            f"the tokenizer of {name} is in no repository: models of Thinking Machines come with a renderer,"
            " in the package tml-renderers, that makes token ids from messages",
            field="base_model",
        )
    name = name.removesuffix(TEXT_ONLY)
    revision = PINNED.get(name)
    return TokenizerId(name, revision, trust_remote_code=revision is not None)


def _by_name(model_name: str) -> str:
    if model_name.startswith("meta-llama/Llama-3"):
        return LLAMA3_TOKENIZER
    return model_name.rpartition("/")[0] if model_name.count("/") == 2 else model_name
