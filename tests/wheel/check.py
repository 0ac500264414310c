"""Build the wheel, install it into an empty environment without an index, and use it as a stranger would.

Run by `make wheel-check`. The wheelhouse holds the newest releases that the bounds in pyproject.toml allow,
so this is also the test of those bounds.
"""

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
WHEELHOUSE = ROOT / ".wheelhouse"

MUST_CONTAIN = (
    "tinsmith/py.typed",
    "tinsmith_api/py.typed",
    "tinsmith_api/README.md",
    "tinsmith_api/contract.json",
    "tinsmith_api/openapi.json",
    "tinsmith_local/py.typed",
    "tinsmith_local/app/reference.html.jinja",
    "tinsmith_api/wire/tinker_wire_pb2.py",
    "tinsmith_api/wire/tinker_wire_pb2.pyi",
    "tinsmith/__init__.py",
)
MUST_NOT_CONTAIN = ("tests/", "benchmarks/", "examples/", "facade/", "embedded/", "generated/")

WITHOUT_EXTRA = """
import tinsmith
try:
    tinsmith.ServiceClient(base_url="local:")
except tinsmith.TinkerError as error:
    assert "tinsmith[local]" in str(error), error
else:
    raise SystemExit("the embedded service started without its extra")
"""

WITH_EXTRA = """
import warnings
warnings.simplefilter("error")
import tinsmith
from tinsmith import types
with tinsmith.ServiceClient(base_url="local:") as service:
    client = service.create_lora_training_client("tinsmith/tiny", rank=4, seed=1)
    tokens = client.get_tokenizer().encode("tin is a metal")
    datum = types.Datum(
        model_input=types.ModelInput.from_ints(tokens[:-1]),
        loss_fn_inputs={"target_tokens": tokens[1:], "weights": [1.0] * (len(tokens) - 1)},
    )
    losses = []
    for _ in range(5):
        result = client.forward_backward([datum], "cross_entropy")
        client.optim_step(types.AdamParams(learning_rate=1e-2)).result()
        losses.append(result.result().metrics["loss:sum"])
    assert losses[-1] < losses[0], losses
    sampler = client.save_weights_and_get_sampling_client("wheel")
    params = types.SamplingParams(max_tokens=4, seed=1)
    answer = sampler.sample(types.ModelInput.from_ints(tokens), 1, params).result()
    assert len(answer.sequences[0].tokens) <= 4
print("loss", round(losses[0], 3), "->", round(losses[-1], 3))
"""


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command and stop with its output when it fails."""
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, **options)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))[:200]}\n{done.stdout}{done.stderr}")
    return done  # type: ignore[no-any-return]


def build(into: Path) -> Path:
    """Build the wheel with the tools of the development environment; nothing is fetched."""
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "-w",
        into,
        ROOT,
    )
    (wheel,) = into.glob("tinsmith-*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """Compare the list of files with what must and must not be there."""
    names = zipfile.ZipFile(wheel).namelist()
    missing = [name for name in MUST_CONTAIN if name not in names]
    foreign = [name for name in names if name.startswith(MUST_NOT_CONTAIN)]
    if missing or foreign:
        sys.exit(f"{wheel.name}: missing {missing}, does not belong there {foreign}")


def use(wheel: Path, work: Path) -> None:
    """Install a wheel twice (base, then `local`) into an environment of its own and use it both times."""
    check_contents(wheel)
    print(f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} KiB")
    venv.create(work / "env", with_pip=True)
    python = work / "env" / "bin" / "python"
    offline = (python, "-m", "pip", "install", "-q", "--no-index", "--find-links", WHEELHOUSE)
    run(*offline, wheel)
    version = run(work / "env/bin/tinsmith", "version", cwd=work).stdout.strip()
    run(work / "env/bin/tinsmith", "--help", cwd=work)
    run(python, "-c", WITHOUT_EXTRA, cwd=work)
    print(f"base install: `tinsmith version` prints {version!r}; the missing extra is named")
    run(*offline, f"{wheel}[local]")
    print("with [local]:", run(python, "-W", "error", "-c", WITH_EXTRA, cwd=work).stdout.strip())


def main() -> None:
    """Build the wheel and use it."""
    with tempfile.TemporaryDirectory() as folder:
        use(build(Path(folder)), Path(folder))
    print("wheel: 1 passed, 0 failed")


if __name__ == "__main__":
    main()
