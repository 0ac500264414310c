"""Starts `tinsmith serve`, lets the official SDK loose on it, and checks the service's ledger afterwards.

`python -m tests.interop.run --official PYTHON` from the root of the repository; `make interop` does it.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tinsmith
from tinsmith import types
from tinsmith.local.store import Database, DataDir, Promises

from tests.interop.script import BASE_MODEL, LEARNING_RATE, RANK, SEED, STEPS, batch

ROOT = Path(__file__).parents[2]
SERVE = ("-m", "tinsmith.cli", "serve")


@contextmanager
def served(folder: Path) -> Iterator[dict[str, str]]:
    """Serve while the block runs; the environment that a client needs."""
    tokenizers = folder / "tokenizers"
    process = subprocess.Popen(
        [sys.executable, *SERVE, "--data", str(folder / "data"), "--tokenizers", str(tokenizers)],
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
        ledger = Promises(database, files).ledger(model_id)
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


def main() -> int:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--official", required=True, help="Python of the official SDK's environment.")
    python = str(Path(parser.parse_args().official).absolute())
    with tempfile.TemporaryDirectory(prefix="tinsmith-interop-") as name:
        folder = Path(name)
        report = folder / "report.json"
        with served(folder) as environment:
            code = subprocess.run(
                [python, "-m", "tests.interop.official", str(report)],
                env=environment,
                cwd=folder / "tokenizers",
                timeout=900,
            ).returncode
            if not report.exists():
                print("the official SDK's program ended early")
                return 1
            found = json.loads(report.read_text())
            equal = found["losses"] == our_losses(environment)
        right = applied(folder, found["model_id"])
    print(f"losses of all {STEPS} steps {'equal' if equal else 'DIFFER FROM'} those of our client")
    print(f"{right} of {STEPS} steps applied exactly once in order")
    return 0 if code == 0 and equal and right == STEPS else 1


if __name__ == "__main__":
    sys.exit(main())
