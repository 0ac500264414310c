"""Owns the choice of one token from a row of logits; must not know where the row came from.

The random numbers of a sample come from its own counter (Philox: Salmon et al. 2011, Random123), so that
they depend on its seed and its place in the group alone.
"""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

BLOCK = 256
"""Tokens whose mass is summed before the exact token is searched."""
CANDIDATES = (64, 1024)
"""How many of the likeliest tokens are sorted first when only `top_p` cuts."""
WORD = 1 << 64
COLDEST = 1e-30
"""Lower temperatures are taken as this one: in float32 they would become 0, and 0 / 0 no number."""


@attrs.frozen(kw_only=True)
class Choice:
    """How to choose."""

    temperature: float
    """0 takes the likeliest."""
    top_k: int
    """Keep this many of the likeliest; below 1 all."""
    top_p: float
    """Keep the likeliest up to this mass."""


def stream(seed: int, index: int) -> np.random.Generator:
    """Return the random numbers of sample `index` of a group."""
    return np.random.Generator(np.random.Philox(key=np.array([seed % WORD, index], np.uint64)))


@attrs.frozen(eq=False)
class Scored:
    """A row of logits with what every choice from it needs."""

    logits: Array
    """[vocab]."""
    top: float
    """The largest."""
    mass: Array
    """exp(logits - top)."""
    log_total: float
    """Log of the sum of exp(logits)."""

    def logprob(self, token: int) -> float:
        """Logprob of a token at temperature 1, with nothing cut."""
        return float(self.logits[token]) - self.log_total

    def logprobs(self, tokens: npt.NDArray[np.integer]) -> Array:
        """Logprobs of several tokens, each as `logprob` gives it."""
        found: Array = (self.logits[tokens].astype(np.float64) - self.log_total).astype(np.float32)
        return found


def score(logits: Array) -> Scored:
    """Prepare a row of logits."""
    top = logits.max()
    mass = logits - top
    np.exp(mass, out=mass)
    return Scored(logits, float(top), mass, float(top) + float(np.log(np.float64(mass.sum()))))


def choose(row: Scored, how: Choice, random: np.random.Generator) -> int:
    """Choose a token; one random number is drawn unless the temperature is 0."""
    if how.temperature == 0.0:
        return int(row.logits.argmax())
    mass = _tempered(row, how.temperature)
    u = random.random()
    if how.top_k < 1 and how.top_p >= 1.0:
        return _pick(mass, u)
    kept = _kept(mass, how)
    running = np.cumsum(mass[kept], dtype=np.float64)
    return int(kept[min(int(np.searchsorted(running, u * running[-1], side="right")), len(kept) - 1)])


def draw(row: Scored, temperature: float, count: int, random: np.random.Generator) -> npt.NDArray[np.intp]:
    """Draw tokens with replacement and nothing cut; temperature 0 takes the likeliest each time."""
    if temperature == 0.0:
        return np.full(count, row.logits.argmax())
    running = np.cumsum(_tempered(row, temperature), dtype=np.float64)
    below = np.minimum(random.random(count) * running[-1], np.nextafter(running[-1], 0.0))
    found: npt.NDArray[np.intp] = np.searchsorted(running, below, side="right")
    return np.minimum(found, len(running) - 1)  # of a model that has diverged nothing can be drawn


def _tempered(row: Scored, temperature: float) -> Array:
    """Unnormalised probabilities at a temperature above 0."""
    if temperature == 1.0:
        return row.mass
    mass: Array = np.exp((row.logits - np.float32(row.top)) / np.float32(max(temperature, COLDEST)))
    return mass


def _pick(mass: Array, u: float) -> int:
    """Find the token at share `u` of the whole mass."""
    whole = len(mass) // BLOCK * BLOCK
    blocks = mass[:whole].reshape(-1, BLOCK).sum(axis=1)
    running = np.cumsum(np.append(blocks, mass[whole:].sum()), dtype=np.float64)
    wanted = u * running[-1]
    block = min(int(np.searchsorted(running, wanted, side="right")), len(running) - 1)
    start = block * BLOCK
    inside = np.cumsum(mass[start : start + BLOCK], dtype=np.float64)
    wanted -= running[block - 1] if block else 0.0
    found = int(np.searchsorted(inside, wanted, side="right"))
    if found >= len(inside):  # rounding: the sums of a block differ in their last bits
        found = int(np.flatnonzero(mass[start : start + BLOCK])[-1])
    return start + found


def _kept(mass: Array, how: Choice) -> npt.NDArray[np.intp]:
    """Tokens that top_k and then top_p leave, likeliest first, equals in the order of their ids."""
    if how.top_k >= 1:
        kept = likeliest(mass, how.top_k)
        return _up_to(mass, kept, how.top_p, float(mass[kept].sum(dtype=np.float64)))
    total = float(mass.sum(dtype=np.float64))
    for count in CANDIDATES:
        kept = likeliest(mass, count)
        if mass[kept].sum(dtype=np.float64) >= how.top_p * total:
            return _up_to(mass, kept, how.top_p, total)
    return _up_to(mass, likeliest(mass, len(mass)), how.top_p, total)


def _up_to(mass: Array, kept: npt.NDArray[np.intp], share: float, total: float) -> npt.NDArray[np.intp]:
    """Cut a sorted list behind the token that completes the share."""
    if share >= 1.0:
        return kept
    running = np.cumsum(mass[kept], dtype=np.float64)
    return kept[: int(np.searchsorted(running, share * total, side="left")) + 1]


def likeliest(mass: Array, count: int) -> npt.NDArray[np.intp]:
    """Ids of the `count` largest numbers, largest first, equals in the order of their ids; NaN comes last."""
    if np.isnan(mass.max()):
        mass = np.nan_to_num(mass, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    if count < len(mass):
        bound = np.partition(mass, len(mass) - count)[len(mass) - count]
        above, equal = np.flatnonzero(mass > bound), np.flatnonzero(mass == bound)
        ids = np.concatenate([above, equal[: count - len(above)]])
    else:
        ids = np.arange(len(mass))
    order = np.lexsort((ids, -mass[ids]))
    return ids[order]
