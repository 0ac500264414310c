"""Direct preference optimisation: learn from pairs of answers which one is better.

With the log-probabilities `l` of two answers, those `r` of the weights at the start, and the margin
`m = beta * ((l_chosen - r_chosen) - (l_rejected - r_rejected))`, the loss of a pair is `-log(sigmoid(m))`
(Rafailov et al. 2023, https://arxiv.org/abs/2305.18290, equation 7). It is a custom loss here: the server
computes the log-probabilities, and this program the loss and its gradient.

The pairs are about who gave what to whom: the worse answer has the two names the wrong way round. Names and
things of the held-out pairs never occur in training. `--pairs` takes a file of your own instead, and holds a
fifth of it out.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import instruct
import numpy as np
import numpy.typing as npt
import report
import tinsmith
from tinsmith import data, types

Floats = npt.NDArray[np.float64]


def answer_logprobs(datums: Sequence[types.Datum], logprobs: Sequence[Any]) -> Floats:
    """Return the log-probability of each answer, that of its tokens together: [pairs, (chosen, rejected)]."""
    weights = [datum.loss_fn_inputs["weights"].to_numpy() for datum in datums]
    return np.array([w @ each for w, each in zip(weights, logprobs, strict=True)]).reshape(-1, 2)


def judged(datums: Sequence[types.Datum], output: types.ForwardBackwardOutput) -> Floats:
    """Return what a forward pass says of the answers."""
    return answer_logprobs(datums, [outputs["logprobs"].to_numpy() for outputs in output.loss_fn_outputs])


def chosen_likelier(logprobs: Floats) -> float:
    """Return the share of the pairs in which the model finds the chosen answer likelier."""
    return float((logprobs[:, 0] > logprobs[:, 1]).mean())


@dataclass(frozen=True)
class DpoLoss:
    """The loss of some pairs, for `forward_backward_custom` with the numpy backend."""

    reference: Floats
    """What `forward` gave for the pairs at the start."""
    beta: float
    """How much a margin counts: a small one lets the model go further from where it began."""

    def margins(self, logprobs: Floats) -> Floats:
        """Return `m` of each pair."""
        chosen, rejected = (self.beta * (logprobs - self.reference)).T
        margins: Floats = chosen - rejected
        return margins

    def __call__(self, datums: list[types.Datum], logprobs: list[Any]) -> tuple[float, dict[str, float], Any]:
        """Return the mean loss, metrics, and the gradient by the logprobs of each datum."""
        margins = self.margins(answer_logprobs(datums, logprobs))
        slopes = -self.beta / (1 + np.exp(margins)) / len(margins)  # of the loss, by l_chosen
        gradients = [
            slope * datum.loss_fn_inputs["weights"].to_numpy()
            for datum, slope in zip(datums, np.stack([slopes, -slopes], axis=1).ravel(), strict=True)
        ]
        loss = float(np.logaddexp(0, -margins).mean())
        return loss, {"margin": float(margins.mean()), "accuracy": float((margins > 0).mean())}, gradients


def load(path: Path | None) -> tuple[list[data.Preference], list[data.Preference]]:
    """Return the pairs to train on, and those that are held out."""
    if path is None:
        train, held_out = ([instruct.pair(item) for item in instruct.load(n)] for n in ("train", "held_out"))
        return train, held_out
    pairs = [
        record for record in data.read_records(path, "preference") if isinstance(record, data.Preference)
    ]
    random.Random(0).shuffle(pairs)
    return pairs[len(pairs) // 5 :], pairs[: len(pairs) // 5]


def run(service: tinsmith.ServiceClient, args: argparse.Namespace) -> dict[str, Any]:
    """Compute the reference, train, and measure the held-out pairs now and then; return the figures."""
    trainer = service.create_lora_training_client(args.model, rank=args.rank, seed=args.seed)
    builder = data.DatumBuilder(tokenizer=trainer.get_tokenizer())

    def both(pair: data.Preference) -> list[types.Datum]:
        return [*builder.datums(pair.chosen), *builder.datums(pair.rejected)]

    pairs, held_out = load(args.pairs)
    draw = random.Random(args.seed)
    drawn = [draw.sample(pairs, min(args.batch, len(pairs))) for _ in range(args.steps)]
    batches = [[datum for pair in batch for datum in both(pair)] for batch in [*drawn, held_out]]
    passes = [trainer.forward(batch, "cross_entropy") for batch in batches]  # the adapter changes nothing yet
    losses = [
        DpoLoss(judged(batch, passed.result()), args.beta)
        for batch, passed in zip(batches, passes, strict=True)
    ]
    *batches, exam = batches
    *losses, examiner = losses

    curve, margins = [], {0: 0.0}
    for step, (batch, loss) in enumerate(zip(batches, losses, strict=True), start=1):
        passed = trainer.forward_backward_custom(batch, loss, backend="numpy")
        trainer.optim_step(types.AdamParams(learning_rate=args.learning_rate))
        metrics = passed.result().metrics
        curve.append(metrics["margin"])
        line = f"step {step:2d}  loss {metrics['loss:sum']:.3f}  margin {metrics['margin']:6.3f}"
        if step % args.evaluate_every == 0 or step == args.steps:
            after = judged(exam, trainer.forward(exam, "cross_entropy").result())
            margins[step] = float(examiner.margins(after).mean())
            line += f"  held out {margins[step]:6.3f}"
        report.console.print(line)
    return {
        "curve": curve,
        "held_out": margins,
        "held_out_accuracy": float((examiner.margins(after) > 0).mean()),
        "chosen_likelier_before": chosen_likelier(examiner.reference),
        "chosen_likelier_after": chosen_likelier(after),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options and run."""
    parser = report.options(__doc__, "demo-output/dpo", steps=30, learning_rate=3e-4)
    parser.add_argument("--pairs", type=Path, help="file of preference pairs; else those of the demo")
    parser.add_argument("--batch", type=int, default=8, help="pairs a step (8)")
    parser.add_argument("--beta", type=float, default=0.1, help="weight of a margin (0.1)")
    parser.add_argument("--evaluate-every", type=int, default=10, help="steps between evaluations (10)")
    args = parser.parse_args(arguments)
    return report.conduct(run, args, title=f"DPO on {args.model}", label="margin of a pair")


if __name__ == "__main__":
    sys.exit(main())
