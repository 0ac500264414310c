# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""EncodedTextChunk."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class EncodedTextChunk(Value):
    """A stretch of text, as token ids.

    * `tokens`: Token ids, of the model's tokenizer. Unit: tokens.
    * `type`: The kind of chunk, always `encoded_text`.
    """

    tokens: list[int]
    """Token ids, of the model's tokenizer. Unit: tokens."""
    type: Literal["encoded_text"] = "encoded_text"
    """The kind of chunk, always `encoded_text`."""
