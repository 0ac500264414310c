"""`tinsmith sample`: try a model from the shell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tinsmith.cli.connect import service
from tinsmith.cli.output import Format, OutputFormat, chosen, printable, show_json

if TYPE_CHECKING:
    from tinsmith.clients.sampling import SamplingClient

Prompt = Annotated[str, typer.Argument(metavar="PROMPT", help="Text to go on from; - reads it from stdin.")]
Base = Annotated[str | None, typer.Option("--base-model", "-b", metavar="NAME", help="Base model to sample.")]
Saved = Annotated[
    str | None,
    typer.Option("--model-path", "-m", metavar="PATH", help="Checkpoint to sample (tinker://...)."),
]
Chat = Annotated[
    bool, typer.Option("--chat", help="Send PROMPT as a message of a user, by the chat template.")
]
System = Annotated[str | None, typer.Option("--system", metavar="TEXT", help="With --chat: system message.")]
Number = Annotated[int, typer.Option("--num-samples", "-n", min=1, metavar="NUMBER", help="Samples to draw.")]
Tokens = Annotated[
    int, typer.Option("--max-tokens", min=1, metavar="NUMBER", help="Most tokens of one sample.")
]
Temperature = Annotated[
    float,
    typer.Option("--temperature", min=0.0, metavar="NUMBER", help="0 always takes the likeliest token."),
]
TopK = Annotated[
    int,
    typer.Option("--top-k", metavar="NUMBER", help="Draw from so many of the likeliest tokens; -1 is all."),
]
TopP = Annotated[
    float,
    typer.Option(
        "--top-p", min=0.0, max=1.0, metavar="NUMBER", help="Draw from this share of the probability."
    ),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="NUMBER", help="Seed; the same seed draws the same tokens.")
]
Stop = Annotated[
    list[str] | None, typer.Option("--stop", metavar="TEXT", help="Text to stop at; may be repeated.")
]


def sample(
    context: typer.Context,
    prompt: Prompt,
    base_model: Base = None,
    model_path: Saved = None,
    chat: Chat = False,
    system: System = None,
    num_samples: Number = 1,
    max_tokens: Tokens = 128,
    temperature: Temperature = 1.0,
    top_k: TopK = -1,
    top_p: TopP = 1.0,
    seed: Seed = None,
    stop: Stop = None,
    format: Format = None,
) -> None:
    """Draw text from a base model or a checkpoint."""
    if (base_model is None) is (model_path is None):
        raise typer.BadParameter("give exactly one of --base-model and --model-path", ctx=context)
    if system is not None and not chat:
        raise typer.BadParameter("--system needs --chat", ctx=context)
    from tinsmith.core.values import ModelInput, SamplingParams

    text = _from_stdin() if prompt == "-" else prompt
    params = SamplingParams(
        max_tokens=max_tokens, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed, stop=stop or None
    )
    with service(context, creates=True) as client:
        sampler = client.create_sampling_client(model_path=model_path, base_model=base_model)
        tokens = _tokens(sampler, text, chat=chat, system=system)
        drawn = sampler.sample(ModelInput.from_ints(tokens), num_samples, params).result()
        decode = sampler.get_tokenizer().decode
        documents: list[dict[str, object]] = [
            {
                "text": decode(list(sequence.tokens), skip_special_tokens=True),
                "stop_reason": sequence.stop_reason,
                "tokens": list(sequence.tokens),
                "logprobs": None if sequence.logprobs is None else list(sequence.logprobs),
            }
            for sequence in drawn.sequences
        ]
    if chosen(context) is OutputFormat.json:
        show_json({"prompt_tokens": tokens, "sequences": documents})
    else:
        _print([str(document["text"]) for document in documents])


def _from_stdin() -> str:
    """Read the prompt, without the one line end that `echo` and editors add."""
    text = sys.stdin.read()
    return text.removesuffix("\n").removesuffix("\r")


def _tokens(sampler: SamplingClient, text: str, *, chat: bool, system: str | None) -> list[int]:
    tokenizer = sampler.get_tokenizer()
    if not chat:
        return list(tokenizer.encode(text))
    messages = [{"role": "system", "content": system}] if system is not None else []
    messages.append({"role": "user", "content": text})
    return list(tokenizer.apply_chat_template(messages, tokenize=True, add_generation_prompt=True))


def _print(texts: list[str]) -> None:
    """Print the samples, with a line between them when there are several."""
    for number, text in enumerate(texts, 1):
        if len(texts) > 1:
            typer.echo(f"--- sample {number} of {len(texts)} ---")
        typer.echo(printable(text, "\n\t") if sys.stdout.isatty() else text)
