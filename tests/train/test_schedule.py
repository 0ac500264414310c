"""The learning rate of each step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith import InputError
from tinsmith.train import Schedule


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({"shape": "constant"}, [1.0, 1.0, 1.0, 1.0]),
        ({"shape": "linear"}, [1.0, 0.75, 0.5, 0.25]),
        ({"shape": "cosine"}, [1.0, 0.853553, 0.5, 0.146447]),
        ({"shape": "constant", "warmup_steps": 2}, [0.5, 1.0, 1.0, 1.0]),
        ({"shape": "linear", "warmup_steps": 2}, [0.5, 1.0, 1.0, 0.5]),
        ({"shape": "cosine", "warmup_steps": 3}, [1 / 3, 2 / 3, 1.0, 1.0]),
    ],
)
def test_shapes(settings: dict[str, Any], rates: list[float]) -> None:
    """The warm-up ends at the peak, and what follows begins with it."""
    schedule = Schedule(peak=1.0, steps=4, **settings)
    assert [schedule(step) for step in range(1, 5)] == pytest.approx(rates, abs=1e-6)


@given(steps=st.integers(1, 200), shape=st.sampled_from(["constant", "linear", "cosine"]), data=st.data())
def test_every_step_moves(steps: int, shape: Any, data: st.DataObject) -> None:
    """No rate is 0 or above the peak, and the peak is reached."""
    warmup_steps = data.draw(st.integers(0, steps - 1))
    schedule = Schedule(peak=2.0, steps=steps, shape=shape, warmup_steps=warmup_steps)
    rates = [schedule(step) for step in range(1, steps + 1)]
    assert all(0 < rate <= 2.0 for rate in rates)
    assert max(rates) == 2.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"peak": 0.0}, "'learning_rate'.* must be a number above 0, not 0.0"),
        ({"peak": float("nan")}, "'learning_rate'.* must be a number above 0"),
        ({"peak": float("inf")}, "'learning_rate'.* must be a number above 0"),
        ({"shape": "square"}, "'schedule'.* must be one of constant, linear, cosine, not 'square'"),
        (
            {"warmup_steps": 4},
            "'warmup_steps'.* must be from 0 to 3, fewer than the 4 steps of the run, not 4",
        ),
        ({"warmup_steps": -1}, "'warmup_steps'.* must be from 0 to 3"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    """Each is named, with what is allowed."""
    with pytest.raises(InputError, match=message):
        Schedule(**{"peak": 1.0, "steps": 4, **settings})
