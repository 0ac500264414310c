"""The forms of an export: what is written, and that it is checked.

Owns which base model is meant. The formats belong to the embedded service's `conversion`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.config import models_of_user
from tinsmith.core.errors import InputError, MissingModelError, TinkerError
from tinsmith.core.optional_deps import require_extra
from tinsmith.export.export_target import check_room, new_file, new_folder
from tinsmith.export.origin import ADAPTER_CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Progress = Callable[[str, int, int], object]

WEIGHTS = "adapter_model.safetensors"
"""The file of an adapter's tensors."""

_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
"""Owner and repository."""


@attrs.frozen(kw_only=True)
class ExportedForm:
    """The result of an export."""

    target: Path
    """The folder, or the file of a GGUF adapter."""
    base_model: str | None
    """The base model, as the adapter names it afterwards or as it was read."""
    rank: int | None = None
    """Rank of the adapter; None for a base model alone."""
    alpha: float | None = None
    """The update is scaled by alpha / rank."""
    modules: int = 0
    """Matrices that the adapter changes."""
    nbytes: int
    """Bytes written."""
    compared: str | None = None
    """What was compared with base model and adapter: `logits` or `tensors`; None if nothing was."""
    difference: float | None = None
    """The largest difference found: of a logit, or of W x relative to its root mean square."""
    limit: float | None = None
    """The difference above which the export would have been refused."""
    logit_difference: float | None = None
    """The largest difference of a logit, where the model was run; it has no limit for 16-bit weights."""
    effect: float | None = None
    """What the adapter changes at most, by the same measure as `difference`."""
    notes: tuple[str, ...] = ()
    """What a person should know of it."""


def export_peft(
    adapter: Path, target: Path, *, base: str | None = None, overwrite: bool = False
) -> ExportedForm:
    """Write an adapter as a folder that `peft` loads unmodified.

    `base` is what `adapter_config.json` then names as the base model: a name of the hub, or a folder. None
    keeps the name that the adapter has; a name of TINSMITH_MODELS becomes its path. The state of an optimizer
    is left out. Raise `FileExistsError` if `target` is there and `overwrite` is false, and TinkerError with
    the reason for what is no LoRA adapter.
    """
    require_extra("exporting an adapter", "local")
    from tinsmith_local.conversion.lora_files import LoraFiles

    lora = LoraFiles.open(adapter)
    name, notes = _name_for_peft(base or lora.base_model)
    check_room(target, sum(file.stat().st_size for file in _adapter_files(adapter)))
    with new_folder(target, overwrite=overwrite, sources=[adapter]) as folder:
        lora.write(folder, {"base_model_name_or_path": name})
        nbytes = sum(file.stat().st_size for file in folder.iterdir())
    return ExportedForm(
        target=target,
        base_model=name,
        rank=lora.rank,
        alpha=lora.alpha,
        modules=len(lora.pairs),
        nbytes=nbytes,
        notes=notes,
    )


def export_merged(
    adapter: Path | None,
    target: Path,
    *,
    base: str | None = None,
    dtype: str | None = None,
    check: bool = True,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportedForm:
    """Write base model and adapter merged, W + scale B A, as a Hugging Face folder.

    `base` is the folder or GGUF file of the base model, or its name if the embedded service or the hub's
    cache on this machine has it; None takes the one that the adapter names. With `adapter=None` the base
    model is written alone. `dtype` is "float32", "float16" or "bfloat16"; None keeps the base model's, and
    float32 for GGUF. An adapter on the unembedding gives a model whose embeddings are not tied.

    With `check`, the written model is compared with base model and adapter, and TinkerError is raised if it
    differs: by the logits of a few prompts, within 1e-3, where the weights are float32 and the embedded
    engine can run the model; else by the tensors. `progress(step, done, total)` is called with bytes.
    Nothing is left in `target` after an error. Other errors as `export_peft`, and MissingModelError for a
    base model that is not here.
    """
    require_extra("exporting an adapter", "local")
    from tinsmith_local.conversion.lora_files import LoraFiles
    from tinsmith_local.conversion.merge import FLOATS, Merge

    if dtype is not None and dtype not in FLOATS:
        raise InputError(f"must be one of {', '.join(FLOATS)}, not {dtype!r}", field="dtype")
    lora = None if adapter is None else LoraFiles.open(adapter)
    named = base or (lora.base_model if lora else None)
    opened = _open_base(named)
    merge = Merge.plan(opened, lora, dtype)
    check_room(target, merge.nbytes, "take weights of 16 bits, ")
    sources = [Path(opened.origin), *([adapter] if adapter else [])]
    found: dict[str, Any] = {}
    with new_folder(target, overwrite=overwrite, sources=sources) as folder:
        merge.write(folder, dtype=dtype, progress=progress)
        if check:
            found = _compared(merge, folder, progress)
    notes = list(found.pop("notes", ()))
    if merge.left_out:
        notes.append(
            f"{', '.join(merge.left_out)} reads images and has no place in this model: it is left out."
        )
    if merge.unties:
        notes.append(
            "The adapter changes lm_head, so the merged model has an unembedding of its own (untied)."
        )
    return ExportedForm(
        target=target,
        base_model=named,
        rank=lora.rank if lora else None,
        alpha=lora.alpha if lora else None,
        modules=len(merge.modules),
        nbytes=merge.nbytes,
        notes=tuple(notes),
        **found,
    )


def export_gguf_lora(
    adapter: Path,
    target: Path,
    *,
    base: str | None = None,
    without: Sequence[str] = (),
    overwrite: bool = False,
) -> ExportedForm:
    """Write an adapter as a GGUF file that llama.cpp loads beside a GGUF file of the base model.

    `base` as in `export_merged`; its shape alone is read. `without` names modules to leave out, such as
    `lm_head`: llama.cpp has no place for it where embeddings are tied. Errors as `export_merged`.
    """
    require_extra("exporting an adapter", "local")
    from tinsmith_local.conversion.gguf_adapter import write_gguf_adapter
    from tinsmith_local.conversion.lora_files import LoraFiles

    lora = LoraFiles.open(adapter)
    if without:
        _check_left_out(set(without), lora.targets)
        lora = lora.without(without)
    named = base or lora.base_model
    opened = _open_base(named)
    with new_file(target, overwrite=overwrite) as path:
        count = write_gguf_adapter(path, lora, opened, target.stem)
        nbytes = path.stat().st_size
    return ExportedForm(
        target=target,
        base_model=named,
        rank=lora.rank,
        alpha=lora.alpha,
        modules=count,
        nbytes=nbytes,
        notes=(f"{', '.join(without)} is left out, and what was trained there is lost.",) if without else (),
    )


def _check_left_out(names: set[str], targets: Sequence[str]) -> None:
    """Refuse to leave out what an adapter does not change, and all that it changes; InputError."""
    changed = ", ".join(targets)
    if unknown := names.difference(targets):
        raise InputError(f"the adapter does not change {min(unknown)}; it changes {changed}", field="without")
    if names.issuperset(targets):
        raise InputError(f"nothing is left of the adapter, which changes {changed}", field="without")


def _compared(merge: Any, folder: Path, progress: Progress | None) -> dict[str, Any]:
    """Compare the written model with base model and adapter; TinkerError if it differs."""
    from tinsmith_local.conversion.compare import compare, why_not_run

    if progress:
        progress("compare", 0, 0)
    comparisons = compare(merge, folder)
    for one in comparisons:
        if not one.is_right:
            raise TinkerError(
                f"the merged model is not base model and adapter: its {one.of} differ by"
                f" {one.difference:.2g}, and {one.limit:g} is allowed; nothing is kept"
            )
    reason = why_not_run(merge)
    first = comparisons[0]
    logits = [one.difference for one in comparisons if one.of == "logits"]
    return {
        "compared": first.of,
        "difference": first.difference,
        "limit": first.limit,
        "effect": first.effect,
        "logit_difference": logits[0] if logits else None,
        "notes": [f"The tensors alone were compared, and no logits: {reason}."] if reason else [],
    }


def _name_for_peft(name: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the base model as peft can load it: a folder by its absolute path, or a name of the hub."""
    from tinsmith_local.models.tiny import TINY, TINY_UNTIED

    if not name:
        raise InputError(f"{ADAPTER_CONFIG} names no base model; name it with base=")
    place = models_of_user().get(name, name)
    path = Path(place).expanduser()
    if path.is_dir():
        return str(path.absolute()), ()
    if path.is_file() or place in (TINY, TINY_UNTIED) or not _HUB_NAME.fullmatch(place):
        return place, (
            f"The adapter names the base model {place!r}, which is neither a folder here nor a name of the"
            " hub: peft will not find it. Name one with base=; `tinsmith export NAME --to merged` makes the"
            " folder of a base model.",
        )
    return place, _rounded(place)


def _rounded(name: str) -> tuple[str, ...]:
    """Say that a model of the embedded service has rounded weights."""
    from tinsmith_local.models.fetch import PACKAGED_MODELS

    return tuple(
        f"If it was trained on the embedded service, {name} was rounded to {model.quantisation} there, and"
        f" the published weights give slightly different results. `tinsmith export {model.alias} --to merged`"
        " writes those that it was trained on; name their folder with base=."
        for model in PACKAGED_MODELS.values()
        if model.name == name and model.quantisation
    )


def _open_base(name: str | None) -> Any:
    """Open a base model that is on this machine; InputError says what to do where it is not."""
    from tinsmith_local.conversion.base_files import open_base

    if not name:
        raise InputError(f"{ADAPTER_CONFIG} names no base model; name it with base=")
    try:
        return open_base(name, [(known, Path(path)) for known, path in models_of_user().items()])
    except InputError as unknown:
        cached = _in_hub_cache(name)
        if cached is not None:
            return open_base(cached)
        raise MissingModelError(
            f"the base model {name!r} is not on this machine; download it, such as with `hf download {name}`,"
            " or name its folder with base="
        ) from unknown


def is_base_model(name: str) -> bool:
    """Say whether a base model is called so, or lies there."""
    require_extra("exporting an adapter", "local")
    from tinsmith_local.conversion.base_files import open_base

    try:
        open_base(name, [(known, Path(path)) for known, path in models_of_user().items()])
    except MissingModelError:
        return True  # it is known, and only has to be fetched
    except TinkerError:
        return False
    return True


def _in_hub_cache(name: str) -> Path | None:
    """Return the folder of a model in the hub's cache on this machine; nothing is sent."""
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(name, local_files_only=True))
    except (ImportError, OSError, ValueError):
        return None


def _adapter_files(folder: Path) -> list[Path]:
    return [file for file in (folder / ADAPTER_CONFIG, folder / WEIGHTS) if file.is_file()]
