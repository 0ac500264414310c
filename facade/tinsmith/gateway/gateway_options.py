"""How the gateway behaves: whom it serves, under which names, and its bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs


@attrs.frozen(kw_only=True)
class GatewayOptions:
    """What the gateway needs to know; every number with its unit."""

    aliases: Mapping[str, str] = attrs.field(factory=dict)
    """Further names of models: name -> base model or `tinker://` path. The first is the one that requests
    without a model mean."""
    token: str | None = attrs.field(default=None, repr=False)
    """Key that every request must carry as Authorization: Bearer; None for none (in-process use only)."""
    allowed_hosts: tuple[str, ...] | None = None
    """Host header values (without port) that are served; None checks nothing."""
    max_body_bytes: int = 16 << 20
    """Bigger request bodies are answered 413: a million tokens as numbers fit."""
    body_s: float = 60.0
    """Longest time that a request body may take; then the answer is 408."""
    max_choices: int = 1024
    """Choices of one request, prompts times n."""
    max_waiting: int = 4096
    """Choices that are being drawn at once; requests for more are answered 429 with Retry-After."""
    models_s: float = 60.0
    """How long the list of base models is kept before the server is asked again."""
    max_samplers: int = 256
    """Samplers that are kept; beyond it the one unused for longest is made again when it is asked for."""


def parse_aliases(words: Iterable[str]) -> dict[str, str]:
    """Read words such as `tone=tinker://RUN/sampler_weights/last`; ValueError for what is none."""
    found: dict[str, str] = {}
    for word in words:
        name, _, target = word.partition("=")
        if not (name and target):
            raise ValueError(
                f"must be NAME=MODEL, such as tone=tinker://RUN/sampler_weights/last, not {word!r}"
            )
        if found.setdefault(name, target) != target:
            raise ValueError(f"the name {name!r} is given twice")
    return found
