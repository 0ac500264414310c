"""Telemetry of clients: accepted and kept, to be read by the person who runs the service."""

import orjson

from tinsmith_local.service import Service

from .answer import Answer
from .call import Call, whole


async def telemetry(service: Service, call: Call) -> Answer:
    """Keep events. Sessions that nobody knows are fine: newer clients send some without one."""
    body = call.body
    for index, event in enumerate(body["events"]):
        whole(event, "event_session_index", "events", str(index))
    common = {"platform": body["platform"], "sdk_version": body["sdk_version"]}
    events = [orjson.dumps({**common, **event}).decode() for event in body["events"]]
    service.telemetry.add(call.text("session_id"), events, service.clock())
    return Answer({"status": "accepted"})
