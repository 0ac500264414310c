# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ClientFinishedSessionStatusQuery")


@_attrs_define
class ClientFinishedSessionStatusQuery:
    """Search among the sessions that their client ended."""

    type_: Literal["client_finished"] = "client_finished"
    """ The state, always `client_finished`. """
    reasons: list[str] | None | Unset = UNSET
    """ Only those that ended for one of these reasons, each `success`, `errored` or `interrupted`. Absent or null
    means any reason.
     """

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
        type_ = cast(Literal["client_finished"], d.pop("type"))
        if type_ != "client_finished":
            raise ValueError(f"type must match const 'client_finished', got '{type_}'")

        reasons = cast(list[str] | None | Unset, d.pop("reasons", UNSET))

        client_finished_session_status_query = cls(
            type_=type_,
            reasons=reasons,
        )

        return client_finished_session_status_query
