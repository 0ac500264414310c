"""/tokenizer_info, /tokenize and /detokenize: the tokenizer of a model for programs that have none.

The shapes are those of vLLM, which evaluation programs know.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tinsmith.gateway.prompts import read_conversation
from tinsmith.gateway.wishes import token_ids

if TYPE_CHECKING:
    from tinsmith.gateway.fields import Fields
    from tinsmith.gateway.model_shelf import ServedModel


def describe_tokenizer(model: ServedModel) -> dict[str, Any]:
    """Return the settings of a tokenizer, its special tokens and its chat template."""
    tokenizer = model.tokenizer
    template = tokenizer.chat_template
    return {
        **tokenizer.config,
        **tokenizer.special_tokens_map,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model.context,
        "chat_template": template if isinstance(template, str) else (template or {}).get("default"),
    }


async def tokenize(fields: Fields, model: ServedModel) -> dict[str, Any]:
    """Return the tokens of a text, or of messages."""
    fields.ignore("model")
    strings = fields.flag("return_token_strs")
    special = fields.take("add_special_tokens")
    text = fields.text("prompt")
    if text is not None:
        if not isinstance(special, bool | None):
            raise fields.refuse("add_special_tokens", "must be true or false", "invalid_type")
        fields.finish()
        tokens = await asyncio.to_thread(model.tokenizer.encode, text, None, special is not False)
    else:
        conversation = read_conversation(fields)
        opens = fields.flag("add_generation_prompt", True)
        fields.finish()
        tokens = await asyncio.to_thread(conversation.render, model.tokenizer, add_generation_prompt=opens)
    texts = [model.token_texts.text(token) for token in tokens] if strings else None
    return {
        "count": len(tokens),
        "max_model_len": model.context,
        "tokens": tokens,
        "token_strs": texts,
    }


async def detokenize(fields: Fields, model: ServedModel) -> dict[str, Any]:
    """Return the text of tokens, special ones included."""
    fields.ignore("model")
    tokens = token_ids(fields.required("tokens"), "tokens")
    fields.finish()
    return {"prompt": await asyncio.to_thread(model.tokenizer.decode, tokens)}
