"""The training run that both clients make: the same batches, rank, seed and rate."""

import random

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
