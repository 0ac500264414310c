# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="CurrentCheckpointStorageUsageItem")


@_attrs_define
class CurrentCheckpointStorageUsageItem:
    """What the stored checkpoints of one user in one project take."""

    checkpoint_count: int
    """ Number of stored checkpoints. """
    size_bytes: int
    """ Their size together, in bytes. """
    size_gigabytes: float
    """ Their size together, in gigabytes. """
    project_id: None | str | Unset = UNSET
    """ The project. Absent or null for checkpoints that belong to none. """
    org_user_urn: None | str | Unset = UNSET
    """ The user, as a URN. Absent or null where the server does not say. """
    user_email: None | str | Unset = UNSET
    """ Email address of the user. Absent or null where the server does not say. """
    user_name: None | str | Unset = UNSET
    """ Name of the user. Absent or null where the server does not say. """
    estimated_monthly_cost_usd: float | None | Unset = UNSET
    """ Estimated cost of keeping them for a month, in US dollars. Absent or null where it is not known. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        checkpoint_count = self.checkpoint_count

        size_bytes = self.size_bytes

        size_gigabytes = self.size_gigabytes

        project_id: None | str | Unset
        if isinstance(self.project_id, Unset):
            project_id = UNSET
        else:
            project_id = self.project_id

        org_user_urn: None | str | Unset
        if isinstance(self.org_user_urn, Unset):
            org_user_urn = UNSET
        else:
            org_user_urn = self.org_user_urn

        user_email: None | str | Unset
        if isinstance(self.user_email, Unset):
            user_email = UNSET
        else:
            user_email = self.user_email

        user_name: None | str | Unset
        if isinstance(self.user_name, Unset):
            user_name = UNSET
        else:
            user_name = self.user_name

        estimated_monthly_cost_usd: float | None | Unset
        if isinstance(self.estimated_monthly_cost_usd, Unset):
            estimated_monthly_cost_usd = UNSET
        else:
            estimated_monthly_cost_usd = self.estimated_monthly_cost_usd

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "checkpoint_count": checkpoint_count,
                "size_bytes": size_bytes,
                "size_gigabytes": size_gigabytes,
            }
        )
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if org_user_urn is not UNSET:
            field_dict["org_user_urn"] = org_user_urn
        if user_email is not UNSET:
            field_dict["user_email"] = user_email
        if user_name is not UNSET:
            field_dict["user_name"] = user_name
        if estimated_monthly_cost_usd is not UNSET:
            field_dict["estimated_monthly_cost_usd"] = estimated_monthly_cost_usd

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        checkpoint_count = d.pop("checkpoint_count")

        size_bytes = d.pop("size_bytes")

        size_gigabytes = d.pop("size_gigabytes")

        project_id = cast(None | str | Unset, d.pop("project_id", UNSET))

        org_user_urn = cast(None | str | Unset, d.pop("org_user_urn", UNSET))

        user_email = cast(None | str | Unset, d.pop("user_email", UNSET))

        user_name = cast(None | str | Unset, d.pop("user_name", UNSET))

        estimated_monthly_cost_usd = cast(float | None | Unset, d.pop("estimated_monthly_cost_usd", UNSET))

        current_checkpoint_storage_usage_item = cls(
            checkpoint_count=checkpoint_count,
            size_bytes=size_bytes,
            size_gigabytes=size_gigabytes,
            project_id=project_id,
            org_user_urn=org_user_urn,
            user_email=user_email,
            user_name=user_name,
            estimated_monthly_cost_usd=estimated_monthly_cost_usd,
        )

        current_checkpoint_storage_usage_item.additional_properties = d
        return current_checkpoint_storage_usage_item

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
