# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.session_owner import SessionOwner
    from ..models.session_status_query import SessionStatusQuery
    from ..models.user_metadata import UserMetadata


T = TypeVar("T", bound="SearchSessionsRequest")


@_attrs_define
class SearchSessionsRequest:
    """Find sessions. Every filter given must match."""

    session_id: None | str | Unset = UNSET
    """ This session. """
    project_ids: list[str] | None | Unset = UNSET
    """ In one of these projects. """
    user_metadata: UserMetadata | Unset = UNSET
    """ Free labels of the user's own, text to text. """
    display_name: None | str | Unset = UNSET
    """ With this name. """
    owner: SessionOwner | Unset = UNSET
    """ Whose sessions to search. """
    statuses: list[SessionStatusQuery] | None | Unset = UNSET
    """ In one of these states. """
    limit: int | Unset = UNSET
    """ The most to return. Absent means 50. """
    cursor: Any | Unset = UNSET
    """ `next_cursor` of the previous page, as it came. """

    def to_dict(self) -> dict[str, Any]:
        session_id: None | str | Unset
        if isinstance(self.session_id, Unset):
            session_id = UNSET
        else:
            session_id = self.session_id

        project_ids: list[str] | None | Unset
        if isinstance(self.project_ids, Unset):
            project_ids = UNSET
        else:
            project_ids = self.project_ids

        user_metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.user_metadata, Unset):
            user_metadata = self.user_metadata.to_dict()

        display_name: None | str | Unset
        if isinstance(self.display_name, Unset):
            display_name = UNSET
        else:
            display_name = self.display_name

        owner: dict[str, Any] | Unset = UNSET
        if not isinstance(self.owner, Unset):
            owner = self.owner.to_dict()

        statuses: list[dict[str, Any]] | None | Unset
        if isinstance(self.statuses, Unset):
            statuses = UNSET
        elif isinstance(self.statuses, list):
            statuses = []
            for statuses_type_0_item_data in self.statuses:
                statuses_type_0_item = statuses_type_0_item_data.to_dict()
                statuses.append(statuses_type_0_item)

        else:
            statuses = self.statuses

        limit = self.limit

        cursor = self.cursor

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if session_id is not UNSET:
            field_dict["session_id"] = session_id
        if project_ids is not UNSET:
            field_dict["project_ids"] = project_ids
        if user_metadata is not UNSET:
            field_dict["user_metadata"] = user_metadata
        if display_name is not UNSET:
            field_dict["display_name"] = display_name
        if owner is not UNSET:
            field_dict["owner"] = owner
        if statuses is not UNSET:
            field_dict["statuses"] = statuses
        if limit is not UNSET:
            field_dict["limit"] = limit
        if cursor is not UNSET:
            field_dict["cursor"] = cursor

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.session_owner import SessionOwner  # noqa: PLC0415
        from ..models.session_status_query import SessionStatusQuery  # noqa: PLC0415
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

        d = dict(src_dict)
        session_id = cast(None | str | Unset, d.pop("session_id", UNSET))

        project_ids = cast(list[str] | None | Unset, d.pop("project_ids", UNSET))

        _user_metadata = d.pop("user_metadata", UNSET)
        user_metadata: UserMetadata | Unset
        if isinstance(_user_metadata, Unset):
            user_metadata = UNSET
        else:
            user_metadata = UserMetadata.from_dict(_user_metadata)

        display_name = cast(None | str | Unset, d.pop("display_name", UNSET))

        _owner = d.pop("owner", UNSET)
        owner: SessionOwner | Unset
        if isinstance(_owner, Unset):
            owner = UNSET
        else:
            owner = SessionOwner.from_dict(_owner)

        def _parse_statuses(data: Any) -> list[SessionStatusQuery] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                statuses_type_0 = []
                _statuses_type_0 = data
                for statuses_type_0_item_data in _statuses_type_0:
                    statuses_type_0_item = SessionStatusQuery.from_dict(statuses_type_0_item_data)

                    statuses_type_0.append(statuses_type_0_item)

                return statuses_type_0

            return cast(list[SessionStatusQuery] | None | Unset, data)

        statuses = _parse_statuses(d.pop("statuses", UNSET))

        limit = d.pop("limit", UNSET)

        cursor = d.pop("cursor", UNSET)

        search_sessions_request = cls(
            session_id=session_id,
            project_ids=project_ids,
            user_metadata=user_metadata,
            display_name=display_name,
            owner=owner,
            statuses=statuses,
            limit=limit,
            cursor=cursor,
        )

        return search_sessions_request
