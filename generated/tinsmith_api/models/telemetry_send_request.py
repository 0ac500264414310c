# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.generic_event import GenericEvent
    from ..models.session_end_event import SessionEndEvent
    from ..models.session_start_event import SessionStartEvent
    from ..models.unhandled_exception_event import UnhandledExceptionEvent


T = TypeVar("T", bound="TelemetrySendRequest")


@_attrs_define
class TelemetrySendRequest:
    """Report events."""

    events: list[GenericEvent | SessionEndEvent | SessionStartEvent | UnhandledExceptionEvent]
    """ The events, at most 100 by convention. """
    platform: str
    """ Operating system of the caller. """
    sdk_version: str
    """ Version of the calling client. Servers may adapt to it. """
    session_id: str
    """ The session that they belong to, or `sessionless-<uuid>`. """
    process_uuid: None | str | Unset = UNSET
    """ Id of the calling process, a UUID. Absent or null before 0.24. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.generic_event import GenericEvent  # noqa: PLC0415
        from ..models.session_end_event import SessionEndEvent  # noqa: PLC0415
        from ..models.session_start_event import SessionStartEvent  # noqa: PLC0415
        from ..models.unhandled_exception_event import UnhandledExceptionEvent  # noqa: PLC0415

        events = []
        for events_item_data in self.events:
            events_item: dict[str, Any]
            if isinstance(events_item_data, SessionStartEvent):
                events_item = events_item_data.to_dict()
            elif isinstance(events_item_data, SessionEndEvent):
                events_item = events_item_data.to_dict()
            elif isinstance(events_item_data, UnhandledExceptionEvent):
                events_item = events_item_data.to_dict()
            elif isinstance(events_item_data, GenericEvent):
                events_item = events_item_data.to_dict()
            else:
                raise TypeError(f"events_item: unexpected {type(events_item_data).__name__}")

            events.append(events_item)

        platform = self.platform

        sdk_version = self.sdk_version

        session_id = self.session_id

        process_uuid: None | str | Unset
        if isinstance(self.process_uuid, Unset):
            process_uuid = UNSET
        else:
            process_uuid = self.process_uuid

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "events": events,
                "platform": platform,
                "sdk_version": sdk_version,
                "session_id": session_id,
            }
        )
        if process_uuid is not UNSET:
            field_dict["process_uuid"] = process_uuid

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.generic_event import GenericEvent  # noqa: PLC0415
        from ..models.session_end_event import SessionEndEvent  # noqa: PLC0415
        from ..models.session_start_event import SessionStartEvent  # noqa: PLC0415
        from ..models.unhandled_exception_event import UnhandledExceptionEvent  # noqa: PLC0415

        d = dict(src_dict)
        events = []
        _events = d.pop("events")
        for events_item_data in _events:

            def _parse_events_item(
                data: Any,
            ) -> GenericEvent | SessionEndEvent | SessionStartEvent | UnhandledExceptionEvent:
                tag = data["event"]
                if tag == "SESSION_START":
                    return SessionStartEvent.from_dict(data)
                if tag == "SESSION_END":
                    return SessionEndEvent.from_dict(data)
                if tag == "UNHANDLED_EXCEPTION":
                    return UnhandledExceptionEvent.from_dict(data)
                if tag == "GENERIC_EVENT":
                    return GenericEvent.from_dict(data)
                raise ValueError(f"unknown event {tag!r}")

            events_item = _parse_events_item(events_item_data)

            events.append(events_item)

        platform = d.pop("platform")

        sdk_version = d.pop("sdk_version")

        session_id = d.pop("session_id")

        process_uuid = cast(None | str | Unset, d.pop("process_uuid", UNSET))

        telemetry_send_request = cls(
            events=events,
            platform=platform,
            sdk_version=sdk_version,
            session_id=session_id,
            process_uuid=process_uuid,
        )

        return telemetry_send_request
