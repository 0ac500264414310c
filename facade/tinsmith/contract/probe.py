"""Asks a server about itself and changes nothing: reads, and requests about ids that nobody has.

What may change something is sent a body that no server can take: its refusal shows that the route is there.
What takes no body and names no id is sent with a wrong key.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tinsmith.contract.bodies import path_of, query_of, smallest_body
from tinsmith.contract.report import MISSING_ROUTE, NO_ROUTE
from tinsmith.contract.rules import NO_BODY, UNKNOWN, WRONG_KEY
from tinsmith.contract.sender import SILENT, Silent
from tinsmith.contract.traffic import field_of
from tinsmith.core.errors import APIConnectionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tinsmith.contract.document import Json, Operation
    from tinsmith.contract.exchange import Exchange
    from tinsmith.contract.sender import Sender

NOT_A_BODY: list[Json] = []
"""No operation takes a list: it is refused wherever it is read."""


def unknown_ids() -> dict[str, str]:
    """Return ids of each kind that nobody has; those that have colons have them here too."""
    name = f"x-contract-check-{secrets.token_hex(6)}"
    run = f"{name}:train:0"
    ids = {
        "session_id": name,
        "model_id": run,
        "training_run_id": run,
        "sampler_id": f"{name}:sample:0",
        "sampling_session_id": f"{name}:sample:0",
        "request_id": name,
        "checkpoint_kind": "weights",
        "checkpoint_name": name,
        "base_model": name,
    }
    return ids | dict.fromkeys(("tinker_path", "source_path", "model_path"), f"tinker://{run}/weights/{name}")


async def probe(sender: Sender) -> dict[str, str]:
    """Ask about each operation; returns why some were not tried."""
    try:
        await _ask(sender)
    except Silent:
        return dict.fromkeys(sender.contract.operations, SILENT)
    return {}


async def _ask(sender: Sender) -> None:
    await greet(sender)
    unknown = unknown_ids()
    for op in sender.contract.operations.values():
        invented = dict.fromkeys(sender.contract.path_names(op), unknown["request_id"])
        path = path_of(sender.contract, op, invented | unknown)
        if not (op.is_read or op.takes_body or path):  # nothing but the key keeps it from being done
            await sender.send(op.method, op.path, operation=op.id, step=WRONG_KEY, wrong_key=True)
            continue
        body = smallest_body(sender.contract, op, unknown) if op.takes_body else None
        if body is None or _changes_nothing(op, body, path, unknown):
            step = UNKNOWN if path or _named(body, unknown) else "read"
        else:
            body, step = NOT_A_BODY, NO_BODY
        values = {**unknown, **_known(sender.exchanges)} if op.method == "GET" else unknown
        await sender.call(op.id, body, step=step, path=path, query=query_of(sender.contract, op, values))
    await _read_what_is_there(sender)


async def greet(sender: Sender) -> None:
    """Ask for what no server has, and with a wrong key: how missing routes and refusals look."""
    first = await sender.send("GET", MISSING_ROUTE, step=NO_ROUTE)
    if first.status == 0:
        raise APIConnectionError(f"the server cannot be reached: {first.answer['text']}")
    op = sender.contract.operations["list_training_runs"]  # what is a user's own
    await sender.send(op.method, op.path, operation=op.id, step=WRONG_KEY, wrong_key=True)


def _changes_nothing(op: Operation, body: Json, path: Mapping[str, str], unknown: Mapping[str, str]) -> bool:
    """Tell whether a server that takes this body is left as it was.

    It is where the contract says that the operation reads, and where the request names unknown ids and brings
    nothing else. A promise is one more thing on the server, whatever it names.
    """
    if op.is_read or op.result is not None:
        return op.is_read
    return bool(path) or (bool(body) and _named(body, unknown) == set(body))


def _named(body: Json, unknown: Mapping[str, str]) -> set[str]:
    """Return the fields of a body that name an unknown id."""
    if not isinstance(body, dict):
        return set()
    return {name for name, value in body.items() if name in unknown and unknown[name] == value}


async def _read_what_is_there(sender: Sender) -> None:
    """Read by its id what the lists have shown."""
    known = _known(sender.exchanges)
    for op in sender.contract.operations.values():
        names = sender.contract.path_names(op)
        if op.method == "GET" and names and all(name in known for name in names):
            await sender.call(op.id, step="read", path={name: known[name] for name in names})


def _known(exchanges: list[Exchange]) -> dict[str, str]:
    """Return ids that answers have shown, one of each kind."""
    found: dict[str, str] = {}
    for exchange in exchanges:
        if exchange.status == 200 and isinstance(exchange.answer, dict):
            found |= dict(_ids_in(exchange.answer))
    return found


def _ids_in(answer: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for field, name, shown in _LISTED:
        rows = answer.get(field)
        for row in rows if isinstance(rows, list) else ():
            value = row if shown is None else field_of(row, shown)
            if isinstance(value, str) and value:
                yield name, value


_LISTED = (
    ("training_runs", "training_run_id", "training_run_id"),
    ("supported_models", "base_model", "model_name"),
    ("sessions", "session_id", None),
    ("sampler_ids", "sampler_id", None),
)
"""Lists of answers, the kind of id that their rows have, and the rows' field of it; None for bare ids."""
