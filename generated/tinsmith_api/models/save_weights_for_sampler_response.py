# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="SaveWeightsForSamplerResponse")


@_attrs_define
class SaveWeightsForSamplerResponse:
    """The weights can be sampled."""

    path: None | str | Unset = UNSET
    """ Where a named checkpoint is, as a `tinker://` path. Some servers answer two segments instead of three, so
    pass it on and never take it apart. Absent or null for the other form.
     """
    sampling_session_id: None | str | Unset = UNSET
    """ The sampler that unnamed weights became. Absent or null for a named checkpoint. """
    type_: None | str | Unset = UNSET
    """ The kind of result, `save_weights_for_sampler`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        path: None | str | Unset
        if isinstance(self.path, Unset):
            path = UNSET
        else:
            path = self.path

        sampling_session_id: None | str | Unset
        if isinstance(self.sampling_session_id, Unset):
            sampling_session_id = UNSET
        else:
            sampling_session_id = self.sampling_session_id

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
        if sampling_session_id is not UNSET:
            field_dict["sampling_session_id"] = sampling_session_id
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        path = cast(None | str | Unset, d.pop("path", UNSET))

        sampling_session_id = cast(None | str | Unset, d.pop("sampling_session_id", UNSET))

        type_ = cast(None | str | Unset, d.pop("type", UNSET))

        save_weights_for_sampler_response = cls(
            path=path,
            sampling_session_id=sampling_session_id,
            type_=type_,
        )

        save_weights_for_sampler_response.additional_properties = d
        return save_weights_for_sampler_response

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
