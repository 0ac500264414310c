"""When promises of one owner ended, by their numbers: what stands behind them may go on waiting.

A promise moves when one with a lower number ends, since it may have waited for that; one with a higher number
says nothing of it. Pure, and bounded: of many ends it remembers fewer, and errs on the side of waiting.
"""

from __future__ import annotations

from bisect import bisect_left

import attrs

MOST_KEPT = 256
"""Ends that are remembered of one owner."""


@attrs.define
class Progress:
    """The ends of one owner's promises: numbers and times both rise, since later ones cover what is above."""

    _numbers: list[int] = attrs.field(factory=list)
    _times_s: list[float] = attrs.field(factory=list)

    def ended(self, seq_id: int, at_s: float) -> None:
        """Note that the promise of a number ended."""
        while self._numbers and self._numbers[-1] >= seq_id:
            self._numbers.pop()
            self._times_s.pop()
        self._numbers.append(seq_id)
        self._times_s.append(at_s)
        if len(self._numbers) > MOST_KEPT:  # of each two the lower number and the later time
            self._numbers = self._numbers[::2]
            self._times_s = self._times_s[1::2] + ([at_s] if len(self._times_s) % 2 else [])

    def last_before(self, seq_id: int) -> float:
        """Return when a promise with a lower number ended last; minus infinity if none did."""
        at = bisect_left(self._numbers, seq_id)
        return self._times_s[at - 1] if at else float("-inf")
