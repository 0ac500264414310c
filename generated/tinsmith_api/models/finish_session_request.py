# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.finish_reason import FinishReason


T = TypeVar("T", bound="FinishSessionRequest")


@_attrs_define
class FinishSessionRequest:
    """End a session."""

    reason: FinishReason
    """ Why a client ends its session. """
    detail: None | str | Unset = UNSET
    """ More about the end, in words. Absent or null for nothing. """

    def to_dict(self) -> dict[str, Any]:
        reason = self.reason.to_dict()

        detail: None | str | Unset
        if isinstance(self.detail, Unset):
            detail = UNSET
        else:
            detail = self.detail

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "reason": reason,
            }
        )
        if detail is not UNSET:
            field_dict["detail"] = detail

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.finish_reason import FinishReason  # noqa: PLC0415

        d = dict(src_dict)
        reason = FinishReason.from_dict(d.pop("reason"))

        detail = cast(None | str | Unset, d.pop("detail", UNSET))

        finish_session_request = cls(
            reason=reason,
            detail=detail,
        )

        return finish_session_request
