# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.dmel_chunk import DmelChunk
    from ..models.encoded_text_chunk import EncodedTextChunk
    from ..models.image_asset_pointer_chunk import ImageAssetPointerChunk
    from ..models.image_chunk import ImageChunk


T = TypeVar("T", bound="ModelInput")


@_attrs_define
class ModelInput:
    """What a model reads, one chunk after the other."""

    chunks: list[DmelChunk | EncodedTextChunk | ImageAssetPointerChunk | ImageChunk]
    """ The chunks, in order. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.dmel_chunk import DmelChunk  # noqa: PLC0415
        from ..models.encoded_text_chunk import EncodedTextChunk  # noqa: PLC0415
        from ..models.image_asset_pointer_chunk import ImageAssetPointerChunk  # noqa: PLC0415
        from ..models.image_chunk import ImageChunk  # noqa: PLC0415

        chunks = []
        for chunks_item_data in self.chunks:
            chunks_item: dict[str, Any]
            if isinstance(chunks_item_data, EncodedTextChunk):
                chunks_item = chunks_item_data.to_dict()
            elif isinstance(chunks_item_data, ImageChunk):
                chunks_item = chunks_item_data.to_dict()
            elif isinstance(chunks_item_data, ImageAssetPointerChunk):
                chunks_item = chunks_item_data.to_dict()
            elif isinstance(chunks_item_data, DmelChunk):
                chunks_item = chunks_item_data.to_dict()
            else:
                raise TypeError(f"chunks_item: unexpected {type(chunks_item_data).__name__}")

            chunks.append(chunks_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "chunks": chunks,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.dmel_chunk import DmelChunk  # noqa: PLC0415
        from ..models.encoded_text_chunk import EncodedTextChunk  # noqa: PLC0415
        from ..models.image_asset_pointer_chunk import ImageAssetPointerChunk  # noqa: PLC0415
        from ..models.image_chunk import ImageChunk  # noqa: PLC0415

        d = dict(src_dict)
        chunks = []
        _chunks = d.pop("chunks")
        for chunks_item_data in _chunks:

            def _parse_chunks_item(
                data: Any,
            ) -> DmelChunk | EncodedTextChunk | ImageAssetPointerChunk | ImageChunk:
                tag = data["type"]
                if tag == "encoded_text":
                    return EncodedTextChunk.from_dict(data)
                if tag == "image":
                    return ImageChunk.from_dict(data)
                if tag == "image_asset_pointer":
                    return ImageAssetPointerChunk.from_dict(data)
                if tag == "dmel":
                    return DmelChunk.from_dict(data)
                raise ValueError(f"unknown type {tag!r}")

            chunks_item = _parse_chunks_item(chunks_item_data)

            chunks.append(chunks_item)

        model_input = cls(
            chunks=chunks,
        )

        return model_input
