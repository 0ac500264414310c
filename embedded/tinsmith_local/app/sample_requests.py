"""Sample requests on the wire as the engine's jobs, with their limits and the targets of their prompts."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tinsmith_local.app.answers import Refusal
from tinsmith_local.app.call import whole
from tinsmith_local.app.datums import decode_tensor
from tinsmith_local.app.model_inputs import decode_input
from tinsmith_local.engine.jobs import SampleJob, StopRule
from tinsmith_local.work.operations import PromptTargets, SampleRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tinsmith_local.models.source import ModelSource

MAX_SAMPLES = 1024
"""Most samples of one request, so that none keeps the others waiting for long."""
MAX_TOPK = 1000
"""Most likeliest tokens for each position of one request."""
_TARGETS = "target_prompt_logprobs"


def decode_sample_request(
    body: Mapping[str, Any], source: ModelSource, directory: str | None, assets: Path
) -> SampleRequest:
    """Decode a sample request. Refuses with 400."""
    config = source.config
    prompt = decode_input(body["prompt"], config, assets, ("prompt",))
    params = body["sampling_params"]
    where = ("sampling_params",)
    max_tokens = whole(params, "max_tokens", *where)
    if len(prompt.tokens) + (max_tokens or 1) > config.max_context:
        raise Refusal(
            400,
            f"{len(prompt.tokens)} prompt tokens and max_tokens {max_tokens or 1} exceed the context of "
            f"{config.name}, {config.max_context} tokens",
            field=("prompt",) if len(prompt.tokens) >= config.max_context else (*where, "max_tokens"),
        )
    most = min(MAX_TOPK, config.vocab_size)
    targets = decode_targets(body.get("target_prompt_logprobs"), len(prompt.tokens), config.vocab_size)
    job = SampleJob(
        prompt=prompt.tokens,
        images=prompt.images,
        num_samples=_bounded(body, "num_samples", 1, MAX_SAMPLES),
        max_tokens=max_tokens,
        temperature=_temperature(params),
        top_k=_top_k(params),
        top_p=_top_p(params),
        seed=_seed(params),
        stop=_stop(params.get("stop"), source),
        prompt_logprobs=bool(body.get("prompt_logprobs")),
        topk_prompt_logprobs=_bounded(body, "topk_prompt_logprobs", 0, most),
        prompt_logprobs_last_n=whole(dict(body), "prompt_logprobs_last_n"),
        target_prompt_logprobs=None if targets is None else targets.tokens,
        prompt_alt_tokens_k=_bounded(body, "prompt_alt_tokens_k", 0, MAX_TOPK),
        topk_sample_logprobs=_bounded(body, "topk_sample_logprobs", 0, most),
    )
    return SampleRequest(base_model=config.name, adapter_dir=directory, job=job, targets=targets)


def _bounded(body: Mapping[str, Any], name: str, default: int, most: int) -> int:
    """Read a count and check it against its limit."""
    value = body.get(name)
    if value is None:
        return default
    if value > most:
        raise Refusal(400, f"{value} is more than {most}", field=(name,))
    return int(value)


def _temperature(params: Mapping[str, Any]) -> float:
    """Read the temperature."""
    value = float(params.get("temperature", 1.0))
    if not math.isfinite(value):
        raise Refusal(400, "is not finite", field=("sampling_params", "temperature"))
    return value


def _top_p(params: Mapping[str, Any]) -> float:
    """Read top_p; nothing would be left of 0."""
    value = float(params.get("top_p", 1.0))
    if value <= 0:
        raise Refusal(400, "must be above 0", field=("sampling_params", "top_p"))
    return value


def _top_k(params: Mapping[str, Any]) -> int:
    """Read top_k; 0 means no limit as -1 does."""
    value = whole(dict(params), "top_k", "sampling_params")
    return value or -1


def _seed(params: Mapping[str, Any]) -> int | None:
    """Read a seed as a number that is not negative."""
    value = whole(dict(params), "seed", "sampling_params")
    return None if value is None else value & (2**63 - 1)


def _stop(stop: Any, source: ModelSource) -> StopRule | None:
    """Read a stop rule: null keeps the model's own, an empty list stops at nothing."""
    if stop is None:
        return None
    where = ("sampling_params", "stop")
    items: Sequence[Any] = [stop] if isinstance(stop, str) else stop
    if all(isinstance(item, str) for item in items):
        if not all(items):
            raise Refusal(400, "an empty string would stop everywhere", field=where)
        return StopRule(strings=tuple(items), decode=decoder(source, where)) if items else StopRule()
    tokens = frozenset(int(item) for item in items)
    outside = [token for token in tokens if not 0 <= token < source.config.vocab_size]
    if outside:
        raise Refusal(
            400, f"token {outside[0]} is outside the vocabulary of {source.config.vocab_size}", field=where
        )
    return StopRule(token_ids=tokens)


def decoder(source: ModelSource, where: tuple[str, ...]) -> Callable[[Sequence[int]], str]:
    """Return the function that turns a model's tokens into text. Refuses models without a tokenizer."""
    if source.tokenizer_json is None:
        raise Refusal(400, f"{source.config.name} has no tokenizer here; give stop as tokens", field=where)
    return _decoder(source.tokenizer_json)


@lru_cache(maxsize=8)
def _decoder(tokenizer_json: bytes) -> Callable[[Sequence[int]], str]:
    """Build a tokenizer once."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(tokenizer_json.decode())

    def text(tokens: Sequence[int]) -> str:
        return str(tokenizer.decode([int(token) for token in tokens], skip_special_tokens=False))

    return text


def decode_targets(tensor: Mapping[str, Any] | None, length: int, vocab_size: int) -> PromptTargets | None:
    """Decode the targets of a prompt: [length - 1, K], row i at position i + 1. Refuses with 400."""
    if tensor is None:
        return None
    found = decode_tensor(tensor, "int64", (_TARGETS,), absent=-1)
    shape = tuple(int(size) for size in found.shape)
    tokens = found.reshape(-1, 1) if found.ndim == 1 else found
    if tokens.ndim != 2 or len(tokens) != length - 1:
        reason = f"has shape {list(shape)}, wanted is [{length - 1}, K] for a prompt of {length} tokens"
        raise Refusal(400, reason, field=(_TARGETS, "shape"))
    is_sparse = tensor.get("sparse_crow_indices") is not None
    targets = PromptTargets(
        tokens=tokens,
        shape=shape,
        crow_indices=_numbers(tensor["sparse_crow_indices"]) if is_sparse else None,
        col_indices=_numbers(tensor["sparse_col_indices"]) if is_sparse else None,
    )
    wanted = targets.picked(tokens)
    if ((wanted < 0) | (wanted >= vocab_size)).any():
        raise Refusal(400, f"a token is outside the vocabulary of {vocab_size}", field=(_TARGETS, "data"))
    return targets


def _numbers(values: Any) -> tuple[int, ...]:
    """Return indices as plain numbers."""
    return tuple(int(value) for value in values)
