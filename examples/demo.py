"""Fine-tune a real language model offline: train, save, sample and score, through the public client alone.

`make demo` runs it on the embedded service. `base_url="local:PATH"` is all that makes it local: with the URL
and the key of a hosted service the same lines train there.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import instruct
import report
import tinsmith
from report import console
from tinsmith import types


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Fine-tune and sample a language model, offline.")
    parser.add_argument("--model", default="HuggingFaceTB/SmolLM2-135M-Instruct", help="base model")
    parser.add_argument("--steps", type=int, default=40, help="optimizer steps (40)")
    parser.add_argument("--batch", type=int, default=16, help="items a step (16)")
    parser.add_argument("--rank", type=int, default=16, help="LoRA rank (16)")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="highest learning rate (1e-3)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the adapter (0)")
    parser.add_argument(
        "--shuffled", action="store_true", help="train on other items' answers: must not help"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output"), help="folder for all that is written"
    )
    return parser.parse_args(arguments)


@dataclass(frozen=True)
class Exam:
    """How a model did on the held-out items."""

    texts: list[str]
    """What it answered, one text an item."""
    right: int
    """How many answers the rule accepts."""
    loss: float
    """Mean loss of the right answers' tokens, in nats."""


@dataclass(frozen=True)
class Step:
    """One finished training step."""

    loss: float
    """Mean loss of the answers' tokens, before the step."""
    tokens: int
    """Tokens that went through the model, prompts included."""


def mean_loss(output: types.ForwardBackwardOutput, data: Sequence[types.Datum]) -> float:
    """Divide the loss, which the service sums over tokens, by the number of tokens that count."""
    counted = sum(datum.loss_fn_inputs["weights"].to_numpy().sum() for datum in data)
    return output.metrics["loss:sum"] / float(counted)


def examine(
    name: str,
    sampler: tinsmith.SamplingClient,
    trainer: tinsmith.TrainingClient,
    items: Sequence[instruct.Item],
) -> Exam:
    """Sample an answer to every item, all at once and greedily; measure the loss without training."""
    tokenizer = trainer.get_tokenizer()
    params = types.SamplingParams(max_tokens=16, temperature=0.0)
    futures = [sampler.sample(instruct.prompt(tokenizer, item), 1, params) for item in items]
    data = [instruct.datum(tokenizer, item) for item in items]
    passed = trainer.forward(data, "cross_entropy")
    with report.Tracked(name, len(items)) as bar:
        for future in as_completed(futures):
            future.result()
            bar.advance()
        loss = mean_loss(passed.result(), data)
    sequences = [future.result().sequences[0] for future in futures]
    texts = [tokenizer.decode(sequence.tokens, skip_special_tokens=True) for sequence in sequences]
    right = sum(instruct.judge(item, text) == "right" for item, text in zip(items, texts, strict=True))
    return Exam(texts, right, loss)


def train(
    trainer: tinsmith.TrainingClient, items: Sequence[instruct.Item], args: argparse.Namespace
) -> Iterator[Step]:
    """Yield the steps; the next one is always under way before the result of the last is awaited."""
    tokenizer = trainer.get_tokenizer()
    under_way = []
    for step in range(args.steps + 1):
        if step < args.steps:
            batch = [items[(step * args.batch + place) % len(items)] for place in range(args.batch)]
            data = [instruct.datum(tokenizer, item) for item in batch]
            rate = args.learning_rate * min(1, (step + 1) / 5) * (1 - step / args.steps)
            passed = trainer.forward_backward(data, "cross_entropy")
            stepped = trainer.optim_step(types.AdamParams(learning_rate=rate))
            under_way.append((passed, stepped, data))
        if step > 0:
            passed, stepped, data = under_way.pop(0)
            stepped.result()
            yield Step(mean_loss(passed.result(), data), sum(datum.model_input.length for datum in data))


def watch(steps: Iterator[Step], count: int) -> tuple[list[float], float]:
    """Show the live bar while training runs; return the losses and the tokens per second."""
    losses: list[float] = []
    tokens, tokens_per_s, started = 0, 0.0, time.monotonic()
    with report.Tracked("training", count) as bar:
        for step in steps:
            losses.append(step.loss)
            tokens += step.tokens
            tokens_per_s = tokens / (time.monotonic() - started)
            bar.advance(f"loss {step.loss:.3f}, {tokens_per_s:.0f} tokens/s")
    return losses, tokens_per_s


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Examine, train, save, examine again; return the figures."""
    started = time.monotonic()
    items, held_out = instruct.load("train"), instruct.load("held_out")
    items = instruct.shuffled(items) if args.shuffled else items

    # A service inside this process, with its data in a folder; a LoRA adapter to train on a base model.
    with tinsmith.ServiceClient(base_url=f"local:{args.output / 'service'}") as service:
        trainer = service.create_lora_training_client(args.model, rank=args.rank, seed=args.seed)
        console.print(f"The model and its adapter are ready after {time.monotonic() - started:.1f} s.\n")
        untrained = service.create_sampling_client(base_model=args.model)
        before = examine("exam before", untrained, trainer, held_out)
        console.print(
            report.answers("Before training, on held-out sentences", held_out[:4], before.texts[:4])
        )

        losses, tokens_per_s = watch(train(trainer, items, args), args.steps)

        # A checkpoint continues the training; sampler weights answer prompts.
        checkpoint = trainer.save_state("demo").result().path
        weights = trainer.save_weights_for_sampler("demo").result().path
        after = examine("exam after", service.create_sampling_client(model_path=weights), trainer, held_out)
        console.print(
            report.answers("\nAfter training, on the same sentences", held_out[:4], after.texts[:4])
        )

    return {
        "model": args.model,
        "steps": args.steps,
        "shuffled": args.shuffled,
        "held_out_items": len(held_out),
        "right_before": before.right,
        "right_after": after.right,
        "held_out_loss_before": before.loss,
        "held_out_loss_after": after.loss,
        "losses": losses,
        "tokens_per_s": tokens_per_s,
        "elapsed_s": time.monotonic() - started,
        "checkpoint": checkpoint,
        "sampler_weights": weights,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo, write its figures and its curve, and say where things are."""
    args = options(arguments)
    console.rule(f"[bold]LoRA fine-tuning of {args.model}")
    report.say_what_is_missing()
    args.output.mkdir(parents=True, exist_ok=True)
    try:
        result = run(args)
    except tinsmith.TinkerError as error:
        report.failure(error)
        return 1
    (args.output / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    report.plot(
        args.output / "loss.png",
        result["losses"],
        title=f"LoRA fine-tuning of {args.model}",
        label="mean loss of an answer's token (nats)",
        held_out={0: result["held_out_loss_before"], args.steps: result["held_out_loss_after"]},
        log=True,
    )
    console.print(report.summary(result, args.output), soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
