# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="EncodedTextChunk")


@_attrs_define
class EncodedTextChunk:
    """A stretch of text, as token ids."""

    tokens: list[int]
    """ Token ids, of the model's tokenizer. """
    type_: Literal["encoded_text"] = "encoded_text"
    """ The kind of chunk, always `encoded_text`. """

    def to_dict(self) -> dict[str, Any]:
        tokens = self.tokens

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "tokens": tokens,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        tokens = cast(list[int], d.pop("tokens"))

        type_ = cast(Literal["encoded_text"], d.pop("type"))
        if type_ != "encoded_text":
            raise ValueError(f"type must match const 'encoded_text', got '{type_}'")

        encoded_text_chunk = cls(
            tokens=tokens,
            type_=type_,
        )

        return encoded_text_chunk
