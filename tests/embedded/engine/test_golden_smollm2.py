"""SmolLM2 from its GGUF against slices that transformers and peft computed from the same file."""

import numpy as np
import pytest
from tinsmith_local.engine.base_model import BaseModel
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.jobs import SampleJob, StopRule
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.engine.scheduler import sample
from tinsmith_local.engine.train import forward_backward
from tinsmith_local.models.fetch import PACKAGED_MODELS, find_cached
from tinsmith_local.models.gguf import open_gguf
from tinsmith_local.models.registry import load

from tests.embedded.engine.golden import Golden, distance, load_golden
from tests.embedded.engine.test_golden_sampling import all_logits

TOLERANCE = 1e-3
"""Some 150,000 terms stand behind a logit; their rounding adds up like a random walk, sqrt(terms) * eps =
5e-5, and the largest of many logits lies some 20 times as far off."""


@pytest.fixture(scope="module")
def model() -> BaseModel:
    """SmolLM2 as the service loads it."""
    path = find_cached(PACKAGED_MODELS["smollm2"])
    if path is None:
        pytest.skip("SmolLM2 is not there; `tinsmith model fetch smollm2` (part of `make setup`) gets it")
    return load(open_gguf(path, "smollm2"))


@pytest.fixture(scope="module")
def reference() -> Golden:
    """The golden slices."""
    return load_golden("smollm2")


def test_logits(model: BaseModel, reference: Golden) -> None:
    """Chosen rows and columns of the base model's logits."""
    ours = all_logits(model, None, reference.arrays["tokens"].astype(np.int64)[:-1])
    rows, columns = reference.arrays["rows"].astype(int), reference.arrays["columns"].astype(int)
    assert distance(ours[np.ix_(rows, columns)], reference.arrays["base/logits"]) < TOLERANCE


def test_greedy_tokens(model: BaseModel, reference: Golden) -> None:
    """The likeliest continuation of a chat prompt."""
    prompt = reference.arrays["prompt"].astype(np.int64)
    found = sample(model, SampleJob(prompt=prompt, max_tokens=24, temperature=0.0, stop=StopRule()))
    assert found.samples[0].tokens.tolist() == reference.arrays["base/greedy"].tolist()


def test_training_numbers(model: BaseModel, reference: Golden) -> None:
    """Logprobs and chosen gradients with an adapter on every matrix."""
    tokens = reference.arrays["tokens"].astype(np.int64)
    adapter = Adapter.create(model.config, LoraSpec(rank=2))
    for name, values in adapter.params.items():
        values[...] = np.random.default_rng(list(name.encode())).normal(0.0, 0.02, values.shape)
    example = Example(tokens=tokens[:-1], targets=tokens[1:], weights=reference.arrays["weights"])
    output = forward_backward(model, adapter, [example], "cross_entropy")
    assert distance(output.logprobs[0], reference.arrays["logprobs"]) < 1e-4
    for name, wanted in reference.under("grad/").items():
        assert distance(adapter.grads[name], wanted) < 1e-4
