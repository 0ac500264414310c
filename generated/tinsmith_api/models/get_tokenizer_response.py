# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""GetTokenizerResponse."""

from __future__ import annotations

from typing import Any

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class GetTokenizerResponse(Model):
    """A whole tokenizer. An extension of Tinsmith's embedded service, so that a client needs no model hub.

    * `base_model`: Base model that the tokenizer belongs to.
    * `tokenizer_json`: Content of `tokenizer.json`, as the `tokenizers` library reads it.
    * `chat_template`: Jinja template that turns messages into a prompt. Absent or null where the
      model has none.
    * `bos_token`: Token that begins a text. Absent or null where there is none.
    * `eos_token`: Token that ends a text. Absent or null where there is none.
    * `pad_token`: Token that fills up a batch. Absent or null where there is none.
    * `unk_token`: Token for text that has no token of its own. Absent or null where there is none.
    * `tokenizer_config`: Content of `tokenizer_config.json`, without templates. Absent or null
      where the model has none.
    """

    base_model: str
    """Base model that the tokenizer belongs to."""
    tokenizer_json: str
    """Content of `tokenizer.json`, as the `tokenizers` library reads it."""
    chat_template: str | None = None
    """Jinja template that turns messages into a prompt. Absent or null where the model has none."""
    bos_token: str | None = None
    """Token that begins a text. Absent or null where there is none."""
    eos_token: str | None = None
    """Token that ends a text. Absent or null where there is none."""
    pad_token: str | None = None
    """Token that fills up a batch. Absent or null where there is none."""
    unk_token: str | None = None
    """Token for text that has no token of its own. Absent or null where there is none."""
    tokenizer_config: dict[str, Any] | None = None
    """Content of `tokenizer_config.json`, without templates. Absent or null where the model has none."""
