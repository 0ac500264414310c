"""Installs, starts and stops the servers that other people wrote, each in an environment of its own.

Everything lands in `.build/servers/NAME`: the environment, the tiny model, the server's data and its log.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
BUILD = Path(__file__).parents[2] / ".build" / "servers"

START_S = 600.0
"""Longest start in seconds: imports, and the first compilation of the model."""
STOP_S = 5.0
"""Seconds between asking a server to stop and ending its processes: it would wait for polls that it holds."""
ADAPTERS = 24
"""Adapters that a server holds at once."""
RANK = 8
"""Largest rank of an adapter."""
KEY = "tml-servers"
"""The key that the servers are told to accept."""


@attrs.frozen
class Kind:
    """One server: what it is made of, and how it is started."""

    name: str
    """What the table calls it; also a profile of the client."""
    release: str
    """Package and version, which name the folder."""
    packages: tuple[tuple[str, ...], ...]
    """Arguments of pip, one run after the other: what pins too much is installed without its pins."""
    start: Callable[[Server], tuple[list[str], dict[str, str]]]
    """Make the command and its environment."""
    ready: str
    """Text in the log that says that the server works, beside its health route."""

    @property
    def folder(self) -> Path:
        """Where it lives."""
        return BUILD / self.release

    @property
    def python(self) -> Path:
        """The Python of its environment."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def model(self) -> Path:
        """The folder of its base model."""
        return self.folder / "model-tiny-qwen3"

    def install(self, base_python: str) -> None:
        """Install what is missing or another than is listed; minutes and gigabytes the first time."""
        done, wanted = self.folder / "venv" / ".ready", "\n".join(map(" ".join, self.packages))
        if not done.exists() or done.read_text() != wanted:
            print(f"{self.name}: installing {self.release} (minutes, some 2 GB)", flush=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self.python.exists():
                subprocess.run([base_python, "-m", "venv", self.folder / "venv"], check=True)
            for arguments in self.packages:
                pip = [str(self.python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
                subprocess.run([*pip, *arguments], check=True)
            self._patch()
            done.write_text(wanted)
        if not (self.model / "model.safetensors").exists():
            subprocess.run([self.python, HERE / "make_model.py", self.model], check=True)

    def _patch(self) -> None:
        """Let SkyRL run on 3.11, where pydantic refuses the standard library's TypedDict."""
        where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
        place = subprocess.run([self.python, "-c", where], check=True, capture_output=True, text=True)
        Path(place.stdout.strip(), "sitecustomize.py").write_text(
            "import contextlib, sys, typing\n"
            "if sys.version_info < (3, 12):\n"
            "    with contextlib.suppress(ImportError):\n"
            "        import typing_extensions\n"
            "        typing.TypedDict = typing_extensions.TypedDict\n"
        )


class Server:
    """A server of one kind on this machine; a context manager that ends it."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        """What it is."""
        self.run = kind.folder / "run"
        """Its data and its log."""
        self.port = _free_port()
        """Where it listens; the same after a restart."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_model(self) -> str:
        """The name of its base model: the folder of its files."""
        return str(self.kind.model)

    def start(self, *, keep_data: bool = False) -> None:
        """Start and wait until it works; on its old data if they are kept."""
        if not keep_data:
            shutil.rmtree(self.run, ignore_errors=True)
        self.run.mkdir(parents=True, exist_ok=True)
        command, environment = self.kind.start(self)
        log = self.run / "server.log"
        with log.open("wb") as told:
            self._process = subprocess.Popen(
                command,
                cwd=self.run,
                env={**os.environ, **environment},
                stdout=told,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + START_S
        while not (self._healthy() and self.kind.ready in log.read_text(errors="replace")):
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                raise RuntimeError(f"{self.kind.name} did not start:\n{tail}")
            time.sleep(0.3)

    def stop(self) -> None:
        """End the server and all that it started."""
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
        self._process = None

    def restart(self, keep_data: bool) -> None:
        """Stop and start at the same address."""
        self.stop()
        self.start(keep_data=keep_data)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _skyrl(server: Server) -> tuple[list[str], dict[str, str]]:
    """Start SkyRL on its JAX backend; the stand-in for `uv` must be on the path under that name."""
    programs = server.kind.folder / "bin"
    programs.mkdir(exist_ok=True)
    shutil.copy(HERE / "uv_for_skyrl.py", programs / "uv")
    (programs / "uv").chmod(0o755)
    backend = {"max_lora_adapters": ADAPTERS, "max_lora_rank": RANK, "enforce_eager": False}
    options: Mapping[str, object] = {
        "host": "127.0.0.1",
        "port": server.port,
        "base-model": server.base_model,
        "backend": "jax",
        "backend-config": json.dumps(backend),
        "checkpoints-base": server.run / "checkpoints",
        "database-url": f"sqlite:///{server.run / 'tinker.db'}",
        "session-cleanup-interval-sec": 5,
        "session-timeout-sec": 60,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    environment = {
        "PATH": os.pathsep.join([str(programs), str(server.kind.python.parent), os.environ["PATH"]]),
        "SERVER_PYTHON": str(server.kind.python),
        "HF_HUB_OFFLINE": "1",
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(server.kind.folder / "jaxcache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return [str(programs / "uv"), "run", "-m", "skyrl.tinker.api", *words], environment


def _tuft(server: Server) -> tuple[list[str], dict[str, str]]:
    """Start TuFT on its test backend for CPUs; its bookkeeping is told to a file, which is its ledger."""
    config = {
        "checkpoint_dir": str(server.run / "checkpoints"),
        "model_owner": "servers",
        "supported_models": [
            {
                "model_name": server.base_model,
                "model_path": server.base_model,
                "max_model_len": 2048,
                "max_lora_rank": RANK,
                "max_loras": ADAPTERS,
            }
        ],
        "authorized_users": {KEY: "default"},
        "persistence": {"mode": "FILE", "file_path": str(server.run / "bookkeeping.json")},
    }
    (server.run / "config.yaml").write_text(json.dumps(config))  # YAML reads JSON
    environment = {
        "TUFT_CPU_TEST": "1",
        "TUFT_HOME": str(server.run / "home"),
        "HF_HUB_OFFLINE": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "OTEL_SDK_DISABLED": "true",
    }
    words = ["launch", "--host", "127.0.0.1", "--port", str(server.port), "--config", "config.yaml"]
    return [str(server.kind.python), "-m", "tuft", *words], environment


_OPENAI = ("openai==3.57.0",)
"""The client of OpenAI, which asks the gateway before the server."""
_JAX = (
    ("torch==2.13.0",),  # first, as a wheel for CPUs: peft needs torch and would bring CUDA along
    ("jax==0.10.2", "jaxlib==0.10.2"),
    ("skyrl[tinker,jax]==0.3.0",),
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("skyrl-0.3", "skyrl-0.3.0", (*_JAX, _OPENAI), _skyrl, "Starting background engine"),
        Kind(
            "skyrl-0.4",
            "skyrl-0.4.0",
            (
                *_JAX,
                ("tinker==0.25.0", "zstandard", "xxhash", "aiohttp"),
                # it declares Python 3.12, and runs on 3.11 with the patch
                ("--no-deps", "--ignore-requires-python", "skyrl==0.4.0"),
                _OPENAI,
            ),
            _skyrl,
            "Starting background engine",
        ),
        Kind(
            "tuft",
            "tuft-0.2.2",
            (
                ("torch==2.13.0",),
                (
                    *("fastapi>=0.133,<0.137", "httpx>=0.28.1", "numpy>=2", "tinker>=0.25,<0.26", "protobuf"),
                    *("typer>=0.20.1", "uvicorn[standard]>=0.38", "omegaconf", "ray>=2.50"),
                    *("transformers>=5.5.3,<6", "opentelemetry-api", "opentelemetry-sdk", "psutil"),
                    *("opentelemetry-exporter-otlp", "opentelemetry-instrumentation-fastapi"),
                    *("opentelemetry-instrumentation-logging", "nvidia-ml-py"),
                ),
                # it pins torch and vllm for CUDA, of which the test backend needs neither
                ("--no-deps", "tuft==0.2.2", "peft==0.20.0", "accelerate"),
                _OPENAI,
            ),
            _tuft,
            "",
        ),
    )
}
"""The servers by name."""


def install(names: Sequence[str], base_python: str = sys.executable) -> None:
    """Install the named servers, one after the other."""
    for name in names:
        KINDS[name].install(base_python)
