"""One run of tinker-cookbook 0.6.1 as a user would write it. Imports `tinker` through the cookbook alone.

    program.py prepare BASE_URL                      print a checkpoint that all runs start from
    program.py train MODE BASE_URL CHECKPOINT FOLDER [--stop-at STEP]

It runs in the cookbook's environment, with the official client (`python program.py ...`) or with ours
(`python -m tinsmith.compat program.py ...`). Data, rewards and renderer are made so that a run is decided by
its checkpoint: sampling is greedy, and the members of a group differ in their prompts.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import chz
import datasets
import tinker
from tinker_cookbook import renderers, tokenizer_utils
from tinker_cookbook.eval.evaluators import SamplingClientEvaluator
from tinker_cookbook.preference import train_dpo
from tinker_cookbook.preference.dpo_datasets import DPODatasetBuilderFromComparisons
from tinker_cookbook.preference.preference_datasets import ComparisonDatasetBuilder
from tinker_cookbook.preference.types import Comparison, LabeledComparison
from tinker_cookbook.rl import train as rl
from tinker_cookbook.rl.types import Env, EnvGroupBuilder, RLDataset, RLDatasetBuilder, StepResult
from tinker_cookbook.supervised import train as supervised
from tinker_cookbook.supervised.data import SupervisedDatasetFromHFDataset, conversation_to_datum
from tinker_cookbook.supervised.types import ChatDatasetBuilder, ChatDatasetBuilderCommonConfig

MODEL = "tinsmith/tiny"
RENDERER = "role_colon"
WORDS = "one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905 - easier read
STEPS = 4
STOP = {"at": -1, "seen": 0}
"""The batch that ends the process as Ctrl-C would, for the runs that are stopped; -1: none."""


def stop_here(batch: int) -> None:
    """Press Ctrl-C when the batch that the command line named is asked for."""
    if batch == STOP["at"]:
        os.kill(os.getpid(), signal.SIGINT)


def common() -> ChatDatasetBuilderCommonConfig:
    """Return what both chat datasets share."""
    return ChatDatasetBuilderCommonConfig(
        model_name_for_tokenizer=MODEL, renderer_name=RENDERER, max_length=64, batch_size=3
    )


class Stopping(SupervisedDatasetFromHFDataset):
    """The cookbook's dataset, which can be told to end the process."""

    def get_batch(self, index: int) -> list[tinker.Datum]:
        """Return a batch, or press Ctrl-C."""
        stop_here(index)
        return super().get_batch(index)


@chz.chz
class Chats(ChatDatasetBuilder):
    """Questions with their answers, and a test set for bits per byte."""

    def __call__(self):
        """Make both datasets."""
        rows = [
            {
                "messages": [
                    {"role": "user", "content": f"after {word}?"},
                    {"role": "assistant", "content": f"{after}!"},
                ]
            }
            for word, after in zip(WORDS, [*WORDS[1:], "none"], strict=True)
        ]

        def to_datum(row: dict) -> tinker.Datum:
            return conversation_to_datum(row["messages"], self.renderer, self.common_config.max_length)

        size = self.common_config.batch_size
        test = SupervisedDatasetFromHFDataset(
            datasets.Dataset.from_list(rows[:4]), batch_size=4, map_fn=to_datum
        )
        return Stopping(datasets.Dataset.from_list(rows), batch_size=size, map_fn=to_datum), test


@chz.chz
class Pairs(ComparisonDatasetBuilder):
    """Two answers to each question, the first one preferred."""

    def get_train_and_test_datasets(self):
        """Make the rows."""
        rows = [
            {"word": word, "after": after} for word, after in zip(WORDS, [*WORDS[1:], "none"], strict=True)
        ]
        return datasets.Dataset.from_list(rows), datasets.Dataset.from_list(rows[:2])

    def example_to_labeled_comparison(self, example: dict) -> LabeledComparison:
        """Turn a row into a comparison."""
        answers = [[{"role": "assistant", "content": text}] for text in (f"{example['after']}!", "what?")]
        prompt = [{"role": "user", "content": f"after {example['word']}?"}]
        return LabeledComparison(comparison=Comparison(prompt, *answers), label="A")


@chz.chz
class Preferences(DPODatasetBuilderFromComparisons):
    """The cookbook's dataset of pairs, which can be told to end the process."""

    def __call__(self):
        """Make both datasets."""
        train, test = DPODatasetBuilderFromComparisons.__call__(self)
        train.__class__ = Stopping
        return train, test


class Counting(Env):
    """One question; the reward is the number of different bytes in the answer, so that members differ."""

    def __init__(self, renderer: renderers.Renderer, question: str, bonus: float) -> None:
        """Keep what the episode needs."""
        self.renderer, self.question, self.bonus = renderer, question, bonus

    async def initial_observation(self):
        """Render the question."""
        prompt = self.renderer.build_generation_prompt([{"role": "user", "content": self.question}])
        return prompt, self.renderer.get_stop_sequences()

    async def step(self, action, *, extra=None) -> StepResult:
        """End the episode with its reward."""
        return StepResult(
            reward=self.bonus + 0.1 * len(set(action)),
            episode_done=True,
            next_observation=tinker.ModelInput.empty(),
            next_stop_condition=self.renderer.get_stop_sequences(),
            metrics={"length": len(action)},
        )


class Group(EnvGroupBuilder):
    """Three questions about one word."""

    def __init__(self, word: str) -> None:
        """Keep the word: builders are pickled, renderers are made where they are used."""
        self.word = word

    async def make_envs(self):
        """Make the members."""
        renderer = renderers.get_renderer(RENDERER, tokenizer_utils.get_tokenizer(MODEL))
        return [Counting(renderer, f"{'so ' * n}after {self.word}?", float(n)) for n in range(3)]

    def logging_tags(self) -> list[str]:
        """Name the group in metrics."""
        return ["count"]


class Questions(RLDataset):
    """Two groups a batch."""

    def get_batch(self, index: int) -> list[EnvGroupBuilder]:
        """Return a batch, or press Ctrl-C."""
        stop_here(index)
        return [Group(word) for word in WORDS[2 * index : 2 * index + 2]]

    def __len__(self) -> int:
        """Count the batches."""
        return STEPS


@chz.chz
class QuestionsBuilder(RLDatasetBuilder):
    """Makes the questions of training and of the test."""

    async def __call__(self):
        """Make both datasets."""
        return Questions(), None


class Lengths(SamplingClientEvaluator):
    """Samples once, greedily, as evaluators do."""

    async def __call__(self, sampling_client: tinker.SamplingClient) -> dict[str, float]:
        """Return the number of tokens and the mean logprob of the prompt."""
        prompt = tinker.ModelInput.from_ints([5, 6, 7, 8])
        params = tinker.SamplingParams(max_tokens=4, temperature=0.0)
        sampled = await sampling_client.sample(prompt, 1, params)
        logprobs = await sampling_client.compute_logprobs(prompt)
        known = [value for value in logprobs if value is not None]
        return {"greedy_first": float(sampled.sequences[0].tokens[0]), "prompt": sum(known) / len(known)}


def rl_config(mode: str, base_url: str, checkpoint: str, folder: str) -> rl.Config:
    """Return the settings of one of the four ways in which `rl/train.py` runs."""
    stream = rl.StreamMinibatchConfig(groups_per_batch=2, num_minibatches=2)
    # Nothing of a sampler's provenance is asked for by these two losses; the default of async runs asks.
    off_policy = rl.AsyncConfig(max_steps_off_policy=0, groups_per_batch=2, loss_fn="importance_sampling")
    return rl.Config(
        learning_rate=1e-2,
        dataset_builder=QuestionsBuilder(),
        model_name=MODEL,
        recipe_name="tinsmith_cookbook_rl",
        max_tokens=6,
        log_path=folder,
        load_checkpoint_path=checkpoint,
        renderer_name=RENDERER,
        evaluator_builders=[Lengths],
        eval_every=2,
        save_every=1,
        temperature=0.0,
        lora_rank=4,
        base_url=base_url,
        rolling_save_every=0,
        kl_penalty_coef=0.05 if mode == "rl-sync" else 0.0,
        kl_reference_config=rl.KLReferenceConfig(base_model=MODEL) if mode == "rl-sync" else None,
        compute_post_kl=mode == "rl-sync",
        num_substeps=2 if mode == "rl-sync" else 1,
        async_config=off_policy if "async" in mode else None,
        stream_minibatch_config=stream if "stream" in mode else None,
    )


def run(mode: str, base_url: str, checkpoint: str, folder: str) -> None:
    """Run one training program of the cookbook to its end, or to the batch that stops it."""
    shared = {
        "log_path": folder,
        "model_name": MODEL,
        "load_checkpoint_path": checkpoint,
        "renderer_name": RENDERER,
        "learning_rate": 1e-2,
        "lora_rank": 4,
        "base_url": base_url,
        "eval_every": 2,
        "save_every": 1,
        "evaluator_builders": [Lengths],
    }
    if mode.startswith("supervised"):
        background = mode == "supervised-background"
        asyncio.run(
            supervised.main(
                supervised.Config(
                    recipe_name="tinsmith_cookbook_sft",
                    dataset_builder=Chats(common_config=common()),
                    async_periodic_saves=background,
                    session_name="cookbook",
                    **{**shared, "save_every": 2 if background else 1},
                    rolling_save_every=1 if background else 0,
                )
            )
        )
    elif mode == "dpo":
        builder = Preferences(common_config=common(), comparison_builder=Pairs())
        train_dpo.main(
            train_dpo.Config(recipe_name="tinsmith_cookbook_dpo", dataset_builder=builder, **shared)
        )
    else:
        asyncio.run(rl.main(rl_config(mode, base_url, checkpoint, folder)))


def register(base_url: str) -> None:
    """Let the cookbook take the tokenizer from the client: no hub is asked."""
    service = tinker.ServiceClient(base_url=base_url)
    tokenizer = service.create_sampling_client(base_model=MODEL).result().get_tokenizer()
    tokenizer_utils.register_tokenizer(MODEL, lambda: tokenizer)


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    if arguments[0] == "prepare":
        service = tinker.ServiceClient(base_url=arguments[1])
        training = service.create_lora_training_client(MODEL, rank=4, seed=1).result()
        print(training.save_state("start").result().path)
        return
    mode, base_url, checkpoint, folder = arguments[1:5]
    if arguments[5:6] == ["--stop-at"]:
        STOP["at"] = int(arguments[6])
    register(base_url)
    Path(folder).mkdir(parents=True, exist_ok=True)
    run(mode, base_url, checkpoint, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
