"""RestClient: runs, checkpoints, sessions and samplers as the server lists them. It opens no session.

Its methods stand in one class each for runs, checkpoints, downloads, sessions and the account.
"""

from __future__ import annotations

from tinsmith.clients.rest_account import AccountCalls
from tinsmith.clients.rest_checkpoints import CheckpointCalls
from tinsmith.clients.rest_downloads import DownloadCalls
from tinsmith.clients.rest_runs import RunCalls
from tinsmith.clients.rest_sessions import SessionCalls
from tinsmith.io.telemetry import Telemetry


class RestClient(RunCalls, CheckpointCalls, DownloadCalls, SessionCalls, AccountCalls):
    """What the server keeps: training runs, checkpoints, sessions and samplers.

    Calls return futures at once. A call itself raises `InputError` for a page, a path or an id that cannot be
    right; its future raises `NotFoundError` for what is not there, `PermissionDeniedError` for what is not
    yours, `APIConnectionError` or `APITimeoutError` without an answer. `applied` is None on these for
    requests without a body, which are most. What got no answer is sent again, changes too. Lists page by
    `limit` (from 1) and `offset` (from 0); times are UTC, sizes bytes.

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
