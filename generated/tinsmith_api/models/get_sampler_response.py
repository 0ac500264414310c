# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="GetSamplerResponse")


@_attrs_define
class GetSamplerResponse:
    """What a sampler samples."""

    sampler_id: str
    """ Id of a sampler. The hosted service forms it as `<session>:sample:<n>`. Treat it as opaque. """
    base_model: str
    """ Name of a base model, as `get_server_capabilities` lists it. """
    model_path: None | str | Unset = UNSET
    """ Saved weights that it samples, as a `tinker://` path. Absent or null for the base model itself. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        sampler_id = self.sampler_id

        base_model = self.base_model

        model_path: None | str | Unset
        if isinstance(self.model_path, Unset):
            model_path = UNSET
        else:
            model_path = self.model_path

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "sampler_id": sampler_id,
                "base_model": base_model,
            }
        )
        if model_path is not UNSET:
            field_dict["model_path"] = model_path

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        sampler_id = d.pop("sampler_id")

        base_model = d.pop("base_model")

        model_path = cast(None | str | Unset, d.pop("model_path", UNSET))

        get_sampler_response = cls(
            sampler_id=sampler_id,
            base_model=base_model,
            model_path=model_path,
        )

        get_sampler_response.additional_properties = d
        return get_sampler_response

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
