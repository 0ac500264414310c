# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="SupportedModel")


@_attrs_define
class SupportedModel:
    """A base model that the server offers."""

    model_name: None | str | Unset = UNSET
    """ Its name, to be passed as `base_model`. Null where the server does not say. """
    max_context_length: int | None | Unset = UNSET
    """ Longest prompt and completion together, in tokens. Absent or null where the server does not say. """
    trainable: bool | None | Unset = UNSET
    """ Whether it can be trained. Absent or null where the server does not say. """
    sampleable: bool | None | Unset = UNSET
    """ Whether it can be sampled. Absent or null where the server does not say. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_name: None | str | Unset
        if isinstance(self.model_name, Unset):
            model_name = UNSET
        else:
            model_name = self.model_name

        max_context_length: int | None | Unset
        if isinstance(self.max_context_length, Unset):
            max_context_length = UNSET
        else:
            max_context_length = self.max_context_length

        trainable: bool | None | Unset
        if isinstance(self.trainable, Unset):
            trainable = UNSET
        else:
            trainable = self.trainable

        sampleable: bool | None | Unset
        if isinstance(self.sampleable, Unset):
            sampleable = UNSET
        else:
            sampleable = self.sampleable

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if model_name is not UNSET:
            field_dict["model_name"] = model_name
        if max_context_length is not UNSET:
            field_dict["max_context_length"] = max_context_length
        if trainable is not UNSET:
            field_dict["trainable"] = trainable
        if sampleable is not UNSET:
            field_dict["sampleable"] = sampleable

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        model_name = cast(None | str | Unset, d.pop("model_name", UNSET))

        max_context_length = cast(int | None | Unset, d.pop("max_context_length", UNSET))

        trainable = cast(bool | None | Unset, d.pop("trainable", UNSET))

        sampleable = cast(bool | None | Unset, d.pop("sampleable", UNSET))

        supported_model = cls(
            model_name=model_name,
            max_context_length=max_context_length,
            trainable=trainable,
            sampleable=sampleable,
        )

        supported_model.additional_properties = d
        return supported_model

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
