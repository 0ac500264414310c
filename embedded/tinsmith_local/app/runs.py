"""Training runs and the lists of their checkpoints."""

from datetime import UTC, datetime

from tinsmith_local.service import Service
from tinsmith_local.store import CheckpointRow, RunRow

from .answer import Answer
from .call import Call
from .refusal import Refusal
from .sessions import labels, page

#: Whose runs these are: the service has one user, the one who started it.
OWNER = "local"


async def get_training_run(service: Service, call: Call) -> Answer:
    """Describe a run."""
    run_id = str(call.parameters["training_run_id"])
    found = service.runs.find(run_id)
    if found is None:
        raise Refusal(404, f"unknown training run {run_id!r}")
    return Answer(_run(service, found))


async def list_training_runs(service: Service, call: Call) -> Answer:
    """List runs, newest first. All are the one user's own, whatever the access scope."""
    limit, offset = page(call, 20)
    project = call.parameters.get("project_id")
    found = [_run(service, row) for row in service.runs.page(limit, offset, project)]
    return Answer({"training_runs": found, "cursor": _cursor(limit, offset, service.runs.count(project))})


async def list_checkpoints(service: Service, call: Call) -> Answer:
    """List the checkpoints of a run, newest first."""
    run_id = str(call.parameters["training_run_id"])
    found = [row for row in service.checkpoints.of_run(run_id) if _lives(service, row)]
    if not found and service.runs.find(run_id) is None:
        raise Refusal(404, f"unknown training run {run_id!r}")
    limit, offset = page(call, 1000)
    shown = [checkpoint(row) for row in found[offset : offset + limit]]
    return Answer({"checkpoints": shown, "cursor": _cursor(limit, offset, len(found))})


async def list_user_checkpoints(service: Service, call: Call) -> Answer:
    """List all checkpoints, newest first."""
    limit, offset = page(call, 100)
    rows = [row for row in service.checkpoints.page(limit, offset) if _lives(service, row)]
    cursor = _cursor(limit, offset, service.checkpoints.count())
    return Answer({"checkpoints": [checkpoint(row) for row in rows], "cursor": cursor})


def _lives(service: Service, row: CheckpointRow) -> bool:
    """Whether a checkpoint has not expired."""
    return row.expires_at is None or row.expires_at > service.clock()


def _cursor(limit: int, offset: int, total: int) -> dict[str, int]:
    """Say where a page stands."""
    return {"offset": offset, "limit": limit, "total_count": total}


def moment(seconds: float) -> str:
    """Write a time as the wire does."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def checkpoint(row: CheckpointRow) -> dict[str, object]:
    """Describe a checkpoint."""
    kinds = {"weights": "training", "sampler_weights": "sampler", "external_weights": "external"}
    return {
        "checkpoint_id": f"{row.kind}/{row.name}",
        "checkpoint_type": kinds[row.kind],
        "time": moment(row.created_at),
        "tinker_path": row.tinker_path,
        "size_bytes": row.size_bytes,
        "public": row.public,
        "expires_at": None if row.expires_at is None else moment(row.expires_at),
        "user_metadata": labels(row.user_metadata),
    }


def _run(service: Service, row: RunRow) -> dict[str, object]:
    """Describe a run with its last checkpoints."""
    saved = [one for one in service.checkpoints.of_run(row.model_id) if _lives(service, one)]
    last = {
        kind: next((one for one in saved if one.kind == kind), None)
        for kind in ("weights", "sampler_weights")
    }
    training, sampling = last["weights"], last["sampler_weights"]
    return {
        "training_run_id": row.model_id,
        "base_model": row.base_model,
        "model_owner": OWNER,
        "is_lora": True,
        "corrupted": row.status == "corrupted",
        "lora_rank": row.rank,
        "last_request_time": moment(row.last_request_at),
        "last_checkpoint": None if training is None else checkpoint(training),
        "last_sampler_checkpoint": None if sampling is None else checkpoint(sampling),
        "user_metadata": labels(row.user_metadata),
    }
