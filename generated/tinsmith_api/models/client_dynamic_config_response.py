# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ClientDynamicConfigResponse")


@_attrs_define
class ClientDynamicConfigResponse:
    """The part of the configuration that may change while a client runs."""

    refresh_interval_sec: float | None | Unset = UNSET
    """ Seconds until the client asks again, at least 10. Absent means 300. """
    sample_cancel_enabled: bool | None | Unset = UNSET
    """ Whether a client cancels samples that nobody waits for any more. Absent means no. """
    sample_cancel_max_batch_size: int | None | Unset = UNSET
    """ Most cancellations at a time. Absent means 64. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        refresh_interval_sec: float | None | Unset
        if isinstance(self.refresh_interval_sec, Unset):
            refresh_interval_sec = UNSET
        else:
            refresh_interval_sec = self.refresh_interval_sec

        sample_cancel_enabled: bool | None | Unset
        if isinstance(self.sample_cancel_enabled, Unset):
            sample_cancel_enabled = UNSET
        else:
            sample_cancel_enabled = self.sample_cancel_enabled

        sample_cancel_max_batch_size: int | None | Unset
        if isinstance(self.sample_cancel_max_batch_size, Unset):
            sample_cancel_max_batch_size = UNSET
        else:
            sample_cancel_max_batch_size = self.sample_cancel_max_batch_size

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if refresh_interval_sec is not UNSET:
            field_dict["refresh_interval_sec"] = refresh_interval_sec
        if sample_cancel_enabled is not UNSET:
            field_dict["sample_cancel_enabled"] = sample_cancel_enabled
        if sample_cancel_max_batch_size is not UNSET:
            field_dict["sample_cancel_max_batch_size"] = sample_cancel_max_batch_size

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        refresh_interval_sec = cast(float | None | Unset, d.pop("refresh_interval_sec", UNSET))

        sample_cancel_enabled = cast(bool | None | Unset, d.pop("sample_cancel_enabled", UNSET))

        sample_cancel_max_batch_size = cast(int | None | Unset, d.pop("sample_cancel_max_batch_size", UNSET))

        client_dynamic_config_response = cls(
            refresh_interval_sec=refresh_interval_sec,
            sample_cancel_enabled=sample_cancel_enabled,
            sample_cancel_max_batch_size=sample_cancel_max_batch_size,
        )

        client_dynamic_config_response.additional_properties = d
        return client_dynamic_config_response

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
