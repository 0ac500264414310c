# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.billing_event_info import BillingEventInfo


T = TypeVar("T", bound="BillingUsageEvent")


@_attrs_define
class BillingUsageEvent:
    """What one session used of one thing in one hour."""

    bucket_start: datetime.datetime
    """ A moment in ISO 8601. Some servers leave the time zone out; it is then UTC. """
    bucket_end: datetime.datetime
    """ A moment in ISO 8601. Some servers leave the time zone out; it is then UTC. """
    event_info: BillingEventInfo
    """ What was used, told apart by `type`: `training` (with `token_count`), `sampling_prefill` (`token_count` and
    `cached`), `sampling_sample` (`token_count`), `checkpoint` (`count`) or `storage` (`gigabyte_hours`, perhaps
    `free`).
     """
    base_model: None | str | Unset = UNSET
    """ Base model that was used. Absent or null where none was. """
    user_id: None | str | Unset = UNSET
    """ Id of the user. Absent or null where the server does not say. """
    user_name: None | str | Unset = UNSET
    """ Name of the user. Absent or null where the server does not say. """
    session_id: None | str | Unset = UNSET
    """ The session, a key of `sessions`. Absent or null for what belongs to none, storage for example. """
    project_id: None | str | Unset = UNSET
    """ The project that pays. Absent or null for none. """
    estimated_cost_usd: float | None | Unset = UNSET
    """ Estimated cost, in US dollars. Absent or null while it is not known. """
    effective_rate_usd_per_million_tokens: float | None | Unset = UNSET
    """ Price of a million tokens, in US dollars. Absent or null for what is not counted in tokens. """
    effective_rate_usd_per_gigabyte_month: float | None | Unset = UNSET
    """ Price of a gigabyte for a month, in US dollars. Absent or null for what is no storage. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        bucket_start = self.bucket_start.isoformat()

        bucket_end = self.bucket_end.isoformat()

        event_info = self.event_info.to_dict()

        base_model: None | str | Unset
        if isinstance(self.base_model, Unset):
            base_model = UNSET
        else:
            base_model = self.base_model

        user_id: None | str | Unset
        if isinstance(self.user_id, Unset):
            user_id = UNSET
        else:
            user_id = self.user_id

        user_name: None | str | Unset
        if isinstance(self.user_name, Unset):
            user_name = UNSET
        else:
            user_name = self.user_name

        session_id: None | str | Unset
        if isinstance(self.session_id, Unset):
            session_id = UNSET
        else:
            session_id = self.session_id

        project_id: None | str | Unset
        if isinstance(self.project_id, Unset):
            project_id = UNSET
        else:
            project_id = self.project_id

        estimated_cost_usd: float | None | Unset
        if isinstance(self.estimated_cost_usd, Unset):
            estimated_cost_usd = UNSET
        else:
            estimated_cost_usd = self.estimated_cost_usd

        effective_rate_usd_per_million_tokens: float | None | Unset
        if isinstance(self.effective_rate_usd_per_million_tokens, Unset):
            effective_rate_usd_per_million_tokens = UNSET
        else:
            effective_rate_usd_per_million_tokens = self.effective_rate_usd_per_million_tokens

        effective_rate_usd_per_gigabyte_month: float | None | Unset
        if isinstance(self.effective_rate_usd_per_gigabyte_month, Unset):
            effective_rate_usd_per_gigabyte_month = UNSET
        else:
            effective_rate_usd_per_gigabyte_month = self.effective_rate_usd_per_gigabyte_month

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "bucket_start": bucket_start,
                "bucket_end": bucket_end,
                "event_info": event_info,
            }
        )
        if base_model is not UNSET:
            field_dict["base_model"] = base_model
        if user_id is not UNSET:
            field_dict["user_id"] = user_id
        if user_name is not UNSET:
            field_dict["user_name"] = user_name
        if session_id is not UNSET:
            field_dict["session_id"] = session_id
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if estimated_cost_usd is not UNSET:
            field_dict["estimated_cost_usd"] = estimated_cost_usd
        if effective_rate_usd_per_million_tokens is not UNSET:
            field_dict["effective_rate_usd_per_million_tokens"] = effective_rate_usd_per_million_tokens
        if effective_rate_usd_per_gigabyte_month is not UNSET:
            field_dict["effective_rate_usd_per_gigabyte_month"] = effective_rate_usd_per_gigabyte_month

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.billing_event_info import BillingEventInfo  # noqa: PLC0415

        d = dict(src_dict)
        bucket_start = datetime.datetime.fromisoformat(d.pop("bucket_start"))

        bucket_end = datetime.datetime.fromisoformat(d.pop("bucket_end"))

        event_info = BillingEventInfo.from_dict(d.pop("event_info"))

        base_model = cast(None | str | Unset, d.pop("base_model", UNSET))

        user_id = cast(None | str | Unset, d.pop("user_id", UNSET))

        user_name = cast(None | str | Unset, d.pop("user_name", UNSET))

        session_id = cast(None | str | Unset, d.pop("session_id", UNSET))

        project_id = cast(None | str | Unset, d.pop("project_id", UNSET))

        estimated_cost_usd = cast(float | None | Unset, d.pop("estimated_cost_usd", UNSET))

        effective_rate_usd_per_million_tokens = cast(
            float | None | Unset, d.pop("effective_rate_usd_per_million_tokens", UNSET)
        )

        effective_rate_usd_per_gigabyte_month = cast(
            float | None | Unset, d.pop("effective_rate_usd_per_gigabyte_month", UNSET)
        )

        billing_usage_event = cls(
            bucket_start=bucket_start,
            bucket_end=bucket_end,
            event_info=event_info,
            base_model=base_model,
            user_id=user_id,
            user_name=user_name,
            session_id=session_id,
            project_id=project_id,
            estimated_cost_usd=estimated_cost_usd,
            effective_rate_usd_per_million_tokens=effective_rate_usd_per_million_tokens,
            effective_rate_usd_per_gigabyte_month=effective_rate_usd_per_gigabyte_month,
        )

        billing_usage_event.additional_properties = d
        return billing_usage_event

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
