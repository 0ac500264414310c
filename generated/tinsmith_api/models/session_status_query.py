# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="SessionStatusQuery")


@_attrs_define
class SessionStatusQuery:
    """A state that sessions are searched by."""

    type_: str
    """ The state. """
    reasons: list[str] | None | Unset = UNSET
    """ For `client_finished`, how the work went; null for any. """

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        reasons: list[str] | None | Unset
        if isinstance(self.reasons, Unset):
            reasons = UNSET
        else:
            reasons = self.reasons

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "type": type_,
            }
        )
        if reasons is not UNSET:
            field_dict["reasons"] = reasons

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = d.pop("type")

        reasons = cast(list[str] | None | Unset, d.pop("reasons", UNSET))

        session_status_query = cls(
            type_=type_,
            reasons=reasons,
        )

        return session_status_query
