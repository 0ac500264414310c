"""The engine's thread: whose task comes next."""

import threading

from tinsmith_local.engine.workers import exclusive
from tinsmith_local.work.worker import Worker

from tests.guard import WAIT_S


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


def test_closing_stops_what_is_in_hand() -> None:
    """The computation looks at the flag between its pieces; what is queued behind it is not begun."""
    worker, begun, done = Worker(NoFloor(), lambda: None), threading.Event(), list[str]()

    def endless() -> None:
        with exclusive() as team:
            begun.set()
            while True:
                team.look_up()

    worker.put(endless)
    worker.put(lambda: done.append("next"))
    worker.start()
    assert begun.wait(WAIT_S)
    worker.close()
    assert done == []
    assert worker.waiting == 1
    with exclusive() as team:  # of another thread, which nobody stops
        team.look_up()
