"""A long run through faults: 600 steps on each of three servers at once, p = 0.3, on real sockets.

Usage: python -m tests.soak.run [--steps N] [--seeds N] [--p P]. Prints one JSON line a seed and one for all,
and fails unless every step was applied once and in order, every result is its own call's, nothing hung,
memory stood still, and neither key nor prompt was seen in a log, a repr or a pickle.
"""

from __future__ import annotations

import argparse
import json
import logging
import pickle
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from pathlib import Path
from typing import Any

import attrs
from tinsmith import AdamParams, Datum, ModelInput, ServiceClient
from tinsmith.core.config import ClientConfig, PollPolicy, RetryConfig, Timeouts

KEY = "tml-canary-77aa"
PROMPT_TOKEN = 48_611_777
"""First token of each datum: a number that stands nowhere else."""

AHEAD = 8
"""Steps in flight at once."""

HANG_S = 90.0
"""Longest wait for one result, in seconds."""

GROWTH_MB = 30.0
"""Most memory that the run may gain after its first tenth."""

FAST: dict[str, Any] = {
    "retry": RetryConfig(
        retry_delay_base=0.01, retry_delay_max=0.1, budget_per_s=1000.0, budget_capacity=1e6
    ),
    "poll": PollPolicy(
        storm_base_s=0.01,
        storm_max_s=0.1,
        storm_polls_per_s=5000.0,
        read_timeout_s=0.5,
        broken_limit=20,
    ),
    "timeouts": Timeouts(total_s=0.5, read_s=0.5),
}
"""Short pauses, since the faults and not the waits are on trial; and more patience with unreadable answers,
since here four in a row are chance."""


@attrs.define
class Tally:
    """What one seed showed."""

    seed: int
    """The seed."""
    applied: int = 0
    """Requests in the ledger."""
    faults: int = 0
    """Faults met."""
    failed: int = 0
    """Steps that ended in an error."""
    errors: list[str] = attrs.field(factory=list)
    """The first of those errors."""
    wrong: int = 0
    """Results that belong to another call."""
    in_order: bool = False
    """Whether the ledger is 1..M."""


class CanaryWatch(logging.Handler):
    """Looks at every record and keeps none."""

    def __init__(self) -> None:
        super().__init__(level=1)
        self.hits = 0
        self.records = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Search one record."""
        self.records += 1
        text = record.getMessage() + repr(record.__dict__)
        self.hits += KEY in text or str(PROMPT_TOKEN) in text


def datum(number: int) -> Datum:
    """Make a datum whose length, and so its loss, tells which call it belongs to."""
    length = number % 50 + 1
    tokens = [PROMPT_TOKEN, *range(1, length)]
    inputs = {"target_tokens": tokens, "weights": [1.0] * length}
    return Datum(model_input=ModelInput.from_ints(tokens), loss_fn_inputs=inputs)


def train(url: str, steps: int, tally: Tally, progress: list[int]) -> None:
    """Run one training loop through the faults."""
    config = ClientConfig.from_environment(
        base_url=url, api_key=KEY, server_deduplicates=True, heartbeat_interval_s=1.0, **FAST
    )
    with ServiceClient(config=config) as service:
        trainer = service.create_lora_training_client("tinsmith/tiny")
        waiting: deque[tuple[int, Any, Any]] = deque()
        for number in range(steps + AHEAD):
            if number < steps:
                passed = trainer.forward_backward([datum(number)], "cross_entropy")
                waiting.append((number, passed, trainer.optim_step(AdamParams())))
            if number >= AHEAD - 1 and waiting:
                _check(*waiting.popleft(), tally)
                progress[tally.seed] += 1
        while waiting:
            _check(*waiting.popleft(), tally)
        sampler = service.create_sampling_client(base_model="tinsmith/tiny")
        shown = repr(service) + repr(vars(trainer)) + repr(config) + str(pickle.dumps(sampler))
        if KEY in shown or str(PROMPT_TOKEN) in shown:
            tally.errors.append("a canary shows in a repr or a pickle")


def _check(number: int, passed: Any, stepped: Any, tally: Tally) -> None:
    try:
        loss = passed.result(HANG_S).metrics["loss:sum"]
        seq_id = stepped.result(HANG_S).metrics["seq_id"]
    except Exception as error:  # noqa: BLE001  # whatever reaches the program is counted
        tally.failed += 1
        tally.errors = [*tally.errors, f"step {number}: {type(error).__name__}: {error}"[:200]][:3]
        return
    tally.wrong += loss != number % 50 + 1 or seq_id != 2 * number + 2


def soak(seed: int, steps: int, p: float, progress: list[int], tallies: list[Tally]) -> None:
    """Start a server, train on it, and compare."""
    tally = Tally(seed)
    tallies.append(tally)
    command = [sys.executable, "-m", "tests.soak.server", str(p), str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        url = server.stdout.readline().strip()
        try:
            train(url, steps, tally, progress)
            with urllib.request.urlopen(f"{url}ledger") as answer:
                ledger = json.load(answer)
        finally:
            server.stdin.close()
    numbers = [seq_id for model_id, seq_id, _ in ledger["applied"] if ":train:" in model_id]
    tally.applied, tally.faults = len(numbers), ledger["faults"]
    tally.in_order = numbers == list(range(1, 2 * steps + 1)) and not ledger["doubles"]


def memory_mb() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> int:
    """Run all seeds at once and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--p", type=float, default=0.3)
    options = parser.parse_args()
    watch = CanaryWatch()
    logging.getLogger().addHandler(watch)
    logging.getLogger().setLevel(1)
    progress, tallies = [0] * options.seeds, list[Tally]()
    threads = [
        threading.Thread(target=soak, args=(seed, options.steps, options.p, progress, tallies))
        for seed in range(options.seeds)
    ]
    started, warm_mb = time.monotonic(), None
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.2)
        if warm_mb is None and min(progress) >= options.steps // 10:
            warm_mb = memory_mb()
    growth_mb = memory_mb() - (warm_mb or 0.0)
    for tally in tallies:
        print(json.dumps(attrs.asdict(tally)))
    taken_s = time.monotonic() - started
    total = {"took_s": taken_s, "growth_mb": growth_mb, "records": watch.records, "canary_hits": watch.hits}
    print(json.dumps(total))
    whole = all(tally.in_order and not tally.errors and not tally.wrong for tally in tallies)
    good = whole and len(tallies) == options.seeds and growth_mb < GROWTH_MB and not watch.hits
    print("soak passed" if good else "soak FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
