"""Checks a server, or a capture, against the contract: the entry for the command line and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinsmith.contract.document import Contract, shipped
from tinsmith.contract.judge import words_of
from tinsmith.contract.probe import probe
from tinsmith.contract.report import NO_ROUTE, Report, report
from tinsmith.contract.rules import WRONG_KEY
from tinsmith.contract.sender import Sender
from tinsmith.contract.walk import PATIENCE_S, Walk
from tinsmith.core.errors import AuthenticationError
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
    promise is waited for `patience_s` seconds. Raises APIConnectionError where nobody answers, and
    AuthenticationError where the server refuses the key.
    """
    contract = contract or shipped()
    async with Sender(contract, config, http_client) as sender:
        if write:
            walk = Walk(sender, base_model=base_model, patience_s=patience_s)
            await walk.run()
            untried, left = walk.untried, walk.left_behind
        else:
            untried, left = await probe(sender), []
    _require_taken_key(sender.exchanges, config.base_url)
    told = report(
        contract,
        sender.exchanges,
        config.base_url,
        server=profile_of(config),
        untried=untried,
        left_behind=left,
    )
    return told, sender.exchanges


def _require_taken_key(exchanges: Sequence[Exchange], server: str) -> None:
    """Raise AuthenticationError where all that a key opens stayed shut."""
    asked = [
        each
        for each in exchanges
        if each.step not in (WRONG_KEY, NO_ROUTE)
        and not each.path.endswith("/healthz")  # is open to all
        and each.status not in (404, 405)  # may be told before the key is looked at
    ]
    if asked and all(each.status in (401, 403) for each in asked):
        status, words = asked[0].status, words_of(asked[0].answer)
        raise AuthenticationError(
            f"{server} refused the key in all {len(asked)} requests (status {status}: {words});"
            " set TINKER_API_KEY to a key of this server",
            status_code=status,
        )


def check_captures(paths: Sequence[Path], contract: Contract | None = None) -> Report:
    """Judge what captures hold, as if it had just been said; ValueError for a file that is none."""
    from tinsmith.contract.exchange import exchanges_in

    contract = contract or shipped()
    found = [exchange for path in paths for exchange in exchanges_in(path)]
    return report(contract, found, ", ".join(path.name for path in paths))
