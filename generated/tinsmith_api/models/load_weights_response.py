# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="LoadWeightsResponse")


@_attrs_define
class LoadWeightsResponse:
    """The checkpoint is loaded."""

    path: None | str | Unset = UNSET
    """ The checkpoint that was loaded. Absent or null where the server does not repeat it. """
    model_id: None | str | Unset = UNSET
    """ The model that the load created. Absent or null where it loaded into an existing one. """
    type_: None | str | Unset = UNSET
    """ The kind of result, `load_weights`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        path: None | str | Unset
        if isinstance(self.path, Unset):
            path = UNSET
        else:
            path = self.path

        model_id: None | str | Unset
        if isinstance(self.model_id, Unset):
            model_id = UNSET
        else:
            model_id = self.model_id

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
        if model_id is not UNSET:
            field_dict["model_id"] = model_id
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        path = cast(None | str | Unset, d.pop("path", UNSET))

        model_id = cast(None | str | Unset, d.pop("model_id", UNSET))

        type_ = cast(None | str | Unset, d.pop("type", UNSET))

        load_weights_response = cls(
            path=path,
            model_id=model_id,
            type_=type_,
        )

        load_weights_response.additional_properties = d
        return load_weights_response

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
