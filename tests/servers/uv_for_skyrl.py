#!/usr/bin/env python3
"""Stand in for the command `uv`, with which SkyRL starts its engine.

Its API looks for `uv run ... -m skyrl.tinker.api` in the command line of its parent, and starts the engine by
`uv run ... -m skyrl.tinker.engine`. Here both run on the Python that SERVER_PYTHON names.
"""

import os
import signal
import subprocess
import sys


def main() -> int:
    """Run the module that is asked for: the API as a child, anything else in this process."""
    asked = sys.argv[1:]
    if asked[:1] != ["run"] or "-m" not in asked:
        raise SystemExit("only `uv run [flags] -m MODULE [arguments]`")
    command = [os.environ["SERVER_PYTHON"], *asked[asked.index("-m") :]]
    if not command[2].endswith(".api"):
        os.execv(command[0], command)  # the command is ours
    child = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: child.send_signal(signal.SIGTERM))
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
