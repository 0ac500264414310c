# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="DmelChunk")


@_attrs_define
class DmelChunk:
    """A stretch of sound. The first bytes say how many positions it takes."""

    dmel: str
    """ The encoded sound, in standard base64. """
    type_: Literal["dmel"] = "dmel"
    """ The kind of chunk, always `dmel`. """

    def to_dict(self) -> dict[str, Any]:
        dmel = self.dmel

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "dmel": dmel,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        dmel = d.pop("dmel")

        type_ = cast(Literal["dmel"], d.pop("type"))
        if type_ != "dmel":
            raise ValueError(f"type must match const 'dmel', got '{type_}'")

        dmel_chunk = cls(
            dmel=dmel,
            type_=type_,
        )

        return dmel_chunk
