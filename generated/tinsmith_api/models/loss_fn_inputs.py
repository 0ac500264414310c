# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.tensor_data import TensorData


T = TypeVar("T", bound="LossFnInputs")


@_attrs_define
class LossFnInputs:
    """What the loss reads beside the model input, by name. Each tensor is as long as the input, and position i is about
    token i + 1. All losses need `target_tokens` (int64); by loss come `weights`, `logprobs` and `advantages` (float32).
    cross_entropy also takes two-dimensional `target_tokens` and `weights`, with several targets for each position.

    """

    additional_properties: dict[str, TensorData] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop.to_dict()

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.tensor_data import TensorData  # noqa: PLC0415

        d = dict(src_dict)
        loss_fn_inputs = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = TensorData.from_dict(prop_dict)

            additional_properties[prop_name] = additional_property

        loss_fn_inputs.additional_properties = additional_properties
        return loss_fn_inputs

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> TensorData:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: TensorData) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
