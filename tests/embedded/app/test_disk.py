"""A full disk is an error to the request that met it alone; a restart knows what was accepted."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.database import StorageFullError
from tinsmith_local.store.promise_table import PromiseTable

from tests.embedded.app.caller import Caller, datum

Open = Callable[..., Caller]


def fill(caller: Caller) -> None:
    """Let the database grow no further: to SQLite that is a full disk."""
    caller.service.database.limit_pages(1)


def free(caller: Caller) -> None:
    """Make room again."""
    caller.service.database.limit_pages(1 << 30)


def no_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every new file fail for lack of space."""

    def fail(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", fail)


def test_a_request_that_cannot_be_journalled_is_not_accepted(caller: Caller) -> None:
    """507 with category server; the same number works when there is room."""
    model = caller.model()
    fill(caller)
    refused = caller.post("save_weights", model_id=model, seq_id=1, path="x" * 200)
    while refused.is_success:  # what fits in pages that are there is still accepted
        caller.result(refused.json()["request_id"])
        number = len(caller.ledger(model)) + 1
        refused = caller.post("save_weights", model_id=model, seq_id=number, path="x" * 200 + str(number))
    assert (refused.status_code, refused.json()["category"]) == (507, "server")
    assert int(refused.headers["retry-after"]) > 0
    number = len(caller.ledger(model)) + 1
    free(caller)
    caller.forward_backward(model, number)
    assert caller.ledger(model) == list(range(1, number + 1))


def test_a_big_body_on_a_full_disk_is_not_accepted(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies beyond the inline size are files; nothing of a failed one remains."""
    model = caller.model()
    big = {"data": [datum(b"a" * 1500)] * 12, "loss_fn": "cross_entropy"}
    body = {"model_id": model, "seq_id": 1, "forward_backward_input": big}
    with monkeypatch.context() as patch:
        no_space(patch)
        refused = caller.post("forward_backward", **body)
        assert (refused.status_code, refused.json()["category"]) == (507, "server")
        assert caller.post("session_heartbeat", session_id=model.partition(":")[0]).status_code == 200
    assert list(caller.service.files.bodies.iterdir()) == []
    assert list(caller.service.files.scratch.iterdir()) == []
    assert "metrics" in caller.done("forward_backward", **body)


def test_a_step_whose_outcome_cannot_be_kept_is_not_applied(
    open_caller: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise fails with category server, the model is as before, and a restart agrees."""
    caller = open_caller()
    model = caller.model()
    expected = caller.forward_backward(model, 1)
    big = {"data": [datum(b"abc" * 400)] * 12, "loss_fn": "cross_entropy"}
    body = {"model_id": model, "seq_id": 2, "forward_backward_input": big}
    written = DataDir.write_file

    def results_fail(self: DataDir, target: Path, content: bytes) -> None:
        if target.parent == self.results:
            raise_full(target)
        written(self, target, content)

    with monkeypatch.context() as patch:
        patch.setattr(DataDir, "write_file", results_fail)
        failed = caller.done("forward_backward", **body)
    assert failed["category"] == "server"
    assert "no space" in failed["error"]
    caller.optim_step(model, 3, learning_rate=0.0)
    after = caller.forward_backward(model, 4)
    assert after == expected
    caller.close()
    again = open_caller()
    assert again.ledger(model) == [1, 3, 4]
    assert again.forward_backward(model, 5) == expected


def raise_full(target: Path) -> None:
    """Fail as the store does."""
    raise StorageFullError(f"no space left to write {target.name}")


def test_a_sample_is_read_although_it_cannot_be_kept(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that changed nothing is answered from memory."""
    model = caller.model()
    body = {"data": [datum(b"abc" * 400)] * 12, "loss_fn": "cross_entropy"}
    written = DataDir.write_file

    def results_fail(self: DataDir, target: Path, content: bytes) -> None:
        if target.parent == self.results:
            raise_full(target)
        written(self, target, content)

    monkeypatch.setattr(DataDir, "write_file", results_fail)
    assert "metrics" in caller.done("forward", model_id=model, seq_id=1, forward_input=body)


def test_a_snapshot_on_a_full_disk_is_written_later(
    open_caller: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training goes on, and the journal keeps what the snapshot would have."""
    caller = open_caller(snapshot_min_s=0.0, snapshot_cost_ratio=0.0)
    model = caller.model()
    with monkeypatch.context() as patch:
        no_space(patch)
        for seq in range(1, 6):
            caller.optim_step(model, seq, learning_rate=0.01)
    caller.forward_backward(model, 6)
    caller.optim_step(model, 7, learning_rate=0.01)
    expected = caller.forward_backward(model, 8)
    caller.close()
    again = open_caller(snapshot_min_s=0.0, snapshot_cost_ratio=0.0)
    other = again.model(number=1)
    for seq in range(1, 6):
        again.optim_step(other, seq, learning_rate=0.01)
    again.forward_backward(other, 6)
    again.optim_step(other, 7, learning_rate=0.01)
    assert again.forward_backward(other, 8) == expected == again.forward_backward(model, 9)
    assert again.ledger(model) == list(range(1, 10))


def test_a_closed_service_goes_on_where_it_was(open_caller: Open) -> None:
    """Promises, results, gradients in the making and numbers survive a restart."""
    caller = open_caller()
    model = caller.model()
    first = caller.ok("optim_step", model_id=model, seq_id=1, adam_params={})
    kept = caller.result(first["request_id"])
    caller.forward_backward(model, 2)
    caller.close()
    again = open_caller()
    assert again.result(first["request_id"]) == kept
    assert again.ok("optim_step", model_id=model, seq_id=1, adam_params={}) == first
    again.optim_step(model, 3, learning_rate=0.01)
    fresh = again.model(number=1)
    again.optim_step(fresh, 1)
    again.forward_backward(fresh, 2)
    again.optim_step(fresh, 3, learning_rate=0.01)
    assert again.forward_backward(model, 4) == again.forward_backward(fresh, 4)


def test_what_was_accepted_is_done_after_a_restart(open_caller: Open) -> None:
    """Requests that waited when the service ended are applied by the next one, in order."""
    caller = open_caller()
    model = caller.model()
    gate = threading.Event()
    caller.block(gate)
    promises = [
        caller.ok("optim_step", model_id=model, seq_id=seq, adam_params={})["request_id"] for seq in (1, 2, 3)
    ]
    threading.Timer(0.05, gate.set).start()
    caller.close()
    again = open_caller()
    assert [again.result(promise)["metrics"]["step:max"] for promise in promises] == [1, 2, 3]
    assert again.ledger(model) == [1, 2, 3]


def test_models_beyond_the_memory_are_written_out(open_caller: Open) -> None:
    """With room for one adapter, two models take turns and neither loses anything."""
    caller = open_caller(state_bytes=1)
    session = caller.session()
    one, other = caller.model(session, 0), caller.model(session, 1)
    outs = []
    for seq in range(1, 8, 2):
        outs.append((caller.forward_backward(one, seq), caller.forward_backward(other, seq)))
        caller.optim_step(one, seq + 1, learning_rate=0.01)
        caller.optim_step(other, seq + 1, learning_rate=0.01)
    assert all(mine == theirs for mine, theirs in outs)
    assert outs[0] != outs[-1]


def test_a_failure_that_cannot_be_written_down_is_known_after_a_restart(
    open_caller: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later request of the model is done, so the one before it had failed: it is not applied then."""
    caller = open_caller()
    model = caller.model()
    expected = caller.forward_backward(model, 1)
    written = PromiseTable.finish

    def full(self: PromiseTable, request_id: str, *rest: Any, **more: Any) -> None:
        row = self.find(request_id)
        if row is not None and row.seq == 2:
            raise StorageFullError("no space left")
        written(self, request_id, *rest, **more)

    def failing(self: PromiseTable, *rest: Any) -> None:
        raise StorageFullError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(PromiseTable, "finish", full)
        patch.setattr(PromiseTable, "fail", failing)
        failed = caller.ok("optim_step", model_id=model, seq_id=2, adam_params={"learning_rate": 0.1})
        assert caller.result(failed["request_id"])["category"] == "server"
        assert caller.forward_backward(model, 3) == expected
        caller.close()
    again = open_caller()
    assert again.result(failed["request_id"])["category"] == "server"
    assert again.forward_backward(model, 4) == expected
    assert again.ledger(model) == [1, 3, 4]
