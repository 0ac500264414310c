# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="LossFnConfig")


@_attrs_define
class LossFnConfig:
    """Settings of the loss, by name. ppo and cispo have `clip_low_threshold` and `clip_high_threshold`, dro `beta`, custom
    `loss_id` (a text). Texts are allowed since 0.27.

    """

    additional_properties: dict[str, float | str] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        loss_fn_config = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = cast(float | str, prop_dict)

            additional_properties[prop_name] = additional_property

        loss_fn_config.additional_properties = additional_properties
        return loss_fn_config

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> float | str:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: float | str) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
