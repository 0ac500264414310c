"""The main road: sessions, models, training steps, checkpoints, as an old client walks it."""

import pytest

from tests.embedded.app.caller import Caller, datum
from tests.embedded.tolerances import rounding


def test_a_model_learns(caller: Caller) -> None:
    """Steps lower the loss, and every number is in the ledger once, in order."""
    model = caller.model()
    losses = []
    for step in range(5):
        out = caller.forward_backward(model, 2 * step + 1)
        losses.append(out["metrics"]["loss:sum"])
        caller.optim_step(model, 2 * step + 2, learning_rate=0.01)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]
    assert caller.ledger(model) == list(range(1, 11))


def test_outputs_have_one_record_a_datum(caller: Caller) -> None:
    """Each datum gets logprobs and elementwise_loss of its own length, in order."""
    model = caller.model()
    out = caller.forward_backward(model, 1, datum(b"hello"), datum(b"a longer text"))
    lengths = [len(record["logprobs"]["data"]) for record in out["loss_fn_outputs"]]
    assert lengths == [4, 12]
    assert [record["elementwise_loss"]["shape"] for record in out["loss_fn_outputs"]] == [[4], [12]]
    total = sum(sum(record["elementwise_loss"]["data"]) for record in out["loss_fn_outputs"])
    assert out["metrics"]["loss:sum"] == pytest.approx(
        total, rel=rounding(16)
    )  # sums of 16 numbers of one sign


def test_forward_changes_nothing(caller: Caller) -> None:
    """A step after forward alone has no gradient."""
    model = caller.model()
    body = {"data": [datum()], "loss_fn": "cross_entropy"}
    first = caller.done("forward", model_id=model, seq_id=1, forward_input=body)
    caller.optim_step(model, 2, learning_rate=0.1)
    second = caller.done("forward", model_id=model, seq_id=3, forward_input=body)
    assert first == second


def test_a_checkpoint_continues_bit_for_bit(caller: Caller) -> None:
    """A model restored with its optimizer goes on exactly as the one that was saved."""
    session = caller.session()
    one, other = caller.model(session, 0), caller.model(session, 1)
    for step in range(3):
        caller.forward_backward(one, 2 * step + 1)
        caller.optim_step(one, 2 * step + 2, learning_rate=0.01)
    saved = caller.done("save_weights", model_id=one, seq_id=7, path="kept")["path"]
    assert saved == f"tinker://{one}/weights/kept"
    caller.done("load_weights", model_id=other, seq_id=1, path=saved, optimizer=True)
    going, restored = [], []
    for step in range(3):
        going.append(caller.forward_backward(one, 8 + 2 * step))
        caller.optim_step(one, 9 + 2 * step, learning_rate=0.01)
        restored.append(caller.forward_backward(other, 2 + 2 * step))
        caller.optim_step(other, 3 + 2 * step, learning_rate=0.01)
    assert going == restored


def test_load_without_the_optimizer_forgets_its_state(caller: Caller) -> None:
    """Weights come back, Adam's moments do not: the next step differs from a continued one."""
    session = caller.session()
    one, other = caller.model(session, 0), caller.model(session, 1)
    for step in range(3):
        caller.forward_backward(one, 2 * step + 1)
        caller.optim_step(one, 2 * step + 2, learning_rate=0.01)
    saved = caller.done("save_weights", model_id=one, seq_id=7, path="kept")["path"]
    caller.done("load_weights", model_id=other, seq_id=1, path=saved, optimizer=False)
    assert caller.forward_backward(one, 8) == caller.forward_backward(other, 2)
    caller.optim_step(one, 9, learning_rate=0.01)
    caller.optim_step(other, 3, learning_rate=0.01)
    assert caller.forward_backward(one, 10) != caller.forward_backward(other, 4)


def test_a_model_can_be_created_by_loading(caller: Caller) -> None:
    """load_weights with a session makes a model in the checkpoint's shape and names it."""
    session = caller.session()
    one = caller.model(session, 0, rank=2, train_mlp=False)
    caller.forward_backward(one, 1)
    caller.optim_step(one, 2, learning_rate=0.01)
    saved = caller.done("save_weights", model_id=one, seq_id=3, path="kept")["path"]
    made = caller.done("load_weights", session_id=session, model_seq_id=1, path=saved, optimizer=True)
    assert made["model_id"] == f"{session}:train:1"
    info = caller.ok("get_info", model_id=made["model_id"])
    assert (info["lora_rank"], info["model_data"]["train_mlp"]) == (2, False)
    assert caller.forward_backward(made["model_id"], 1) == caller.forward_backward(one, 4)


def test_rank_seed_and_trained_parts_are_honoured(caller: Caller) -> None:
    """A seed decides the adapter; get_info and weights_info report its shape."""
    session = caller.session()
    models = [caller.model(session, n, seed=seed, train_unembed=False) for n, seed in enumerate((1, 1, 2))]
    steps = []
    for model in models:
        caller.forward_backward(model, 1)
        caller.optim_step(model, 2, learning_rate=0.01)
        steps.append(caller.forward_backward(model, 3))
    assert steps[0] == steps[1] != steps[2]
    info = caller.ok("get_info", model_id=models[0])
    assert (info["is_lora"], info["lora_rank"], info["model_name"]) == (True, 4, "tinsmith/tiny")
    saved = caller.done("save_weights", model_id=models[0], seq_id=4, path="a")["path"]
    found = caller.ok("weights_info", tinker_path=saved)
    assert (found["lora_rank"], found["train_unembed"], found["train_attn"]) == (4, False, True)


def test_unloading_forgets_the_model_and_keeps_its_checkpoints(caller: Caller) -> None:
    """After unload_model the model is gone, and what it saved can still be loaded."""
    session = caller.session()
    model = caller.model(session)
    saved = caller.done("save_weights", model_id=model, seq_id=1, path="a")["path"]
    assert caller.done("unload_model", model_id=model)["model_id"] == model
    assert caller.post("get_info", model_id=model).status_code == 410
    assert caller.ok("weights_info", tinker_path=saved)["lora_rank"] == 4
