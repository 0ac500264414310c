"""A training run through the client is the same run on the engine, to the last bit."""

import random
from pathlib import Path

import numpy as np
import tinsmith
from safetensors.numpy import load_file
from tinsmith import types
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.engine.optim import adam_step
from tinsmith_local.engine.train import forward_backward
from tinsmith_local.models.registry import ModelRegistry

STEPS = 6


def rows(step: int) -> list[tuple[list[int], list[int], list[float]]]:
    """Return the tokens, targets and weights of one batch, of uneven lengths."""
    draw = random.Random(step)
    batch = []
    for _ in range(5):
        tokens = [draw.randrange(256) for _ in range(draw.randrange(3, 40))]
        batch.append((tokens[:-1], tokens[1:], [draw.uniform(-1, 1) for _ in tokens[1:]]))
    return batch


def test_client_and_engine_compute_the_same_bits(tmp_path: Path) -> None:
    """Losses, logprobs and the trained adapter agree exactly."""
    adam = types.AdamParams(learning_rate=0.01, weight_decay=0.1, grad_clip_norm=1.0)
    with tinsmith.ServiceClient(base_url=f"local:{tmp_path}") as service:
        client = service.create_lora_training_client("tinsmith/tiny", rank=4, seed=11)
        through = []
        for step in range(STEPS):
            data = [
                types.Datum(
                    model_input=types.ModelInput.from_ints(tokens),
                    loss_fn_inputs={"target_tokens": targets, "weights": weights},
                )
                for tokens, targets, weights in rows(step)
            ]
            future = client.forward_backward(data, "cross_entropy")
            client.optim_step(adam)
            through.append(future.result())
        path = client.save_state("end").result().path
        assert path.endswith("/weights/end")
        [file] = tmp_path.glob("checkpoints/*/weights/end/adapter_model.safetensors")
        saved = load_file(file)

    model = ModelRegistry().get("tinsmith/tiny")
    adapter = Adapter.create(model.config, LoraSpec(rank=4, seed=11))
    for step in range(STEPS):
        examples = [
            Example(tokens=np.array(tokens), targets=np.array(targets), weights=np.array(weights, np.float32))
            for tokens, targets, weights in rows(step)
        ]
        output = forward_backward(model, adapter, examples, "cross_entropy")
        adam_step(adapter, adam)
        assert through[step].metrics["loss:sum"] == output.metrics["loss:sum"]
        for ours, theirs in zip(through[step].loss_fn_outputs, output.logprobs, strict=True):
            assert ours["logprobs"].to_numpy().tobytes() == theirs.tobytes()
    assert {name.removeprefix("base_model.model."): array.tobytes() for name, array in saved.items()} == {
        name: array.tobytes() for name, array in adapter.params.items()
    }
