# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.tensor_data_output import TensorDataOutput


T = TypeVar("T", bound="LossFnOutput")


@_attrs_define
class LossFnOutput:
    """What the loss gives back for one datum, by name. `logprobs` are those of the targets; some servers add
    `elementwise_loss`.

    """

    additional_properties: dict[str, TensorDataOutput] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop.to_dict()

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.tensor_data_output import TensorDataOutput  # noqa: PLC0415

        d = dict(src_dict)
        loss_fn_output = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = TensorDataOutput.from_dict(prop_dict)

            additional_properties[prop_name] = additional_property

        loss_fn_output.additional_properties = additional_properties
        return loss_fn_output

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> TensorDataOutput:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: TensorDataOutput) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
