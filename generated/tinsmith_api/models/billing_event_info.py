# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="BillingEventInfo")


@_attrs_define
class BillingEventInfo:
    """What was used, told apart by `type`: `training` (with `token_count`), `sampling_prefill` (`token_count` and
    `cached`), `sampling_sample` (`token_count`), `checkpoint` (`count`) or `storage` (`gigabyte_hours`, perhaps
    `free`).

    """

    type_: str
    """ The kind of use. """
    token_count: int | None | Unset = UNSET
    """ Tokens trained on, read or sampled. Only for `training`, `sampling_prefill` and `sampling_sample`. """
    cached: bool | None | Unset = UNSET
    """ Whether the tokens of the prompt had been computed before. Only for `sampling_prefill`. """
    count: int | None | Unset = UNSET
    """ Number of checkpoints saved. Only for `checkpoint`. """
    gigabyte_hours: float | None | Unset = UNSET
    """ Storage used, in gigabytes times hours. Only for `storage`. """
    free: bool | None | Unset = UNSET
    """ Whether the storage costs nothing. Only for `storage`, where absent means no. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        token_count: int | None | Unset
        if isinstance(self.token_count, Unset):
            token_count = UNSET
        else:
            token_count = self.token_count

        cached: bool | None | Unset
        if isinstance(self.cached, Unset):
            cached = UNSET
        else:
            cached = self.cached

        count: int | None | Unset
        if isinstance(self.count, Unset):
            count = UNSET
        else:
            count = self.count

        gigabyte_hours: float | None | Unset
        if isinstance(self.gigabyte_hours, Unset):
            gigabyte_hours = UNSET
        else:
            gigabyte_hours = self.gigabyte_hours

        free: bool | None | Unset
        if isinstance(self.free, Unset):
            free = UNSET
        else:
            free = self.free

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
            }
        )
        if token_count is not UNSET:
            field_dict["token_count"] = token_count
        if cached is not UNSET:
            field_dict["cached"] = cached
        if count is not UNSET:
            field_dict["count"] = count
        if gigabyte_hours is not UNSET:
            field_dict["gigabyte_hours"] = gigabyte_hours
        if free is not UNSET:
            field_dict["free"] = free

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = d.pop("type")

        token_count = cast(int | None | Unset, d.pop("token_count", UNSET))

        cached = cast(bool | None | Unset, d.pop("cached", UNSET))

        count = cast(int | None | Unset, d.pop("count", UNSET))

        gigabyte_hours = cast(float | None | Unset, d.pop("gigabyte_hours", UNSET))

        free = cast(bool | None | Unset, d.pop("free", UNSET))

        billing_event_info = cls(
            type_=type_,
            token_count=token_count,
            cached=cached,
            count=count,
            gigabyte_hours=gigabyte_hours,
            free=free,
        )

        billing_event_info.additional_properties = d
        return billing_event_info

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
