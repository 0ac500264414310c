"""Conversions with the real torch, which the development environment does not have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITH_TORCH = ROOT / ".venv-golden" / "bin" / "python"


@pytest.mark.long
@pytest.mark.skipif(not WITH_TORCH.exists(), reason="no environment with torch; make golden makes it")
def test_torch_tensors_go_both_ways() -> None:
    """Every dtype and shape of torch converts as documented, without sharing memory."""
    ours = [str(ROOT / folder) for folder in ("facade", "embedded", "generated")]
    places = os.pathsep.join([*(path for path in sys.path if path), *ours])
    done = subprocess.run(
        [str(WITH_TORCH), str(Path(__file__).parent / "torch_conversions.py")],
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "converted 32\n"), done.stderr
