# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..models.image_format import ImageFormat, check_image_format
from ..types import UNSET, Unset

T = TypeVar("T", bound="ImageAssetPointerChunk")


@_attrs_define
class ImageAssetPointerChunk:
    """An image that the server has or fetches. There is no binary form of it."""

    format_: ImageFormat
    """ Format of an image file. """
    location: str
    """ Where the server finds the image. """
    type_: Literal["image_asset_pointer"] = "image_asset_pointer"
    """ The kind of chunk, always `image_asset_pointer`. """
    expected_tokens: int | None | Unset = UNSET
    """ Positions that the image will take in the context. The server checks it and may refuse a mismatch. Absent or
    null leaves it to the server.
     """

    def to_dict(self) -> dict[str, Any]:
        format_: str = self.format_

        location = self.location

        type_ = self.type_

        expected_tokens: int | None | Unset
        if isinstance(self.expected_tokens, Unset):
            expected_tokens = UNSET
        else:
            expected_tokens = self.expected_tokens

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "format": format_,
                "location": location,
                "type": type_,
            }
        )
        if expected_tokens is not UNSET:
            field_dict["expected_tokens"] = expected_tokens

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        format_ = check_image_format(d.pop("format"))

        location = d.pop("location")

        type_ = cast(Literal["image_asset_pointer"], d.pop("type"))
        if type_ != "image_asset_pointer":
            raise ValueError(f"type must match const 'image_asset_pointer', got '{type_}'")

        expected_tokens = cast(int | None | Unset, d.pop("expected_tokens", UNSET))

        image_asset_pointer_chunk = cls(
            format_=format_,
            location=location,
            type_=type_,
            expected_tokens=expected_tokens,
        )

        return image_asset_pointer_chunk
