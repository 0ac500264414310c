"""What a test of a whole journey works with, and the correct requests that it starts from."""

from typing import Any

import attrs
import tinsmith
from tinsmith import types
from tinsmith_local.service import Service

from tests.guard import WAIT_S

TEXT = b"a datum of bytes"

#: Requests that say nothing about what a call sent: they keep time of their own.
BACKGROUND = ("session_heartbeat", "retrieve_future")


@attrs.frozen(eq=False)
class Bench:
    """A client, the service behind it, and the paths of the requests that arrived there."""

    service: tinsmith.ServiceClient
    running: Service
    arrived: list[str]

    def sent(self) -> list[str]:
        """Return what has arrived, without heartbeats and polls."""
        return [path for path in list(self.arrived) if not path.startswith(BACKGROUND)]

    def training(self, **lora: Any) -> tinsmith.TrainingClient:
        """Make a model to train, and wait for it."""
        given: dict[str, Any] = {"rank": 2, "seed": 1, **lora}
        return self.service.create_lora_training_client("tinsmith/tiny", **given).result()

    def sampling(self) -> tinsmith.SamplingClient:
        """Make a sampler of the base model, and wait for it."""
        return self.service.create_sampling_client(base_model="tinsmith/tiny").result()

    def ledger(self, client: tinsmith.TrainingClient) -> list[tuple[int | None, str]]:
        """List the numbers and operations applied to a model, in order of application."""
        lines = self.running.promise_table.ledger(client.model_id)
        return [(line.seq, line.op) for line in lines]

    def journal(self, client: tinsmith.TrainingClient) -> list[tuple[int, str, bytes]]:
        """List the numbers, operations and bodies accepted for a model, in order of acceptance."""
        found = self.running.database.rows(
            "SELECT request_id, seq, op FROM promises WHERE model_id = ? AND seq > 0 "
            "AND op != 'create_model' ORDER BY n",
            client.model_id,
        )
        body = self.running.promise_table.body
        return [(row["seq"], row["op"], body(row["request_id"])) for row in found]


def datum(text: bytes = TEXT, **inputs: Any) -> types.Datum:
    """Make a cross_entropy datum over the bytes of a text, with some inputs replaced."""
    tokens = list(text)
    given = {"target_tokens": tokens[1:], "weights": [1.0] * (len(tokens) - 1), **inputs}
    return types.Datum(model_input=types.ModelInput.from_ints(tokens[:-1]), loss_fn_inputs=given)


def policy_datum(**inputs: Any) -> types.Datum:
    """Make a datum for the losses of reinforcement learning, with some inputs replaced."""
    length = len(TEXT) - 1
    given = {
        "target_tokens": list(TEXT[1:]),
        "logprobs": [-5.0] * length,
        "advantages": [1.0] * length,
        **inputs,
    }
    return types.Datum(model_input=types.ModelInput.from_ints(list(TEXT[:-1])), loss_fn_inputs=given)


def works(client: tinsmith.TrainingClient) -> None:
    """Fail unless a correct step on this client is applied."""
    loss = client.forward_backward([datum()], "cross_entropy")
    step = client.optim_step(types.AdamParams(learning_rate=1e-3))
    assert loss.result(timeout=WAIT_S).metrics["loss:sum"] > 0
    metrics = step.result(timeout=WAIT_S).metrics
    assert metrics is not None
    assert metrics["step:max"] >= 1


def outcome(found: Any) -> Any:
    """Return what a call gave in the end, whether it gave a future or not."""
    return found.result(timeout=WAIT_S) if hasattr(found, "result") else found
