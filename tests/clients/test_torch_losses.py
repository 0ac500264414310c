"""Custom losses with torch, which `make .venv-golden/.ready` brings: the tests' own environment has none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guard import WAIT_S

ROOT = Path(__file__).parents[2]
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES = ROOT / ".venv-golden" / "lib" / VERSION / "site-packages"


@pytest.mark.long
@pytest.mark.skipif(
    not (PACKAGES / "torch").is_dir(),
    reason=f"no torch for {VERSION}; make .venv-golden/.ready, and so make check-long, installs it",
)
def test_losses_with_torch_are_those_by_hand() -> None:
    """The same loss, surrogate and step; tensors among the metrics; mistakes are told, and all goes on."""
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-m", "tests.clients.torch_program", str(PACKAGES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    metrics, by_hand = found["torch"]["metrics"], found["by hand"]["metrics"]
    for name in ("loss:sum", "surrogate_loss:sum"):
        assert metrics[name] == pytest.approx(by_hand[name], rel=1e-6)
    assert metrics["surrogate_loss:sum"] == pytest.approx(2 * metrics["loss:sum"], rel=1e-5)
    for ours, theirs in zip(found["torch"]["after"], found["by hand"]["after"], strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)
    assert metrics["tracked"] == pytest.approx(metrics["loss:sum"], rel=1e-6)
    assert (metrics["plain"], metrics["whole"]) == (0.5, 3.0)
    assert (metrics["list"], metrics["word"], metrics["none"]) == ([1, 2], "x", None)
    kind, values = metrics["vector"]
    assert kind == "Tensor"
    assert sum(value**2 for value in values) == pytest.approx(metrics["loss:sum"], rel=1e-5)
    mistakes = {
        "no gradient": "InputError: field 'loss_fn': the loss does not depend",
        "one datum is not used": "InputError: datum 1, field 'logprobs': No gradient computed",
        "a vector": "RuntimeError: grad can be implicitly created only for scalar outputs",
        "infinite": "InputError: datum 0, field 'gradient': holds NaN or infinity",
    }
    for name, told in mistakes.items():
        assert found[name].startswith(told)
    assert found["goes on"] is True
