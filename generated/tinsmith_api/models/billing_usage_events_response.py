# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="BillingUsageEventsResponse")


@_attrs_define
class BillingUsageEventsResponse:
    """What was used. The shape of the entries is not documented."""

    data: list[Any]
    """ The usage, entry by entry. """
    sessions: Any | Unset = UNSET
    """ The sessions that the entries belong to. """
    cost_data_through: None | str | Unset = UNSET
    """ Until when costs are known. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        data = self.data

        sessions = self.sessions

        cost_data_through: None | str | Unset
        if isinstance(self.cost_data_through, Unset):
            cost_data_through = UNSET
        else:
            cost_data_through = self.cost_data_through

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "data": data,
            }
        )
        if sessions is not UNSET:
            field_dict["sessions"] = sessions
        if cost_data_through is not UNSET:
            field_dict["cost_data_through"] = cost_data_through

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        data = cast(list[Any], d.pop("data"))

        sessions = d.pop("sessions", UNSET)

        cost_data_through = cast(None | str | Unset, d.pop("cost_data_through", UNSET))

        billing_usage_events_response = cls(
            data=data,
            sessions=sessions,
            cost_data_through=cost_data_through,
        )

        billing_usage_events_response.additional_properties = d
        return billing_usage_events_response

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
