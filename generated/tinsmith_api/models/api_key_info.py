# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.api_key_details import ApiKeyDetails


T = TypeVar("T", bound="ApiKeyInfo")


@_attrs_define
class ApiKeyInfo:
    """What the server knows about the key that this request was made with."""

    key_id: int
    """ Number of the key. It is no secret. """
    name: str
    """ Name that the user gave the key. """
    note: str
    """ Remark that the user added; empty for none. """
    details: ApiKeyDetails
    """ The organization and the user that a key belongs to. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        key_id = self.key_id

        name = self.name

        note = self.note

        details = self.details.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "key_id": key_id,
                "name": name,
                "note": note,
                "details": details,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.api_key_details import ApiKeyDetails  # noqa: PLC0415

        d = dict(src_dict)
        key_id = d.pop("key_id")

        name = d.pop("name")

        note = d.pop("note")

        details = ApiKeyDetails.from_dict(d.pop("details"))

        api_key_info = cls(
            key_id=key_id,
            name=name,
            note=note,
            details=details,
        )

        api_key_info.additional_properties = d
        return api_key_info

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
