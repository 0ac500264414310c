# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="SaveWeightsExternalResponse")


@_attrs_define
class SaveWeightsExternalResponse:
    """The files are stored."""

    path: None | str | Unset = UNSET
    """ Where the files are, as a `tinker://` path of kind `external_weights`. Absent or null where the server does
    not say. """
    size_bytes: int | None | Unset = UNSET
    """ Size of all files together, in bytes. Absent or null where the server does not say. """
    type_: None | str | Unset = UNSET
    """ The kind of result, `save_weights_external`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        path: None | str | Unset
        if isinstance(self.path, Unset):
            path = UNSET
        else:
            path = self.path

        size_bytes: int | None | Unset
        if isinstance(self.size_bytes, Unset):
            size_bytes = UNSET
        else:
            size_bytes = self.size_bytes

        type_: None | str | Unset
        if isinstance(self.type_, Unset):
            type_ = UNSET
        else:
            type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if path is not UNSET:
            field_dict["path"] = path
        if size_bytes is not UNSET:
            field_dict["size_bytes"] = size_bytes
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        path = cast(None | str | Unset, d.pop("path", UNSET))

        size_bytes = cast(int | None | Unset, d.pop("size_bytes", UNSET))

        type_ = cast(None | str | Unset, d.pop("type", UNSET))

        save_weights_external_response = cls(
            path=path,
            size_bytes=size_bytes,
            type_=type_,
        )

        save_weights_external_response.additional_properties = d
        return save_weights_external_response

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
