"""Custom losses by every backend: the same loss gives the same weights, whoever finds its gradient."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
WITH_ALL = ROOT / ".venv-golden" / "bin" / "python"


def gradients(python: Path, *backends: str) -> dict[str, Any]:
    """Run the loss by these backends in another process."""
    ours = [str(ROOT / folder) for folder in ("facade", "embedded", "generated")]
    places = [*(path for path in sys.path if path), *ours]
    done = subprocess.run(
        [str(python), str(Path(__file__).parent / "gradients.py"), *backends],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["backend"]: one for one in found}


def agree(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Hold two runs against each other, to the last bits of float32."""
    assert one["requests"] == other["requests"] == 3
    assert [len(row) for row in one["weights"]] == [len(row) for row in other["weights"]] == [3, 1, 4, 1, 5]
    for mine, theirs in zip(one["weights"], other["weights"], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    assert one["metrics"]["n"] == other["metrics"]["n"] == 5.0
    np.testing.assert_allclose(one["metrics"]["total"], other["metrics"]["total"], rtol=1e-6)


def test_autograd_and_numpy_agree() -> None:
    """Over three requests of datums of several lengths, with metrics."""
    found = gradients(Path(sys.executable), "numpy", "autograd")
    agree(found["numpy"], found["autograd"])
    first = -np.exp(-0.25) + 2 * 0.25
    assert found["numpy"]["weights"][0][0] == pytest.approx(first, rel=1e-6)


@pytest.mark.long
@pytest.mark.skipif(not WITH_ALL.exists(), reason="no environment with torch and jax; make golden makes it")
@pytest.mark.parametrize("backend", ["torch", "jax", "autograd"])
def test_every_library_agrees(backend: str) -> None:
    """Torch and jax, which the development environment does not have, find what is written by hand."""
    found = gradients(WITH_ALL, "numpy", backend)
    agree(found["numpy"], found[backend])
