# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..models.severity import Severity, check_severity
from ..types import UNSET, Unset

T = TypeVar("T", bound="UnhandledExceptionEvent")


@_attrs_define
class UnhandledExceptionEvent:
    """A public method raised an exception that is not the user's fault."""

    error_message: str
    """ Message of the exception. This project sends the class again, because a message may hold a secret. """
    error_type: str
    """ Class of the exception. """
    event_id: str
    """ Id of the event, a fresh UUID. """
    event_session_index: int
    """ Number of the event in its session, from 0. """
    severity: Severity
    """ How serious an event is. """
    timestamp: datetime.datetime
    """ A moment in ISO 8601. Some servers leave the time zone out; it is then UTC. """
    event: Literal["UNHANDLED_EXCEPTION"] = "UNHANDLED_EXCEPTION"
    """ The kind of event, always `UNHANDLED_EXCEPTION`. """
    traceback: None | str | Unset = UNSET
    """ Where the exception was raised. Absent or null where the client does not say. """

    def to_dict(self) -> dict[str, Any]:
        error_message = self.error_message

        error_type = self.error_type

        event = self.event

        event_id = self.event_id

        event_session_index = self.event_session_index

        severity: str = self.severity

        timestamp = self.timestamp.isoformat()

        traceback: None | str | Unset
        if isinstance(self.traceback, Unset):
            traceback = UNSET
        else:
            traceback = self.traceback

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "error_message": error_message,
                "error_type": error_type,
                "event": event,
                "event_id": event_id,
                "event_session_index": event_session_index,
                "severity": severity,
                "timestamp": timestamp,
            }
        )
        if traceback is not UNSET:
            field_dict["traceback"] = traceback

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        error_message = d.pop("error_message")

        error_type = d.pop("error_type")

        event = cast(Literal["UNHANDLED_EXCEPTION"], d.pop("event"))
        if event != "UNHANDLED_EXCEPTION":
            raise ValueError(f"event must match const 'UNHANDLED_EXCEPTION', got '{event}'")

        event_id = d.pop("event_id")

        event_session_index = d.pop("event_session_index")

        severity = check_severity(d.pop("severity"))

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        traceback = cast(None | str | Unset, d.pop("traceback", UNSET))

        unhandled_exception_event = cls(
            error_message=error_message,
            error_type=error_type,
            event=event,
            event_id=event_id,
            event_session_index=event_session_index,
            severity=severity,
            timestamp=timestamp,
            traceback=traceback,
        )

        return unhandled_exception_event
