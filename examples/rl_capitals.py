"""Reinforcement learning with a reward that a rule computes: answer a question rightly, then stop.

The model is asked for capitals. An answer earns 1 when it names the right city and ends within 16 tokens, 0.2
when it only ends, and 0 when it runs on. Each step samples a group of answers to each of some questions,
compares every answer with the mean of its group, and trains on the difference by `importance_sampling`, with
the sampler's own logprobs. Eight countries are never trained on: their reward is measured before and after.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import capitals
import numpy as np
import report
import tinsmith
from report import console
from rich.markup import escape
from tinsmith import types

AGREEMENT = 1e-3
"""Sampler and trainer run the same weights: their logprobs of a token must not differ by more."""


@dataclass(frozen=True)
class Answer:
    """One sampled answer and what it earned."""

    prompt: list[int]
    """Tokens of the question."""
    tokens: list[int]
    """Sampled tokens, the one that ended the answer included."""
    logprobs: list[float]
    """The sampler's log-probability of each sampled token."""
    text: str
    """What the tokens say."""
    reward: float
    """What the rule gave for it."""


@dataclass(frozen=True)
class Step:
    """One finished step."""

    reward: float
    """Mean over all answers of the step, before it trained on them."""
    disagreement: float
    """Largest distance between the sampler's and the trainer's logprob of a token; 0 without training."""
    text: str
    """One of the answers."""
    sampled_s: float
    """Time for handing over the weights and sampling."""
    trained_s: float
    """Time for the gradient and the optimizer."""


def ask(
    sampler: tinsmith.SamplingClient,
    trainer: tinsmith.TrainingClient,
    cities: dict[str, str],
    each: int,
    seed: int,
) -> list[list[Answer]]:
    """Sample `each` answers for every country, all countries at once; return a group a country."""
    tokenizer = trainer.get_tokenizer()
    params = types.SamplingParams(max_tokens=capitals.MAX_TOKENS, temperature=1.0, seed=seed)
    prompts = {country: capitals.prompt(tokenizer, country) for country in cities}
    futures = {
        country: sampler.sample(types.ModelInput.from_ints(prompt), each, params)
        for country, prompt in prompts.items()
    }
    groups = []
    for country, future in futures.items():
        group = []
        for sampled in future.result().sequences:
            text = tokenizer.decode(sampled.tokens, skip_special_tokens=True).strip()
            earned = capitals.reward(cities[country], text, stopped=sampled.stop_reason == "stop")
            group.append(Answer(prompts[country], sampled.tokens, sampled.logprobs or [], text, earned))
        groups.append(group)
    return groups


def mean_reward(groups: Sequence[Sequence[Answer]]) -> float:
    """Average over all answers."""
    return float(np.mean([answer.reward for group in groups for answer in group]))


def datum(answer: Answer, advantage: float) -> types.Datum:
    """Build the training example of an answer; the prompt's positions have advantage 0."""
    before, tokens = len(answer.prompt) - 1, answer.prompt + answer.tokens
    return types.Datum(
        model_input=types.ModelInput.from_ints(tokens[:-1]),
        loss_fn_inputs={
            "target_tokens": np.asarray(tokens[1:], np.int64),
            "logprobs": np.asarray([0.0] * before + answer.logprobs, np.float32),
            "advantages": np.asarray([0.0] * before + [advantage] * len(answer.tokens), np.float32),
        },
    )


def experience(groups: Sequence[Sequence[Answer]]) -> list[tuple[Answer, types.Datum]]:
    """Turn groups into training examples; a group whose answers all earned the same teaches nothing."""
    examples = []
    for group in groups:
        rewards = np.asarray([answer.reward for answer in group])
        advantages = (rewards - rewards.mean()) / (rewards.std() + 0.05)
        if rewards.std() > 0:
            examples += [
                (answer, datum(answer, float(a))) for answer, a in zip(group, advantages, strict=True)
            ]
    return examples


def disagreement(output: types.ForwardBackwardOutput, answers: Sequence[Answer]) -> float:
    """Return the largest distance between the trainer's and the sampler's logprobs of the sampled tokens."""
    worst = 0.0
    for answer, outputs in zip(answers, output.loss_fn_outputs, strict=True):
        trained = outputs["logprobs"].to_numpy()[len(answer.prompt) - 1 :]
        worst = max(worst, float(np.abs(trained - np.asarray(answer.logprobs, np.float32)).max()))
    return worst


def train(trainer: tinsmith.TrainingClient, args: argparse.Namespace) -> Iterator[Step]:
    """Sample, reward and train; yield each step."""
    rng = random.Random(args.seed)
    for number in range(args.steps):
        started = time.monotonic()
        sampler = trainer.save_weights_and_get_sampling_client()
        cities = dict(rng.sample(sorted(capitals.TRAIN.items()), args.groups))
        groups = ask(sampler, trainer, cities, args.group_size, seed=1000 * args.seed + number)
        sampled_s = time.monotonic() - started
        examples = experience(groups)
        apart = 0.0
        if examples:
            passed = trainer.forward_backward([data for _, data in examples], "importance_sampling")
            trainer.optim_step(types.AdamParams(learning_rate=args.learning_rate)).result()
            apart = disagreement(passed.result(), [answer for answer, _ in examples])
        text = groups[0][0].text
        yield Step(mean_reward(groups), apart, text, sampled_s, time.monotonic() - started - sampled_s)


def show(number: int, step: Step) -> None:
    """Print one step as a line, its reward also as a bar."""
    bar = "█" * round(20 * step.reward)
    console.print(
        f"{number:4d}  [green]{bar:·<20}[/] [bold]{step.reward:.3f}[/]   {step.disagreement:.0e}   "
        f"{step.sampled_s:4.1f} + {step.trained_s:4.1f} s  {escape(' '.join(step.text.split()))}",
        overflow="ellipsis",
        no_wrap=True,
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure, train, measure again; return the figures."""
    started = time.monotonic()
    with tinsmith.ServiceClient(base_url=args.base_url) as service:
        trainer = service.create_lora_training_client(args.model, rank=args.rank, seed=args.seed)
        sampler = service.create_sampling_client(base_model=args.model)
        before = mean_reward(ask(sampler, trainer, capitals.HELD_OUT, 4, seed=1))
        console.print(
            "step  mean reward                 differ   sample + train  one of the answers", no_wrap=True
        )
        steps = []
        for step in train(trainer, args):
            steps.append(step)
            show(len(steps), step)
        sampler = trainer.save_weights_and_get_sampling_client()
        after = mean_reward(ask(sampler, trainer, capitals.HELD_OUT, 4, seed=1))
    return {
        "model": args.model,
        "rewards": [step.reward for step in steps],
        "held_out_reward_before": before,
        "held_out_reward_after": after,
        "largest_disagreement": max(step.disagreement for step in steps),
        "elapsed_s": time.monotonic() - started,
    }


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Teach a language model by a reward, offline.")
    parser.add_argument("--model", default="HuggingFaceTB/SmolLM2-135M-Instruct", help="base model")
    parser.add_argument("--base-url", default="local:", help="address of the service (local:)")
    parser.add_argument("--steps", type=int, default=8, help="optimizer steps (8)")
    parser.add_argument("--groups", type=int, default=8, help="questions a step (8)")
    parser.add_argument("--group-size", type=int, default=8, help="answers to each question (8)")
    parser.add_argument("--rank", type=int, default=16, help="LoRA rank (16)")
    parser.add_argument("--learning-rate", type=float, default=3e-4, help="learning rate (3e-4)")
    parser.add_argument("--seed", type=int, default=0, help="seed of adapter, questions and samples (0)")
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output/rl"), help="folder for figures and curve"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the loop, write its figures and its curve, and say where they are."""
    args = options(arguments)
    console.rule(f"[bold]Reinforcement learning on {args.model}")
    report.say_what_is_missing()
    try:
        result = run(args)
    except tinsmith.TinkerError as error:
        report.failure(error)
        return 1
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    drawn = report.plot(
        args.output / "reward.png",
        result["rewards"],
        title=f"Reinforcement learning on {args.model}",
        label="mean reward",
        ends=(result["held_out_reward_before"], result["held_out_reward_after"]),
    )
    agree = result["largest_disagreement"] <= AGREEMENT
    console.print(
        f"\nreward of countries never trained on: {result['held_out_reward_before']:.2f} before, "
        f"[bold]{result['held_out_reward_after']:.2f}[/] after, {result['elapsed_s']:.0f} s in all\n"
        f"sampler and trainer disagree by at most {result['largest_disagreement']:.1e} a token "
        f"({'within' if agree else 'MORE than'} {AGREEMENT})\n"
        + (
            f"figures and curve: {args.output}/result.json, reward.png"
            if drawn
            else f"figures: {args.output}/result.json"
        )
    )
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
