"""Measures what importing one operation of the generated client costs beyond attrs and httpx.

Usage: import_cost.py [--runs N]. Each run is a fresh process that imports attrs and httpx, then an operation,
and reports the CPU time of each part, so that other work on the machine does not count. Beside it stands the
same process with every model imported, which is what an eager package of models would cost each time.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

from tinsmith_api.operations import OPERATIONS

LIMIT_MS = 10

CHILD = """
import sys, time
start = time.process_time()
import attrs, httpx
middle = time.process_time()
{statement}
print((middle - start) * 1000, (time.process_time() - middle) * 1000)
"""

EVERYTHING = "import tinsmith_api.models as m; [getattr(m, name) for name in m.__all__]"


def cost_ms(statement: str, runs: int) -> tuple[float, float]:
    """Return the median CPU time of attrs and httpx, and of the statement behind them."""
    code = CHILD.format(statement=statement)
    found = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(runs)
    ]
    return statistics.median(float(a) for a, _ in found), statistics.median(float(b) for _, b in found)


def main() -> int:
    """Measure every operation, print the worst ones, and fail when one is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    costs: list[tuple[float, str]] = []
    for op in OPERATIONS.values():
        base, own = cost_ms(f"import tinsmith_api.api.{op.tag}.{op.id}", runs)
        costs.append((own, op.id))
    base, everything = cost_ms(EVERYTHING, runs)
    costs.sort(reverse=True)
    for own, name in costs[:5]:
        print(f"{own:6.1f} ms  {name}")
    print(f"{statistics.median(own for own, _ in costs):6.1f} ms  median of {len(costs)} operations")
    print(f"{everything:6.1f} ms  all models at once")
    print(f"{base:6.1f} ms  attrs and httpx, for comparison")
    return 0 if costs[0][0] < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
