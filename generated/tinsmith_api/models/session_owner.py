# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.session_owner_type import SessionOwnerType, check_session_owner_type
from ..types import UNSET, Unset

T = TypeVar("T", bound="SessionOwner")


@_attrs_define
class SessionOwner:
    """Whose sessions to search."""

    type_: SessionOwnerType
    """ Own ones, all that are accessible, or those of named users. """
    owner_urns: list[str] | Unset = UNSET
    """ The users, for type `user`. """

    def to_dict(self) -> dict[str, Any]:
        type_: str = self.type_

        owner_urns: list[str] | Unset = UNSET
        if not isinstance(self.owner_urns, Unset):
            owner_urns = self.owner_urns

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "type": type_,
            }
        )
        if owner_urns is not UNSET:
            field_dict["owner_urns"] = owner_urns

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = check_session_owner_type(d.pop("type"))

        owner_urns = cast(list[str], d.pop("owner_urns", UNSET))

        session_owner = cls(
            type_=type_,
            owner_urns=owner_urns,
        )

        return session_owner
