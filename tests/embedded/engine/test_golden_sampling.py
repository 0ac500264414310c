"""Logits and greedy tokens against the files that transformers and peft wrote."""

import numpy as np
import numpy.typing as npt
import pytest
from tinsmith_local.engine.base_model import BaseModel
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.decode import Decoder
from tinsmith_local.engine.jobs import SampleJob, StopRule
from tinsmith_local.engine.lora import Adapter
from tinsmith_local.engine.scheduler import sample
from tinsmith_local.engine.stack import Stack
from tinsmith_local.engine.tape import Keep
from tinsmith_local.engine.workers import exclusive

from tests.embedded.engine.golden import Golden, distance


def all_logits(
    model: BaseModel, adapter: Adapter | None, tokens: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Logits after every token."""
    with exclusive() as team:
        decoder = Decoder(model, team)
        example = Example(tokens=tokens, targets=tokens)
        residual = Stack(model, decoder.sites(adapter), [example], Keep.NOTHING, team).forward()
        return decoder.unembed(residual.copy(), [adapter] * len(tokens))


@pytest.mark.parametrize("label", ["base/", ""], ids=["base", "adapter"])
def test_logits(golden: Golden, label: str) -> None:
    """Logits of the base model and of the adapter."""
    adapter = golden.adapter if label == "" else None
    ours = all_logits(golden.model, adapter, golden.arrays["data/2/tokens"].astype(np.int64))
    assert distance(ours, golden.arrays[f"{label}logits"]) < 1e-4


@pytest.mark.parametrize("label", ["base/", ""], ids=["base", "adapter"])
def test_greedy_tokens(golden: Golden, label: str) -> None:
    """The likeliest continuation, token for token."""
    job = SampleJob(
        prompt=golden.arrays["prompt"].astype(np.int64),
        adapter=golden.adapter if label == "" else None,
        max_tokens=24,
        temperature=0.0,
        stop=StopRule(),
    )
    found = sample(golden.model, job).samples[0].tokens
    assert found.tolist() == golden.arrays[f"{label}greedy"].tolist()
