"""What the service is and how it wants to be used."""

from collections.abc import Mapping

from tinsmith.core.errors import TinkerError

from tinsmith_local.flags import CONFIG_FLAGS, DYNAMIC_FLAGS, Flag
from tinsmith_local.service import Service

from .answer import Answer
from .call import Call


async def healthz(service: Service, call: Call) -> Answer:
    """Say that it is up."""
    del service, call
    return Answer({"status": "ok"})


async def get_server_capabilities(service: Service, call: Call) -> Answer:
    """List the base models."""
    del call
    return Answer({"supported_models": [_model(service, name) for name in service.base_models.names()]})


def _model(service: Service, name: str) -> dict[str, object]:
    """Describe a base model; one whose files are damaged is listed without its context."""
    described: dict[str, object] = {"model_name": name, "trainable": True, "sampleable": True}
    try:
        described["max_context_length"] = service.base_models.max_context(name)
    except TinkerError:
        described |= {"trainable": False, "sampleable": False}
    return described


async def client_config(service: Service, call: Call) -> Answer:
    """Say how clients are to behave."""
    del call
    own = dict(CONFIG_FLAGS)
    # An image's base64 and numbers as JSON text take several bytes for each that clients count.
    own["fwdbwd_max_chunk_bytes_count"] = min(5_000_000, service.options.max_body_bytes // 12)
    return Answer(_told(service, own))


async def client_dynamic_config(service: Service, call: Call) -> Answer:
    """Say the part of the configuration that may change."""
    del call
    return Answer(_told(service, DYNAMIC_FLAGS))


def _told(service: Service, own: Mapping[str, Flag]) -> dict[str, object]:
    """Return flags, those replaced that whoever runs the service wants otherwise."""
    wanted = service.options.client_flags
    return {name: wanted.get(name, value) for name, value in own.items()}
