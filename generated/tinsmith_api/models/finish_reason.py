# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.finish_reason_type import FinishReasonType, check_finish_reason_type

T = TypeVar("T", bound="FinishReason")


@_attrs_define
class FinishReason:
    """Why a client ends its session."""

    type_: FinishReasonType
    """ How the work went. """

    def to_dict(self) -> dict[str, Any]:
        type_: str = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = check_finish_reason_type(d.pop("type"))

        finish_reason = cls(
            type_=type_,
        )

        return finish_reason
