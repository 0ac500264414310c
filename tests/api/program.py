"""A program of a user, for both type checkers at their strictest: what the client gives, errors narrowed."""

import asyncio
from typing import assert_type

from tinsmith_api import AuthenticatedClient, Client, models, wait, wait_async
from tinsmith_api.api.checkpoints import delete_checkpoint, get_checkpoint_archive_url
from tinsmith_api.api.futures import retrieve_future
from tinsmith_api.api.service import healthz
from tinsmith_api.api.training import optim_step
from tinsmith_api.api.training_runs import list_training_runs
from tinsmith_api.errors import UnexpectedStatus
from tinsmith_api.exchange import Request, Response


def main(client: AuthenticatedClient) -> list[str]:
    """Use each of the four forms, a promise, and the two halves of an operation."""
    assert_type(healthz.sync(client=Client(client.base_url)).status, str)
    detailed = list_training_runs.sync_detailed(client=client, limit=5, access_scope="owned")
    assert_type(detailed, Response[models.TrainingRunsResponse | models.ErrorBody])
    if isinstance(detailed.parsed, models.ErrorBody):
        return [str(detailed.status_code), detailed.headers["retry-after"]]
    assert_type(detailed.parsed.training_runs, list[models.TrainingRun])
    body = models.OptimStepRequest(model_id="m", seq_id=1, adam_params=models.AdamParams())
    promise = optim_step.sync(client=client.with_headers({"X-Mine": "1"}), body=body)
    assert_type(promise, models.UntypedAPIFuture)
    assert_type(wait(client, promise, models.OptimStepResponse, timeout_s=60), models.OptimStepResponse)
    request = delete_checkpoint.request("s:train:0", "weights", "a")
    assert_type(request, Request)
    assert_type(delete_checkpoint.parse(204), None)
    try:
        delete_checkpoint.sync("s:train:0", "weights", "a", client=client)
    except UnexpectedStatus as error:
        return [str(error.status_code)]
    archive = get_checkpoint_archive_url.sync_detailed("s:train:0", "weights", "a", client=client)
    return [request.target, archive.headers["location"]]


async def main_async(client: AuthenticatedClient) -> models.OptimStepResponse:
    """Do the same in a task."""
    async with client:
        answer = await retrieve_future.asyncio_detailed(
            client=client, body=models.FutureRetrieveRequest(request_id="p")
        )
        if isinstance(answer.parsed, models.TryAgainResponse):
            await asyncio.sleep(1)
        return await wait_async(client, "p", models.OptimStepResponse, timeout_s=60)
