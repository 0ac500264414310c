"""What the service is and how it wants to be used."""

from tinsmith.core.errors import TinkerError
from tinsmith.local.service import Service

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
    """Say how clients are to behave: JSON, the key itself, one request at a time."""
    del call
    return Answer(
        {
            "pjwt_auth_enabled": False,
            "credential_default_source": "api_key",
            "parallel_fwdbwd_chunks": False,
            "proto_compress_fwdbwd": False,
            "fwdbwd_max_chunk_len": 1024,
            "fwdbwd_max_chunk_bytes_count": min(5_000_000, service.options.max_body_bytes // 12),
            "sample_use_retrieve_futures": False,
            "sample_join_sampling_session": True,
            "custom_loss_server_side": False,
            "use_pyqwest_transport": True,
        }
    )


async def client_dynamic_config(service: Service, call: Call) -> Answer:
    """Say the part of the configuration that may change."""
    del service, call
    return Answer(
        {"refresh_interval_sec": 300, "sample_cancel_enabled": True, "sample_cancel_max_batch_size": 64}
    )
