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
    """An image."""

    data: str
    """ The image file, in standard base64. """
    format_: ImageFormat
    """ Format of an image file. """
    type_: Literal["image"] = "image"
    """ The kind of chunk, always `image`. """
    expected_tokens: int | None | Unset = UNSET
    """ Positions that the image will take in the context. The server checks it and may refuse a mismatch. Absent or
    null leaves it to the server.
     """

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
