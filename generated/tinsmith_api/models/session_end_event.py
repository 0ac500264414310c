# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..models.severity import Severity, check_severity

T = TypeVar("T", bound="SessionEndEvent")


@_attrs_define
class SessionEndEvent:
    """A session ended."""

    duration: str
    """ How long the session lasted, as `H:MM:SS.ffffff`, which is not ISO 8601. """
    event_id: str
    """ Id of the event, a fresh UUID. """
    event_session_index: int
    """ Number of the event in its session, from 0. """
    severity: Severity
    """ How serious an event is. """
    timestamp: datetime.datetime
    """ A moment in ISO 8601. Some servers leave the time zone out; it is then UTC. """
    event: Literal["SESSION_END"] = "SESSION_END"
    """ The kind of event, always `SESSION_END`. """

    def to_dict(self) -> dict[str, Any]:
        duration = self.duration

        event = self.event

        event_id = self.event_id

        event_session_index = self.event_session_index

        severity: str = self.severity

        timestamp = self.timestamp.isoformat()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "duration": duration,
                "event": event,
                "event_id": event_id,
                "event_session_index": event_session_index,
                "severity": severity,
                "timestamp": timestamp,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        duration = d.pop("duration")

        event = cast(Literal["SESSION_END"], d.pop("event"))
        if event != "SESSION_END":
            raise ValueError(f"event must match const 'SESSION_END', got '{event}'")

        event_id = d.pop("event_id")

        event_session_index = d.pop("event_session_index")

        severity = check_severity(d.pop("severity"))

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        session_end_event = cls(
            duration=duration,
            event=event,
            event_id=event_id,
            event_session_index=event_session_index,
            severity=severity,
            timestamp=timestamp,
        )

        return session_end_event
