# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..models.image_format import ImageFormat, check_image_format
from ..types import UNSET, Unset

T = TypeVar("T", bound="ImageChunk")


@_attrs_define
class ImageChunk:
    """A picture."""

    data: str
    """ The file, in standard base64. """
    format_: ImageFormat
    """ The kind of image file. """
    type_: Literal["image"] = "image"
    """ The kind of chunk. """
    expected_tokens: int | None | Unset = UNSET
    """ How many positions the caller counts on. Advisory: a server may refuse a mismatch. """

    def to_dict(self) -> dict[str, Any]:
        data = self.data

        format_: str = self.format_

        type_ = self.type_

        expected_tokens: int | None | Unset
        if isinstance(self.expected_tokens, Unset):
            expected_tokens = UNSET
        else:
            expected_tokens = self.expected_tokens

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "data": data,
                "format": format_,
                "type": type_,
            }
        )
        if expected_tokens is not UNSET:
            field_dict["expected_tokens"] = expected_tokens

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        data = d.pop("data")

        format_ = check_image_format(d.pop("format"))

        type_ = cast(Literal["image"], d.pop("type"))
        if type_ != "image":
            raise ValueError(f"type must match const 'image', got '{type_}'")

        expected_tokens = cast(int | None | Unset, d.pop("expected_tokens", UNSET))

        image_chunk = cls(
            data=data,
            format_=format_,
            type_=type_,
            expected_tokens=expected_tokens,
        )

        return image_chunk
