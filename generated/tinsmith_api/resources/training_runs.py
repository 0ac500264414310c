# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TrainingRuns: what was or is trained. Builds the requests; a subclass sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from .. import models
from ..future import APIFuture
from ..resource import Ask, Resource


class TrainingRuns(Resource):
    """What was or is trained."""

    def list_training_runs(
        self,
        limit: int = 20,
        offset: int = 0,
        access_scope: Literal["owned", "accessible"] | None = None,
        project_id: str | None = None,
    ) -> APIFuture[models.TrainingRunsResponse]:
        """List training runs.

        Lists training runs, last used first, one page at a time.

        `limit`: Most entries to return. Absent means 20. From 1 to 500.
        `offset`: Number of entries to skip. Absent means 0. At least 0.
        `access_scope`: Whose things to return, one's own (`owned`) or all that the key may read
        (`accessible`). Since 0.15. Absent means `owned`.
        `project_id`: Return only what belongs to this project. Absent means all projects.
        """
        return self._send(
            Ask(
                "list_training_runs",
                models.TrainingRunsResponse,
                query={
                    "limit": limit,
                    "offset": offset,
                    "access_scope": access_scope,
                    "project_id": project_id,
                },
                rows="training_runs",
            )
        )

    async def list_training_runs_async(
        self,
        limit: int = 20,
        offset: int = 0,
        access_scope: Literal["owned", "accessible"] | None = None,
        project_id: str | None = None,
    ) -> models.TrainingRunsResponse:
        """As `list_training_runs`, awaited."""
        return await self.list_training_runs(limit, offset, access_scope, project_id)

    def iter_training_runs(
        self, access_scope: Literal["owned", "accessible"] | None = None, project_id: str | None = None
    ) -> Iterator[models.TrainingRun]:
        """Iterate over the rows of all pages, 100 at a time; blocks for each page.

        What is added meanwhile may shift a page, so that a row comes twice. Parameters as of `list_training_runs`.
        """
        return self._pages(
            lambda offset: self.list_training_runs(
                limit=100, offset=offset, access_scope=access_scope, project_id=project_id
            ),
            "training_runs",
            100,
        )

    def iter_training_runs_async(
        self, access_scope: Literal["owned", "accessible"] | None = None, project_id: str | None = None
    ) -> AsyncIterator[models.TrainingRun]:
        """As `iter_training_runs`, for `async for`."""
        return self._pages_async(
            lambda offset: self.list_training_runs(
                limit=100, offset=offset, access_scope=access_scope, project_id=project_id
            ),
            "training_runs",
            100,
        )

    def get_training_run(
        self, training_run_id: str, access_scope: Literal["owned", "accessible"] | None = None
    ) -> APIFuture[models.TrainingRun]:
        """Describe a training run.

        Answers with the base model, the state and the newest checkpoints of a training run.

        `training_run_id`: Id of the training run. Its colons stay unescaped in the path.
        `access_scope`: Whose things to return, one's own (`owned`) or all that the key may read
        (`accessible`). Since 0.15. Absent means `owned`.
        """
        return self._send(
            Ask(
                "get_training_run",
                models.TrainingRun,
                path={"training_run_id": training_run_id},
                query={"access_scope": access_scope},
            )
        )

    async def get_training_run_async(
        self, training_run_id: str, access_scope: Literal["owned", "accessible"] | None = None
    ) -> models.TrainingRun:
        """As `get_training_run`, awaited."""
        return await self.get_training_run(training_run_id, access_scope)

    def get_training_run_by_tinker_path(
        self, tinker_path: str, access_scope: Literal["owned", "accessible"] | None = None
    ) -> APIFuture[models.TrainingRun]:
        """Describe the training run that saved a checkpoint.


        `tinker_path`: The `tinker://` path of the checkpoint.
        `access_scope`: Whose things to return, one's own (`owned`) or all that the key may read
        (`accessible`). Since 0.15. Absent means `owned`.
        """
        return self._send(
            Ask(
                "get_training_run",
                models.TrainingRun,
                path={"tinker_path": tinker_path},
                query={"access_scope": access_scope},
            )
        )

    async def get_training_run_by_tinker_path_async(
        self, tinker_path: str, access_scope: Literal["owned", "accessible"] | None = None
    ) -> models.TrainingRun:
        """As `get_training_run_by_tinker_path`, awaited."""
        return await self.get_training_run_by_tinker_path(tinker_path, access_scope)
