"""Which ends are progress for which promise."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.promises import MOST_KEPT, EndedPromises


def test_only_ends_before_a_promise_move_it() -> None:
    """What ends behind a promise says nothing of it."""
    progress = EndedPromises()
    assert progress.last_before(9) == float("-inf")
    progress.add(5, 10.0)
    progress.add(7, 20.0)
    assert [progress.last_before(seq_id) for seq_id in (5, 6, 8)] == [float("-inf"), 10.0, 20.0]
    progress.add(2, 30.0)
    assert [progress.last_before(seq_id) for seq_id in (2, 3, 6, 8)] == [float("-inf"), 30.0, 30.0, 30.0]


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(0, 41))
def test_the_last_end_below_a_number_is_found(ends: list[int], seq_id: int) -> None:
    """In whatever order promises end."""
    progress = EndedPromises()
    for at, ended in enumerate(ends):
        progress.add(ended, float(at))
    below = [float(at) for at, ended in enumerate(ends) if ended < seq_id]
    assert progress.last_before(seq_id) == max(below, default=float("-inf"))


def test_many_ends_take_little_room_and_err_on_the_side_of_waiting() -> None:
    """Of thousands a few hundred are kept, and nobody is given up sooner for it."""
    progress = EndedPromises()
    for seq_id in range(5000):
        progress.add(seq_id, float(seq_id))
        assert progress.last_before(seq_id + 1) == seq_id
    assert len(progress._numbers) == len(progress._times_s) <= MOST_KEPT
    assert all(progress.last_before(seq_id) >= seq_id - 1 for seq_id in range(1, 5001))
