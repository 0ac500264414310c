"""Loses one answer at each position of a short program, and compares the client with the server's tables.

The relay swallows the answer after the server has acted. Nothing may be applied twice, and each error says
truly whether its request was applied.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
from tinsmith import SamplingParams, TinkerError

from tests.servers.drive import ADAM, WAIT_S, Differs, Drive, Lack, Result
from tests.servers.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.servers.environments import Server
    from tests.servers.ledgers import Ledger

_log = logging.getLogger(__name__)


@attrs.define
class Position:
    """What became of the program when one answer was lost."""

    number: int
    """Position of the request in the program."""
    lost: str = ""
    """The request, by the last part of its path; empty where the program ended before."""
    first: TinkerError | None = None
    """The first error that the program met."""
    errors: list[str] = attrs.field(factory=list)
    """All of them, with the call that they ended."""
    wrong: list[str] = attrs.field(factory=list)
    """Where the tables say otherwise."""


def positions(server: Server, ledger: Ledger, folder: Path, **settings: Any) -> list[Position]:
    """Run the program once for each position; `settings` are those of the client."""
    found: list[Position] = []
    while not found or found[-1].lost:
        found.append(with_loss(server, ledger, folder, len(found), **settings))
        _log.info("position %d: %s", found[-1].number, found[-1].lost or "beyond the last")
    return found[:-1]


def with_loss(server: Server, ledger: Ledger, folder: Path, number: int, **settings: Any) -> Position:
    """Run the program once, and lose the answer at one position."""
    position = Position(number)
    with Relay(server.url, number) as relay:
        drive = Drive(server.kind.name, relay.url, server.base_model, ledger, folder, **settings)
        drive.begin()
        made: list[Any] = []
        try:
            _program(drive, position, made)
        finally:
            position.wrong += drive.wrong()
            position.wrong += _models(drive, ledger, made, position)
            for trainer in made:
                with suppress(TinkerError):  # for room alone: a server may have no such route
                    drive.unload(trainer)
            drive.service.close(timeout=1.0)
        position.lost = (relay.swallowed or "").rpartition("/")[2]
    return position


def _program(drive: Drive, position: Position, made: list[Any]) -> None:
    """Train a little, save, sample, and make a model of what was saved; go on after errors."""
    trainer = _tried(position, "create_model", lambda: drive.create(rank=4))
    if trainer is None:
        return
    made.append(trainer)
    for _ in range(2):
        passed, stepped = trainer.forward_backward(drive.data, "cross_entropy"), trainer.optim_step(ADAM)
        _tried(position, "forward_backward", partial(drive.done, trainer, passed, "forward_backward"))
        _tried(position, "optim_step", partial(drive.done, trainer, stepped, "optim_step"))
    path = _tried(position, "save_weights", lambda: drive.saved(trainer, "state"))
    _tried(position, "forward", lambda: drive.look(trainer))
    saving = trainer.save_weights_for_sampler("sampler")
    weights = _tried(
        position,
        "save_weights_for_sampler",
        lambda: drive.done(trainer, saving, "save_weights_for_sampler").path,
    )
    if weights is not None:
        _tried(position, "sample", lambda: _sampled(drive, weights))
    if path is not None:
        again = _tried(position, "create_model of a checkpoint", lambda: drive.remade(path))
        if again is not None:
            made.append(again)


def _sampled(drive: Drive, path: str) -> int:
    sampler = drive.service.create_sampling_client(path)
    drawn = sampler.sample(drive.prompt, 1, SamplingParams(max_tokens=2, temperature=0.0))
    return len(drawn.result(WAIT_S).sequences)


def _tried(position: Position, what: str, call: Callable[[], Any]) -> Any:
    """Make a call; the error is kept, and the program goes on."""
    try:
        return call()
    except TinkerError as error:
        position.first = position.first or error
        position.errors.append(f"{what}: {type(error).__name__}, applied {error.applied}")
        _log.debug("position %d: %s: %s", position.number, what, error)
        return None


def _models(drive: Drive, ledger: Ledger, made: Sequence[Any], position: Position) -> list[str]:
    """Say whether a model was made that nobody was told of, by a result or by an unknown outcome."""
    if drive.service.session_id is None:
        return []
    extra = set(ledger.models(drive.service.session_id)) - {trainer.model_id for trainer in made}
    untold = len(extra) - sum(
        error.startswith("create_model") and not error.endswith("no") for error in position.errors
    )
    return [f"models that nobody was told of: {sorted(extra)}"] if untold > 0 else []


def judged(found: list[Position], name: str, lacks: Sequence[Lack]) -> list[Result]:
    """Return one result for each kind of request whose answer was lost."""
    results = []
    for lost in dict.fromkeys(position.lost for position in found):
        step = f"answer lost: {lost}"
        mine = [lack for lack in lacks if (lack.server, lack.step) == (name, step)]
        same = [position for position in found if position.lost == lost]
        results.append(_of_kind(step, same, mine))
    return results


def _of_kind(step: str, found: list[Position], lacks: list[Lack]) -> Result:
    note, reason = f"{len(found)} positions", ""
    for position in found:
        told = "; ".join(position.errors)
        for seen in (Differs("; ".join(position.wrong)) if position.wrong else None, position.first):
            if seen is None:
                continue
            fitting = [lack for lack in lacks if lack.fits(seen)]
            if not fitting:
                return Result(step, "DEVIATION", f"position {position.number}: {seen} ({told})")
            note, reason = f"{len(found)} positions; {told or seen}", fitting[0].reason
    if lacks and not reason:
        return Result(step, "DEVIATION", f"works, though the list of lacks says: {lacks[0].reason}")
    return Result(step, "lack" if reason else "ok", note, reason)
