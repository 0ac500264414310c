"""On-policy distillation: a student learns from a teacher's log-probabilities of the student's own answers.

The student answers; the teacher says how likely it finds each token `x` of the answers. The advantage of a
token is `log p_teacher(x) - log p_student(x)`, whose mean over the student's answers is the negative of the
reverse Kullback-Leibler divergence KL(student || teacher), and the loss is `importance_sampling`
(https://thinkingmachines.ai/blog/on-policy-distillation/). Neither right answers nor a reward are needed.

`--teacher` names the weights of any sampler with the same tokenizer. Without it a teacher is trained first,
which answers questions for capitals in one way and ends. The divergence is measured on countries that neither
was trained on.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import capitals
import numpy as np
import numpy.typing as npt
import report
import tinsmith
from rich.markup import escape
from tinsmith import data, train, types


class Answer(NamedTuple):
    """One answer of the student, as both see it."""

    prompt: types.ModelInput
    sequence: types.SampledSequence
    advantages: npt.NDArray[np.float64]
    """For each token, how much likelier the teacher finds it than the student, in nats."""
    text: str


def teach(service: tinsmith.ServiceClient, args: argparse.Namespace) -> str:
    """Train a teacher on the capitals, and return the path of its weights."""
    trainer = service.create_lora_training_client(args.model, rank=args.rank, seed=args.seed)
    builder = data.DatumBuilder(tokenizer=trainer.get_tokenizer())
    chats = [
        [
            *capitals.messages(country),
            {"role": "assistant", "content": f"{city} is the capital of {country}."},
        ]
        for country, city in capitals.TRAIN.items()
    ]
    datums = [datum for chat in chats for datum in builder.from_messages(chat)]
    batches = list(data.Batches(data=datums, items=8, seed=args.seed).walk(epochs=args.teacher_epochs))
    train.supervised(trainer, batches, train.Schedule(peak=1e-3, steps=len(batches)))
    return trainer.save_weights_for_sampler("teacher").result().path or ""


def converse(
    student: tinsmith.SamplingClient,
    teacher: tinsmith.SamplingClient,
    countries: Sequence[str],
    each: int,
    seed: int,
) -> list[Answer]:
    """Have the student answer, `each` times for every country, and the teacher judge every token."""
    tokenizer = student.get_tokenizer()
    params = types.SamplingParams(max_tokens=capitals.MAX_TOKENS, temperature=1.0, seed=seed)
    prompts = [capitals.prompt(tokenizer, country) for country in countries]
    drawn = [student.sample(prompt, each, params) for prompt in prompts]
    said = [
        (prompt, sequence)
        for prompt, future in zip(prompts, drawn, strict=True)
        for sequence in future.result().sequences
    ]
    judged = [
        teacher.compute_logprobs(types.ModelInput.from_ints(prompt.to_ints() + sequence.tokens))
        for prompt, sequence in said
    ]
    answers = []
    for (prompt, sequence), future in zip(said, judged, strict=True):
        likely = np.array(future.result()[prompt.length :], np.float64)
        text = tokenizer.decode(sequence.tokens, skip_special_tokens=True)
        answers.append(Answer(prompt, sequence, likely - np.array(sequence.logprobs), text))
    return answers


def divergence(answers: Sequence[Answer]) -> float:
    """Return KL(student || teacher) of a token, as the student's answers estimate it, in nats."""
    return -float(np.concatenate([answer.advantages for answer in answers]).mean())


def run(service: tinsmith.ServiceClient, args: argparse.Namespace) -> dict[str, Any]:
    """Measure, train, measure again; return the figures."""
    teacher = service.create_sampling_client(model_path=args.teacher or teach(service, args))
    trainer = service.create_lora_training_client(args.model, rank=args.rank, seed=args.seed + 1)
    draw = random.Random(args.seed)
    curve, held_out = [], {}
    for step in range(args.steps + 1):
        student = trainer.save_weights_and_get_sampling_client()
        if step in (0, args.steps):
            exam = converse(student, teacher, list(capitals.HELD_OUT), 4, seed=1)
            held_out[step] = divergence(exam)
        if step == args.steps:
            break
        countries = draw.sample(sorted(capitals.TRAIN), args.questions)
        answers = converse(student, teacher, countries, args.group_size, seed=1000 * args.seed + step)
        batch = [data.datum_from_sample(each.prompt, each.sequence, each.advantages) for each in answers]
        trainer.forward_backward(batch, "importance_sampling")
        trainer.optim_step(types.AdamParams(learning_rate=args.learning_rate)).result()
        curve.append(divergence(answers))
        said = escape(" ".join(answers[0].text.split()))
        report.console.print(
            f"step {step + 1:2d}  KL {curve[-1]:.3f}  {said}", no_wrap=True, overflow="ellipsis"
        )
    return {"curve": curve, "held_out": held_out}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options and run."""
    parser = report.options(__doc__, "demo-output/distillation", steps=12, learning_rate=5e-4)
    parser.add_argument("--teacher", help="path of the teacher's weights (tinker://...); else one is trained")
    parser.add_argument("--teacher-epochs", type=int, default=4, help="passes in its training (4)")
    parser.add_argument("--questions", type=int, default=8, help="questions a step (8)")
    parser.add_argument("--group-size", type=int, default=4, help="answers to each question (4)")
    args = parser.parse_args(arguments)
    return report.conduct(
        run, args, title=f"On-policy distillation on {args.model}", label="KL to the teacher (nats a token)"
    )


if __name__ == "__main__":
    sys.exit(main())
