"""`tinsmith export` and `tinsmith checkpoint push-hf`: trained adapters as other programs load them."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from tinsmith.cli.connect import rest, weights_of_run
from tinsmith.cli.failure import worded
from tinsmith.cli.options import CheckpointPath, shared, wants_json
from tinsmith.cli.output import ByteBar, Properties, note, show, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.export import AdapterOrigin, ExportedForm


class ExportForm(StrEnum):
    """Form of an export."""

    peft = "peft"
    merged = "merged"
    gguf_lora = "gguf-lora"
    hub = "hub"


class WeightType(StrEnum):
    """Type of the numbers of a merged model."""

    float32 = "float32"
    float16 = "float16"
    bfloat16 = "bfloat16"


Repo = Annotated[
    str | None,
    Option(
        "--repo",
        "-r",
        metavar="NAME",
        help="Repository of the hub, OWNER/NAME (default: named after the run).",
    ),
]
Public = Annotated[
    bool, Option("--public", help="Make a public repository, or upload to one (default: private).")
]
Revision = Annotated[
    str | None, Option("--revision", metavar="NAME", help="Branch to upload to (default: the main one).")
]
CommitMessage = Annotated[
    str | None, Option("--commit-message", metavar="TEXT", help="Message of the commit.")
]
CreatePr = Annotated[bool, Option("--create-pr", help="Open a pull request, and leave the branch as it is.")]
AllowPattern = Annotated[
    list[str] | None,
    Option("--allow-pattern", metavar="PATTERN", help="Upload only such files; may be repeated."),
]
IgnorePattern = Annotated[
    list[str] | None,
    Option("--ignore-pattern", metavar="PATTERN", help="Leave such files out; may be repeated."),
]
NoModelCard = Annotated[bool, Option("--no-model-card", help="Write no README.md.")]
DryRun = Annotated[
    Path | None,
    Option("--dry-run", metavar="DIR", help="Write what would be uploaded into DIR, and send nothing."),
]
Base = Annotated[
    str | None,
    Option(
        "--base",
        "-b",
        metavar="NAME",
        help="Base model: a folder, a GGUF file or a name (default: as trained on).",
    ),
]
Overwrite = Annotated[bool, Option("--overwrite", help="Replace an earlier export.")]

OF_FORM = {
    "dtype": {ExportForm.merged},
    "no_check": {ExportForm.merged},
    "without": {ExportForm.gguf_lora},
    "out": {ExportForm.peft, ExportForm.merged, ExportForm.gguf_lora},
}
"""Option -> forms that it is for; those of the hub are for `hub` alone."""
OF_HUB = (
    "repo", "public", "revision", "commit_message", "create_pr", "allow_pattern", "ignore_pattern",
    "no_model_card", "dry_run",
)  # fmt: skip


def export(
    context: typer.Context,
    place: Annotated[
        str,
        Argument(
            metavar="CHECKPOINT",
            help="Checkpoint (tinker://...), or the folder of a run of `train` or of an adapter.",
        ),
    ],
    to: Annotated[ExportForm, Option("--to", help="Form to write.")],
    out: Annotated[
        Path | None, Option("--out", "-o", metavar="PATH", help="Folder or GGUF file to write.")
    ] = None,
    base: Base = None,
    dtype: Annotated[
        WeightType | None,
        Option(
            "--dtype", help="merged: type of the weights (default: that of the base model, float32 for GGUF)."
        ),
    ] = None,
    no_check: Annotated[
        bool, Option("--no-check", help="merged: do not compare it with base model and adapter.")
    ] = False,
    without: Annotated[
        list[str] | None,
        Option("--without", metavar="MODULE", help="gguf-lora: leave out, such as lm_head; may be repeated."),
    ] = None,
    overwrite: Overwrite = False,
    repo: Repo = None,
    public: Public = False,
    revision: Revision = None,
    commit_message: CommitMessage = None,
    create_pr: CreatePr = False,
    allow_pattern: AllowPattern = None,
    ignore_pattern: IgnorePattern = None,
    no_model_card: NoModelCard = False,
    dry_run: DryRun = None,
) -> None:
    """Write a trained adapter for other programs: for peft, merged, for llama.cpp, or on the hub.

    Example: tinsmith export runs/tone --to merged --out tone-merged
    """
    from tinsmith.export.export_target import check_file, check_target

    _check_options(context, to)
    if to is ExportForm.hub:
        _push(context, place)
        return
    if out is None:
        raise typer.BadParameter(
            "say where to write, such as --out " + ("tone.gguf" if to is ExportForm.gguf_lora else "tone"),
            ctx=context,
            param_hint="--out",
        )
    (check_file if to is ExportForm.gguf_lora else check_target)(
        out, overwrite=overwrite
    )  # before a download
    with _adapter(context, place, may_be_base=to is ExportForm.merged) as (origin, adapter):
        done = _written(context, to, place, adapter, out)
    _show(context, to, origin, done)


def push_hf(
    context: typer.Context,
    path: CheckpointPath,
    repo: Repo = None,
    public: Public = False,
    revision: Revision = None,
    commit_message: CommitMessage = None,
    create_pr: CreatePr = False,
    allow_pattern: AllowPattern = None,
    ignore_pattern: IgnorePattern = None,
    no_model_card: NoModelCard = False,
    base: Base = None,
    dry_run: DryRun = None,
    overwrite: Overwrite = False,
) -> None:
    """Upload a checkpoint to the Hugging Face hub as an adapter for peft, with a model card.

    The token is that of `hf auth login` or HF_TOKEN. Example: tinsmith checkpoint push-hf
    tinker://RUN/sampler_weights/final --repo me/tone
    """
    _push(context, path)


def _check_options(context: typer.Context, to: ExportForm) -> None:
    """Refuse an option that the form has no use for."""
    options = {option.name: option.opts[0] for option in context.command.params}
    forms = OF_FORM | {key: {ExportForm.hub} for key in OF_HUB}
    for name, fitting in forms.items():
        if context.params[name] and to not in fitting:
            hint = "; for hub, --dry-run DIR writes a folder" if name == "out" else ""
            raise typer.BadParameter(
                f"is for --to {' and '.join(sorted(fitting))}{hint}", ctx=context, param_hint=options[name]
            )


@contextmanager
def _adapter(
    context: typer.Context, place: str, *, may_be_base: bool = False
) -> Iterator[tuple[AdapterOrigin | None, Path | None]]:
    """Give where an adapter comes from, and its folder; (None, None) for the name of a base model.

    What is fetched lies in the folder of temporary files.
    """
    from tinsmith.core.errors import InputError
    from tinsmith.export import find_origin
    from tinsmith.export.forms import is_base_model

    try:
        origin = find_origin(place)
    except InputError:
        if not may_be_base or not is_base_model(place):
            raise
        yield None, None
        return
    if origin.base_url is not None:
        weights_of_run(context, Path(place))  # which says where the run is not finished
    with ExitStack() as open_things:
        beside = Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="tinsmith-export-")))
        client = bar = None
        if origin.folder is None:
            client = open_things.enter_context(rest(context, shared(context, "base_url") or origin.base_url))
            bar = open_things.enter_context(ByteBar(shown=not wants_json(context)))
        progress = None if bar is None else partial(bar, "download")
        folder = open_things.enter_context(origin.fetched(client, beside, progress))
        if bar is not None:
            bar.stop()
        yield origin, folder


def _written(
    context: typer.Context, to: ExportForm, place: str, adapter: Path | None, out: Path
) -> ExportedForm:
    """Write one form."""
    from tinsmith.export import export_gguf_lora, export_merged, export_peft

    given = context.params
    base, overwrite = given["base"], given["overwrite"]
    if to is ExportForm.merged:
        with ByteBar(shown=not wants_json(context), every_quarter=True) as bar:
            return export_merged(
                adapter,
                out,
                base=base or (None if adapter else place),
                dtype=given["dtype"] and given["dtype"].value,
                check=not given["no_check"],
                overwrite=overwrite,
                progress=_Progress(out, bar),
            )
    assert adapter is not None
    if to is ExportForm.peft:
        return export_peft(adapter, out, base=base, overwrite=overwrite)
    return export_gguf_lora(adapter, out, base=base, without=given["without"] or (), overwrite=overwrite)


class _Progress:
    """Says before the first byte what will be written, and then how far it is."""

    def __init__(self, out: Path, bar: ByteBar) -> None:
        self._out, self._bar, self._begun = out, bar, False

    def __call__(self, step: str, done: int, total: int) -> None:
        """Take one report of the export."""
        from tinsmith.export.export_target import free_bytes

        if not self._begun:
            self._begun = True
            note(f"Writing {size(total)} to {self._out}; {size(free_bytes(self._out))} are free there.")
        if step == "compare":
            self._bar.stop()
            note("Comparing the merged model with base model and adapter ...")
        else:
            self._bar(step, done, total)


def _show(context: typer.Context, to: ExportForm, origin: AdapterOrigin | None, done: ExportedForm) -> None:
    document = {
        "form": to.value,
        "checkpoint": origin and (origin.tinker_path or str(origin.folder)),
        "destination": str(done.target),
        "base_model": done.base_model,
        "rank": done.rank,
        "alpha": done.alpha,
        "matrices": done.modules,
        "size_bytes": done.nbytes,
        "notes": list(done.notes),
    }
    rows = [
        ["Form", to.value],
        ["Written to", str(done.target)],
        ["Size", size(done.nbytes)],
        ["Base Model", done.base_model or "N/A"],
    ]
    if done.rank is not None:
        rows += [["Rank", str(done.rank)], ["Alpha", f"{done.alpha:g}"], ["Matrices", str(done.modules)]]
    if done.compared is not None:
        document |= {
            "compared": done.compared,
            "difference": done.difference,
            "limit": done.limit,
            "logit_difference": done.logit_difference,
            "effect": done.effect,
        }
        rows += _comparison(done)
    show(context, document, Properties(rows))
    for words in done.notes:
        note(worded(words))
    if not wants_json(context):
        note(_how_to_use(to, done), wrap=False)


def _comparison(done: ExportedForm) -> list[list[str]]:
    """Return the rows that say how far the merged model is from base model and adapter."""
    of = {"logits": "Largest Difference of a Logit", "tensors": "Largest Difference of W x"}
    rows = [[of[done.compared or ""], f"{done.difference:.2g} (limit {done.limit:g})"]]
    if done.compared != "logits" and done.logit_difference is not None:
        rows.append([of["logits"], f"{done.logit_difference:.2g} (from rounding to 16 bits)"])
    return rows


def _how_to_use(to: ExportForm, done: ExportedForm) -> str:
    """Return the line that another program takes."""
    place = str(done.target)
    if to is ExportForm.peft:
        return f'Use: peft.AutoPeftModelForCausalLM.from_pretrained("{place}")'
    if to is ExportForm.merged:
        return f'Use: transformers.AutoModelForCausalLM.from_pretrained("{place}")'
    return f"Use: llama-cli -m BASE.gguf --lora {place}"


def _push(context: typer.Context, place: str) -> None:
    """Upload an adapter, or write what would be uploaded."""
    from tinsmith.core.errors import InputError
    from tinsmith.export import HubTarget, export_peft, push_to_hub, repo_name
    from tinsmith.export.export_target import check_target, new_folder
    from tinsmith.export.hub import check_repo, keep_files
    from tinsmith.export.model_card import CARD, model_card

    given: dict[str, Any] = context.params
    dry_run: Path | None = given["dry_run"]
    if given["repo"]:
        check_repo(given["repo"])
    if dry_run is not None:
        check_target(dry_run, overwrite=given["overwrite"])
    with _adapter(context, place) as (origin, adapter), ExitStack() as open_things:
        assert origin is not None
        assert adapter is not None
        if dry_run is not None:
            folder = open_things.enter_context(
                new_folder(dry_run, overwrite=given["overwrite"], sources=[adapter])
            )
        else:
            folder = Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="tinsmith-hub-")))
        done = export_peft(adapter, folder, base=given["base"])
        if Path(done.base_model or "").is_absolute():
            raise InputError(
                f"the base model is a folder of this machine ({done.base_model}); name it as the hub does,"
                " with --base OWNER/NAME"
            )
        repo = given["repo"] or repo_name(done.base_model, origin.name)
        if not given["no_model_card"]:
            card = model_card(done, repo, checkpoint=origin.tinker_path)
            (folder / CARD).write_text(card, encoding="utf-8")
        files = keep_files(folder, given["allow_pattern"] or (), given["ignore_pattern"] or ())
        pushed = None
        if dry_run is None:
            target = HubTarget(
                repo=repo,
                public=given["public"],
                revision=given["revision"],
                commit_message=given["commit_message"],
                create_pr=given["create_pr"],
            )
            pushed = push_to_hub(folder, target)
    document: dict[str, Any] = {
        "checkpoint": origin.tinker_path or str(origin.folder),
        "repo": pushed.repo if pushed else repo,
        "base_model": done.base_model,
        "rank": done.rank,
        "files": files,
        "dry_run": str(dry_run) if dry_run else None,
        "url": pushed and pushed.url,
        "commit": pushed and pushed.commit,
        "pull_request": pushed and pushed.pull_request,
    }
    rows = [
        ["Repository", document["repo"]],
        ["Base Model", done.base_model or "N/A"],
        ["Files", ", ".join(files)],
    ]
    if dry_run:
        rows.append(["Written to", str(dry_run)])
    if pushed:
        rows += [["Page", pushed.url], ["Commit", pushed.commit]]
        rows += [["Pull Request", pushed.pull_request]] if pushed.pull_request else []
    show(context, document, Properties(rows))
    for words in done.notes:
        note(worded(words))
    if pushed and pushed.card_kept and not given["no_model_card"]:
        note("The repository has a model card already, which was kept.")
