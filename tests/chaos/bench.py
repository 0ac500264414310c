"""What the chaos tests share: a client with short limits in a simulation, and its witness."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tinsmith import ServiceClient
from tinsmith.core.config import ChunkLimits, ClientConfig, FlowLimits, PollPolicy, RetryConfig, Timeouts

from tests.chaos.server import ChaosService
from tests.chaos.simulation import Simulation, simulation
from tests.chaos.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.testing import ServerDialect

RETRY = RetryConfig(max_retries=6, deadline_s=60.0, retry_delay_max=4.0)
TIMEOUTS = Timeouts(total_s=20.0)
POLL = PollPolicy(read_timeout_s=10.0)
PROGRESS_S = 120.0

PATIENCE_S = RETRY.deadline_s + TIMEOUTS.total_s + PROGRESS_S + 40.0
"""Virtual seconds within which a call ends, and as many for each request before it: all its tries, the last
of which may begin just before the deadline, and the time after which a silent promise is given up."""


@contextmanager
def world(dialect: ServerDialect | None = None, **settings: Any) -> Iterator[World]:
    """Run a service and a client of it in a simulation."""
    with simulation() as running:
        yield World(running, ChaosService(dialect), settings)


class World:
    """A simulated process, a service, and the client that is under test now."""

    def __init__(self, running: Simulation, service: ChaosService, settings: dict[str, Any]) -> None:
        self.simulation = running
        """The process."""
        self.service = service
        """The server."""
        service.at_once = settings.get("chunks_at_once") is True
        self._settings = settings
        self._witnesses: list[Witness] = []
        self.client = self._client()
        """The client."""

    def _client(self) -> ServiceClient:
        trusted = self.service.dialect.duplicates != "apply"
        given = {
            "retry": RETRY,
            "timeouts": TIMEOUTS,
            "poll": POLL,
            "progress_timeout_s": PROGRESS_S,
            "chunk_limits": ChunkLimits(max_datums=1),
            "flow": FlowLimits(exit_drain_s=30.0),
            "server_deduplicates": trusted,
            **self._settings,
        }
        http = self.service.settings()["http_client"]
        config = ClientConfig.from_environment(base_url="http://127.0.0.1:1/", api_key="tml-x", **given)
        client = ServiceClient(config=config, http_client=http)
        client.holder.connection.random.seed(7)
        return client

    def trainer(self, limit_s: float = 2000.0) -> Witness:
        """Make a training client and the witness of its calls."""
        making = self.client.create_lora_training_client_async("tinsmith/tiny")
        made = self.simulation.run(making, limit_s)
        witness = Witness(
            self.simulation, self.service, made, patience_s=PATIENCE_S, first_mark=self._first_mark()
        )
        self._witnesses.append(witness)
        return witness

    def _first_mark(self) -> int:
        return self._witnesses[-1].next_mark if self._witnesses else 1

    def renew(self) -> Witness:
        """Start over with a new client on the same server, as a program does that was told to."""
        self.service.script.waiting.clear()
        self.service.forgets, self.service.dead_until_s = False, 0.0
        self.client = self._client()
        return self.trainer()
