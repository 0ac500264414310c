"""kill -9 at any moment: what was acknowledged is applied once, and the weights are those of a quiet run."""

import contextlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from safetensors.numpy import load_file

from tests.embedded.app.caller import Caller, datum
from tests.guard import WAIT_S

ROOT = Path(__file__).parents[3]
TOKEN = "tml-victim"
#: A request that is not answered within this, or a process that does not listen, is stuck.
STUCK_S = WAIT_S


class Victim:
    """A service that is killed and started again on the same port and directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = _port()
        self.log = (directory.parent / "victim.log").open("a+b")
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        """Start the process and wait until it listens."""
        command = [
            sys.executable,
            "-m",
            "tests.embedded.work.victim",
            str(self.directory),
            str(self.port),
            TOKEN,
        ]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=self.log)
        assert process.stdout is not None
        watch = threading.Timer(STUCK_S, lambda: _end_with_stacks(process))
        watch.start()
        line = process.stdout.readline()
        watch.cancel()
        assert line == b"listening\n", self.said()
        return process

    def stacks(self) -> str:
        """Return what the process printed, the stacks of all its threads behind it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
        return self.said()

    def said(self) -> str:
        """Return the end of what the processes printed as errors."""
        self.log.seek(0)
        return self.log.read()[-20_000:].decode(errors="replace")

    def kill(self) -> None:
        """Kill without warning, and start again."""
        self.stop()
        self.process = self._start()

    def stop(self) -> None:
        """Kill without warning."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def end(self) -> None:
        """Kill for good."""
        self.stop()
        self.log.close()


def _end_with_stacks(process: "subprocess.Popen[bytes]") -> None:
    """Have a process that does not come up print its stacks, and end it."""
    process.send_signal(signal.SIGUSR1)
    time.sleep(0.5)
    process.kill()


def _port() -> int:
    """Find a free port below those that outgoing connections take, so that it is still free after a kill."""
    for port in random.SystemRandom().sample(range(15_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no free port")


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    """A service to be killed."""
    started = Victim(tmp_path / "data")
    yield started
    started.end()


class Stubborn:
    """A client that sends the same bytes again until they are acknowledged."""

    def __init__(self, victim: Victim) -> None:
        self.victim = victim
        base_url = f"http://127.0.0.1:{victim.port}/api/v1/"
        self.http = httpx.Client(base_url=base_url, headers={"X-API-Key": TOKEN}, timeout=WAIT_S)
        self.acknowledged = 0

    def post(self, operation: str, /, **body: Any) -> dict[str, Any]:
        """POST until there is an answer of substance."""
        deadline = time.monotonic() + STUCK_S
        tries: list[str] = []
        while time.monotonic() < deadline:
            left = f"{deadline - time.monotonic():.2f} s left"
            try:
                answer = self.http.post(operation, json=body)
            except httpx.TransportError as error:
                tries.append(f"{left}: {error!r}")
                time.sleep(0.01)
                continue
            if answer.status_code == 408:
                tries.append(f"{left}: {answer.text[:200]}")
                continue
            assert answer.status_code == 200, (operation, answer.status_code, answer.text)
            found: dict[str, Any] = answer.json()
            self.acknowledged += operation != "retrieve_future"
            return found
        seen = "\n".join([*tries[:5], "...", *tries[-20:]])
        raise AssertionError(f"{operation} {body} was never answered:\n{seen}\n{self.victim.stacks()}")

    def result(self, promise: dict[str, Any]) -> dict[str, Any]:
        """Wait for a promise."""
        found = self.post("retrieve_future", request_id=promise["request_id"])
        assert "error" not in found, found
        return found


def script(steps: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the requests of a run: gradients of changing data, steps, a save and a load on the way."""
    calls: list[tuple[str, dict[str, Any]]] = []
    for step in range(steps):
        data = [datum(bytes(97 + (step * 7 + i) % 26 for i in range(12)))]
        calls.append(
            ("forward_backward", {"forward_backward_input": {"data": data, "loss_fn": "cross_entropy"}})
        )
        calls.append(("optim_step", {"adam_params": {"learning_rate": 0.003}}))
        if step % 5 == 3:
            calls.append(("save_weights", {"path": f"at-{step}"}))
        if step % 10 == 8:
            calls.append(("load_weights", {"path": f"at-{step - 5}", "optimizer": True}))
    return calls


def run(client: Any, model: str, steps: int) -> list[dict[str, Any]]:
    """Send the whole script, then read every result."""
    promises = []
    for number, (operation, given) in enumerate(script(steps), start=1):
        body = dict(given)
        if operation == "load_weights":
            body["path"] = f"tinker://{model}/weights/{body['path']}"
        promises.append(client.post(operation, model_id=model, seq_id=number, **body))
        if number % 7 == 0:
            client.result(promises[-1])
    return [client.result(promise) for promise in promises]


def create(client: Any) -> str:
    """Make a session and a model."""
    session = client.post("create_session", tags=[], user_metadata={}, sdk_version="1")["session_id"]
    config = {"rank": 4, "seed": 7}
    made = client.post(
        "create_model", session_id=session, model_seq_id=0, base_model="tinsmith/tiny", lora_config=config
    )
    return str(client.result(made)["model_id"])


def survive(victim: Victim, tmp_path: Path, *, kills: int, steps: int, seed: int) -> None:
    """Run the script while the service is killed, and compare with a quiet run."""
    client = Stubborn(victim)
    model = create(client)
    draw = random.Random(seed)
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(run, client, model, steps)
        for moment in sorted(draw.sample(range(2, len(script(steps)) - 1), kills)):
            while client.acknowledged < moment and not worker.done():
                time.sleep(0.001)
            if worker.done():
                raise AssertionError("the run ended too early") from worker.exception()
            time.sleep(draw.uniform(0.0, 0.02))
            victim.kill()
            client.post("session_heartbeat", session_id=model.partition(":")[0])
        results = worker.result()
    final = client.result(
        client.post("save_weights", model_id=model, seq_id=len(script(steps)) + 1, path="final")
    )
    client.http.close()
    victim.stop()

    killed = Caller.on(victim.directory)
    assert killed.ledger(model) == list(range(1, len(script(steps)) + 2))
    quiet = Quiet(Caller.on(tmp_path / "quiet"))
    same = create(quiet)
    expected = run(quiet, same, steps)
    quiet.result(quiet.post("save_weights", model_id=same, seq_id=len(script(steps)) + 1, path="final"))
    paths = [(killed, final["path"]), (quiet.caller, final["path"].replace(model, same))]
    bits = [_tensors(caller, path) for caller, path in paths]
    killed.close()
    quiet.caller.close()
    assert [_nameless(found) for found in results] == [_nameless(found) for found in expected]
    assert bits[0] == bits[1]


class Quiet:
    """A run in this process that nobody disturbs."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def post(self, operation: str, /, **body: Any) -> dict[str, Any]:
        """POST once."""
        return self.caller.ok(operation, **body)

    def result(self, promise: dict[str, Any]) -> dict[str, Any]:
        """Wait for a promise."""
        return self.caller.result(promise["request_id"])


def _tensors(caller: Caller, path: str) -> dict[str, bytes]:
    """Read the bits of all tensors of a checkpoint, the optimizer's too."""
    found = caller.service.checkpoints.find(path)
    assert found is not None
    directory = caller.service.files.root / found.directory
    files = sorted(directory.glob("*.safetensors"))
    assert [file.name for file in files] == ["adapter_model.safetensors", "optimizer.safetensors"]
    return {name: array.tobytes() for file in files for name, array in load_file(file).items()}


def _nameless(result: dict[str, Any]) -> dict[str, Any]:
    """Leave the path out, which names the session."""
    return {key: value for key, value in result.items() if key != "path"}


def test_killed_a_few_times(victim: Victim, tmp_path: Path) -> None:
    """Two kills: the ledger is 1..n, and results and weights are those of a quiet run to the last bit."""
    survive(victim, tmp_path, kills=2, steps=50, seed=1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_killed_thirty_times(victim: Victim, tmp_path: Path) -> None:
    """Thirty kills at random moments of one run."""
    survive(victim, tmp_path, kills=30, steps=300, seed=2)
