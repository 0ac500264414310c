"""Asks a server about itself and changes nothing: reads, and requests about ids that do not exist.

What may change something is sent a body that no server can take: its refusal shows that the route is there.
What takes no body and names no id is sent with a wrong key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith.contract.bodies import parameters_of, smallest_body, unknown_ids
from tinsmith.contract.exchange import NO_BODY, NO_ROUTE, UNKNOWN, WRONG_KEY
from tinsmith.contract.recorder import SilentError
from tinsmith.contract.traffic import field_of
from tinsmith.core.errors import APIConnectionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tinsmith.contract.document import Json, Operation
    from tinsmith.contract.exchange import Exchange
    from tinsmith.contract.recorder import Recorder

MISSING_ROUTE = "/api/v1/x-contract-check/no-such-route"
"""A path that no server has."""

NOT_A_BODY: list[Json] = []
"""No operation takes a list: it is refused wherever it is read."""

_LISTED = (
    ("training_runs", "training_run_id", "training_run_id"),
    ("supported_models", "base_model", "model_name"),
    ("sessions", "session_id", None),
    ("sampler_ids", "sampler_id", None),
)
"""Lists of answers, the kind of id that their rows have, and the rows' field of it; None for bare ids."""


async def greet(recorder: Recorder) -> None:
    """Ask for what no server has, and with a wrong key: how missing routes and refusals look."""
    first = await recorder.get(MISSING_ROUTE, step=NO_ROUTE)
    if first.status == 0:
        raise APIConnectionError(f"the server cannot be reached: {first.answer['text']}")
    await recorder.call("list_training_runs", step=WRONG_KEY)  # what is a user's own


async def probe(recorder: Recorder) -> dict[str, str]:
    """Ask about each operation; returns why some were not tried."""
    contract = recorder.contract
    try:
        await greet(recorder)
        unknown = unknown_ids()
        for op in contract.operations.values():
            await _ask(recorder, op, unknown)
        known = _known(recorder.exchanges)
        for op in contract.operations.values():  # and what the lists have shown, by its id
            names = parameters_of(contract, op, {}, "path")
            if op.method == "GET" and names and all(name in known for name in names):
                await recorder.call(op.id, step="read", path={name: known[name] for name in names})
    except SilentError as silence:
        return dict.fromkeys(contract.operations, str(silence))
    return {}


async def _ask(recorder: Recorder, op: Operation, unknown: Mapping[str, str]) -> None:
    contract = recorder.contract
    invented = dict.fromkeys(parameters_of(contract, op, {}, "path"), unknown["request_id"])
    path = parameters_of(contract, op, {**invented, **unknown}, "path")
    if not (op.is_read or op.takes_body or path):  # nothing but the key keeps it from being done
        await recorder.call(op.id, step=WRONG_KEY)
        return
    body = smallest_body(contract, op, unknown) if op.takes_body else None
    if body is None or _changes_nothing(op, body, path, unknown):
        step = UNKNOWN if path or _named(body, unknown) else "read"
    else:
        body, step = NOT_A_BODY, NO_BODY
    values = {**unknown, **_known(recorder.exchanges)} if op.method == "GET" else unknown
    query = parameters_of(contract, op, values, "query")
    await recorder.call(op.id, body, step=step, path=path, query=query)


def _changes_nothing(op: Operation, body: Json, path: Mapping[str, str], unknown: Mapping[str, str]) -> bool:
    """Whether a server that takes this body is left as it was.

    It is where the contract says that the operation reads, and where the request names unknown ids and brings
    nothing else. A promise is one more thing on the server, whatever it names.
    """
    if op.is_read or op.result is not None:
        return op.is_read
    return bool(path) or (bool(body) and _named(body, unknown) == set(body))


def _named(body: Json, unknown: Mapping[str, str]) -> set[str]:
    """Return the fields of a body that name an unknown id."""
    return {name for name, value in unknown.items() if field_of(body, name) == value}


def _known(exchanges: list[Exchange]) -> dict[str, str]:
    """Return ids that answers have shown, one of each kind."""
    answers = (exchange.answer for exchange in exchanges if exchange.status == 200)
    return {name: value for answer in answers for name, value in ids_in(answer)}


def ids_in(answer: Json) -> Iterator[tuple[str, str]]:
    """Yield the ids that a list in an answer shows, each with the name of its kind."""
    for field, name, shown in _LISTED:
        rows = field_of(answer, field)
        for row in rows if isinstance(rows, list) else ():
            value = row if shown is None else field_of(row, shown)
            if isinstance(value, str) and value:
                yield name, value
