"""A disk that is really full: the error says so and names the directory, and nothing else suffers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.guard import WAIT_S

ROOT = Path(__file__).parents[2]
MEET = (sys.executable, "-m", "tests.embedded.full_disk")
#: A tmpfs of our own, in a mount namespace that ends with the process.
SMALL = 'mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"'


def met(*command: str) -> dict[str, Any]:
    """Run the program that meets a full disk; what it was answered."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def check(said: dict[str, Any], directory: Path) -> None:
    """Hold what was answered against the rules."""
    data = str(directory / "data")
    for kind in ("step", "batch"):
        status, text, category = said[kind]
        assert status in (507, 200), said
        assert "disk full" in text, said
        assert data in text, said
        assert category == "server"
    assert said["batch"][0] == 507
    assert said["others"] == [200, 200, 200]
    assert said["gapless"], said
    assert said["start"] == "works" or ("disk full" in said["start"] and data in said["start"]), said
    assert said["again"]


def test_files_may_not_grow(tmp_path: Path) -> None:
    """Under RLIMIT_FSIZE the database and the files beside it meet EFBIG in the kernel."""
    check(met(*MEET, str(tmp_path), "limit"), tmp_path)


def test_a_small_tmpfs(tmp_path: Path) -> None:
    """On a tmpfs of 8 MB they meet ENOSPC."""
    apart = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL, str(tmp_path))
    try:
        possible = subprocess.run([*apart, "true"], capture_output=True, timeout=WAIT_S).returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("no mount namespace of one's own here")
    check(met(*apart, *MEET, str(tmp_path), "tmpfs"), tmp_path)
