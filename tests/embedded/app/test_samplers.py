"""What samplers live on: checkpoints in the making, budgets, sessions, restarts, other servers' paths."""

import threading
from collections.abc import Callable

from tinsmith_local.options import Imitation

from tests.embedded.app.caller import Caller
from tests.embedded.app.test_sampling import body, sampler, trained

Open = Callable[..., Caller]


def test_ephemeral_samplers_have_a_budget(open_caller: Open) -> None:
    """Beyond it the one unused for longest goes, and says so."""
    caller = open_caller(ephemeral_bytes=1)
    model = caller.model()
    made = [
        caller.done("save_weights_for_sampler", model_id=model, seq_id=n + 1, sampling_session_seq_id=n)
        for n in range(2)
    ]
    done = threading.Event()
    caller.service.engine_thread.put(caller.service.lifetimes.keep_house)
    caller.service.engine_thread.put(done.set)
    assert done.wait(20)
    names = [one["sampling_session_id"] for one in made]
    answers = [caller.post("asample", sampling_session_id=name, seq_id=0, **body()) for name in names]
    assert [answer.status_code for answer in answers] == [410, 200]
    assert len(list(caller.service.files.samplers.iterdir())) == 1


def test_ephemeral_samplers_end_with_their_session(caller: Caller) -> None:
    """Named checkpoints stay."""
    model = caller.model()
    session = model.partition(":")[0]
    made = caller.done("save_weights_for_sampler", model_id=model, seq_id=1, sampling_session_seq_id=0)
    caller.send("POST", f"sessions/{session}/finish", json={"reason": {"type": "success"}})
    gone = caller.post("asample", sampling_session_id=made["sampling_session_id"], seq_id=0, **body())
    assert gone.status_code == 410
    assert list(caller.service.files.samplers.iterdir()) == []


def test_samplers_live_through_a_restart(open_caller: Open) -> None:
    """Named, ephemeral and base samplers, and their promises, are there again."""
    caller = open_caller()
    model = trained(caller)
    made = caller.done("save_weights_for_sampler", model_id=model, seq_id=7, sampling_session_seq_id=0)
    one = made["sampling_session_id"]
    promise = caller.ok("asample", sampling_session_id=one, seq_id=0, **body())
    before = caller.result(promise["request_id"])
    gate = threading.Event()
    caller.block(gate)
    waiting = caller.ok("asample", sampling_session_id=one, seq_id=1, **body())["request_id"]
    threading.Timer(0.05, gate.set).start()
    caller.close()
    again = open_caller()
    assert again.result(promise["request_id"]) == before
    assert again.result(waiting)["sequences"] == before["sequences"]
    assert again.ok("asample", sampling_session_id=one, seq_id=0, **body()) == promise


def test_a_checkpoint_in_the_making_is_waited_for(caller: Caller) -> None:
    """A sampler may be asked for before its checkpoint is written."""
    model = caller.model()
    gate = threading.Event()
    caller.block(gate)
    caller.ok("save_weights_for_sampler", model_id=model, seq_id=1, path="soon")
    threading.Timer(0.05, gate.set).start()
    sampler(caller, model, 0, model_path=f"tinker://{model}/sampler_weights/soon")


def test_a_checkpoint_in_the_making_is_425_in_imitation(open_caller: Open) -> None:
    """A server that says 425 at once, on samplers and archives."""
    caller = open_caller(imitate=Imitation(making_425=True))
    model = caller.model()
    gate = threading.Event()
    caller.block(gate)
    promise = caller.ok("save_weights_for_sampler", model_id=model, seq_id=1, path="soon")
    path = f"tinker://{model}/sampler_weights/soon"
    session = model.partition(":")[0]
    given = {"session_id": session, "sampling_session_seq_id": 0, "model_path": path}
    early = caller.post("create_sampling_session", **given)
    archive = caller.send("GET", f"training_runs/{model}/checkpoints/sampler_weights/soon/archive")
    assert [early.status_code, archive.status_code] == [425, 425]
    gate.set()
    caller.result(promise["request_id"])
    assert caller.post("create_sampling_session", **given).status_code == 200


def test_paths_of_two_segments(open_caller: Open) -> None:
    """A server that names sampler checkpoints without their kind; both forms are read."""
    caller = open_caller(imitate=Imitation(two_segment_paths=True))
    model = caller.model()
    path = caller.done("save_weights_for_sampler", model_id=model, seq_id=1, path="a")["path"]
    assert path == f"tinker://{model}/a"
    for number, form in enumerate((path, f"tinker://{model}/sampler_weights/a")):
        one = sampler(caller, model, number, model_path=form)
        assert caller.done("asample", sampling_session_id=one, seq_id=0, **body())["sequences"]
