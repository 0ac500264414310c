# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.session_status_reason import SessionStatusReason


T = TypeVar("T", bound="SessionStatus")


@_attrs_define
class SessionStatus:
    """The state of a session, told apart by `type`: `active`; `cancelled`, perhaps with a `detail`; `failed`, with
    `category`, `reason` and `message`; `client_finished`, with a `reason` and perhaps a `detail`.

    """

    type_: str
    """ The kind of state. """
    category: None | str | Unset = UNSET
    """ Whether the user or the service caused the failure. Only for `failed`. """
    reason: None | SessionStatusReason | Unset = UNSET
    """ What failed, or why the client ended the session. Only for `failed` and `client_finished`. """
    message: None | str | Unset = UNSET
    """ The failure in words. Only for `failed`. """
    detail: None | str | Unset = UNSET
    """ More about the end, in words. Only for `cancelled` and `client_finished`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.session_status_reason import SessionStatusReason  # noqa: PLC0415

        type_ = self.type_

        category: None | str | Unset
        if isinstance(self.category, Unset):
            category = UNSET
        else:
            category = self.category

        reason: dict[str, Any] | None | Unset
        if isinstance(self.reason, Unset):
            reason = UNSET
        elif isinstance(self.reason, SessionStatusReason):
            reason = self.reason.to_dict()
        else:
            reason = self.reason

        message: None | str | Unset
        if isinstance(self.message, Unset):
            message = UNSET
        else:
            message = self.message

        detail: None | str | Unset
        if isinstance(self.detail, Unset):
            detail = UNSET
        else:
            detail = self.detail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
            }
        )
        if category is not UNSET:
            field_dict["category"] = category
        if reason is not UNSET:
            field_dict["reason"] = reason
        if message is not UNSET:
            field_dict["message"] = message
        if detail is not UNSET:
            field_dict["detail"] = detail

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.session_status_reason import SessionStatusReason  # noqa: PLC0415

        d = dict(src_dict)
        type_ = d.pop("type")

        category = cast(None | str | Unset, d.pop("category", UNSET))

        def _parse_reason(data: Any) -> None | SessionStatusReason | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return SessionStatusReason.from_dict(data)

        reason = _parse_reason(d.pop("reason", UNSET))

        message = cast(None | str | Unset, d.pop("message", UNSET))

        detail = cast(None | str | Unset, d.pop("detail", UNSET))

        session_status = cls(
            type_=type_,
            category=category,
            reason=reason,
            message=message,
            detail=detail,
        )

        session_status.additional_properties = d
        return session_status

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
