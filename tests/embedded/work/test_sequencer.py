"""Decisions about numbers, by table; waiting and turns, across threads and loops."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tinsmith_local.imitation import sequence_rule
from tinsmith_local.options import Imitation
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.database import Database
from tinsmith_local.store.promise_table import PromiseRow, PromiseTable
from tinsmith_local.work.notifier import Notifier
from tinsmith_local.work.sequencer import THREAD_BYTES, Decision, Sequencer

PLAIN = Imitation()
ARRIVAL, AGAIN = Imitation(arrival_order=True), Imitation(no_deduplication=True)
REFUSING, EXACT = Imitation(duplicates_409=True), Imitation(exact_next=True)

#: number, last number, whether it is kept with equal (or other) content, ordered, quirks, decision
TABLE: list[tuple[int, int, bool | None, bool, Imitation, Decision]] = [
    (1, 0, None, True, PLAIN, "accept"),
    (2, 0, None, True, PLAIN, "wait"),
    (1, 1, True, True, PLAIN, "same"),
    (1, 1, False, True, PLAIN, "conflict"),
    (1, 2, None, True, PLAIN, "conflict"),
    (9, 0, None, False, PLAIN, "accept"),
    (3, 9, None, False, PLAIN, "accept"),
    (3, 9, True, False, PLAIN, "same"),
    (3, 9, False, False, PLAIN, "conflict"),
    (7, 1, None, True, ARRIVAL, "accept"),
    (1, 7, None, True, ARRIVAL, "accept"),
    (1, 7, True, True, ARRIVAL, "same"),
    (1, 1, True, True, AGAIN, "accept"),
    (1, 1, False, True, AGAIN, "accept"),
    (2, 1, None, True, AGAIN, "accept"),
    (3, 1, None, True, AGAIN, "wait"),
    (1, 1, True, True, REFUSING, "refused"),
    (1, 1, False, True, REFUSING, "refused"),
    (3, 1, None, True, REFUSING, "wait"),
    (1, 1, True, True, EXACT, "refused"),
    (2, 1, None, True, EXACT, "accept"),
    (3, 1, None, True, EXACT, "not-next"),
]


@pytest.mark.parametrize(("seq", "last", "same", "ordered", "imitate", "decision"), TABLE)
def test_decisions_about_numbers(
    seq: int, last: int, same: bool | None, ordered: bool, imitate: Imitation, decision: Decision
) -> None:
    """Each case of the table."""
    decide = sequence_rule(imitate)
    assert decide(seq=seq, last=last, same=same, ordered=ordered) == decision


def test_a_notification_from_another_thread_wakes_waiters_on_any_loop() -> None:
    """Four loops wait for one name; one notification is enough for all."""
    notifier, ready = Notifier(), threading.Event()
    found: list[bool | None] = []

    def wait() -> None:
        look = notifier.wait_for("name", lambda: True if ready.is_set() else None, 20)
        found.append(asyncio.run(look))

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(notifier._waiting.get("name", [])) < 4:
        time.sleep(0.001)
    ready.set()
    notifier.notify("name")
    for thread in threads:
        thread.join()
    assert found == [True] * 4
    assert notifier._waiting == {}


def test_waiting_ends() -> None:
    """Without a notification nothing is found, and nobody is left on the list."""
    notifier = Notifier()
    assert asyncio.run(notifier.wait_for("name", lambda: None, 0.01)) is None
    assert notifier._waiting == {}


def test_a_waiter_that_leaves_is_forgotten() -> None:
    """A cancelled waiter is off the list, and a later notification is no error."""
    notifier = Notifier()

    async def leave() -> None:
        task = asyncio.create_task(notifier.wait_for("name", lambda: None, 20))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert notifier._waiting == {}
    notifier.notify("name")


def test_a_big_request_whose_sender_leaves_keeps_no_scope_busy(tmp_path: Path) -> None:
    """It is cancelled before a thread is free to write it; the next one under its number gets its turn."""
    database, files = Database(tmp_path / "db"), DataDir(tmp_path)
    sequencer = Sequencer(PromiseTable(database, files), Notifier(), gap_wait_s=5.0)
    accepted: list[int | None] = []
    row = PromiseRow(
        request_id="a", scope="s", seq=1, digest=b"", op="forward", model_id=None, position=None,
        state="accepted", error=None, category=None, created_at=0.0, finished_at=None, body_bytes=0,
    )  # fmt: skip

    def accept(seq: int | None) -> PromiseRow:
        accepted.append(seq)
        return row

    async def scene() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        gate = threading.Event()
        busy = asyncio.create_task(asyncio.to_thread(gate.wait, 20))
        await asyncio.sleep(0)
        leaving = asyncio.create_task(sequencer.admit("s", 1, b"", accept, size=THREAD_BYTES + 1))
        await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        gate.set()
        await busy
        assert await sequencer.admit("s", 2, b"", accept) is row

    asyncio.run(scene())
    database.close()
    assert accepted == [1, 2]


def test_imitations_are_parsed() -> None:
    """Each word that is listed is understood, and others are refused with the list."""
    assert Imitation.parse(["arrival-order", "detail=list", "failure-status=422"]) == Imitation(
        arrival_order=True, detail="list", failure_status=422
    )
    for word in Imitation.words():
        assert Imitation.parse([word.partition("|")[0]]) != Imitation()
    for wrong in ("nonsense", "detail=loud", "failure-status=500", "try-again=1"):
        with pytest.raises(ValueError, match=wrong.partition("=")[0]):
            Imitation.parse([wrong])
