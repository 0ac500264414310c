# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="UserSearchOwner")


@_attrs_define
class UserSearchOwner:
    """Search among the sessions of named users."""

    owner_urns: list[str]
    """ The users, 1 to 10 of them, each by its URN. """
    type_: Literal["user"] = "user"
    """ The kind of owner, always `user`. """

    def to_dict(self) -> dict[str, Any]:
        owner_urns = self.owner_urns

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "owner_urns": owner_urns,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        owner_urns = cast(list[str], d.pop("owner_urns"))

        type_ = cast(Literal["user"], d.pop("type"))
        if type_ != "user":
            raise ValueError(f"type must match const 'user', got '{type_}'")

        user_search_owner = cls(
            owner_urns=owner_urns,
            type_=type_,
        )

        return user_search_owner
