"""Steps: the server is restarted in the middle of a run."""

from __future__ import annotations

from tinsmith.core.errors import ModelLostError, SessionLostError

from tests.servers.drive import Drive, expect, holds, same, step


def _restarted(drive: Drive, *, keep_data: bool) -> object:
    """Train, save, restart, and train on: the model is lost, and the client names the checkpoint."""
    trainer = drive.create(rank=4)
    drive.learn(trainer)
    path = drive.saved(trainer, "before")
    drive.learn(trainer)
    drive.restarted(keep_data=keep_data)
    passed = trainer.forward_backward(drive.data, "cross_entropy")
    lost = (ModelLostError, SessionLostError)  # a heartbeat may have found out before
    found = expect(lost, lambda: drive.done(trainer, passed, "forward_backward"), applied=("no", "unknown"))
    if isinstance(found, ModelLostError):
        same(found.checkpoint, path, "the checkpoint")
        holds(path in str(found), str(found))
    else:
        holds(not keep_data, str(found))
    return f"{type(found).__name__}: {found}"


@step("restart on its data, and a step")
def on_data(drive: Drive) -> object:
    """The server still has its tables, and not the model."""
    return _restarted(drive, keep_data=True)


@step("restart without its data, and a step")
def without_data(drive: Drive) -> object:
    """The server knows nothing."""
    return _restarted(drive, keep_data=False)


@step("restart on its data, and a new client from the checkpoint")
def resumed(drive: Drive) -> object:
    """The run goes on from what was saved."""
    trainer = drive.create(rank=4)
    drive.learn(trainer)
    path = drive.saved(trainer, "before")
    before = drive.look(trainer)
    drive.restarted(keep_data=True)
    again = drive.renewed()
    made = again.remade(path)
    after = again.look(made)
    drive.calls += again.calls
    holds(abs(after - before) < 1e-3, f"the loss is {after}, before the restart {before}")
    return round(after, 3)
