# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="DimuonOptimizerConfig")


@_attrs_define
class DimuonOptimizerConfig:
    """Train a model with Dimuon."""

    type_: Literal["dimuon"] = "dimuon"
    """ The kind of optimizer, always `dimuon`. """
    version: int | Unset = UNSET
    """ Version of the optimizer. Absent means 1. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        version = self.version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
            }
        )
        if version is not UNSET:
            field_dict["version"] = version

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = cast(Literal["dimuon"], d.pop("type"))
        if type_ != "dimuon":
            raise ValueError(f"type must match const 'dimuon', got '{type_}'")

        version = d.pop("version", UNSET)

        dimuon_optimizer_config = cls(
            type_=type_,
            version=version,
        )

        dimuon_optimizer_config.additional_properties = d
        return dimuon_optimizer_config

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
