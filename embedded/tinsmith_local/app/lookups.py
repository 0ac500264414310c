"""Finding what a request names, with the refusals for what is not there or not there any more."""

from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.core.errors import InputError, MissingModelError, TinkerError

from tinsmith_local.engine.config import ModelConfig
from tinsmith_local.service import Service
from tinsmith_local.store import CheckpointRow, RunRow, SamplerRow, SessionRow
from tinsmith_local.store.files import file_name

from .refusal import Refusal

if TYPE_CHECKING:
    from tinsmith_local.models.source import ModelSource

#: How long a request waits for a checkpoint that is being made before 425.
MAKING_WAIT_S = 10.0
#: Kinds of checkpoints, as they stand in paths.
KINDS = ("weights", "sampler_weights", "external_weights")


def session(service: Service, session_id: str, *, ended: int = 404) -> SessionRow:
    """Find an active session and note its sign of life; `ended` is the status for one that is over."""
    found = service.sessions.find(session_id)
    if found is None:
        raise Refusal(404, f"unknown session {session_id!r}", field=("session_id",))
    if found.status != "active":
        raise Refusal(ended, f"session {session_id} is {found.status}", field=("session_id",))
    service.note_use(session_id, lambda now: service.sessions.seen(session_id, now))
    return found


def run(service: Service, model_id: str) -> RunRow:
    """Find a model that can be used."""
    found = service.runs.find(model_id)
    if found is None:
        raise Refusal(
            404,
            f"unknown model {model_id!r}; create it, or restore it from a checkpoint",
            field=("model_id",),
        )
    if found.status != "active":
        raise Refusal(410, f"model {model_id} is {found.status}", field=("model_id",))
    return found


def base_model(service: Service, name: str, field: str = "base_model") -> str:
    """Find a base model; its full name."""
    try:
        return service.base_models.canonical(name)
    except InputError as error:
        raise Refusal(404, str(error), field=(field,)) from error
    except TinkerError as error:
        raise Refusal(400, str(error), field=(field,)) from error


def source(service: Service, name: str) -> "ModelSource":
    """Open a base model without loading it."""
    try:
        return service.base_models.source(name)
    except (InputError, MissingModelError) as error:
        raise Refusal(404, str(error), field=("base_model",)) from error
    except TinkerError as error:
        raise Refusal(400, str(error), field=("base_model",)) from error


def config(service: Service, name: str) -> ModelConfig:
    """Return the shape of a base model."""
    return source(service, name).config


def sampler(service: Service, sampler_id: str, field: str = "sampling_session_id") -> SamplerRow:
    """Find a sampler that can be used."""
    found = service.sessions.sampler(sampler_id)
    if found is None:
        raise Refusal(404, f"unknown sampler {sampler_id!r}", field=(field,))
    if found.status != "ready":
        raise Refusal(
            410, f"sampler {sampler_id} is gone; save with a name what is to be kept", field=(field,)
        )
    return found


def checkpoint(service: Service, tinker_path: str, field: str = "path") -> CheckpointRow:
    """Find a checkpoint, made or in the making; the two-segment form means a sampler's."""
    row = service.checkpoints.find(full_path(tinker_path))
    expired = row is not None and row.expires_at is not None and row.expires_at <= service.clock()
    if row is None or row.state == "failed" or expired:
        raise Refusal(404, f"checkpoint not found: {tinker_path}", field=(field,))
    return row


def full_path(tinker_path: str) -> str:
    """Write a path with all three segments."""
    parts = tinker_path.removeprefix("tinker://").split("/")
    if len(parts) == 2:
        return f"tinker://{parts[0]}/sampler_weights/{parts[1]}"
    return tinker_path


async def made_checkpoint(service: Service, tinker_path: str, field: str = "path") -> CheckpointRow:
    """Find a checkpoint and wait until it is made. Refuses with 425 when that takes long."""

    def look() -> CheckpointRow | None:
        row = checkpoint(service, tinker_path, field)
        return row if row.state == "ready" else None

    wait_s = 0.0 if service.options.imitate.making_425 else MAKING_WAIT_S
    name = f"checkpoint:{full_path(tinker_path)}"
    found = await service.board.signals.until(name, look, wait_s)
    if found is None:
        raise Refusal(425, f"{tinker_path} is still being made", headers={"Retry-After": "1"}, field=(field,))
    return found


def sampler_directory(service: Service, found: SamplerRow) -> str | None:
    """Return where the adapter of a sampler lies below the data directory; None for a base model."""
    if found.ephemeral:
        return str(Path("samplers") / file_name(found.sampler_id))
    if found.model_path is None:
        return None
    return checkpoint(service, found.model_path, "sampling_session_id").directory
