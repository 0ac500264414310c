# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateSessionResponse")


@_attrs_define
class CreateSessionResponse:
    """The session is open."""

    session_id: str
    """ Id of a session. Opaque: servers form it as they like. """
    type_: str | Unset = UNSET
    """ The kind of answer, `create_session`. """
    info_message: None | str | Unset = UNSET
    """ Message that the client logs at INFO. Absent or null for none. """
    warning_message: None | str | Unset = UNSET
    """ Message that the client logs at WARNING. Absent or null for none. """
    error_message: None | str | Unset = UNSET
    """ Message that the client logs at ERROR. Absent or null for none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        session_id = self.session_id

        type_ = self.type_

        info_message: None | str | Unset
        if isinstance(self.info_message, Unset):
            info_message = UNSET
        else:
            info_message = self.info_message

        warning_message: None | str | Unset
        if isinstance(self.warning_message, Unset):
            warning_message = UNSET
        else:
            warning_message = self.warning_message

        error_message: None | str | Unset
        if isinstance(self.error_message, Unset):
            error_message = UNSET
        else:
            error_message = self.error_message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "session_id": session_id,
            }
        )
        if type_ is not UNSET:
            field_dict["type"] = type_
        if info_message is not UNSET:
            field_dict["info_message"] = info_message
        if warning_message is not UNSET:
            field_dict["warning_message"] = warning_message
        if error_message is not UNSET:
            field_dict["error_message"] = error_message

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        session_id = d.pop("session_id")

        type_ = d.pop("type", UNSET)

        info_message = cast(None | str | Unset, d.pop("info_message", UNSET))

        warning_message = cast(None | str | Unset, d.pop("warning_message", UNSET))

        error_message = cast(None | str | Unset, d.pop("error_message", UNSET))

        create_session_response = cls(
            session_id=session_id,
            type_=type_,
            info_message=info_message,
            warning_message=warning_message,
            error_message=error_message,
        )

        create_session_response.additional_properties = d
        return create_session_response

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
