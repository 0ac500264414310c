"""Tokens whose logprobs are asked for along a prompt, dense or sparse on the wire, as one array."""

from collections.abc import Mapping
from typing import Any

from tinsmith_local.work.operations import PromptTargets

from .examples import decode_tensor
from .refusal import Refusal

_FIELD = "target_prompt_logprobs"


def decode_targets(tensor: Mapping[str, Any] | None, length: int, vocab_size: int) -> PromptTargets | None:
    """Decode the targets of a prompt: [length - 1, K], row i at position i + 1. Refuses with 400."""
    if tensor is None:
        return None
    found = decode_tensor(tensor, "int64", (_FIELD,), absent=-1)
    shape = tuple(int(size) for size in found.shape)
    tokens = found.reshape(-1, 1) if found.ndim == 1 else found
    if tokens.ndim != 2 or len(tokens) != length - 1:
        reason = f"has shape {list(shape)}, wanted is [{length - 1}, K] for a prompt of {length} tokens"
        raise Refusal(400, reason, field=(_FIELD, "shape"))
    is_sparse = tensor.get("sparse_crow_indices") is not None
    targets = PromptTargets(
        tokens=tokens,
        shape=shape,
        crow_indices=_numbers(tensor["sparse_crow_indices"]) if is_sparse else None,
        col_indices=_numbers(tensor["sparse_col_indices"]) if is_sparse else None,
    )
    asked = targets.picked(tokens)
    if ((asked < 0) | (asked >= vocab_size)).any():
        raise Refusal(400, f"a token is outside the vocabulary of {vocab_size}", field=(_FIELD, "data"))
    return targets


def _numbers(values: Any) -> tuple[int, ...]:
    """Return indices as plain numbers."""
    return tuple(int(value) for value in values)
