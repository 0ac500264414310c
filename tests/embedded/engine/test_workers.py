"""The team of threads: every worker runs, errors are raised and never hang, BLAS is given back."""

import os
import threading
from collections.abc import Callable

import numpy as np
import pytest
from threadpoolctl import threadpool_info
from tinsmith_local.engine import workers
from tinsmith_local.engine.workers import Team, even_blocks, exclusive


def test_every_worker_runs_and_meets() -> None:
    """All workers pass each meeting together."""
    team, seen = Team(3), []

    def task(worker: int) -> None:
        for round_ in range(50):
            seen.append(round_)
            team.meet(worker)

    team.run(task)
    assert [seen[i : i + 3] for i in range(0, 150, 3)] == [[i] * 3 for i in range(50)]


@pytest.mark.parametrize(
    "work",
    [
        lambda: np.ones(3) / np.zeros(3),
        lambda: np.log(np.zeros(3)),
        lambda: np.exp(np.full(3, 1e4)),
        lambda: np.full(3, np.inf) - np.inf,
        lambda: np.full(3, 1e-200) * 1e-200,
        lambda: np.full(3, 1e200).astype(np.float32),
    ],
)
def test_no_worker_warns_of_numbers_that_overflow(
    work: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warnings are errors here, and numpy keeps their settings by thread: each worker does it, lanes too."""
    monkeypatch.setattr(workers, "_team", Team(3))
    done: list[int] = []

    def again(worker: int) -> None:
        work()
        done.append(worker)

    def task(worker: int) -> None:
        work()
        team.lanes[worker].run(again)
        done.append(worker)

    with exclusive() as team:
        work()
        team.run(task)
    assert sorted(done) == [0, 0, 0, 0, 1, 2]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_failing_worker_frees_those_that_wait_for_it(failing: int) -> None:
    """Its own error is raised, and the team works on."""
    team = Team(3)

    def task(worker: int) -> None:
        if worker == failing:
            raise KeyError("mine")
        team.meet(worker)

    with pytest.raises(KeyError, match="mine"):
        team.run(task)
    done: list[int] = []
    team.run(done.append)
    team.run(team.meet)
    assert sorted(done) == [0, 1, 2]


def test_one_thread_at_a_time_with_blas_to_itself() -> None:
    """Inside, BLAS has one thread; a second caller waits; afterwards all is as before."""
    before = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    order: list[str] = []

    def second() -> None:
        with exclusive():
            order.append("second")

    with exclusive():
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"] == before


@pytest.mark.parametrize("count", [0, 1, 3, 64, 1000, 1025])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_blocks_cover_everything_once(count: int, workers: int) -> None:
    """Blocks lie end to end, and none is much larger than asked for."""
    blocks = even_blocks(count, 256, workers)
    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(count))
    assert all(0 < block.stop - block.start <= 260 for block in blocks)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_makes_its_own_team() -> None:
    """Threads do not survive a fork, and the child does not wait for them."""
    with exclusive() as team:
        team.run(lambda worker: None)
    child = os.fork()
    if child == 0:
        try:
            with exclusive() as team:
                team.run(lambda worker: None)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
