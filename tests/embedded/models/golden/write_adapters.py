"""Write the adapters of peft/ that are ours: `python -m tests.embedded.models.golden.write_adapters`."""

from pathlib import Path

import numpy as np
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.models.adapters import save_adapter
from tinsmith_local.models.hugging_face import open_directory

HERE = Path(__file__).parent / "peft"


def write(name: str, target: Path) -> None:
    """Write an adapter with random matrices on every module of the model `name`."""
    config = open_directory(HERE / name / "base", name).config
    adapter = Adapter.create(config, LoraSpec(rank=2, seed=3))
    rng = np.random.default_rng(9)
    for array in adapter.params.values():
        array[...] = rng.integers(-1000, 1001, array.shape) / 4000
    save_adapter(target, adapter, base_model=f"test/{name}")


if __name__ == "__main__":
    for each in ("llama", "qwen2"):
        write(each, HERE / each / "by_tinsmith")
