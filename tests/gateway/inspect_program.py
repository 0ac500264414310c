"""inspect-ai against a gateway: a task with a data set, a solver and a scorer."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version

from inspect_ai import Task, task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, system_message

CAPITALS = {
    "France": "Paris",
    "Italy": "Rome",
    "Japan": "Tokyo",
    "Germany": "Berlin",
    "Spain": "Madrid",
    "Egypt": "Cairo",
    "Greece": "Athens",
    "Russia": "Moscow",
}


@task  # type: ignore[untyped-decorator]  # its library is not in our environment
def capitals() -> Task:
    """Ask for capitals."""
    samples = [
        Sample(input=f"What is the capital of {country}?", target=city) for country, city in CAPITALS.items()
    ]
    return Task(
        dataset=MemoryDataset(samples),
        solver=[system_message("Answer in one sentence."), generate()],
        scorer=includes(),
    )


def main() -> None:
    """Evaluate the model behind the gateway; every sample must be answered and scored."""
    with tempfile.TemporaryDirectory() as folder:
        [log] = evaluate(
            capitals(),
            model=f"openai-api/tinsmith/{os.environ['MODEL']}",
            model_args={"responses_api": False},
            max_tokens=32,
            temperature=0,
            seed=1,
            log_dir=folder,
            display="none",
        )
    assert log.status == "success", log.error
    assert log.results
    assert log.results.completed_samples == len(CAPITALS)
    accuracy = log.results.scores[0].metrics["accuracy"].value
    tokens = sum(usage.total_tokens for usage in log.stats.model_usage.values())
    print(
        f"  inspect-ai {version('inspect-ai')}: {len(CAPITALS)} samples, accuracy {accuracy:.3f},"
        f" {tokens} tokens"
    )
    assert accuracy > 0.4, "the model knows more capitals than this"


main()
