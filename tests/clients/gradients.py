"""One loss, and the gradients that torch, jax, autograd and plain numpy find for it.

Run by test_gradients.py in an environment that has them all. The service lives in memory and gives each datum
other logprobs, over several requests; what it is sent as weights of the backward pass is printed.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import orjson
from tinsmith import Datum, ModelInput, ServiceClient, testing
from tinsmith.core.config import ChunkLimits, ClientConfig
from tinsmith.testing import ledger_service

RESULT = ledger_service._result
LENGTHS = (3, 1, 4, 1, 5)
WAIT_S = 300.0


def data() -> list[Datum]:
    """Make datums of several lengths, each with advantages that only the user's loss reads."""
    return [
        Datum(
            model_input=ModelInput.from_ints(list(range(length))),
            loss_fn_inputs={
                "target_tokens": list(range(length)),
                "advantages": [float(index + 1)] * length,
            },
        )
        for index, length in enumerate(LENGTHS)
    ]


def traced(module: Any) -> Any:
    """Make the loss of a library that finds gradients: sum of a * exp(l) + l^2, and two metrics."""

    def loss(batch: list[Datum], logprobs: list[Any]) -> tuple[Any, dict[str, Any]]:
        total: Any = 0.0
        for datum, values in zip(batch, logprobs, strict=True):
            factor = datum.loss_fn_inputs["advantages"].data[0]
            total = total + (factor * module.exp(values)).sum() + (values**2).sum()
        return total, {"n": len(logprobs), "total": total}

    return loss


def by_hand(batch: list[Datum], logprobs: list[Any]) -> tuple[Any, ...]:
    """Compute the same loss and its gradient a * exp(l) + 2l."""
    numpy = import_module("numpy")
    factors = [datum.loss_fn_inputs["advantages"].data[0] for datum in batch]
    pairs = list(zip(factors, logprobs, strict=True))
    total = sum(float((a * numpy.exp(p) + p**2).sum()) for a, p in pairs)
    return total, {"n": len(logprobs), "total": total}, [a * numpy.exp(p) + 2 * p for a, p in pairs]


def differing(operation: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answer with logprobs that differ from one another, as those of a model do."""
    result = RESULT(operation, body)
    for row, output in enumerate(result.get("loss_fn_outputs", [])):
        numbers = output["logprobs"]["data"]
        output["logprobs"]["data"] = [-0.25 * (row + 1) - 0.125 * place for place in range(len(numbers))]
    return result


def run(backend: Any) -> dict[str, Any]:
    """Run one loss over three requests of two datums, and return what the service got."""
    names = {"torch": "torch", "autograd": "autograd.numpy", "jax": "jax.numpy"}
    loss = traced(import_module(names[backend])) if backend in names else by_hand
    service = testing.LedgerService()
    config = ClientConfig.from_environment(
        base_url="http://127.0.0.1:1/", api_key="tml-x", chunk_limits=ChunkLimits(max_datums=2)
    )
    trainer = ServiceClient(**service.settings(config=config)).create_lora_training_client("tinsmith/tiny")
    given = trainer.forward_backward_custom(data(), loss, backend=backend).result(WAIT_S)
    bodies = [seen.json() for seen in service.seen if seen.path.endswith("/forward_backward")]
    weights = [
        datum["loss_fn_inputs"]["weights"]["data"]
        for body in bodies
        for datum in body["forward_backward_input"]["data"]
    ]
    return {
        "backend": backend,
        "requests": len(bodies),
        "weights": weights,
        "metrics": {name: given.metrics[name] for name in ("n", "total")},
    }


if __name__ == "__main__":
    ledger_service._result = differing
    with testing.frozen_clock():
        for name in sys.argv[1:]:
            sys.stdout.write(orjson.dumps(run(name)).decode() + "\n")
