# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..models.severity import Severity, check_severity
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.generic_event_event_data import GenericEventEventData


T = TypeVar("T", bound="GenericEvent")


@_attrs_define
class GenericEvent:
    """Anything else worth knowing."""

    event_id: str
    """ Id of the event, a fresh UUID. """
    event_name: str
    """ Name of what happened. """
    event_session_index: int
    """ Number of the event in its session, from 0. """
    severity: Severity
    """ How serious an event is. """
    timestamp: datetime.datetime
    """ A moment in ISO 8601. Some servers leave the time zone out; it is then UTC. """
    event: Literal["GENERIC_EVENT"] = "GENERIC_EVENT"
    """ The kind of event, always `GENERIC_EVENT`. """
    event_data: GenericEventEventData | Unset = UNSET
    """ Facts about it, by name. Absent means none. """

    def to_dict(self) -> dict[str, Any]:
        event = self.event

        event_id = self.event_id

        event_name = self.event_name

        event_session_index = self.event_session_index

        severity: str = self.severity

        timestamp = self.timestamp.isoformat()

        event_data: dict[str, Any] | Unset = UNSET
        if not isinstance(self.event_data, Unset):
            event_data = self.event_data.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "event": event,
                "event_id": event_id,
                "event_name": event_name,
                "event_session_index": event_session_index,
                "severity": severity,
                "timestamp": timestamp,
            }
        )
        if event_data is not UNSET:
            field_dict["event_data"] = event_data

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.generic_event_event_data import GenericEventEventData  # noqa: PLC0415

        d = dict(src_dict)
        event = cast(Literal["GENERIC_EVENT"], d.pop("event"))
        if event != "GENERIC_EVENT":
            raise ValueError(f"event must match const 'GENERIC_EVENT', got '{event}'")

        event_id = d.pop("event_id")

        event_name = d.pop("event_name")

        event_session_index = d.pop("event_session_index")

        severity = check_severity(d.pop("severity"))

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        _event_data = d.pop("event_data", UNSET)
        event_data: GenericEventEventData | Unset
        if isinstance(_event_data, Unset):
            event_data = UNSET
        else:
            event_data = GenericEventEventData.from_dict(_event_data)

        generic_event = cls(
            event=event,
            event_id=event_id,
            event_name=event_name,
            event_session_index=event_session_index,
            severity=severity,
            timestamp=timestamp,
            event_data=event_data,
        )

        return generic_event
