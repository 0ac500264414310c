# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.user_metadata import UserMetadata


T = TypeVar("T", bound="Checkpoint")


@_attrs_define
class Checkpoint:
    """A stored checkpoint."""

    checkpoint_id: str
    """ Its kind and name with a slash between them, `weights/0001` for example. Some servers give the name alone.
    """
    checkpoint_type: str
    """ What it can be used for: to go on training, to sample from, or to download. """
    time: datetime.datetime | None
    """ When it was saved, UTC. Null where the server does not say. """
    tinker_path: str
    """ Where it lives, as a `tinker://` path. """
    size_bytes: int | None | Unset = UNSET
    """ Size on the server, in bytes. Absent or null where the server does not say. """
    public: bool | Unset = UNSET
    """ Whether everybody may read it. Absent means no. """
    user_metadata: None | Unset | UserMetadata = UNSET
    """ Labels that the user attached to it. Absent or null where there are none. """
    expires_at: datetime.datetime | None | Unset = UNSET
    """ When the server deletes it, UTC. Absent or null means never. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

        checkpoint_id = self.checkpoint_id

        checkpoint_type = self.checkpoint_type

        time: None | str
        if isinstance(self.time, datetime.datetime):
            time = self.time.isoformat()
        else:
            time = self.time

        tinker_path = self.tinker_path

        size_bytes: int | None | Unset
        if isinstance(self.size_bytes, Unset):
            size_bytes = UNSET
        else:
            size_bytes = self.size_bytes

        public = self.public

        user_metadata: dict[str, Any] | None | Unset
        if isinstance(self.user_metadata, Unset):
            user_metadata = UNSET
        elif isinstance(self.user_metadata, UserMetadata):
            user_metadata = self.user_metadata.to_dict()
        else:
            user_metadata = self.user_metadata

        expires_at: None | str | Unset
        if isinstance(self.expires_at, Unset):
            expires_at = UNSET
        elif isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "checkpoint_id": checkpoint_id,
                "checkpoint_type": checkpoint_type,
                "time": time,
                "tinker_path": tinker_path,
            }
        )
        if size_bytes is not UNSET:
            field_dict["size_bytes"] = size_bytes
        if public is not UNSET:
            field_dict["public"] = public
        if user_metadata is not UNSET:
            field_dict["user_metadata"] = user_metadata
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

        d = dict(src_dict)
        checkpoint_id = d.pop("checkpoint_id")

        checkpoint_type = d.pop("checkpoint_type")

        def _parse_time(data: Any) -> datetime.datetime | None:
            if data is None:
                return data
            if isinstance(data, str):
                time_type_0 = datetime.datetime.fromisoformat(data)

                return time_type_0

            return cast(datetime.datetime | None, data)

        time = _parse_time(d.pop("time"))

        tinker_path = d.pop("tinker_path")

        size_bytes = cast(int | None | Unset, d.pop("size_bytes", UNSET))

        public = d.pop("public", UNSET)

        def _parse_user_metadata(data: Any) -> None | Unset | UserMetadata:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return UserMetadata.from_dict(data)

        user_metadata = _parse_user_metadata(d.pop("user_metadata", UNSET))

        def _parse_expires_at(data: Any) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, str):
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0

            return cast(datetime.datetime | None | Unset, data)

        expires_at = _parse_expires_at(d.pop("expires_at", UNSET))

        checkpoint = cls(
            checkpoint_id=checkpoint_id,
            checkpoint_type=checkpoint_type,
            time=time,
            tinker_path=tinker_path,
            size_bytes=size_bytes,
            public=public,
            user_metadata=user_metadata,
            expires_at=expires_at,
        )

        checkpoint.additional_properties = d
        return checkpoint

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
