"""The engine's thread: whose task comes next."""

import threading

from tinsmith_local.engine.workers import exclusive
from tinsmith_local.work.engine_thread import EngineThread

from tests.guard import WAIT_S


def started(thread: EngineThread) -> EngineThread:
    """Let a thread work that has nothing to sample."""
    thread.start(is_sampling=lambda: False, sample=lambda: None, keep_house=lambda: None)
    return thread


def test_owners_are_served_in_rotation_and_keep_their_order() -> None:
    """A hundred tasks of one owner let two of another, and one of a third, go between them."""
    thread, done, over = EngineThread(), list[str](), threading.Event()
    names = [*(f"a{number}" for number in range(100)), "b0", "c0", "b1"]
    for name in names:
        thread.put(lambda name=name: done.append(name), owner=name[0])  # type: ignore[misc]
    thread.put(over.set, owner="a")
    assert thread.waiting == 104
    started(thread)
    assert over.wait(10)
    thread.close()
    assert done == ["a0", "b0", "c0", "a1", "b1", *(f"a{number}" for number in range(2, 100))]
    assert thread.waiting == 0


def test_a_failing_task_ends_nothing() -> None:
    """The next one runs, whoever's it is."""
    thread, over = EngineThread(), threading.Event()
    thread.put(lambda: [][0], owner="a")
    thread.put(over.set, owner="b")
    started(thread)
    assert over.wait(10)
    thread.close()


def test_closing_stops_the_present_computation() -> None:
    """The computation looks at the flag between its pieces; what is queued behind it is not begun."""
    thread, begun, done = EngineThread(), threading.Event(), list[str]()

    def endless() -> None:
        with exclusive() as team:
            begun.set()
            while True:
                team.look_up()

    thread.put(endless)
    thread.put(lambda: done.append("next"))
    started(thread)
    assert begun.wait(WAIT_S)
    thread.close()
    assert done == []
    assert thread.waiting == 1
    with exclusive() as team:  # of another thread, which nobody stops
        team.look_up()
