"""The training run that both clients make: the same batches, rank, seed and rate."""

import random
from collections.abc import Callable
from typing import Any

from tests.interop.calls import Calls

BASE_MODEL = "tinsmith/tiny"
RANK = 4
SEED = 11
LEARNING_RATE = 1e-3
STEPS = 200


def batch(step: int) -> list[tuple[list[int], list[int], list[float]]]:
    """Return the tokens, targets and weights of one step's five datums, of uneven lengths."""
    draw = random.Random(step)
    rows = []
    for _ in range(5):
        tokens = [draw.choice(b"abcde ") for _ in range(draw.randrange(4, 24))]
        rows.append((tokens[:-1], tokens[1:], [draw.choice((0.0, 0.5, 1.0)) for _ in tokens[1:]]))
    return rows


def train(calls: Calls, client: Any, datum: Callable[..., Any], adam: Any) -> list[float]:
    """Take the steps of the script, each pair sent without waiting for the one before; return the losses."""
    futures = []
    for step in range(STEPS):
        data = [datum(*row) for row in batch(step)]
        futures.append(client.forward_backward(data, "cross_entropy"))
        futures.append(client.optim_step(adam))

    def results() -> list[float]:
        done = [future.result(timeout=300) for future in futures]
        return [answer.metrics["loss:sum"] for answer in done[::2]]

    losses: list[float] = calls(
        f"TrainingClient.forward_backward + optim_step, {STEPS} times",
        results,
        lambda found: len(found) == STEPS and found[-1] < found[0],
    )
    return losses or []
