"""The same random script through `local:` and through `serve` over a socket: same tokens, same numbers."""

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tinsmith
from tinsmith import types
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 200
LOSSES: tuple[types.LossFnType, ...] = ("cross_entropy", "importance_sampling", "ppo", "cispo", "dro", "gspo")


class Script:
    """A random script of calls, the same for the same seed; what each call gave is noted."""

    def __init__(self, service: tinsmith.ServiceClient, seed: int) -> None:
        self.service = service
        self.draw = random.Random(seed)
        self.rank = self.draw.choice([1, 2, 4])
        self.training = service.create_lora_training_client(
            "tinsmith/tiny", rank=self.rank, seed=seed, train_mlp=self.draw.random() < 0.5
        )
        self.sampling = service.create_sampling_client(base_model="tinsmith/tiny")
        self.saved: list[str] = []
        self.notes: list[Any] = []

    def run(self, calls: int) -> list[Any]:
        """Do a number of calls."""
        moves: list[tuple[Callable[[], Any], int]] = [
            (self.forward_backward, 30),
            (self.forward, 8),
            (self.optim_step, 25),
            (self.sample, 20),
            (self.logprobs, 8),
            (self.save, 3),
            (self.load, 3),
            (self.sampler, 3),
        ]
        for _ in range(calls):
            move = self.draw.choices([one for one, _ in moves], [weight for _, weight in moves])[0]
            self.notes.append((move.__name__, move()))
        return self.notes

    def tokens(self, least: int = 1) -> list[int]:
        """Draw tokens."""
        return [self.draw.randrange(260) for _ in range(self.draw.randrange(least, 24))]

    def data(self) -> tuple[list[types.Datum], types.LossFnType]:
        """Draw a batch and its loss."""
        loss = self.draw.choice(LOSSES)
        batch = []
        for _ in range(self.draw.randrange(1, 6)):
            tokens = self.tokens(2)
            numbers = [self.draw.uniform(-1, 1) for _ in tokens[1:]]
            inputs: dict[str, Any] = {"target_tokens": tokens[1:]}
            if loss == "cross_entropy":
                inputs["weights"] = numbers
            else:
                inputs |= {"advantages": numbers, "logprobs": [value - 5 for value in numbers]}
            prompt = types.ModelInput.from_ints(tokens[:-1])
            batch.append(types.Datum(model_input=prompt, loss_fn_inputs=inputs))
        return batch, loss

    def forward_backward(self) -> Any:
        """Compute a loss with gradients."""
        return outputs(self.training.forward_backward(*self.data()).result())

    def forward(self) -> Any:
        """Compute a loss."""
        return outputs(self.training.forward(*self.data()).result())

    def optim_step(self) -> Any:
        """Take a step."""
        adam = types.AdamParams(
            learning_rate=self.draw.uniform(0, 0.02), weight_decay=self.draw.choice([0, 0.1])
        )
        return self.training.optim_step(adam).result().metrics

    def sample(self) -> Any:
        """Sample a group."""
        params = types.SamplingParams(
            max_tokens=self.draw.randrange(1, 12),
            seed=self.draw.randrange(1 << 30),
            temperature=self.draw.choice([0.0, 0.7, 1.0]),
            top_k=self.draw.choice([-1, 5]),
            top_p=self.draw.choice([1.0, 0.8]),
            stop=self.draw.choice([None, [], ["a"], [10, 32]]),
        )
        prompt = types.ModelInput.from_ints(self.tokens())
        found = self.sampling.sample(prompt, self.draw.randrange(1, 4), params).result()
        return [(list(one.tokens), list(one.logprobs or ()), one.stop_reason) for one in found.sequences]

    def logprobs(self) -> Any:
        """Ask for the logprobs of a prompt."""
        return list(self.sampling.compute_logprobs(types.ModelInput.from_ints(self.tokens())).result())

    def save(self) -> Any:
        """Save the training state."""
        self.saved.append(self.training.save_state(f"at-{len(self.saved)}").result().path)
        return len(self.saved)

    def load(self) -> Any:
        """Load one of the saved states."""
        if self.saved:
            path = self.draw.choice(self.saved)
            with_optimizer = self.draw.random() < 0.5
            load = self.training.load_state_with_optimizer if with_optimizer else self.training.load_state
            load(path).result()
        return len(self.saved)

    def sampler(self) -> Any:
        """Go on sampling from the weights of this moment."""
        self.sampling = self.training.save_weights_and_get_sampling_client()
        return None


def outputs(found: types.ForwardBackwardOutput) -> Any:
    """Note what a forward pass gave."""
    records = [{key: tensor.tolist() for key, tensor in one.items()} for one in found.loss_fn_outputs]
    return records, dict(found.metrics)


def play(seed: int, tmp_path: Path) -> None:
    """Run one script both ways and compare."""
    with tinsmith.ServiceClient(base_url="local:") as service:
        inside = Script(service, seed).run(CALLS)
    with (
        serving(ServeOptions(data_dir=tmp_path / str(seed))) as (address, _),
        tinsmith.ServiceClient(base_url=address.base_url, api_key=address.token) as service,
    ):
        outside = Script(service, seed).run(CALLS)
    for number, (ours, theirs) in enumerate(zip(inside, outside, strict=True)):
        assert ours[0] == theirs[0]
        alike(ours[1], theirs[1], f"seed {seed}, call {number}, {ours[0]}")


def alike(one: Any, other: Any, where: str) -> None:
    """Compare: whole numbers and texts exactly, other numbers to 1e-5."""
    if isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-5, abs=1e-5), where
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            alike(one[key], other[key], where)
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for mine, theirs in zip(one, other, strict=True):
            alike(mine, theirs, where)
    else:
        assert one == other, where


def test_a_script_is_the_same_both_ways(tmp_path: Path) -> None:
    """One script of 200 calls."""
    play(0, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_forty_scripts_are_the_same_both_ways(tmp_path: Path) -> None:
    """Forty scripts of 200 calls."""
    for seed in range(1, 41):
        play(seed, tmp_path)
