"""Compares a merged model with base model and adapter: by their logits, or by the tensors alone."""

from __future__ import annotations

import gc
import math
import os
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.sites import lay_over
from tinsmith_local.engine.stack import Stack
from tinsmith_local.engine.tape import Keep
from tinsmith_local.engine.unembed import Unembedding
from tinsmith_local.engine.workers import exclusive
from tinsmith_local.models.adapters import load_adapter
from tinsmith_local.models.hugging_face import open_directory, tensor_files
from tinsmith_local.models.registry import load
from tinsmith_local.models.source import ModelFileError, ModelSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tinsmith_local.conversion.merge import Merge
    from tinsmith_local.engine.base_model import BaseModel
    from tinsmith_local.engine.lora import Adapter

Array = np.ndarray[Any, Any]

PROMPTS = (
    "The capital of Belgium is",
    "def area(width, height):\n    return",
    "In the beginning there was nothing, and then somebody asked a question:",
)
"""Texts whose logits are compared."""

LOGITS_WITHIN = 1e-3
"""Largest difference of a logit, for weights in float32."""

TENSORS_WITHIN = {"F32": 1e-4, "F16": 1e-2, "BF16": 5e-2}
"""Type of the weights -> largest difference of W x, relative to its root mean square: above its rounding."""

MEMORY_SHARE = 0.5
"""Share of this machine's memory that the model may take to be run."""


@attrs.frozen
class Comparison:
    """How far a merged model is from base model and adapter."""

    of: str
    """What was compared: `logits` or `tensors`."""
    difference: float
    """The largest difference found."""
    limit: float | None
    """The difference above which the merged model is not right. None: logits of 16-bit weights, whose
    rounding alone makes a difference that nobody knows beforehand."""
    effect: float
    """What the adapter changes at most, by the same measure."""

    @property
    def is_right(self) -> bool:
        """Whether the difference is within the limit."""
        return self.limit is None or self.difference <= self.limit


def compare(merge: Merge, folder: Path) -> list[Comparison]:
    """Compare the merged model in `folder` with base model and adapter.

    By the logits of a few prompts, where the weights are float32 and the engine can run them. By the tensors
    where it cannot (`why_not_run`), and for 16-bit weights, whose logits are measured too.
    """
    runs, is_exact = why_not_run(merge) is None, _weight_type(merge) == "F32"
    comparisons = [] if runs and is_exact else [compare_tensors(merge, folder)]
    if runs:
        comparisons.append(compare_logits(merge, folder, limit=LOGITS_WITHIN if is_exact else None))
    return comparisons


def why_not_run(merge: Merge) -> str | None:
    """Return why the model is not run for a comparison; None if it is."""
    if merge.base.source is None:
        return f"the embedded engine does not know this architecture ({merge.base.unknown})"
    needed = 4 * sum(math.prod(stored.shape) for stored in merge.tensors.values())
    if needed > MEMORY_SHARE * _memory_bytes():
        return f"it would take {needed / 1000**3:.0f} GB of memory"
    return None


def _memory_bytes() -> float:
    """Return the memory of this machine; without a bound where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError):
        return math.inf


def compare_logits(merge: Merge, folder: Path, *, limit: float | None = LOGITS_WITHIN) -> Comparison:
    """Run the model with its adapter, and the merged one in `folder`, on a few prompts.

    One of them is in memory at a time. The engine must know the architecture.
    """
    source, adapter = merge.base.source, merge.adapter
    assert source is not None
    prompts = _prompts(source)
    laid = None
    if adapter is not None:
        laid = load_adapter(
            adapter.folder, source.config, base=source.get_tensor, without=_lacking(merge, source)
        )
    model = load(source)
    plain, expected = logits(model, None, prompts), logits(model, laid, prompts)
    del model, laid
    gc.collect()
    found = logits(load(open_directory(folder, str(folder))), None, prompts)
    return Comparison(
        of="logits",
        difference=_largest(found, expected),
        limit=limit,
        effect=_largest(plain, expected),
    )


def compare_tensors(merge: Merge, folder: Path) -> Comparison:
    """Apply each written matrix to a random vector, and compare with W x + scale B (A x); read all others."""
    files = tensor_files(folder)
    if missing := merge.tensors.keys() - files.keys():
        raise ModelFileError(folder, f"tensor {min(missing)!r} is missing")
    random = np.random.default_rng(0)
    difference = effect = 0.0
    for name, stored in merge.tensors.items():
        written = files[name].get(name)
        if name not in merge.modules:
            same_type = stored.dtype == merge.base.tensors[name].dtype
            if same_type and not np.array_equal(written, merge.base_tensor(name)):
                raise ModelFileError(folder, f"tensor {name!r} is not the base model's")
            continue
        x = random.standard_normal(stored.shape[1], np.float32)
        a, b = merge.matrices(name)
        added = b @ (a @ x)
        expected = merge.base_tensor(name) @ x + added
        size = float(np.sqrt(np.mean(np.square(expected)))) or 1.0
        difference = max(difference, float(np.abs(written @ x - expected).max()) / size)
        effect = max(effect, float(np.abs(added).max()) / size)
    return Comparison("tensors", difference, TENSORS_WITHIN[_weight_type(merge)], effect)


def logits(model: BaseModel, adapter: Adapter | None, prompts: Sequence[Array]) -> Array:
    """Return the logits [tokens of all prompts, vocabulary] behind each token."""
    examples = [Example(tokens=tokens, targets=tokens) for tokens in prompts]
    with exclusive() as team:
        sites = lay_over(model.config, adapter)
        x = Stack(model, sites, examples, Keep.NOTHING, team).forward()
        rows: Array = np.empty((len(x), model.config.vocab_size), np.float32)

        def keep(row: int, found: Array) -> None:
            rows[row] = found

        Unembedding(model, sites.unembed, team).each(x, keep)
    return rows


def _lacking(merge: Merge, source: ModelSource) -> tuple[str, ...]:
    """Return the modules of the adapter that the model to be run lacks: those for images, in a text model."""
    return () if source.config.patch_dim else merge.left_out


def _prompts(source: ModelSource) -> list[Array]:
    """Return the token ids of the prompts; without a tokenizer, ids that are spread over the vocabulary."""
    content = source.tokenizer_json
    if content is None:
        size = source.config.vocab_size
        return [np.arange(number, 5 * size, size // 3 + 7).astype(np.int64) % size for number in (1, 2, 3)]
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(content.decode())
    return [np.array(tokenizer.encode(text, add_special_tokens=False).ids, np.int64) for text in PROMPTS]


def _largest(one: Array, other: Array) -> float:
    return float(np.abs(one - other).max())


def _weight_type(merge: Merge) -> str:
    """Return the coarsest type of the matrices that were written."""
    types = {merge.tensors[name].dtype for name in merge.modules or merge.tensors}
    return next((dtype for dtype in ("BF16", "F16") if dtype in types), "F32")
