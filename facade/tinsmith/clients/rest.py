"""RestClient: runs, checkpoints, sessions and samplers as the server lists them. It opens no session.

Most of its methods are the contract's, from `tinsmith_api.resources`. By hand are those that do more than to
ask: downloads, copies, traces, and who the key belongs to.
"""

from __future__ import annotations

from tinsmith_api.resources import Operations

from tinsmith.clients.copying import copied, copy_of
from tinsmith.clients.rest_downloads import DownloadCalls
from tinsmith.clients.whoami import who
from tinsmith.core.errors import InputError
from tinsmith.core.values.answers import WhoamiResponse
from tinsmith.io.future import APIFuture
from tinsmith.io.telemetry import Telemetry


class RestClient(DownloadCalls, Operations):
    """What the server keeps: training runs, checkpoints, sessions and samplers.

    Calls return futures at once. A call itself raises `InputError` for what the contract does not allow: a
    page, a path, a text that cannot be right. Its future raises `NotFoundError` for what is not there,
    `PermissionDeniedError` for what is not yours, `APIConnectionError` or `APITimeoutError` without an
    answer. `applied` is None on these for requests without a body, which are most. What got no answer is sent
    again, changes too. Lists page by `limit` (from 1) and `offset` (from 0); times are UTC, sizes bytes.

    >>> import tinsmith
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     trainer = service.create_lora_training_client("tinsmith/tiny", rank=4)
    ...     path = trainer.save_state("step-1").result().path
    ...     rest = service.create_rest_client()
    ...     run = rest.get_training_run_by_tinker_path(path).result()
    ...     names = [saved.checkpoint_id for saved in rest.iter_user_checkpoints()]
    >>> run.lora_rank, names
    (4, ['weights/step-1'])
    """

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None while it is off, as it is by default."""
        return self._link.telemetry

    def whoami(self) -> APIFuture[WhoamiResponse]:
        """Tell to whom the key belongs, as far as the server says: fields that it leaves out are None.

        `APIResponseValidationError` if its token cannot be read.
        """
        return self._link.run(who(self._link))

    async def whoami_async(self) -> WhoamiResponse:
        """As `whoami`, awaited."""
        return await self.whoami()

    def copy_weights(
        self,
        path: str,
        destination_project_id: str | None = None,
        *,
        ttl_seconds: int | None = None,
        weights_access_token: str | None = None,
    ) -> APIFuture[str]:
        """Copy a checkpoint into a project; the result is the copy's path.

        The project is the client's own where none is named; `InputError` if it has none. `ttl_seconds` is
        3600 or more (None: kept for ever), and `weights_access_token` opens a checkpoint of somebody else.
        The future raises `NotFoundError` or `ConflictError` (`applied` "no").
        """
        project_id = destination_project_id or self._link.config.project_id
        if not isinstance(project_id, str):
            raise InputError("name a project, here or as project_id=", field="destination_project_id")
        ask = copy_of(path, ttl_seconds, weights_access_token, project_id)
        return self._link.run(copied(self._link, ask))

    async def copy_weights_async(
        self,
        path: str,
        destination_project_id: str | None = None,
        *,
        ttl_seconds: int | None = None,
        weights_access_token: str | None = None,
    ) -> str:
        """As `copy_weights`, awaited."""
        return await self.copy_weights(
            path,
            destination_project_id,
            ttl_seconds=ttl_seconds,
            weights_access_token=weights_access_token,
        )
