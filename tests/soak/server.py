"""The server of the soak, in a process of its own: faults at random, and a ledger to ask for.

Usage: python -m tests.soak.server P SEED. Prints its URL; `GET /ledger` tells what was applied.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tinsmith import testing
from tinsmith.testing.fault_plans import AtRandom, FaultKind

if TYPE_CHECKING:
    from tinsmith.io.http.messages import Answer, Seen

SLOW = frozenset({FaultKind.STATUS_429_ADVISED, FaultKind.STATUS_503_BEFORE})
"""Kinds that ask the client to wait for seconds: they cost time and show nothing more."""

UNTOLD = frozenset({FaultKind.ANOTHERS_PROMISE_AFTER})
"""Kinds that no client can tell in a long run: once a server forgot a promise, as another kind makes it do,
its ids may begin anew, and a foreign result of the same type is no sign. tests/io/test_applied.py has
them."""

KINDS = tuple(kind for kind in FaultKind if kind not in SLOW | UNTOLD)
"""The kinds of the soak."""


class SoakService(testing.LedgerService):
    """A service that tells its ledger, and does not keep what it saw."""

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer one request."""
        if seen.path == "ledger":
            applied = [(entry.model_id, entry.seq_id, entry.operation) for entry in self.ledger.applied]
            plan = self.plan
            met = len(plan.met) if plan is not None else 0
            return testing.reply({"applied": applied, "doubles": self.ledger.doubles(), "faults": met})
        answer = await super().answer(seen, drips=drips)
        self.seen.clear()
        return answer


def main() -> None:
    """Serve until stdin is closed."""
    p, seed = float(sys.argv[1]), int(sys.argv[2])
    service = SoakService(testing.ServerDialect(ready_after_polls=1), AtRandom(p, seed, KINDS))
    with testing.SocketServer(service) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
