"""How a sampling client travels to another process: without its key, and with numbers of its own.

A copy draws its numbers from a range of its own, so that the server never takes two samples for one.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.config import ClientConfig, Secret
from tinsmith.io.context import ClientContext
from tinsmith.io.queues.sampling_session import NUMBERS_A_COPY, SamplingSession

if TYPE_CHECKING:
    from tinsmith.clients.sampling import SamplingClient
    from tinsmith.core.policy import RetryConfig

_contexts: dict[str, ClientContext] = {}


@attrs.frozen
class Shared:
    """The settings of a client without anything secret."""

    config: dict[str, Any]
    """The fields of its configuration that may travel."""


_SECRET_FIELDS = frozenset({"api_key", "credential_command", "default_headers", "default_query"})


def random_copy() -> int:
    """Draw the number of a copy; 0 is the original."""
    return secrets.randbelow(NUMBERS_A_COPY - 1) + 1


def shareable(config: ClientConfig) -> Shared:
    """Strip a configuration of its key, and of headers and queries, which may hold others."""
    fields = (field.name for field in attrs.fields(ClientConfig))
    return Shared({name: getattr(config, name) for name in fields if name not in _SECRET_FIELDS})


def restore(
    shared: Shared,
    sampling_session_id: str,
    model_path: str | None,
    base_model: str | None,
    retry_config: RetryConfig | None,
    record_stability_info: bool = False,
) -> SamplingClient:
    """Make the copy in its new process; the key comes from TINKER_API_KEY there."""
    from tinsmith.clients.sampling import SamplingClient

    context = context_of(shared)
    first = random_copy() * NUMBERS_A_COPY
    client = SamplingClient(
        context,
        SamplingSession(sampling_session_id, first, unnumbered=True),
        model_path=model_path,
        base_model=base_model,
        retry_config=retry_config,
    )
    return client._recording(record_stability_info)


def context_of(shared: Shared) -> ClientContext:
    """Return the context that all copies of one client share in this process."""
    key = repr(sorted(shared.config.items(), key=lambda item: item[0]))
    context = _contexts.get(key)
    if context is None or context.closed or not context.connection.runtime.is_here:
        from_environment = ClientConfig.from_environment(
            base_url=str(shared.config["base_url"]),
            require_key_prefix=bool(shared.config["require_key_prefix"]),
            insecure=bool(shared.config["insecure"]),
        )
        secret: Secret | None = from_environment.api_key
        kept = attrs.evolve(from_environment, **{**shared.config, "api_key": secret})
        context = _contexts[key] = ClientContext(kept)
    return context
