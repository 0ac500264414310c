"""`tinsmith serve`: started as a program, used by a client, ended by Ctrl-C; and what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
import tinsmith
from tinsmith import types
from tinsmith.core import optional_deps

from tests.embedded.models.conftest import GOLDEN
from tests.embedded.models.test_safetensors import make_directory
from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Result

PROMPT = types.ModelInput.from_ints([3, 4, 5, 6])
COMMAND = [sys.executable, "-m", "tinsmith.cli", "serve"]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `tinsmith serve` with its data in tmp_path; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, "--data", str(tmp_path / "data"), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _exports(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    found = {}
    for line in (process.stdout.readline(), process.stdout.readline()):
        match = re.fullmatch(r"export (\w+)=(\S+)\n", line)
        assert match is not None, line
        found[match[1]] = match[2]
    return found


def test_serve_and_use(program: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """The two lines on stdout are all that a client needs; Ctrl-C ends it, and its telemetry can be read."""
    process = program("--tokenizers", str(tmp_path / "tokenizers"))
    exports = _exports(process)
    assert exports["TINKER_API_KEY"].startswith("tml-")
    with tinsmith.ServiceClient(
        base_url=exports["TINKER_BASE_URL"], api_key=exports["TINKER_API_KEY"]
    ) as service:
        trainer = service.create_lora_training_client("tinsmith/tiny", rank=1)
        datum = types.Datum(
            model_input=types.ModelInput.from_ints([1, 2]),
            loss_fn_inputs={"target_tokens": [2, 3], "weights": [1.0, 1.0]},
        )
        assert trainer.forward([datum], "cross_entropy").result().metrics["loss:sum"] > 0
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert "Serving on http://127.0.0.1:" in err
    assert "Traceback" not in err
    settings = json.loads((tmp_path / "tokenizers" / "tinsmith/tiny" / "tokenizer_config.json").read_text())
    assert settings["eos_token"] == "<|im_end|>"
    again = subprocess.run(
        [*COMMAND, "--data", str(tmp_path / "data"), "--print-telemetry"], capture_output=True, check=True
    )
    assert all(json.loads(line) for line in again.stdout.splitlines())


def test_serve_as_a_server_of_an_age(program: Callable[..., subprocess.Popen[str]]) -> None:
    """The switches reach the service: JSON batches are 415, and the flag is what clients read."""
    exports = _exports(program("--wire", "protobuf", "--client-flag", "sample_use_retrieve_futures=true"))
    with httpx.Client(
        base_url=exports["TINKER_BASE_URL"], headers={"X-API-Key": exports["TINKER_API_KEY"]}, timeout=WAIT_S
    ) as http:
        assert http.post("/api/v1/forward_backward", json={}).status_code == 415
        config = http.post("/api/v1/client/config", json={"sdk_version": "1"}).json()
        assert config["sample_use_retrieve_futures"] is True


def _client(exports: dict[str, str]) -> tinsmith.ServiceClient:
    return tinsmith.ServiceClient(base_url=exports["TINKER_BASE_URL"], api_key=exports["TINKER_API_KEY"])


def test_serve_offers_the_models_of_the_environment(
    program: Callable[..., subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TINSMITH_MODELS names base models beside `--model`, which wins where both have a name."""
    model = make_directory(tmp_path / "mine", rms_norm_eps=1e-5)
    monkeypatch.setenv("TINSMITH_MODELS", os.pathsep.join((f"mine={model}", f"other={tmp_path}")))
    with _client(_exports(program("--model", f"other={model}"))) as service:
        offered = {known.model_name for known in service.get_server_capabilities().supported_models}
        assert {"mine", "other"} <= offered
        samplers = [service.create_sampling_client(base_model=name) for name in ("mine", "other")]
        one, two = (sampler.compute_logprobs(PROMPT).result(WAIT_S) for sampler in samplers)
    assert one == two


def test_a_path_of_the_environment_that_is_not_there(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before anything starts."""
    monkeypatch.setenv("TINSMITH_MODELS", f"mine={tmp_path}/nowhere")
    result = cli("serve")
    assert (result.code, result.out) == (2, "")
    assert "nowhere does not exist (model mine)" in " ".join(result.err.split())


@pytest.mark.parametrize("remote", [False, True])
def test_files_of_the_machine_are_for_its_own_clients(
    program: Callable[..., subprocess.Popen[str]], remote: bool
) -> None:
    """With `--allow-remote` neither the path of a model nor `file:` is read; without it both are."""
    base, adapter = GOLDEN / "peft/llama/base", GOLDEN / "peft/llama/by_peft"
    options = ["--model", f"base={base}", *(["--allow-remote"] if remote else [])]
    asked: dict[str, Callable[[tinsmith.ServiceClient], tinsmith.TrainingClient]] = {
        "unknown base model": lambda service: service.create_lora_training_client(
            str(GOLDEN / "peft/qwen2/base"), rank=2
        ),
        "reads no adapters by their path": lambda service: service.create_training_client_from_state(
            f"file:{adapter}", base_model="base"
        ),
    }
    with _client(_exports(program(*options))) as service:
        for reason, ask in asked.items():
            if not remote:
                assert ask(service).result(WAIT_S).model_id
                continue
            with pytest.raises(tinsmith.TinkerError, match=reason) as caught:
                ask(service).result(WAIT_S)
            assert caught.value.applied == "no"


REFUSED = [
    (("--model", "x"), "NAME=PATH"),
    (("--model", "x=/nowhere/at/all"), "does not exist"),
    (("--imitate", "a-teapot"), "arrival-order"),
    (("--wire", "xml"), "json, protobuf or both"),
    (("--client-flag", "nonsense=1"), "sample_use_retrieve_futures"),
    (("--host", "0.0.0.0"), "--allow-remote"),
    (("--print-telemetry",), "--data"),
    (("--port", "70000"), "--port"),
]


@pytest.mark.parametrize(("options", "reason"), REFUSED, ids=[" ".join(options) for options, _ in REFUSED])
def test_refused(cli: Callable[..., Result], options: tuple[str, ...], reason: str) -> None:
    """A wrong option is a usage error that names what is right; no service starts."""
    result = cli("serve", *options)
    assert (result.code, result.out) == (2, "")
    assert reason in result.err


def test_without_the_extra(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the libraries of the service are missing the error names the extra."""
    monkeypatch.setitem(optional_deps.LIBRARIES, "local", ("no_such_library",))
    result = cli("serve")
    assert result.code == 1
    assert "tinsmith[local]" in result.err
