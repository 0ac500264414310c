"""What every contestant of `codec.py` shares: arrays, the clock, how it reports. Imports no client."""

import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

RUNS = 7


def arrays(datums: int, length: int) -> list[tuple[Any, dict[str, Any]]]:
    """Return token ids and three tensors for each datum, the same in every process."""
    random = np.random.default_rng(7)
    return [
        (
            random.integers(0, 150_000, length),
            {
                "target_tokens": random.integers(0, 150_000, length),
                "logprobs": -random.random(length, dtype=np.float32),
                "advantages": random.standard_normal(length, dtype=np.float32),
            },
        )
        for _ in range(datums)
    ]


def cpu_ms(work: Callable[[], Any], runs: int = RUNS) -> float:
    """Return the median CPU time of a piece of work in ms, after one run that warms up."""
    taken = []
    for run in range(-1, runs):
        gc.collect()
        start = time.process_time()
        kept = work()
        spent = time.process_time() - start
        del kept
        if run >= 0:
            taken.append(spent * 1000)
    return statistics.median(taken)


def reading_ms(decode: Callable[[], Any], read: Callable[[Any], Any]) -> float:
    """Return the median CPU time of reading a result that was never read before, in ms, without its decoding.

    What is read is dropped at once, result by result, as by a loop that computes a loss of each.
    """
    taken = []
    for run in range(-1, RUNS):
        result = decode()
        gc.collect()
        start = time.process_time()
        for part in result:
            read(part)
        if run >= 0:
            taken.append((time.process_time() - start) * 1000)
    return statistics.median(taken)


def peak_mb() -> float:
    """Return the largest resident size so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(**found: float) -> None:
    """Hand figures to the parent."""
    json.dump(found, sys.stdout)


def calls(
    send: Callable[[Any], int], build: Callable[[], list[Any]], expected: int, runs: int
) -> dict[str, float]:
    """Measure whole calls, which `send` a batch and count what comes back.

    CPU of the process and wall time in ms, from arrays to the result; memory that the first call added to its
    datums.
    """
    data = build()
    before = peak_mb()
    assert send(data) == expected
    added = peak_mb() - before
    del data
    cpu, wall = [], []
    for _ in range(runs):
        gc.collect()
        start, begun = time.process_time(), time.perf_counter()
        assert send(build()) == expected
        cpu.append((time.process_time() - start) * 1000)
        wall.append((time.perf_counter() - begun) * 1000)
    return {"call": statistics.median(cpu), "wall": statistics.median(wall), "added_mb": added}
