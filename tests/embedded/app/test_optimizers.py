"""A model is made for one optimizer, AdamW or Dimuon, and keeps it through steps and restarts."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.app.caller import Caller, datum

Open = Callable[..., Caller]
DIMUON = {"type": "dimuon", "version": 1}


def model(caller: Caller, **more: Any) -> str:
    """Make a model for Dimuon."""
    body = {"model_seq_id": 0, "base_model": "tinsmith/tiny", "lora_config": {"rank": 4, "seed": 7}}
    made = caller.done(
        "create_model", session_id=caller.session(), **{**body, "optimizer_config": DIMUON, **more}
    )
    return str(made["model_id"])


def step(caller: Caller, name: str, seq: int, **more: Any) -> dict[str, Any]:
    """Take a Dimuon step."""
    params = {"type": "dimuon", "learning_rate": 0.02, **more}
    return caller.done("optim_step", model_id=name, seq_id=seq, optimizer_params=params)


def losses(caller: Caller, name: str, first: int, count: int) -> list[float]:
    """Train for some steps; the losses."""
    found = []
    for seq in range(first, first + 2 * count, 2):
        found.append(caller.forward_backward(name, seq, datum())["metrics"]["loss:sum"])
        step(caller, name, seq + 1)
    return found


def test_dimuon_trains(caller: Caller) -> None:
    """The loss falls, the step tells its norm, and get_info names the optimizer."""
    name = model(caller)
    found = losses(caller, name, 1, 8)
    assert found[-1] < found[0] / 2
    caller.forward_backward(name, 17)
    assert step(caller, name, 18, beta1=0.8, grad_clip_norm=1.0)["metrics"].keys() == {
        "grad_norm:mean",
        "step:max",
    }
    assert caller.ok("get_info", model_id=name)["optimizer_config"] == DIMUON
    assert caller.ok("get_info", model_id=caller.model())["optimizer_config"] == {"type": "adamw"}


def test_a_step_of_the_other_optimizer_is_refused(caller: Caller) -> None:
    """Both ways round, by field, and the number stays free."""
    name, plain = model(caller), caller.model()
    answer = caller.post("optim_step", model_id=name, seq_id=1, adam_params={})
    assert (answer.status_code, answer.json()["field"]) == (400, "adam_params")
    params = {"type": "dimuon", "learning_rate": 0.1}
    answer = caller.post("optim_step", model_id=plain, seq_id=1, optimizer_params=params)
    assert (answer.status_code, answer.json()["field"]) == (400, "optimizer_params")
    step(caller, name, 1)
    caller.optim_step(plain, 1)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"type": "lion", "learning_rate": 0.1}, "optimizer_params.type"),
        ({"type": "dimuon"}, "optimizer_params.learning_rate"),
        ({"type": "dimuon", "learning_rate": -1}, "optimizer_params.learning_rate"),
        ({"type": "dimuon", "learning_rate": 0.1, "beta1": 1}, "optimizer_params.beta1"),
    ],
)
def test_wrong_settings_are_refused(caller: Caller, params: dict[str, Any], field: str) -> None:
    """By field, before anything is queued."""
    answer = caller.post("optim_step", model_id=model(caller), seq_id=1, optimizer_params=params)
    assert answer.status_code in (400, 422)
    assert answer.json()["field"].endswith(field.rpartition(".")[2]) or "optimizer_params" in answer.text


@pytest.mark.parametrize("config", [{"type": "lion"}, {"type": "dimuon", "version": 2}])
def test_an_optimizer_not_offered_is_refused(caller: Caller, config: dict[str, Any]) -> None:
    """The answer names what is offered."""
    body = {"session_id": caller.session(), "model_seq_id": 0, "base_model": "tinsmith/tiny"}
    answer = caller.post("create_model", **body, optimizer_config=config)
    assert answer.status_code == 400
    assert answer.json()["field"].startswith("optimizer_config.")


def test_its_state_is_saved_and_restored(caller: Caller) -> None:
    """A model made from the checkpoint has the optimizer, and goes on bit for bit."""
    name = model(caller)
    losses(caller, name, 1, 3)
    saved = caller.done("save_weights", model_id=name, seq_id=7, path="a")["path"]
    assert caller.ok("weights_info", tinker_path=saved)["optimizer_config"] == DIMUON
    made = caller.done(
        "load_weights", session_id=caller.session(), model_seq_id=0, path=saved, optimizer=True
    )["model_id"]
    assert caller.ok("get_info", model_id=made)["optimizer_config"] == DIMUON
    assert losses(caller, name, 8, 3) == losses(caller, made, 1, 3)


def test_the_state_of_the_other_optimizer_is_refused(caller: Caller) -> None:
    """Loading with the optimizer wants the same one; the weights alone go into any model."""
    name = model(caller)
    losses(caller, name, 1, 1)
    saved = caller.done("save_weights", model_id=name, seq_id=3, path="a")["path"]
    plain = caller.model()
    answer = caller.post("load_weights", model_id=plain, seq_id=1, path=saved, optimizer=True)
    assert (answer.status_code, answer.json()["field"]) == (400, "optimizer")
    caller.done("load_weights", model_id=plain, seq_id=1, path=saved, optimizer=False)
    caller.optim_step(plain, 2)


def test_steps_are_applied_again_after_a_restart(open_caller: Open) -> None:
    """The journal holds Dimuon's steps as it holds Adam's."""
    caller = open_caller(snapshot_min_s=1e9)
    one, quiet = model(caller), model(caller)
    before = losses(caller, one, 1, 2)
    caller.service.live_models.forget(one)
    after = losses(caller, one, 5, 2)
    caller.close()
    again = open_caller(snapshot_min_s=1e9)
    assert losses(again, quiet, 1, 4) == [*before, *after]
    assert losses(again, one, 9, 1) == losses(again, quiet, 9, 1)


def test_data_of_the_version_before_is_taken_over(open_caller: Open, tmp_path: Path) -> None:
    """Runs and checkpoints from before there was a choice are AdamW's."""
    caller = open_caller()
    name = caller.model()
    caller.optim_step(name, 1)
    saved = caller.done("save_weights", model_id=name, seq_id=2, path="a")["path"]
    caller.close()
    old = sqlite3.connect(tmp_path / "data" / "tinsmith.sqlite3")
    for table in ("runs", "checkpoints"):
        old.execute(f"ALTER TABLE {table} DROP COLUMN optimizer")
    old.execute("PRAGMA user_version=1")
    old.commit()
    old.close()
    again = open_caller()
    again.optim_step(name, 3)
    assert again.ok("weights_info", tinker_path=saved)["optimizer_config"] == {"type": "adamw"}
