"""A trained adapter on the tiny model, on a service that keeps it and in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
import tinsmith
from tinsmith import types

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "Tin melts at 232 degrees."


class Trained(NamedTuple):
    """Where the adapter is."""

    base_url: str
    path: str
    """Weights to sample from."""
    training: str
    """The checkpoint with the optimizer's state."""
    folder: Path
    """The downloaded adapter."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train for a few steps, so that the adapter changes what the model computes."""
    place = tmp_path_factory.mktemp("trained")
    address = f"local:{place / 'data'}"
    with tinsmith.ServiceClient(base_url=address) as service:
        trainer = service.create_lora_training_client("tinsmith/tiny", rank=4, seed=0)
        tokens = trainer.get_tokenizer().encode(TEXT)
        datum = types.Datum(
            model_input=types.ModelInput.from_ints(tokens[:-1]),
            loss_fn_inputs={"target_tokens": tokens[1:], "weights": [1.0] * (len(tokens) - 1)},
        )
        for _ in range(4):
            trainer.forward_backward([datum], "cross_entropy")
            trainer.optim_step(types.AdamParams(learning_rate=0.02))
        training = trainer.save_state("state").result().path
        path = trainer.save_weights_for_sampler("final").result().path
        assert path is not None
        rest = service.create_rest_client()
        folder = rest.download_checkpoint(training, place / "adapter").result()
    return Trained(address, path, training, folder)
