"""Reinforcement learning with a reward that a rule computes: name a capital, then stop.

An answer earns 1 when it names the right city and ends within 16 tokens, 0.2 when it only ends, and 0 when it
runs on. Each step samples a group of answers to each of some questions. An answer's advantage is its reward
minus the mean of its group, divided by their standard deviation (GRPO, https://arxiv.org/abs/2402.03300). The
loss `importance_sampling` weighs each token by the ratio of its probabilities in trainer and sampler. Eight
countries are never trained on: their reward is measured before and after.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import capitals
import numpy as np
import report
import tinsmith
from rich.markup import escape
from tinsmith import data, types


class Answer(NamedTuple):
    """One sampled answer and what it earned."""

    prompt: types.ModelInput
    sequence: types.SampledSequence
    text: str
    reward: float


def ask(sampler: tinsmith.SamplingClient, cities: dict[str, str], each: int, seed: int) -> list[list[Answer]]:
    """Sample `each` answers for every country, all countries at once; return a group a country."""
    tokenizer = sampler.get_tokenizer()
    params = types.SamplingParams(max_tokens=capitals.MAX_TOKENS, temperature=1.0, seed=seed)
    prompts = [capitals.prompt(tokenizer, country) for country in cities]
    futures = [sampler.sample(prompt, each, params) for prompt in prompts]
    groups = []
    for city, prompt, future in zip(cities.values(), prompts, futures, strict=True):
        group = []
        for sequence in future.result().sequences:
            text = tokenizer.decode(sequence.tokens, skip_special_tokens=True).strip()
            earned = capitals.reward(city, text, stopped=sequence.stop_reason == "stop")
            group.append(Answer(prompt, sequence, text, earned))
        groups.append(group)
    return groups


def mean_reward(groups: Sequence[Sequence[Answer]]) -> float:
    """Average over all answers."""
    return float(np.mean([answer.reward for group in groups for answer in group]))


def experience(groups: Sequence[Sequence[Answer]]) -> list[types.Datum]:
    """Turn groups into training examples; a group whose answers all earned the same teaches nothing."""
    examples = []
    for group in groups:
        rewards = np.array([answer.reward for answer in group])
        if rewards.std() > 0:
            advantages = (rewards - rewards.mean()) / (rewards.std() + 0.05)
            examples += [
                data.datum_from_sample(answer.prompt, answer.sequence, advantage)
                for answer, advantage in zip(group, advantages, strict=True)
            ]
    return examples


def disagreement(output: types.ForwardBackwardOutput, examples: Sequence[types.Datum]) -> float:
    """Return the largest distance between trainer and sampler, which have the same weights, in a logprob."""
    worst = 0.0
    for outputs, datum in zip(output.loss_fn_outputs, examples, strict=True):
        inputs = {name: tensor.to_numpy() for name, tensor in datum.loss_fn_inputs.items()}
        differences = np.abs(outputs["logprobs"].to_numpy() - inputs["logprobs"])
        worst = max(worst, float(differences[inputs["advantages"] != 0].max(initial=0)))
    return worst


def run(service: tinsmith.ServiceClient, args: argparse.Namespace) -> dict[str, Any]:
    """Measure, train, measure again; return the figures."""
    rng = random.Random(args.seed)
    trainer = service.create_lora_training_client(args.model, rank=args.rank, seed=args.seed)
    sampler = service.create_sampling_client(base_model=args.model)
    held_out = {0: mean_reward(ask(sampler, capitals.HELD_OUT, 4, seed=1))}
    rewards, apart = [], [0.0]
    for step in range(args.steps):
        sampler = trainer.save_weights_and_get_sampling_client()
        cities = dict(rng.sample(sorted(capitals.TRAIN.items()), args.groups))
        groups = ask(sampler, cities, args.group_size, seed=1000 * args.seed + step)
        if examples := experience(groups):
            passed = trainer.forward_backward(examples, "importance_sampling")
            trainer.optim_step(types.AdamParams(learning_rate=args.learning_rate)).result()
            apart.append(disagreement(passed.result(), examples))
        rewards.append(mean_reward(groups))
        said = escape(" ".join(groups[0][0].text.split()))
        report.console.print(
            f"step {step + 1:2d}  reward {rewards[-1]:.3f}  differ {apart[-1]:.0e}  {said}",
            no_wrap=True,
            overflow="ellipsis",
        )
    sampler = trainer.save_weights_and_get_sampling_client()
    held_out[args.steps] = mean_reward(ask(sampler, capitals.HELD_OUT, 4, seed=1))
    return {"curve": rewards, "held_out": held_out, "largest_disagreement": max(apart)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options and run."""
    parser = report.options(__doc__, "demo-output/rl", steps=8, learning_rate=3e-4)
    parser.add_argument("--groups", type=int, default=8, help="questions a step (8)")
    parser.add_argument("--group-size", type=int, default=8, help="answers to each question (8)")
    args = parser.parse_args(arguments)
    return report.conduct(
        run, args, title=f"Reinforcement learning on {args.model}", label="mean reward of an answer"
    )


if __name__ == "__main__":
    sys.exit(main())
