"""Checks a server, or a capture, against the contract: the entry for the command line and for programs."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.contract.document import Contract, shipped
from tinsmith.contract.exchange import WRONG_KEY, exchanges_in
from tinsmith.contract.probe import probe
from tinsmith.contract.recorder import Recorder
from tinsmith.contract.report import ITSELF, Report, Row, report
from tinsmith.contract.traffic import Traffic, words_of
from tinsmith.contract.walk import PATIENCE_S, Walk
from tinsmith.core.errors import APIConnectionError, AuthenticationError
from tinsmith.core.server_profiles import profile_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tinsmith.contract.document import Operation
    from tinsmith.contract.exchange import Exchange
    from tinsmith.core.config import ClientConfig


class Check:
    """One check of the server that `config` names: run it, then take its report, also if the run failed.

    Without `write` nothing is changed there. With it a session, a rank-1 model, checkpoints and samples are
    made, and deleted in the end. `base_model` is what is trained; None takes the first that is offered. One
    promise is waited for `patience_s` seconds. `on_send` is called before each request with what it is.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        write: bool = False,
        base_model: str | None = None,
        patience_s: float = PATIENCE_S,
        contract: Contract | None = None,
        http_client: Any = None,
        on_send: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._config = config
        self._contract = contract or shipped()
        self._recorder = Recorder(self._contract, config, http_client, on_send)
        self._walk = Walk(self._recorder, base_model=base_model, patience_s=patience_s) if write else None
        self._untried: Mapping[str, str] = {}
        self._failure = ""

    @property
    def exchanges(self) -> list[Exchange]:
        """Return all that was said so far."""
        return self._recorder.exchanges

    async def run(self) -> None:
        """Send all that there is to send; a fault of the check itself is kept for the report.

        Raises APIConnectionError if the server does not answer, and AuthenticationError if it refuses the
        key. Ctrl-C ends it within seconds.
        """
        async with aclosing(self._recorder):
            try:
                if self._walk is not None:
                    await self._walk.run()
                else:
                    self._untried = await probe(self._recorder)
            except asyncio.CancelledError:
                self._failure = f"interrupted at {self._last()}"
                raise
            except APIConnectionError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is: the report says what was found before
                self._failure = f"{type(error).__name__}: {error}, at {self._last()}"
        if not self._failure:
            self._require_taken_key()

    def report(self) -> Report:
        """Judge what was said, and say where the check ended before its time."""
        found = report(
            self._contract,
            self.exchanges,
            self._config.base_url,
            server=profile_of(self._config),
            untried=self._untried if self._walk is None else self._walk.untried,
            left_behind=() if self._walk is None else self._walk.left_behind,
        )
        if self._failure:
            row = Row(operation=ITSELF, verdict="failed", statuses=(), reason=self._failure)
            found = attrs.evolve(found, rows=(*found.rows, row))
        return attrs.evolve(found, shows_nothing=not self._shows_something(found))

    def _last(self) -> str:
        """Name the request before the fault."""
        return self.exchanges[-1].name if self.exchanges else "the first request"

    def _asked(self) -> list[tuple[Operation, Exchange]]:
        """Return what was asked with the key about what a key opens."""
        calls = Traffic(self._contract, self.exchanges).calls
        return [(op, each) for op, each in calls if op.needs_key and each.step != WRONG_KEY]

    def _shows_something(self, found: Report) -> bool:
        """Whether an operation beside the health check was verified by an answer that says something."""
        verified = {row.operation for row in found.rows if row.verdict == "verified"}
        return any(
            op.id in verified and each.is_success and each.answer is not None for op, each in self._asked()
        )

    def _require_taken_key(self) -> None:
        """Raise AuthenticationError where all that a key opens stayed shut."""
        # Some servers look for the route before they check the key.
        asked = [each for _, each in self._asked() if each.status not in (404, 405)]
        if asked and all(each.status in (401, 403) for each in asked):
            status, words = asked[0].status, words_of(asked[0].answer)
            raise AuthenticationError(
                f"{self._config.base_url} refused the key in all {len(asked)} requests"
                f" (status {status}: {words}); set TINKER_API_KEY to a key of this server",
                status_code=status,
            )


def check_captures(paths: Sequence[Path], contract: Contract | None = None) -> Report:
    """Judge what captures hold, as if it had just been said; ValueError for a file that is none."""
    found = [exchange for path in paths for exchange in exchanges_in(path)]
    return report(contract or shipped(), found, ", ".join(path.name for path in paths))
