"""Heartbeats on a real line that large uploads fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
import pytest
from tinsmith import Datum, ModelInput, ServiceClient, testing
from tinsmith.core.config import ClientConfig

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from tinsmith.io.http.messages import Answer, Seen

BEAT_S = 0.5
"""The beat of the test; the hosted service's is 10 s."""


def batch() -> list[Datum]:
    """Make 212 datums of 4096 tokens with three tensors: 29 MB of JSON."""
    rng = np.random.default_rng(1)
    tokens = rng.integers(0, 100_000, 4096)
    floats = rng.normal(size=4096).astype(np.float32)
    inputs = {"target_tokens": tokens, "logprobs": floats, "advantages": floats}
    return [Datum(inputs, ModelInput.from_ints(tokens.tolist())) for _ in range(212)]


class Careless(testing.LedgerService):
    """A service that does not look into uploads: parsing 29 MB would stop the client in this process."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[str] = []
        """What came, in order: beats, and uploads when their last byte was there."""
        self.uploads: list[int] = []

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Take uploads as they are; leave the rest to the service."""
        if seen.path.endswith("forward_backward"):
            self.uploads.append(len(seen.body))
            self.arrived.append("upload")
            return testing.reply({"request_id": "upload"})
        if b'"upload"' in seen.body:
            return testing.reply({"loss_fn_output_type": "x", "loss_fn_outputs": [], "metrics": {}})
        if seen.path.endswith("session_heartbeat"):
            self.arrived.append("beat")
        return await super().answer(seen, drips=drips)


@pytest.mark.long
def test_uploads_do_not_starve_heartbeats() -> None:
    """Two uploads of 29 MB fill a thin line for four beats; three beats come before the first one ends."""
    service = Careless()
    limits = ClientConfig(base_url="local:").chunk_limits
    with testing.SocketServer(service, bytes_per_s=14e6) as server:
        config = ClientConfig.from_environment(
            base_url=server.url,
            api_key="tml-x",
            heartbeat_interval_s=BEAT_S,
            encoding="json",
            chunk_limits=attrs.evolve(limits, max_items=10**9, max_datums=1000),
        )
        with ServiceClient(config=config) as client:
            trainers = [client.create_lora_training_client("tinsmith/tiny").result() for _ in range(2)]
            data = batch()
            futures = [trainer.forward_backward(data, "importance_sampling") for trainer in trainers]
            for future in futures:
                future.result(WAIT_S)
    assert min(service.uploads) > 29e6
    assert service.arrived.index("upload") >= 3
    assert set(service.arrived[:3]) == {"beat"}
