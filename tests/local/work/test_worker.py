"""The engine's thread: whose task comes next."""

import threading

from tinsmith.local.work.worker import Worker


class NoFloor:
    """Nothing to sample."""

    def idle(self) -> bool:
        """Say so."""
        return True

    def step(self) -> None:
        """Never be called."""
        raise AssertionError


def test_owners_take_turns_and_keep_their_order() -> None:
    """A hundred tasks of one owner let two of another, and one of a third, go between them."""
    worker, done, over = Worker(NoFloor(), lambda: None), list[str](), threading.Event()
    names = [*(f"a{number}" for number in range(100)), "b0", "c0", "b1"]
    for name in names:
        worker.put(lambda name=name: done.append(name), owner=name[0])  # type: ignore[misc]
    worker.put(over.set, owner="a")
    assert worker.waiting == 104
    worker.start()
    assert over.wait(10)
    worker.close()
    assert done == ["a0", "b0", "c0", "a1", "b1", *(f"a{number}" for number in range(2, 100))]
    assert worker.waiting == 0


def test_a_failing_task_ends_nothing() -> None:
    """The next one runs, whoever's it is."""
    worker, over = Worker(NoFloor(), lambda: None), threading.Event()
    worker.put(lambda: [][0], owner="a")
    worker.put(over.set, owner="b")
    worker.start()
    assert over.wait(10)
    worker.close()
