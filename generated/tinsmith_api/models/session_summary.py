# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.session_status import SessionStatus
    from ..models.user_metadata import UserMetadata


T = TypeVar("T", bound="SessionSummary")


@_attrs_define
class SessionSummary:
    """One session that was found. Experimental: fields may come and go."""

    session_id: str
    """ The session. """
    created_at: datetime.datetime
    """ A moment in ISO 8601. Some servers leave the time zone out; it is then UTC. """
    owner: str
    """ The user that it belongs to, as a URN. """
    project_id: str
    """ The project that it counts to; empty for none. """
    checkpoints_count: int
    """ Number of checkpoints that it saved and that still exist. """
    status: None | SessionStatus | Unset = UNSET
    """ Its state. Absent or null where the server does not say. """
    display_name: None | str | Unset = UNSET
    """ Its name for people. Absent or null where it has none. """
    user_metadata: None | Unset | UserMetadata = UNSET
    """ Labels that the user attached. Absent or null where there are none. """
    checkpoint_storage_bytes: int | None | Unset = UNSET
    """ Size of its checkpoints, in bytes. Absent or null where the server does not say. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.session_status import SessionStatus  # noqa: PLC0415
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

        session_id = self.session_id

        created_at = self.created_at.isoformat()

        owner = self.owner

        project_id = self.project_id

        checkpoints_count = self.checkpoints_count

        status: dict[str, Any] | None | Unset
        if isinstance(self.status, Unset):
            status = UNSET
        elif isinstance(self.status, SessionStatus):
            status = self.status.to_dict()
        else:
            status = self.status

        display_name: None | str | Unset
        if isinstance(self.display_name, Unset):
            display_name = UNSET
        else:
            display_name = self.display_name

        user_metadata: dict[str, Any] | None | Unset
        if isinstance(self.user_metadata, Unset):
            user_metadata = UNSET
        elif isinstance(self.user_metadata, UserMetadata):
            user_metadata = self.user_metadata.to_dict()
        else:
            user_metadata = self.user_metadata

        checkpoint_storage_bytes: int | None | Unset
        if isinstance(self.checkpoint_storage_bytes, Unset):
            checkpoint_storage_bytes = UNSET
        else:
            checkpoint_storage_bytes = self.checkpoint_storage_bytes

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "session_id": session_id,
                "created_at": created_at,
                "owner": owner,
                "project_id": project_id,
                "checkpoints_count": checkpoints_count,
            }
        )
        if status is not UNSET:
            field_dict["status"] = status
        if display_name is not UNSET:
            field_dict["display_name"] = display_name
        if user_metadata is not UNSET:
            field_dict["user_metadata"] = user_metadata
        if checkpoint_storage_bytes is not UNSET:
            field_dict["checkpoint_storage_bytes"] = checkpoint_storage_bytes

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.session_status import SessionStatus  # noqa: PLC0415
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

        d = dict(src_dict)
        session_id = d.pop("session_id")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        owner = d.pop("owner")

        project_id = d.pop("project_id")

        checkpoints_count = d.pop("checkpoints_count")

        def _parse_status(data: Any) -> None | SessionStatus | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return SessionStatus.from_dict(data)

        status = _parse_status(d.pop("status", UNSET))

        display_name = cast(None | str | Unset, d.pop("display_name", UNSET))

        def _parse_user_metadata(data: Any) -> None | Unset | UserMetadata:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return UserMetadata.from_dict(data)

        user_metadata = _parse_user_metadata(d.pop("user_metadata", UNSET))

        checkpoint_storage_bytes = cast(int | None | Unset, d.pop("checkpoint_storage_bytes", UNSET))

        session_summary = cls(
            session_id=session_id,
            created_at=created_at,
            owner=owner,
            project_id=project_id,
            checkpoints_count=checkpoints_count,
            status=status,
            display_name=display_name,
            user_metadata=user_metadata,
            checkpoint_storage_bytes=checkpoint_storage_bytes,
        )

        session_summary.additional_properties = d
        return session_summary

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
