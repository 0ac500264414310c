"""What a server wrote down of the requests that it applied, and whether it fits what our client said of them.

Reads the servers' own tables; asks no server. A call is one request for each of its chunks, in call order.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, Protocol

import attrs

State = Literal["applied", "failed", "pending"]
SETTLE_S = 15.0
"""Longest wait in seconds for a server to finish what it took."""
QUIET_S = 0.4
"""Seconds between two looks that find the same rows."""
TRAINING = (
    *("forward", "forward_backward", "optim_step"),
    *("save_weights", "load_weights", "save_weights_for_sampler"),
)
"""Operations whose order and number are compared."""


@attrs.frozen
class Row:
    """One request that a server took."""

    order: int
    """Its place among all."""
    model_id: str
    """Model that it was for."""
    operation: str
    """What it asked for, by the name of the contract."""
    state: State
    """How it stands."""


class Ledger(Protocol):
    """A server's tables."""

    def rows(self) -> list[Row]:
        """Return all requests of training, in the order in which the server took them."""

    def models(self, session_id: str) -> list[str]:
        """Name the models that were made in a session."""


@attrs.frozen
class SkyrlLedger:
    """SkyRL: one SQLite file."""

    path: Path
    """Where it is."""

    def rows(self) -> list[Row]:
        """Read the table of promises."""
        asked = "SELECT request_id, model_id, request_type, status FROM futures ORDER BY request_id"
        states: dict[str, State] = {"COMPLETED": "applied", "FAILED": "failed", "PENDING": "pending"}
        return [
            Row(order, model_id or "", kind.lower(), states[state.upper()])
            for order, model_id, kind, state in self._read(asked)
            if kind.lower() in TRAINING
        ]

    def models(self, session_id: str) -> list[str]:
        """Read the table of models."""
        found = self._read("SELECT model_id FROM models WHERE session_id = ?", session_id)
        return [model_id for (model_id,) in found]

    def _read(self, asked: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)) as database:
            return list(database.execute(asked, values))


@attrs.frozen
class TuftLedger:
    """TuFT: a JSON file of records, which it writes anew at each change."""

    path: Path
    """Where it is."""

    def rows(self) -> list[Row]:
        """Read the records of promises; they are numbered."""
        states: dict[str, State] = {"ready": "applied", "failed": "failed", "pending": "pending"}
        found = [
            Row(
                record["future_id"],
                record["model_id"] or "",
                record["operation_type"],
                states[record["status"]],
            )
            for record in self._records("future")
            if record["operation_type"] in TRAINING
        ]
        return sorted(found, key=lambda row: row.order)

    def models(self, session_id: str) -> list[str]:
        """Read the records of models."""
        return [
            record["training_run_id"]
            for record in self._records("training_run")
            if record["session_id"] == session_id
        ]

    def _records(self, kind: str) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        entries = json.loads(self.path.read_text()).items()
        keys = {key: key.split("::") for key, _ in entries}  # namespace, kind, id, and what belongs to it
        return [
            json.loads(entry["value"])
            for key, entry in entries
            if len(keys[key]) == 3 and keys[key][1] == kind
        ]


def settled(ledger: Ledger) -> list[Row]:
    """Return the rows once nothing is pending and none comes any more."""
    until, before = time.monotonic() + SETTLE_S, ledger.rows()
    while time.monotonic() < until:
        time.sleep(QUIET_S)
        rows = ledger.rows()
        if rows == before and all(row.state != "pending" for row in rows):
            break
        before = rows
    return before


@attrs.frozen
class Call:
    """One call of our client, and what became of it."""

    model_id: str
    """Model that it was for."""
    operations: tuple[str, ...]
    """The requests that it is made of, in order."""
    applied: Literal["no", "yes", "unknown"]
    """What the client said: "yes" for a result."""


def differences(calls: list[Call], rows: list[Row]) -> list[str]:
    """Say where the server's rows do not fit what the client said of its calls.

    A call that was applied has its rows exactly once and in call order, one that was not has none, and one
    that nobody knows of has all or the first of them.
    """
    found = []
    for model_id in dict.fromkeys([call.model_id for call in calls] + [row.model_id for row in rows]):
        own = [call for call in calls if call.model_id == model_id]
        applied = " ".join(
            row.operation for row in rows if row.model_id == model_id and row.state == "applied"
        )
        if not re.fullmatch("".join(_pattern(call) for call in own), f"{applied} " if applied else ""):
            said = ", ".join(f"{'+'.join(call.operations)}: {call.applied}" for call in own) or "nothing"
            found.append(f"model {model_id}: the client says ({said}), the server applied ({applied})")
    return found


def _pattern(call: Call) -> str:
    """Return what a call may leave in the ledger, as a regular expression over names."""
    if call.applied == "no":
        return ""
    names = [f"{operation} " for operation in call.operations]
    if call.applied == "yes":
        return "".join(names)
    pattern = ""
    for name in reversed(names):
        pattern = f"(?:{name}{pattern})?"
    return pattern
