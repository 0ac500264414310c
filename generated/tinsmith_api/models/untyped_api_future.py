# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="UntypedAPIFuture")


@_attrs_define
class UntypedAPIFuture:
    """A promise: the server accepted the work under this id. Its result is asked for with `retrieve_future`."""

    request_id: str
    """ Id of a promise. Always text, even where it looks like a number. Treat it as opaque. """
    model_id: None | str | Unset = UNSET
    """ Model that the promise belongs to. Absent or null where the server does not say. """
    sample_sequence_ids: list[str] | None | Unset = UNSET
    """ One id for each sample that was asked for, by which later requests say where tokens came from. Absent or
    null for other work, and on servers that give none.
     """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        request_id = self.request_id

        model_id: None | str | Unset
        if isinstance(self.model_id, Unset):
            model_id = UNSET
        else:
            model_id = self.model_id

        sample_sequence_ids: list[str] | None | Unset
        if isinstance(self.sample_sequence_ids, Unset):
            sample_sequence_ids = UNSET
        else:
            sample_sequence_ids = self.sample_sequence_ids

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "request_id": request_id,
            }
        )
        if model_id is not UNSET:
            field_dict["model_id"] = model_id
        if sample_sequence_ids is not UNSET:
            field_dict["sample_sequence_ids"] = sample_sequence_ids

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        request_id = d.pop("request_id")

        model_id = cast(None | str | Unset, d.pop("model_id", UNSET))

        sample_sequence_ids = cast(list[str] | None | Unset, d.pop("sample_sequence_ids", UNSET))

        untyped_api_future = cls(
            request_id=request_id,
            model_id=model_id,
            sample_sequence_ids=sample_sequence_ids,
        )

        untyped_api_future.additional_properties = d
        return untyped_api_future

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
