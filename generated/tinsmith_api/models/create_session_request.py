# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.json_metadata import JsonMetadata


T = TypeVar("T", bound="CreateSessionRequest")


@_attrs_define
class CreateSessionRequest:
    """Open a session, to which models, samplers, heartbeats and telemetry belong."""

    tags: list[str]
    """ Labels of the session. May be empty. """
    user_metadata: JsonMetadata | None
    """ Labels that the user attaches to the session, with any JSON values; null or `{}` for none. """
    sdk_version: str
    """ Version of the calling client. Servers may adapt to it. """
    project_id: None | str | Unset = UNSET
    """ Project that the session counts to. Absent or null means none. """
    display_name: None | str | Unset = UNSET
    """ Name of the session for people. Absent or null means none. """
    type_: Literal["create_session"] | Unset = "create_session"
    """ The kind of request, always `create_session`. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.json_metadata import JsonMetadata  # noqa: PLC0415

        tags = self.tags

        user_metadata: dict[str, Any] | None
        if isinstance(self.user_metadata, JsonMetadata):
            user_metadata = self.user_metadata.to_dict()
        else:
            user_metadata = self.user_metadata

        sdk_version = self.sdk_version

        project_id: None | str | Unset
        if isinstance(self.project_id, Unset):
            project_id = UNSET
        else:
            project_id = self.project_id

        display_name: None | str | Unset
        if isinstance(self.display_name, Unset):
            display_name = UNSET
        else:
            display_name = self.display_name

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "tags": tags,
                "user_metadata": user_metadata,
                "sdk_version": sdk_version,
            }
        )
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if display_name is not UNSET:
            field_dict["display_name"] = display_name
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.json_metadata import JsonMetadata  # noqa: PLC0415

        d = dict(src_dict)
        tags = cast(list[str], d.pop("tags"))

        def _parse_user_metadata(data: Any) -> JsonMetadata | None:
            if data is None:
                return data
            return JsonMetadata.from_dict(data)

        user_metadata = _parse_user_metadata(d.pop("user_metadata"))

        sdk_version = d.pop("sdk_version")

        project_id = cast(None | str | Unset, d.pop("project_id", UNSET))

        display_name = cast(None | str | Unset, d.pop("display_name", UNSET))

        type_ = cast(Literal["create_session"] | Unset, d.pop("type", UNSET))
        if type_ != "create_session" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'create_session', got '{type_}'")

        create_session_request = cls(
            tags=tags,
            user_metadata=user_metadata,
            sdk_version=sdk_version,
            project_id=project_id,
            display_name=display_name,
            type_=type_,
        )

        return create_session_request
