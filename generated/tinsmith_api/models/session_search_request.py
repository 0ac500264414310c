# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.accessible_search_owner import AccessibleSearchOwner
    from ..models.active_session_status_query import ActiveSessionStatusQuery
    from ..models.cancelled_session_status_query import CancelledSessionStatusQuery
    from ..models.client_finished_session_status_query import ClientFinishedSessionStatusQuery
    from ..models.failed_session_status_query import FailedSessionStatusQuery
    from ..models.own_search_owner import OwnSearchOwner
    from ..models.session_search_cursor import SessionSearchCursor
    from ..models.user_metadata import UserMetadata
    from ..models.user_search_owner import UserSearchOwner


T = TypeVar("T", bound="SessionSearchRequest")


@_attrs_define
class SessionSearchRequest:
    """Find sessions. `session_id` and `display_name` are alternatives: a session is found that fits one of them. Every
    other filter given must match too.

    """

    session_id: None | str | Unset = UNSET
    """ Find the session with this id. Absent or null does not filter by id. """
    project_ids: list[str] | None | Unset = UNSET
    """ Find sessions of one of these projects. Absent or null means any project. """
    user_metadata: UserMetadata | Unset = UNSET
    """ Labels that the user attaches, text by name. """
    display_name: None | str | Unset = UNSET
    """ Find sessions whose display name holds every word of this text, anywhere in it and in any case. Absent or
    null does not filter by name.
     """
    owner: AccessibleSearchOwner | OwnSearchOwner | Unset | UserSearchOwner = UNSET
    """ Whose sessions are searched, told apart by `type`. """
    statuses: (
        list[
            ActiveSessionStatusQuery
            | CancelledSessionStatusQuery
            | ClientFinishedSessionStatusQuery
            | FailedSessionStatusQuery
        ]
        | None
        | Unset
    ) = UNSET
    """ Find sessions in one of these states. Absent or null means any state. """
    limit: int | Unset = UNSET
    """ Most sessions on a page, 1 to 200. Absent means 50. """
    cursor: None | SessionSearchCursor | Unset = UNSET
    """ `next_cursor` of the previous page, as it came. Absent or null begins with the first page. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.accessible_search_owner import AccessibleSearchOwner  # noqa: PLC0415
        from ..models.active_session_status_query import ActiveSessionStatusQuery  # noqa: PLC0415
        from ..models.cancelled_session_status_query import CancelledSessionStatusQuery  # noqa: PLC0415
        from ..models.client_finished_session_status_query import ClientFinishedSessionStatusQuery  # noqa: PLC0415
        from ..models.failed_session_status_query import FailedSessionStatusQuery  # noqa: PLC0415
        from ..models.own_search_owner import OwnSearchOwner  # noqa: PLC0415
        from ..models.session_search_cursor import SessionSearchCursor  # noqa: PLC0415
        from ..models.user_search_owner import UserSearchOwner  # noqa: PLC0415

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

        owner: dict[str, Any] | Unset
        if isinstance(self.owner, Unset):
            owner = UNSET
        elif isinstance(self.owner, OwnSearchOwner):
            owner = self.owner.to_dict()
        elif isinstance(self.owner, AccessibleSearchOwner):
            owner = self.owner.to_dict()
        elif isinstance(self.owner, UserSearchOwner):
            owner = self.owner.to_dict()
        else:
            raise TypeError(f"owner: unexpected {type(self.owner).__name__}")

        statuses: list[dict[str, Any]] | None | Unset
        if isinstance(self.statuses, Unset):
            statuses = UNSET
        elif isinstance(self.statuses, list):
            statuses = []
            for statuses_type_0_item_data in self.statuses:
                statuses_type_0_item: dict[str, Any]
                if isinstance(statuses_type_0_item_data, ActiveSessionStatusQuery):
                    statuses_type_0_item = statuses_type_0_item_data.to_dict()
                elif isinstance(statuses_type_0_item_data, CancelledSessionStatusQuery):
                    statuses_type_0_item = statuses_type_0_item_data.to_dict()
                elif isinstance(statuses_type_0_item_data, FailedSessionStatusQuery):
                    statuses_type_0_item = statuses_type_0_item_data.to_dict()
                elif isinstance(statuses_type_0_item_data, ClientFinishedSessionStatusQuery):
                    statuses_type_0_item = statuses_type_0_item_data.to_dict()
                else:
                    raise TypeError(
                        f"statuses_type_0_item: unexpected {type(statuses_type_0_item_data).__name__}"
                    )

                statuses.append(statuses_type_0_item)

        else:
            statuses = self.statuses

        limit = self.limit

        cursor: dict[str, Any] | None | Unset
        if isinstance(self.cursor, Unset):
            cursor = UNSET
        elif isinstance(self.cursor, SessionSearchCursor):
            cursor = self.cursor.to_dict()
        else:
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
        from ..models.accessible_search_owner import AccessibleSearchOwner  # noqa: PLC0415
        from ..models.active_session_status_query import ActiveSessionStatusQuery  # noqa: PLC0415
        from ..models.cancelled_session_status_query import CancelledSessionStatusQuery  # noqa: PLC0415
        from ..models.client_finished_session_status_query import ClientFinishedSessionStatusQuery  # noqa: PLC0415
        from ..models.failed_session_status_query import FailedSessionStatusQuery  # noqa: PLC0415
        from ..models.own_search_owner import OwnSearchOwner  # noqa: PLC0415
        from ..models.session_search_cursor import SessionSearchCursor  # noqa: PLC0415
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415
        from ..models.user_search_owner import UserSearchOwner  # noqa: PLC0415

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

        def _parse_owner(data: Any) -> AccessibleSearchOwner | OwnSearchOwner | Unset | UserSearchOwner:
            if isinstance(data, Unset):
                return data
            tag = data["type"]
            if tag == "own":
                return OwnSearchOwner.from_dict(data)
            if tag == "accessible":
                return AccessibleSearchOwner.from_dict(data)
            if tag == "user":
                return UserSearchOwner.from_dict(data)
            raise ValueError(f"unknown type {tag!r}")

        owner = _parse_owner(d.pop("owner", UNSET))

        def _parse_statuses(
            data: Any,
        ) -> (
            list[
                ActiveSessionStatusQuery
                | CancelledSessionStatusQuery
                | ClientFinishedSessionStatusQuery
                | FailedSessionStatusQuery
            ]
            | None
            | Unset
        ):
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                statuses_type_0 = []
                _statuses_type_0 = data
                for statuses_type_0_item_data in _statuses_type_0:

                    def _parse_statuses_type_0_item(
                        data: Any,
                    ) -> (
                        ActiveSessionStatusQuery
                        | CancelledSessionStatusQuery
                        | ClientFinishedSessionStatusQuery
                        | FailedSessionStatusQuery
                    ):
                        tag = data["type"]
                        if tag == "active":
                            return ActiveSessionStatusQuery.from_dict(data)
                        if tag == "cancelled":
                            return CancelledSessionStatusQuery.from_dict(data)
                        if tag == "failed":
                            return FailedSessionStatusQuery.from_dict(data)
                        if tag == "client_finished":
                            return ClientFinishedSessionStatusQuery.from_dict(data)
                        raise ValueError(f"unknown type {tag!r}")

                    statuses_type_0_item = _parse_statuses_type_0_item(statuses_type_0_item_data)

                    statuses_type_0.append(statuses_type_0_item)

                return statuses_type_0

            return cast(
                list[
                    ActiveSessionStatusQuery
                    | CancelledSessionStatusQuery
                    | ClientFinishedSessionStatusQuery
                    | FailedSessionStatusQuery
                ]
                | None
                | Unset,
                data,
            )

        statuses = _parse_statuses(d.pop("statuses", UNSET))

        limit = d.pop("limit", UNSET)

        def _parse_cursor(data: Any) -> None | SessionSearchCursor | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return SessionSearchCursor.from_dict(data)

        cursor = _parse_cursor(d.pop("cursor", UNSET))

        session_search_request = cls(
            session_id=session_id,
            project_ids=project_ids,
            user_metadata=user_metadata,
            display_name=display_name,
            owner=owner,
            statuses=statuses,
            limit=limit,
            cursor=cursor,
        )

        return session_search_request
