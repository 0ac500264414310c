"""What a server applied, in the order in which it did: the witness that exactly-once is claimed before."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence


@attrs.frozen
class Applied:
    """One application of one request."""

    model_id: str
    """The model, or the sampler, that it changed or asked."""
    seq_id: int
    """Its number there."""
    operation: str
    """The operation id."""
    digest: str
    """Of its bytes."""
    request_id: str
    """The promise that it was given."""


class Ledger:
    """Everything that was applied, in order."""

    def __init__(self) -> None:
        self._entries: list[Applied] = []
        self._guard = threading.Lock()

    @property
    def applied(self) -> Sequence[Applied]:
        """The entries so far."""
        with self._guard:
            return tuple(self._entries)

    def note(self, entry: Applied) -> None:
        """Add an entry."""
        with self._guard:
            self._entries.append(entry)

    def of(self, model_id: str) -> list[Applied]:
        """Return the entries of one model."""
        return [entry for entry in self.applied if entry.model_id == model_id]

    def numbers(self, model_id: str) -> list[int]:
        """Return the numbers applied on one model, in order of application."""
        return [entry.seq_id for entry in self.of(model_id)]

    def doubles(self) -> list[tuple[str, int]]:
        """Return each (model, seq_id) that was applied more than once."""
        counted = Counter((entry.model_id, entry.seq_id) for entry in self.applied)
        return [key for key, times in counted.items() if times > 1]

    def assert_exactly_once(self, model_id: str, last: int | None = None) -> None:
        """Fail unless the numbers are 1, 2, 3 … in order, each once, up to `last` where it is given."""
        numbers = self.numbers(model_id)
        expected = list(range(1, (len(numbers) if last is None else last) + 1))
        assert numbers == expected, f"applied {numbers}, expected {expected}"
