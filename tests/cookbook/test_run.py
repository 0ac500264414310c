"""The driver of `make cookbook`, without the cookbook."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from tests.cookbook.run import Bench, Server

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_is_stopped_also_where_ctrl_c_is_ignored(tmp_path: Path) -> None:
    """A shell without job control has it ignored for what it starts in the background."""
    program = tmp_path / "program.py"
    program.write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT); print('went on')")
    bench = Bench(sys.executable, Server("http://127.0.0.1:1", "tml-x", tmp_path), tmp_path)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code, said = bench.call("official", "train", program=str(program))
    finally:
        signal.signal(signal.SIGINT, before)
    assert code != 0
    assert said == ""
