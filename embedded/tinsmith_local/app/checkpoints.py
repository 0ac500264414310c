"""Training runs and their checkpoints: listed, published, given a time to live, deleted, downloaded."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

import attrs
from tinsmith_api import models

from tinsmith_local.app.account import OWNER
from tinsmith_local.app.answers import Answer, Refusal
from tinsmith_local.app.archives import Archives
from tinsmith_local.app.call import Call, labels, moment, page
from tinsmith_local.app.lookups import Lookups, being_made
from tinsmith_local.store.checkpoint_table import CheckpointRow, CheckpointTable
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.run_table import RunRow, RunTable
from tinsmith_local.work.checkpoint_files import CheckpointFiles

_TYPES = {"weights": "training", "sampler_weights": "sampler", "external_weights": "external"}


@attrs.frozen(kw_only=True, eq=False)
class CheckpointEndpoints:
    """Serves runs and checkpoints."""

    _lookups: Lookups
    _runs: RunTable
    _checkpoints: CheckpointTable
    _checkpoint_files: CheckpointFiles
    _archives: Archives
    _files: DataDir
    _clock: Callable[[], float]
    _archive_url_ttl_s: float

    async def get_training_run(self, call: Call) -> models.TrainingRun:
        """Describe a run."""
        return self._run(self._named_run(call))

    def _named_run(self, call: Call) -> RunRow:
        """Find the run that a path names."""
        run_id = str(call.parameters["training_run_id"])
        found = self._runs.find(run_id)
        if found is None:
            raise Refusal(404, f"unknown training run {run_id!r}")
        return found

    def _run(self, row: RunRow) -> models.TrainingRun:
        """Describe a run with its last checkpoints."""
        last: dict[str, models.Checkpoint] = {}
        for saved in self._checkpoints.of_run(row.model_id):
            if self._lookups.lives(saved) and saved.kind not in last:
                last[saved.kind] = _checkpoint(saved)
        return models.TrainingRun(
            training_run_id=row.model_id,
            base_model=row.base_model,
            model_owner=OWNER,
            is_lora=True,
            corrupted=row.status == "corrupted",
            lora_rank=row.rank,
            last_request_time=moment(row.last_request_at),
            last_checkpoint=last.get("weights"),
            last_sampler_checkpoint=last.get("sampler_weights"),
            user_metadata=labels(row.user_metadata),
        )

    async def list_training_runs(self, call: Call) -> models.TrainingRunsResponse:
        """List runs, newest first. All are the one user's own, whatever the access scope."""
        limit, offset = page(call, 20)
        project = call.parameters.get("project_id")
        found = [self._run(row) for row in self._runs.page(limit, offset, project)]
        cursor = models.Cursor(offset=offset, limit=limit, total_count=self._runs.count(project))
        return models.TrainingRunsResponse(training_runs=found, cursor=cursor)

    async def list_checkpoints(self, call: Call) -> models.CheckpointsListResponse:
        """List the checkpoints of a run, newest first."""
        run_id = str(call.parameters["training_run_id"])
        found = [row for row in self._checkpoints.of_run(run_id) if self._lookups.lives(row)]
        if not found:
            self._named_run(call)
        limit, offset = page(call, 1000)
        shown = [_checkpoint(row) for row in found[offset : offset + limit]]
        cursor = models.Cursor(offset=offset, limit=limit, total_count=len(found))
        return models.CheckpointsListResponse(checkpoints=shown, cursor=cursor)

    async def list_user_checkpoints(self, call: Call) -> models.CheckpointsListResponse:
        """List all checkpoints, newest first."""
        limit, offset = page(call, 100)
        rows = [row for row in self._checkpoints.page(limit, offset) if self._lookups.lives(row)]
        cursor = models.Cursor(offset=offset, limit=limit, total_count=self._checkpoints.count())
        return models.CheckpointsListResponse(checkpoints=[_checkpoint(row) for row in rows], cursor=cursor)

    def _made(self, call: Call) -> CheckpointRow:
        """Find the checkpoint that a path names; a bare name is refused, one in the making with 425."""
        kind = call.parameters.get("checkpoint_kind")
        name = str(call.parameters["checkpoint_name"])
        if kind is None:
            reason = f"{name!r} is not a checkpoint id; write weights/{name} or sampler_weights/{name}"
            raise Refusal(400, reason)
        row = self._lookups.checkpoint(f"tinker://{call.parameters['training_run_id']}/{kind}/{name}")
        if row.state == "making":
            raise being_made(row.tinker_path)
        return row

    async def delete_checkpoint(self, call: Call) -> None:
        """Delete a checkpoint."""
        self._checkpoint_files.delete(self._made(call).tinker_path)

    async def publish_checkpoint(self, call: Call) -> None:
        """Make a checkpoint public."""
        self._set_public(self._made(call), public=True)

    async def unpublish_checkpoint(self, call: Call) -> None:
        """Make a checkpoint private."""
        self._set_public(self._made(call), public=False)

    def _set_public(self, row: CheckpointRow, *, public: bool) -> None:
        """Publish or unpublish; refuses what is so already."""
        if row.public == public:
            raise Refusal(409, f"{row.tinker_path} is {'public' if public else 'private'} already")
        self._checkpoints.update(row.tinker_path, public=public)

    async def set_checkpoint_ttl(self, call: Call) -> None:
        """Give a checkpoint a time to live, or take it away."""
        row = self._made(call)
        ttl = call.whole("ttl_seconds")
        expires_at = None if ttl is None else self._clock() + ttl
        self._checkpoints.update(row.tinker_path, expires_at=expires_at)

    async def get_checkpoint_archive_url(self, call: Call) -> Answer:
        """Redirect to a signed URL of the checkpoint as one archive."""
        row = self._made(call)
        expires = self._clock() + self._archive_url_ttl_s
        location = self._archives.url(call.base_url, row.tinker_path, "", expires)
        return Answer(None, 302, {"Location": location, "Expires": formatdate(expires, usegmt=True)})

    async def get_external_weights_urls(self, call: Call) -> models.ExternalWeightsUrlsResponse:
        """List signed URLs of the files of a checkpoint."""
        row = self._made(call)
        expires = self._clock() + self._archive_url_ttl_s
        directory = self._files.root / row.directory
        names = sorted(path.name for path in directory.iterdir() if path.is_file())
        urls = {name: self._archives.url(call.base_url, row.tinker_path, name, expires) for name in names}
        return models.ExternalWeightsUrlsResponse(urls=urls, expires=moment(expires))


def _checkpoint(row: CheckpointRow) -> models.Checkpoint:
    """Describe a checkpoint."""
    return models.Checkpoint(
        checkpoint_id=f"{row.kind}/{row.name}",
        checkpoint_type=_TYPES[row.kind],
        time=moment(row.created_at),
        tinker_path=row.tinker_path,
        size_bytes=row.size_bytes,
        public=row.public,
        expires_at=None if row.expires_at is None else moment(row.expires_at),
        user_metadata=labels(row.user_metadata),
    )
