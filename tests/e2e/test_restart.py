"""`tinsmith serve` killed in the middle of a run: its client goes on, and every step is applied once."""

import random
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tinsmith
from tinsmith import types
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.database import Database
from tinsmith_local.store.promise_table import PromiseTable

from tests.e2e.bench import datum
from tests.guard import WAIT_S

STEPS = 40


class Served:
    """A `tinsmith serve` on one port and directory, to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = self.key = ""
        self.start()

    def start(self) -> None:
        """Start it and read what it prints."""
        command = ["serve", "--data", str(self.folder), "--port", str(self._port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tinsmith.cli", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.url, self.key = (self.process.stdout.readline().strip().partition("=")[2] for _ in range(2))

    def end(self, how: signal.Signals) -> int:
        """End it with a signal; its exit code."""
        self.process.send_signal(how)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serve for one test."""
    started = Served(tmp_path / "data")
    yield started
    if started.process.poll() is None:
        started.end(signal.SIGKILL)


def losses(service: tinsmith.ServiceClient, pause: bool = False) -> tuple[str, list[float]]:
    """Train, and return the model and the loss of each step."""
    client = service.create_lora_training_client("tinsmith/tiny", rank=2, seed=1)
    futures = []
    for step in range(STEPS):
        futures.append(client.forward_backward([datum(b"step %03d of a run" % step)], "cross_entropy"))
        client.optim_step(types.AdamParams(learning_rate=1e-2))
        if pause:
            time.sleep(0.05)
    return client.model_id, [future.result(timeout=WAIT_S).metrics["loss:sum"] for future in futures]


def test_a_run_survives_kill_9(served: Served, tmp_path: Path) -> None:
    """Killed three times; the losses are those of a quiet run, the ledger is 1, 2, 3, … without a gap."""
    before = (served.url, served.key)

    def kill() -> None:
        draw = random.Random(1)
        for _ in range(3):
            time.sleep(draw.uniform(0.2, 0.8))
            served.end(signal.SIGKILL)
            served.start()

    killer = threading.Thread(target=kill)
    with tinsmith.ServiceClient(base_url=served.url, api_key=served.key) as service:
        killer.start()
        model_id, found = losses(service, pause=True)
        killer.join()
    assert (served.url, served.key) == before
    assert served.end(signal.SIGINT) == 130
    with tinsmith.ServiceClient(base_url=f"local:{tmp_path / 'quiet'}") as service:
        assert losses(service)[1] == found
    files = DataDir(served.folder)
    database = Database(files.database)
    try:
        numbers = [line.seq for line in PromiseTable(database, files).ledger(model_id)]
    finally:
        database.close()
    assert numbers == list(range(1, 2 * STEPS + 1))


def test_the_key_is_the_users_alone(served: Served) -> None:
    """The directory that keeps it is closed to others, and so is the database."""
    assert stat.S_IMODE(served.folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in served.folder.glob("tinsmith.sqlite3*")}
    assert "tinsmith.sqlite3" in modes
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_while_busy(served: Served, times: int) -> None:
    """It ends with 130 in good order, however often it is pressed; the clients' work is there afterwards."""
    with tinsmith.ServiceClient(base_url=served.url, api_key=served.key) as service:
        client = service.create_lora_training_client("tinsmith/tiny", rank=2, seed=1)
        first = client.optim_step(types.AdamParams())
        first.result(timeout=WAIT_S)
        sampler = service.create_sampling_client(base_model="tinsmith/tiny")
        long = types.SamplingParams(max_tokens=2000, stop=[])
        for _ in range(4):
            sampler.sample(types.ModelInput.from_ints([1]), 8, long)
        for _ in range(times - 1):
            served.process.send_signal(signal.SIGINT)
        assert served.end(signal.SIGINT) == 130
        served.start()
        step = client.optim_step(types.AdamParams()).result(timeout=WAIT_S)
        assert step.metrics is not None
        assert step.metrics["step:max"] == 2
        service.close(timeout=0.5)
