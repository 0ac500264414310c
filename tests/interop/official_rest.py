"""The official SDK's REST client and command line; its parts of `tests.interop.official`."""

import asyncio
import subprocess
import sys
import tempfile
from typing import Any

import tinker

from tests.interop.calls import Calls


def rest(calls: Calls, service: tinker.ServiceClient, model_id: str, sampler_path: str) -> None:
    """Call everything that lists, describes and changes checkpoints."""
    client = service.create_rest_client()
    runs = calls(
        "RestClient.list_training_runs",
        lambda: client.list_training_runs(limit=100).result(timeout=60).training_runs,
        lambda found: model_id in [run.training_run_id for run in found],
    )
    calls(
        "RestClient.list_training_runs, a page",
        lambda: client.list_training_runs(limit=1, offset=1).result(timeout=60),
        lambda page: len(page.training_runs) == 1 and page.cursor.total_count == len(runs),
    )
    calls("RestClient.get_training_run", lambda: client.get_training_run(model_id).result(timeout=60))
    calls(
        "RestClient.get_training_run_by_tinker_path",
        lambda: client.get_training_run_by_tinker_path(sampler_path).result(timeout=60),
        lambda run: run.training_run_id == model_id,
    )
    calls(
        "RestClient.list_checkpoints",
        lambda: client.list_checkpoints(model_id).result(timeout=60).checkpoints,
        lambda found: sorted(c.checkpoint_type for c in found) == ["sampler", "training"],
    )
    calls(
        "RestClient.list_user_checkpoints",
        lambda: client.list_user_checkpoints(limit=1).result(timeout=60),
        lambda page: len(page.checkpoints) == 1 and page.cursor.total_count >= 2,
    )
    calls(
        "RestClient.get_weights_info_by_tinker_path",
        lambda: client.get_weights_info_by_tinker_path(sampler_path).result(timeout=60),
    )
    sessions = calls(
        "RestClient.list_sessions",
        lambda: client.list_sessions(limit=100).result(timeout=60).sessions,
        lambda found: model_id.partition(":")[0] in found,
    )
    found = calls(
        "RestClient.get_session",
        lambda: client.get_session(sessions[0]).result(timeout=60),
        lambda session: model_id in session.training_run_ids,
    )
    for name in found.sampler_ids[:2]:
        calls("RestClient.get_sampler", lambda name=name: client.get_sampler(name).result(timeout=60))
    calls(
        "RestClient.get_checkpoint_archive_url_from_tinker_path",
        lambda: client.get_checkpoint_archive_url_from_tinker_path(sampler_path).result(timeout=60),
        lambda answer: answer.url.startswith("http://127.0.0.1"),
    )
    for name in ("publish_checkpoint_from_tinker_path", "unpublish_checkpoint_from_tinker_path"):
        calls(f"RestClient.{name}", lambda name=name: getattr(client, name)(sampler_path).result(timeout=60))
    calls(
        "RestClient, the *_async calls",
        lambda: asyncio.run(asynchronous(client, model_id)),
        lambda found: len(found) == 4,
    )
    calls.refused(
        "RestClient.get_training_run, unknown",
        lambda: client.get_training_run("nobody:train:0").result(timeout=60),
        "NotFoundError",
    )


async def asynchronous(client: Any, model_id: str) -> list[Any]:
    """Ask four things together."""
    found = await asyncio.gather(
        client.list_training_runs_async(),
        client.get_training_run_async(model_id),
        client.list_checkpoints_async(model_id),
        client.list_sessions_async(),
    )
    return list(found)


def command_line(calls: Calls, model_id: str, sampler_path: str) -> None:
    """Run the official command line over the same service."""
    with tempfile.TemporaryDirectory() as folder:
        for arguments in (
            ("version",),
            ("run", "list"),
            ("run", "info", model_id),
            ("checkpoint", "list"),
            ("checkpoint", "list", "--run-id", model_id),
            ("checkpoint", "info", sampler_path),
            ("checkpoint", "publish", sampler_path),
            ("checkpoint", "unpublish", sampler_path),
            ("checkpoint", "download", sampler_path, "--output", folder),
            ("checkpoint", "delete", "--yes", sampler_path),
        ):
            shown = " ".join(arguments).replace(folder, "FOLDER")
            calls(f"tinker {shown}", lambda arguments=arguments: command(*arguments))


def command(*arguments: str) -> str:
    """Run one command that must end well; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tinker.cli", *arguments], capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout or done.stderr
