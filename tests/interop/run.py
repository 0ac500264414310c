"""Starts `tinsmith serve`, lets the official SDK loose on it, and checks the service's ledger afterwards.

`python -m tests.interop.run --official PYTHON --captures DIR` from the root of the repository; `make interop`
does it for each release. What the SDK says on the way is recorded and held against the contract.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import tinsmith
from tinsmith import types
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.database import Database
from tinsmith_local.store.promise_table import PromiseTable

from tests.interop.recorder import recording
from tests.interop.script import BASE_MODEL, LEARNING_RATE, RANK, SEED, STEPS, batch
from tests.interop.traffic import problems

ROOT = Path(__file__).parents[2]
#: What a service may ask of today's clients.
FLAGS = ("pjwt_auth_enabled=true", "proto_compress_fwdbwd=true", "sample_use_retrieve_futures=true")
SERVE = ("-m", "tinsmith.cli", "serve")


@contextmanager
def served(folder: Path, flags: Sequence[str]) -> Iterator[dict[str, str]]:
    """Serve while the block runs; the environment that a client needs."""
    told = [word for flag in flags for word in ("--client-flag", flag)]
    places = ["--data", str(folder / "data"), "--tokenizers", str(folder / "tokenizers")]
    process = subprocess.Popen(
        [sys.executable, *SERVE, *places, *told],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline().strip() for _ in range(2)]
        exported = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        yield {**os.environ, **exported, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def our_losses(environment: dict[str, str]) -> list[float]:
    """Make the same run through our client."""
    with tinsmith.ServiceClient(
        base_url=environment["TINKER_BASE_URL"], api_key=environment["TINKER_API_KEY"]
    ) as service:
        client = service.create_lora_training_client(BASE_MODEL, rank=RANK, seed=SEED)
        futures = []
        for step in range(STEPS):
            data = [
                types.Datum(
                    model_input=types.ModelInput.from_ints(tokens),
                    loss_fn_inputs={"target_tokens": targets, "weights": weights},
                )
                for tokens, targets, weights in batch(step)
            ]
            futures.append(client.forward_backward(data, "cross_entropy"))
            client.optim_step(types.AdamParams(learning_rate=LEARNING_RATE))
        return [future.result().metrics["loss:sum"] for future in futures]


def applied(folder: Path, model_id: str) -> int:
    """Count the steps of the script that the ledger has exactly once and in order."""
    files = DataDir(folder / "data")
    database = Database(files.database)
    try:
        ledger = PromiseTable(database, files).ledger(model_id)
    finally:
        database.close()
    right = 0
    for step in range(STEPS):
        pair = [(line.seq, line.op) for line in ledger[2 * step : 2 * step + 2]]
        right += pair == [(2 * step + 1, "forward_backward"), (2 * step + 2, "optim_step")]
    numbers = [line.seq for line in ledger]
    if numbers != list(range(1, len(numbers) + 1)):
        print(f"the ledger is not gapless: {numbers}")
        return 0
    return right


def program(python: str) -> tuple[str, str]:
    """Return the release of an environment's SDK, and the program that uses it."""
    ask = "import importlib.metadata as m; print(m.version('tinker'))"
    release = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    recent = tuple(map(int, release.split(".")[:2])) >= (0, 25)
    return release, "tests.interop.official_recent" if recent else "tests.interop.official"


def run(python: str, captures: Path, flags: Sequence[str] = ()) -> bool:
    """Let one release loose, record what it says, compare, print; whether all was right."""
    release, module = program(python)
    name = f"sdk-{release}{'-flags' if flags else ''}"
    print(f"== the official SDK {release} {' '.join(flags)}==", flush=True)
    with tempfile.TemporaryDirectory(prefix="tinsmith-interop-") as place:
        folder = Path(place)
        report = folder / "report.json"
        about = f"Requests of the official SDK {release} and answers of `tinsmith serve`, a few of each kind."
        with (
            served(folder, flags) as environment,
            recording(environment["TINKER_BASE_URL"], about) as (address, recorder),
        ):
            code = subprocess.run(
                [python, "-W", "ignore", "-m", module, str(report)],
                env={
                    **environment,
                    "TINKER_BASE_URL": address,
                    "TINSMITH_INTEROP_FLAGS": str(int(bool(flags))),
                },
                cwd=folder / "tokenizers",
                timeout=900,
            ).returncode
            if not report.exists():
                print("the official SDK's program ended early")
                return False
            found = json.loads(report.read_text())
            equal = found["losses"] == our_losses(environment)
        right = applied(folder, found["model_id"])
        recorder.write(folder / "captures" / f"{name}.json")
        misfits = list(problems(folder / "captures"))
        captures.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "captures" / f"{name}.json", captures)
    for misfit in misfits:
        print(misfit)
    print(f"losses of all {STEPS} steps {'equal' if equal else 'DIFFER FROM'} those of our client")
    print(f"{recorder.exchanges} exchanges recorded, {len(misfits)} misfits with the contract")
    print(f"{right} of {STEPS} steps applied exactly once in order", flush=True)
    return code == 0 and equal and right == STEPS and not misfits


def main() -> int:
    """Run each release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--official", action="append", default=[], help="Python of an environment with the official SDK."
    )
    parser.add_argument(
        "--flagged", action="append", default=[], help="The same, and the service asks for all that is new."
    )
    parser.add_argument("--captures", type=Path, required=True, help="Where the recorded traffic goes.")
    options = parser.parse_args()
    done = [run(str(Path(python).absolute()), options.captures, FLAGS) for python in options.flagged]
    done += [run(str(Path(python).absolute()), options.captures) for python in options.official]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
