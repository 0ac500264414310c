"""Steps: the server is restarted in the middle of a run."""

from __future__ import annotations

from tinsmith.core.errors import ModelLostError, SessionLostError

from tests.servers.drive import Drive, expect, holds, same, step
from tests.servers.walk import SETTINGS, STEPS, Command, chats, curve, same_curve, walk

NEAR = 1e-3
"""Largest difference of a mean loss that is the same."""


@step("restart on its data, a step, and a new client from the checkpoint")
def on_data(drive: Drive) -> object:
    """The server has its tables and not the model: the client names the checkpoint to go on from."""
    trainer = drive.create(rank=4)
    drive.learn(trainer)
    path = drive.saved(trainer, "before")
    before = drive.look(trainer)
    drive.restarted(keep_data=True)
    passed = trainer.forward_backward(drive.data, "cross_entropy")
    found = expect(
        ModelLostError, lambda: drive.done(trainer, passed, "forward_backward"), applied=("no", "unknown")
    )
    assert isinstance(found, ModelLostError)
    same(found.checkpoint, path, "the checkpoint")
    holds(path in str(found), str(found))
    again = drive.renewed()
    with again.service:
        after = again.look(again.remade(path))
        drive.calls += again.calls
    holds(abs(after - before) < NEAR, f"the loss is {after}, before the restart {before}")
    return f"{found}; then a loss of {after:.3f}"


@step("restart without its data, and a step")
def without_data(drive: Drive) -> object:
    """The server knows nothing: the model is lost, or the session, if a heartbeat found out before."""
    trainer = drive.create(rank=4)
    drive.learn(trainer)
    path = drive.saved(trainer, "before")
    drive.restarted(keep_data=False)
    passed = trainer.forward_backward(drive.data, "cross_entropy")
    found = expect(
        (ModelLostError, SessionLostError),
        lambda: drive.done(trainer, passed, "forward_backward"),
        applied=("no", "unknown"),
    )
    if isinstance(found, ModelLostError):
        same(found.checkpoint, path, "the checkpoint")
    return f"{type(found).__name__}: {found}"


@walk("tinsmith train, the server restarts, --resume")
def during_a_run(drive: Drive) -> object:
    """The command says how to go on; with the server's data, the curve is that of the whole run."""
    out = drive.folder / "restarted"
    run = Command(drive, "train", chats(drive), "--model", drive.base_model, f"--out={out}", *SETTINGS)
    run.until(f"step 5 of {STEPS}")
    drive.restart(True)
    code, _, said = run.end()
    holds(code > 0, f"the exit code is {code}: {said[-300:]}")
    holds(f"To go on: tinsmith train --resume {out}" in said, said)
    run = Command(drive, "train", f"--resume={out}")
    code, _, again = run.end()
    same(code, 0, f"the exit code ({again})")
    same_curve(curve(out), curve(drive.folder / "whole"))
    return said.partition("Error: ")[2]
