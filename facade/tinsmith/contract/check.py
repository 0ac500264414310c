"""Checks a server, or a capture, against the contract: the entry for the command line and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinsmith.contract.document import Contract, shipped
from tinsmith.contract.probe import probe
from tinsmith.contract.report import Report, report
from tinsmith.contract.sender import Sender
from tinsmith.contract.walk import PATIENCE_S, Walk
from tinsmith.core.server_profiles import profile_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tinsmith.contract.exchange import Exchange
    from tinsmith.core.config import ClientConfig


async def check_server(
    config: ClientConfig,
    *,
    write: bool = False,
    base_model: str | None = None,
    patience_s: float = PATIENCE_S,
    contract: Contract | None = None,
    http_client: Any = None,
) -> tuple[Report, list[Exchange]]:
    """Check the server that `config` names; returns the report and all that was said.

    Without `write` nothing is changed there. With it a session, a rank-1 model, checkpoints and samples are
    made, and deleted in the end. `base_model` is what is trained; None takes the first that is offered. One
    promise is waited for `patience_s` seconds. Raises APIConnectionError where nobody answers.
    """
    contract = contract or shipped()
    async with Sender(contract, config, http_client) as sender:
        if write:
            walk = Walk(sender, base_model=base_model, patience_s=patience_s)
            await walk.run()
            untried, left = walk.untried, walk.left_behind
        else:
            await probe(sender)
            untried, left = {}, []
    told = report(
        contract,
        sender.exchanges,
        config.base_url,
        server=profile_of(config),
        untried=untried,
        left_behind=left,
    )
    return told, sender.exchanges


def check_captures(paths: Sequence[Path], contract: Contract | None = None) -> Report:
    """Judge what captures hold, as if it had just been said; ValueError for a file that is none."""
    from tinsmith.contract.exchange import exchanges_in

    contract = contract or shipped()
    found = [exchange for path in paths for exchange in exchanges_in(path)]
    return report(contract, found, ", ".join(path.name for path in paths))
