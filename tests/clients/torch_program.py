"""Custom losses with torch, beside the same losses by hand; prints what they gave as JSON.

Usage: torch_program.py FOLDER, the site-packages of an environment that has torch. It runs in a process of
its own, since torch would change which backend every other test gets.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import tinsmith
from tinsmith import AdamParams, Datum, ModelInput

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTHS = (3, 5, 2)
DATA = [
    Datum(
        model_input=ModelInput.from_ints(list(range(1, length + 1))),
        loss_fn_inputs={"target_tokens": list(range(2, length + 2))},
    )
    for length in LENGTHS
]


def by_hand(_data: list[Datum], logprobs: list[Any]) -> tuple[Any, ...]:
    """Compute sum(l^2) and its gradient 2l."""
    return sum(float((p**2).sum()) for p in logprobs), {}, [2 * p for p in logprobs]


def main(folder: str) -> None:
    """Run the losses on the embedded service."""
    sys.path.append(folder)  # behind everything, so that only what is missing here comes from there
    torch: Any = import_module("torch")

    def squares(_data: list[Datum], logprobs: list[Any]) -> tuple[Any, ...]:
        assert all(type(p) is torch.Tensor and p.dtype is torch.float32 for p in logprobs)
        loss = sum((p**2).sum() for p in logprobs)
        metrics = {
            "tracked": loss,
            "plain": torch.tensor(0.5),
            "whole": torch.tensor(3),
            "vector": torch.cat(logprobs).detach(),
            "list": [1, 2],
            "word": "x",
            "none": None,
        }
        return loss, metrics

    broken: dict[str, Callable[..., Any]] = {
        "no gradient": lambda _, logprobs: (torch.tensor(1.0), {}),
        "one datum is not used": lambda _, logprobs: ((logprobs[0] ** 2).sum(), {}),
        "a vector": lambda _, logprobs: (logprobs[0] ** 2, {}),
        "infinite": lambda _, logprobs: (sum((p * float("inf")).sum() for p in logprobs), {}),
    }
    found: dict[str, Any] = {"torch": torch.__version__}
    with tinsmith.ServiceClient(base_url="local:") as service:
        for name, loss, backend in (("torch", squares, None), ("by hand", by_hand, "numpy")):
            trainer = service.create_lora_training_client("tinsmith/tiny", rank=4, seed=7)
            result = trainer.forward_backward_custom(DATA, loss, backend=backend).result()  # type: ignore[arg-type]
            trainer.optim_step(AdamParams(learning_rate=1e-2)).result()
            after = trainer.forward(_weighted(), "cross_entropy").result()
            found[name] = {
                "metrics": {key: _shown(value) for key, value in result.metrics.items()},
                "after": [out["logprobs"].tolist() for out in after.loss_fn_outputs],
            }
        for name, wrong in broken.items():
            error = trainer.forward_backward_custom(DATA, wrong).exception()
            found[name] = f"{type(error).__name__}: {error}"
        found["goes on"] = bool(trainer.forward_backward_custom(DATA, squares).result().metrics)
    sys.stdout.write(json.dumps(found))


def _weighted() -> list[Datum]:
    return [
        Datum(
            model_input=datum.model_input,
            loss_fn_inputs={**datum.loss_fn_inputs, "weights": np.ones(length, np.float32)},
        )
        for datum, length in zip(DATA, LENGTHS, strict=True)
    ]


def _shown(value: Any) -> Any:
    """Name the class of what is handed out as it is, beside its content."""
    return [type(value).__name__, value.tolist()] if hasattr(value, "tolist") else value


if __name__ == "__main__":
    main(sys.argv[1])
