"""The REST client and command line of today's official SDK; its parts of `tests.interop.official_recent`."""

import os
import tempfile
from datetime import UTC, datetime, timedelta
from typing import Any

import tinker
from tinker import types

from tests.interop.calls import Calls
from tests.interop.official_rest import command

#: Whether the service asks for tokens, packed batches and session-wide polls.
FLAGS = os.environ.get("TINSMITH_INTEROP_FLAGS") == "1"
VERSION = tuple(int(part) for part in tinker.__version__.split(".")[:2])


def rest(calls: Calls, service: Any, client: Any, model_id: str, sampler_path: str) -> None:
    """Call everything that lists, describes and changes sessions, runs and checkpoints."""
    api = service.create_rest_client()
    session_id = model_id.partition(":")[0]

    def wait(name: str, *arguments: Any, expect: Any = lambda found: True, **more: Any) -> Any:
        shown = ", ".join(map(str, (*arguments, *more.values()))).replace(session_id, "SESSION")
        return calls(
            f"RestClient.{name}({shown})", lambda: getattr(api, name)(*arguments, **more).result(60), expect
        )

    wait("list_training_runs", limit=100, expect=lambda page: page.training_runs)
    wait("list_training_runs", access_scope="accessible")
    wait("get_training_run", model_id, expect=lambda run: run.training_run_id == model_id)
    wait("get_training_run_by_tinker_path", sampler_path)
    wait("list_checkpoints", model_id, expect=lambda found: len(found.checkpoints) == 2)
    wait("list_user_checkpoints", limit=1, expect=lambda page: page.cursor.total_count >= 2)
    wait("get_weights_info_by_tinker_path", sampler_path, expect=lambda info: info.lora_rank == 4)
    wait("list_sessions", limit=100, expect=lambda page: session_id in page.sessions)
    found = wait("get_session", session_id, expect=lambda session: model_id in session.training_run_ids)
    wait("get_sampler", found.sampler_ids[0])
    wait("set_checkpoint_ttl_from_tinker_path", sampler_path, 7200)
    wait("set_checkpoint_ttl_from_tinker_path", sampler_path, None)
    wait("publish_checkpoint_from_tinker_path", sampler_path)
    wait("unpublish_checkpoint_from_tinker_path", sampler_path)
    wait("assign_session_project", session_id, "project-interop")
    wait("get_audit_log")
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    wait("get_billing_usage", hour - timedelta(hours=2), hour)
    if FLAGS:
        calls("RestClient.whoami()", lambda: api.whoami().result(60), lambda who: "local" in who.user_urn)
    else:
        calls.refused("RestClient.whoami(), without tokens", lambda: api.whoami().result(60), "JWT")
    calls.refused(
        "RestClient.get_training_run, unknown",
        lambda: api.get_training_run("nobody:train:0").result(timeout=60),
        "NotFoundError",
    )
    if VERSION >= (0, 36):
        newest(calls, service, api, client, session_id, sampler_path)


def newest(calls: Calls, service: Any, api: Any, client: Any, session_id: str, sampler_path: str) -> None:
    """Call what has come since 0.25."""
    calls("RestClient.get_server_capabilities()", lambda: api.get_server_capabilities().result(60))
    calls(
        "RestClient.search_sessions()",
        lambda: api.search_sessions(types.SessionSearchRequest(user_metadata={"program": "interop"})).result(
            60
        ),
        lambda page: session_id in [one.session_id for one in page.sessions],
    )
    calls(
        "RestClient.get_current_checkpoint_storage_usage()",
        lambda: api.get_current_checkpoint_storage_usage().result(60),
    )
    saved = calls(
        "TrainingClient.save_weights_external",
        lambda: client.save_weights_external("interop", ttl_seconds=7200).result(60),
    )
    calls(
        "RestClient.get_external_weights_urls()",
        lambda: api.get_external_weights_urls(saved.path).result(60),
        lambda found: "adapter_model.safetensors" in found.urls,
    )
    calls(
        "RestClient.copy_weights",
        lambda: api.copy_weights(sampler_path, "project-other").result(60),
        lambda path: str(path).startswith("tinker://"),
    )
    sampler = client.create_sampling_client(sampler_path).result(60)
    handle = calls("SamplingClient.get_sampler_handle", sampler.get_sampler_handle)
    calls(
        "SamplingClient.from_sampler_handle",
        lambda: (
            tinker.SamplingClient.from_sampler_handle(handle)
            .sample(types.ModelInput.from_ints([104, 105]), 1, types.SamplingParams(max_tokens=4))
            .result(60)
        ),
        lambda found: len(found.sequences) == 1,
    )


def command_line(calls: Calls, model_id: str, sampler_path: str) -> None:
    """Run the official command line over the same service."""
    state_path = sampler_path.replace("/sampler_weights/", "/weights/")
    lines: list[tuple[str, ...]] = [
        ("version",),
        ("run", "list"),
        ("run", "info", model_id),
        ("checkpoint", "list"),
        ("checkpoint", "list", "--run-id", model_id),
        ("checkpoint", "info", sampler_path),
        ("checkpoint", "set-ttl", sampler_path, "--ttl", "7200"),
        ("checkpoint", "publish", sampler_path),
        ("checkpoint", "unpublish", sampler_path),
    ]
    if VERSION >= (0, 34):
        lines += [("model", "list"), ("billing", "checkpoint-storage")]
        lines += [("auth", "whoami")] if FLAGS else []
    with tempfile.TemporaryDirectory() as folder:
        lines.append(("checkpoint", "download", state_path, "--output", folder))
        lines.append(("checkpoint", "delete", "--yes", sampler_path))
        for arguments in lines:
            shown = " ".join(arguments).replace(folder, "FOLDER")
            calls(f"tinker {shown}", lambda arguments=arguments: command(*arguments))
