"""Golden files of torch, transformers and peft as the engine's own objects, and how near is near."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from attrs import frozen
from tinsmith_api.models import AdamParams
from tinsmith_local.engine.base_model import BaseModel, Weights
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.config import ModelConfig
from tinsmith_local.engine.lora import Adapter, LoraSpec

GOLDEN = Path(__file__).parents[2] / "golden"
FAMILIES = ("llama_tied", "llama_untied", "qwen2", "qwen3")

AnyArray = npt.NDArray[np.generic]


@frozen(eq=False)
class Golden:
    """One golden file."""

    arrays: dict[str, npt.NDArray[np.float32]]
    """Everything in it."""
    dtype: npt.DTypeLike = np.float32
    """What the engine computes in."""

    def under(self, prefix: str) -> dict[str, npt.NDArray[np.float32]]:
        """Arrays below a prefix, without it."""
        return {k.removeprefix(prefix): a for k, a in self.arrays.items() if k.startswith(prefix)}

    @property
    def model(self) -> BaseModel:
        """The base model."""
        config = ModelConfig.from_hugging_face("golden", json.loads(str(self.arrays["config"])))
        weights = Weights.from_tensors(config, self.under("weights/").__getitem__, dtype=self.dtype)
        return BaseModel(config=config, weights=weights)

    @property
    def adapter(self) -> Adapter:
        """The adapter that the reference used."""
        given = self.under("adapter/")
        spec = LoraSpec(rank=len(next(iter(given.values()))))
        adapter = Adapter.create(self.model.config, spec, dtype=self.dtype)
        adapter.load(given)
        return adapter

    @property
    def examples(self) -> list[Example]:
        """The data, with every field that any loss reads."""
        count = len({key.split("/")[1] for key in self.arrays if key.startswith("data/")})
        return [
            Example(
                tokens=self.arrays[f"data/{i}/tokens"].astype(np.int64),
                targets=self.arrays[f"data/{i}/targets"].astype(np.int64),
                weights=self.arrays[f"data/{i}/weights"],
                logprobs=self.arrays[f"data/{i}/logprobs"],
                advantages=self.arrays[f"data/{i}/advantages"],
                mask=self.arrays[f"data/{i}/mask"],
            )
            for i in range(count)
        ]


def load_golden(name: str, dtype: npt.DTypeLike = np.float32) -> Golden:
    """Read a golden file."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        return Golden({key: file[key] for key in file.files}, dtype)


def distance(ours: AnyArray, reference: AnyArray) -> float:
    """Largest difference, relative to the largest reference value."""
    assert ours.shape == reference.shape
    a, b = ours.astype(np.float64), reference.astype(np.float64)
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-12))


def adam(**change: float) -> AdamParams:
    """Settings of the reference's optimizer, some of them changed."""
    return AdamParams(**{"learning_rate": 2e-3, **change})
