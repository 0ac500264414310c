"""Promises as a server keeps them: held, failed, expired, cancelled, and said in other servers' words."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tinsmith_local.options import Imitation, ServeOptions
from tinsmith_local.service import Service

from tests.embedded.app.caller import Caller, datum

Open = Callable[..., Caller]


@pytest.fixture
def held(open_caller: Open) -> tuple[Caller, threading.Event]:
    """A service whose engine thread waits for the event, and whose polls are held briefly."""
    caller = open_caller(hold_s=0.02)
    gate = threading.Event()
    caller.model()
    caller.block(gate)
    return caller, gate


def pending(caller: Caller) -> str:
    """Accept a step on the first model; its promise."""
    model = caller.service.runs.page(1, 0)[0].model_id
    found = caller.ok("optim_step", model_id=model, seq_id=1, adam_params={})
    return str(found["request_id"])


def test_a_pending_promise_is_408_with_its_queue(held: tuple[Caller, threading.Event]) -> None:
    """The poll says that it is not there yet, and why; then the result comes."""
    caller, gate = held
    request_id = pending(caller)
    answer = caller.post("retrieve_future", request_id=request_id)
    assert answer.status_code == 408
    body = answer.json()
    assert (body["type"], body["request_id"], body["queue_state"]) == ("try_again", request_id, "active")
    assert "optim_step" in body["queue_state_reason"]
    gate.set()
    assert caller.result(request_id)["metrics"]["step:max"] == 1


def test_a_held_poll_is_answered_when_the_result_comes(open_caller: Open) -> None:
    """One poll is enough for a result that comes within the hold."""
    caller = open_caller(hold_s=20.0)
    caller.model()
    gate = threading.Event()
    caller.block(gate)
    request_id = pending(caller)
    threading.Timer(0.05, gate.set).start()
    assert caller.post("retrieve_future", request_id=request_id).status_code == 200


def test_polls_can_be_answered_at_once(open_caller: Open) -> None:
    """A server that does not hold polls, in the dialect of try_again."""
    caller = open_caller(imitate=Imitation(unheld_polls=True, try_again=True))
    caller.model()
    gate = threading.Event()
    caller.block(gate)
    answer = caller.post("retrieve_future", request_id=pending(caller))
    gate.set()
    assert (answer.status_code, answer.json()["type"]) == (200, "try_again")


def test_an_unknown_promise_is_404(caller: Caller) -> None:
    """Nobody knows it."""
    assert caller.post("retrieve_future", request_id="nothing").status_code == 404


def failed(caller: Caller) -> str:
    """Accept a request that fails when it is applied: its checkpoint is gone by then."""
    model = caller.model()
    saved = caller.done("save_weights", model_id=model, seq_id=1, path="a")["path"]
    gate = threading.Event()
    caller.block(gate)
    found = caller.ok("load_weights", model_id=model, seq_id=2, path=saved, optimizer=False)
    caller.service.checkpoint_files.delete(saved)
    gate.set()
    return str(found["request_id"])


def test_a_failed_promise_says_why_and_whose_fault(caller: Caller) -> None:
    """The body has error and category, and the next correct request works."""
    answer = caller.post("retrieve_future", request_id=failed(caller))
    assert answer.status_code == 200
    assert answer.json()["category"] == "user"
    assert "no such checkpoint" in answer.json()["error"]
    model = caller.service.runs.page(1, 0)[0].model_id
    caller.forward_backward(model, 3)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_failures_as_a_status(open_caller: Open, status: int) -> None:
    """Servers that answer a failed promise with an error status."""
    caller = open_caller(imitate=Imitation(failure_status=status))  # type: ignore[arg-type]
    answer = caller.post("retrieve_future", request_id=failed(caller))
    assert answer.status_code == status
    assert "no such checkpoint" in answer.json()["detail"]


class Clock:
    """A clock that goes when it is told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time that the test set."""
        return self.now


@pytest.fixture
def timed(tmp_path: Path) -> "tuple[Caller, Clock]":
    """A service with a clock of the test's."""
    clock = Clock()
    return Caller(Service(ServeOptions(data_dir=tmp_path), clock=clock)), clock


def housekeeping(caller: Caller) -> None:
    """Let the service look after expired things, in its own thread."""
    done = threading.Event()
    caller.service.engine_thread.put(caller.service.lifetimes.keep_house)
    caller.service.engine_thread.put(done.set)
    assert done.wait(20)


def test_results_expire_with_410_and_are_not_computed_again(timed: "tuple[Caller, Clock]") -> None:
    """An expired result is gone; the repetition of its request is still recognised."""
    caller, clock = timed
    model = caller.model()
    body: dict[str, Any] = {"model_id": model, "seq_id": 1, "adam_params": {"learning_rate": 0.1}}
    request_id = caller.ok("optim_step", **body)["request_id"]
    caller.result(request_id)
    clock.now += caller.service.options.result_ttl_s + 1
    housekeeping(caller)
    assert caller.post("retrieve_future", request_id=request_id).status_code == 410
    assert caller.ok("optim_step", **body)["request_id"] == request_id
    assert caller.ledger(model) == [1]
    caller.close()


def test_checkpoints_expire(timed: "tuple[Caller, Clock]") -> None:
    """A checkpoint with a time to live is refused from then on, and its files are removed."""
    caller, clock = timed
    model = caller.model()
    saved = caller.done("save_weights", model_id=model, seq_id=1, path="a", ttl_seconds=3600)["path"]
    directory = caller.service.files.root / caller.service.checkpoints.find(saved).directory  # type: ignore[union-attr]
    clock.now += 3599
    assert caller.post("weights_info", tinker_path=saved).status_code == 200
    clock.now += 1
    assert caller.post("weights_info", tinker_path=saved).status_code == 404
    assert caller.send("GET", f"training_runs/{model}/checkpoints").json()["checkpoints"] == []
    assert directory.is_dir()
    housekeeping(caller)
    assert not directory.exists()
    caller.close()


def test_silent_sessions_end(timed: "tuple[Caller, Clock]") -> None:
    """A session that nobody hears of is closed; its heartbeat then answers 410."""
    caller, clock = timed
    session = caller.session()
    clock.now += caller.service.options.session_ttl_s + 1
    housekeeping(caller)
    assert caller.post("session_heartbeat", session_id=session).status_code == 410
    caller.close()


def test_training_requests_cannot_be_cancelled(held: tuple[Caller, threading.Event]) -> None:
    """A place in line is kept: cancelling an accepted step is refused and changes nothing."""
    caller, gate = held
    request_id = pending(caller)
    assert caller.post("cancel_future", request_id=request_id).status_code == 409
    gate.set()
    assert "metrics" in caller.result(request_id)


@pytest.mark.parametrize(("style", "kind"), [("native", str), ("text", str), ("list", list)])
def test_error_bodies_of_three_styles(open_caller: Open, style: str, kind: type[object]) -> None:
    """`detail` is a text or a list; the native style adds category and field."""
    caller = open_caller(imitate=Imitation(detail=style))  # type: ignore[arg-type]
    answer = caller.post("create_session", tags=3, user_metadata={}, sdk_version="1")
    assert answer.status_code == 422
    body: dict[str, Any] = answer.json()
    assert isinstance(body["detail"], kind)
    assert ("category" in body) == (style == "native")
    if style == "list":
        assert answer.json()["detail"][0]["loc"] == ["body", "tags"]


def test_success_codes_of_other_servers(open_caller: Open) -> None:
    """201 for sessions, 202 for promises, 204 for heartbeats."""
    caller = open_caller(imitate=Imitation(status_codes=True))
    answer = caller.post("create_session", tags=[], user_metadata={}, sdk_version="1")
    session = answer.json()["session_id"]
    beat = caller.post("session_heartbeat", session_id=session)
    made = caller.post("create_model", session_id=session, model_seq_id=0, base_model="tinsmith/tiny")
    assert [answer.status_code, beat.status_code, made.status_code] == [201, 204, 202]


@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")  # numpy sees them first
def test_diverging_numbers_are_the_users_failure_and_change_nothing(caller: Caller) -> None:
    """A step that leaves the finite numbers fails its promise; the model is as it was before."""
    model = caller.model()
    before = caller.forward_backward(model, 1, datum(weight=3e38), datum(weight=3e38))
    assert before["category"] == "user"
    assert "finite" in before["error"]
    caller.optim_step(model, 2, learning_rate=0.1)
    fresh = caller.model(number=1)
    assert caller.forward_backward(model, 3) == caller.forward_backward(fresh, 1)


def test_a_finished_session_unloads_its_models(caller: Caller) -> None:
    """What was accepted before is still done; what comes later is refused; checkpoints stay."""
    model = caller.model()
    saved = caller.done("save_weights", model_id=model, seq_id=1, path="kept")["path"]
    gate = threading.Event()
    caller.block(gate)
    before = caller.ok("optim_step", model_id=model, seq_id=2, adam_params={})["request_id"]
    finish = {"reason": {"type": "success"}}
    assert caller.send("POST", f"sessions/{model.partition(':')[0]}/finish", json=finish).status_code == 204
    after = caller.ok("optim_step", model_id=model, seq_id=3, adam_params={})["request_id"]
    gate.set()
    assert "metrics" in caller.result(before)
    assert "unloaded" in caller.result(after)["error"]
    assert caller.post("optim_step", model_id=model, seq_id=4, adam_params={}).status_code == 410
    assert caller.ok("weights_info", tinker_path=saved)["lora_rank"] == 4
    assert list(caller.service.files.states.iterdir()) == []


def test_closing_answers_held_polls(open_caller: Open) -> None:
    """A service that closes does not wait for the polls that it holds."""
    caller = open_caller(hold_s=60.0)
    caller.model()
    gate = threading.Event()
    caller.block(gate)
    request_id = pending(caller)
    threading.Timer(0.05, caller.service.promises.release).start()
    assert caller.post("retrieve_future", request_id=request_id).status_code == 408
    assert caller.post("retrieve_future", request_id=request_id).status_code == 408
    gate.set()
