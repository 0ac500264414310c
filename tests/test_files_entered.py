"""How many files of the facade a reader goes through who follows one call from its start to its result."""

import json
import subprocess
import sys
from pathlib import Path

from tests.guard import WAIT_S

MOST_FILES = {"forward_backward": 24, "sample": 22, "get": 10}
"""They may only fall."""


def test_a_call_enters_few_files() -> None:
    """One warm forward_backward of one datum, one sample and one GET stay within their numbers of files."""
    program = Path(__file__).parent / "files_entered.py"
    command = [sys.executable, "-W", "error", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    entered: dict[str, list[str]] = json.loads(done.stdout)
    assert entered.keys() == MOST_FILES.keys()
    assert all(entered.values()), "nothing was profiled"
    for call, files in entered.items():
        print(f"{call}: {len(files)} files: {', '.join(files)}")
    counts = {call: len(files) for call, files in entered.items()}
    assert all(counts[call] <= most for call, most in MOST_FILES.items()), (counts, MOST_FILES)
