"""Steps: sessions, samplers by their id, the account, and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.servers.drive import KEY, WAIT_S, Drive, Refused, holds, same, step

NOT_FOUND = 3
"""Exit code of a command whose object is not there."""


@step("a session with a name and labels")
def named(drive: Drive) -> object:
    """What a session may carry."""
    own = drive.renewed(display_name="a name", user_metadata={"colour": "blue"}, tags=["one"])
    with own.service:
        return own.create(rank=4).model_id


@step("rest: list_sessions")
def sessions(drive: Drive) -> object:
    """The session is among them."""
    listed = drive.rest.list_sessions(limit=100).result(WAIT_S).sessions
    holds(drive.service.session_id in listed, f"the sessions are {listed}")
    return len(listed)


@step("rest: get_session")
def session(drive: Drive) -> object:
    """The session's runs are named."""
    found = drive.rest.get_session(str(drive.service.session_id)).result(WAIT_S)
    holds(drive.trainer.model_id in found.training_run_ids, f"the runs are {found.training_run_ids}")
    return len(found.training_run_ids)


@step("rest: get_sampler")
def sampler(drive: Drive) -> object:
    """A sampler by its id."""
    found = drive.rest.get_sampler(drive.sampler.sampling_session_id).result(WAIT_S)
    same(found.base_model, drive.base_model, "base model")
    return found.model_path


@step("rest: whoami")
def whoami(drive: Drive) -> object:
    """Whose key it is."""
    return drive.rest.whoami().result(WAIT_S)


def _command(drive: Drive, *words: str) -> Any:
    """Run `tinsmith` and read what it prints."""
    ran = subprocess.run(
        [sys.executable, "-m", "tinsmith.cli", "-f", "json", *words],
        env={**os.environ, "TINKER_BASE_URL": drive.url, "TINKER_API_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    if ran.returncode:
        raise Refused(f"exit {ran.returncode}: {' '.join(ran.stderr.split())}")
    return json.loads(ran.stdout) if ran.stdout.strip() else None


def _mentions(drive: Drive, found: object, wanted: str) -> object:
    holds(wanted in json.dumps(found), f"{wanted} is not in {json.dumps(found)[:300]}")
    return f"{len(json.dumps(found))} characters"


@step("tinsmith model list")
def model_list(drive: Drive) -> object:
    """The base model is shown."""
    return _mentions(drive, _command(drive, "model", "list"), drive.base_model)


@step("tinsmith run list")
def run_list(drive: Drive) -> object:
    """The run is shown."""
    return _mentions(drive, _command(drive, "run", "list"), drive.trainer.model_id)


@step("tinsmith run info")
def run_info(drive: Drive) -> object:
    """One run."""
    return _mentions(drive, _command(drive, "run", "info", drive.trainer.model_id), drive.base_model)


@step("tinsmith checkpoint list")
def checkpoint_list(drive: Drive) -> object:
    """All checkpoints."""
    return _mentions(drive, _command(drive, "checkpoint", "list"), drive.state)


@step("tinsmith checkpoint list --run-id")
def checkpoint_list_of_run(drive: Drive) -> object:
    """Those of a run."""
    found = _command(drive, "checkpoint", "list", "--run-id", drive.trainer.model_id)
    return _mentions(drive, found, drive.state)


@step("tinsmith checkpoint info")
def checkpoint_info(drive: Drive) -> object:
    """One checkpoint."""
    return _mentions(drive, _command(drive, "checkpoint", "info", drive.state), drive.state)


@step("tinsmith checkpoint info of a missing one")
def checkpoint_missing(drive: Drive) -> object:
    """Exit 3, whatever the server says of names that nobody gave."""
    missing = f"tinker://{drive.trainer.model_id}/weights/never-saved"
    try:
        found = _command(drive, "checkpoint", "info", missing)
    except Refused as refused:
        holds(str(refused).startswith(f"exit {NOT_FOUND}:"), str(refused))
        return str(refused)
    raise Refused(f"exit 0: {found}")


@step("tinsmith checkpoint download")
def checkpoint_download(drive: Drive) -> object:
    """The archive of the sampler's weights, unpacked."""
    place = drive.folder / "by-command"
    place.mkdir(exist_ok=True)
    _command(drive, "checkpoint", "download", drive.sampled, "--output", str(place))
    files = [file for file in place.rglob("*.safetensors") if file.is_file()]
    same(len(files), 1, "adapters")
    return files[0].relative_to(place).as_posix()


@step("tinsmith session list")
def session_list(drive: Drive) -> object:
    """The session is shown."""
    return _mentions(drive, _command(drive, "session", "list"), str(drive.service.session_id))


@step("tinsmith sample")
def sample(drive: Drive) -> object:
    """Text from a checkpoint."""
    words = ["sample", "import os", "--model-path", drive.sampled, "--max-tokens", "4"]
    return _command(drive, *words)
