"""The part of RestClient that reads training runs."""

from __future__ import annotations

from collections.abc import Iterator

from tinsmith_api.models import TrainingRun, TrainingRunsResponse

from tinsmith.clients.rest_calls import AccessScope, RestCalls, all_rows
from tinsmith.core.arguments import page
from tinsmith.core.paths import ParsedCheckpointTinkerPath
from tinsmith.io.future import APIFuture

RUNS_PAGE = 100
"""Runs asked for at a time while iterating."""


class RunCalls(RestCalls):
    """Training runs: what was trained, on which base model, by whom."""

    def get_training_run(
        self, training_run_id: str, access_scope: AccessScope | None = None
    ) -> APIFuture[TrainingRun]:
        """Get one training run.

        `training_run_id` is `TrainingClient.model_id`; `access_scope` "accessible" finds those of others too.
        """
        return self._get(
            "get_training_run",
            TrainingRun,
            path={"training_run_id": training_run_id},
            query={"access_scope": access_scope},
        )

    async def get_training_run_async(
        self, training_run_id: str, access_scope: AccessScope | None = None
    ) -> TrainingRun:
        """As `get_training_run`, awaited."""
        return await self.get_training_run(training_run_id, access_scope=access_scope)

    def get_training_run_by_tinker_path(
        self, tinker_path: str, access_scope: AccessScope | None = None
    ) -> APIFuture[TrainingRun]:
        """Get the training run that saved a checkpoint; as `get_training_run`."""
        run_id = ParsedCheckpointTinkerPath.from_tinker_path(tinker_path).training_run_id
        return self.get_training_run(run_id, access_scope=access_scope)

    async def get_training_run_by_tinker_path_async(
        self, tinker_path: str, access_scope: AccessScope | None = None
    ) -> TrainingRun:
        """As `get_training_run_by_tinker_path`, awaited."""
        return await self.get_training_run_by_tinker_path(tinker_path, access_scope=access_scope)

    def list_training_runs(
        self,
        limit: int = 20,
        offset: int = 0,
        access_scope: AccessScope | None = None,
        project_id: str | None = None,
    ) -> APIFuture[TrainingRunsResponse]:
        """List a page of training runs.

        `project_id` keeps those of one project. `cursor.total_count` counts the runs of all pages, where the
        server says.
        """
        query = {**page(limit, offset), "access_scope": access_scope, "project_id": project_id}
        return self._list("list_training_runs", TrainingRunsResponse, "training_runs", query=query)

    async def list_training_runs_async(
        self,
        limit: int = 20,
        offset: int = 0,
        access_scope: AccessScope | None = None,
        project_id: str | None = None,
    ) -> TrainingRunsResponse:
        """As `list_training_runs`, awaited."""
        return await self.list_training_runs(limit, offset, access_scope=access_scope, project_id=project_id)

    def iter_training_runs(self, access_scope: AccessScope | None = None) -> Iterator[TrainingRun]:
        """Iterate over all training runs, a page at a time.

        Blocks for each page of `RUNS_PAGE`; runs made meanwhile may shift a page, so that one comes twice.
        """
        return all_rows(
            lambda offset: self.list_training_runs(RUNS_PAGE, offset, access_scope=access_scope).result(),
            "training_runs",
            RUNS_PAGE,
        )
