"""One fault at every position of the wire: each run ends in exactly-once, or in an error that is true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import TinkerError
from tinsmith.testing import FaultKind, ServerDialect

from tests.chaos.bench import PATIENCE_S, world
from tests.chaos.server import Mishap

if TYPE_CHECKING:
    from tests.chaos.bench import World
    from tests.chaos.witness import Witness

NO_DEDUPLICATION = "no deduplication"

DIALECTS = {
    "promise": ServerDialect(ready_after_polls=1),
    "conflict": ServerDialect(duplicates="conflict", ready_after_polls=1, not_yet="try_again"),
    "bare conflict": ServerDialect(duplicates="refuse", order="strict"),
    "arrival": ServerDialect(order="arrival", ready_after_polls=1),
    NO_DEDUPLICATION: ServerDialect(duplicates="apply", order="arrival"),
}
"""Servers that are known, and the one that is feared."""

SCRIPT_REQUESTS = 6

OURS_TO_BEAR = [kind for kind in FaultKind if kind is not FaultKind.DUPLICATED]
"""Faults against which a client can do something on a server that does not deduplicate: it cannot when a
proxy doubles what it sent once."""


def six_requests(witness: Witness) -> None:
    """Call what a short training program calls, and wait for the last of it."""
    witness.forward_backward()
    witness.optim_step()
    witness.save()
    witness.load()
    witness.forward_backward()
    witness.optim_step()
    done = witness.simulation.advance_until(lambda: not witness.outstanding, SCRIPT_REQUESTS * PATIENCE_S)
    assert done, f"left: {witness.outstanding}"
    witness.check_all_ended()


def clean_length(dialect: ServerDialect, **settings: Any) -> int:
    """Count the requests of the script on a wire without faults."""
    with world(dialect, **settings) as fine:
        six_requests(fine.trainer())
        assert [call for call, _ in fine.service.applied] == [1, 2, 3, 4, 5, 6]
        return fine.service.script.position


def run_with(kind: FaultKind, position: int, dialect: ServerDialect, **settings: Any) -> World:
    """Run the script with one fault, and let late copies arrive before the last look."""
    with world(dialect, **settings) as struck:
        struck.service.script.at[position] = Mishap(kind)
        try:
            witness = struck.trainer()
        except TinkerError:
            assert struck.service.applied == []
            return struck
        six_requests(witness)
        struck.simulation.advance(60.0)
        witness.check_all_ended()
        return struck


def strike_everywhere(kind: FaultKind, dialect: ServerDialect, **settings: Any) -> int:
    """Strike each position in turn; return how many runs did not apply everything."""
    whole = 0
    positions = clean_length(dialect, **settings)
    for position in range(positions):
        try:
            struck = run_with(kind, position, dialect, **settings)
        except AssertionError as error:
            error.add_note(f"{kind} at position {position}")
            raise
        whole += [call for call, _ in struck.service.applied] == [1, 2, 3, 4, 5, 6]
    return positions - whole


@pytest.mark.parametrize("kind", FaultKind, ids=str)
def test_one_fault_costs_nothing_where_the_server_deduplicates(kind: FaultKind) -> None:
    """Whatever strikes wherever, all six requests are applied once, in order, and each has its result."""
    assert strike_everywhere(kind, DIALECTS["promise"]) == 0


@pytest.mark.parametrize("kind", OURS_TO_BEAR, ids=str)
def test_one_fault_without_deduplication(kind: FaultKind) -> None:
    """On a server that would apply a repetition, nothing is applied twice and every error tells the truth."""
    strike_everywhere(kind, DIALECTS[NO_DEDUPLICATION])


@pytest.mark.long
@pytest.mark.parametrize("mode", ["accepted", "results"])
@pytest.mark.parametrize(
    ("dialect", "kind"),
    [(name, kind) for name in DIALECTS for kind in (OURS_TO_BEAR if name == NO_DEDUPLICATION else FaultKind)],
)
def test_one_fault_anywhere(dialect: str, kind: FaultKind, mode: str) -> None:
    """The same on every dialect, with both rules of when a step goes out."""
    lost = strike_everywhere(kind, DIALECTS[dialect], optim_after=mode)
    if dialect in ("promise", "conflict", "arrival"):
        assert lost == 0
