"""A service in a process of its own, to be killed: data directory, port and key come as arguments."""

import faulthandler
import signal
import sys
from pathlib import Path

from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serve


def main(directory: str, port: str, token: str) -> None:
    """Serve until killed; snapshots come often, so that kills meet them too. SIGUSR1 prints all stacks."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    options = ServeOptions(
        data_dir=Path(directory), token=token, snapshot_min_s=0.02, snapshot_cost_ratio=1.0
    )
    serve(options, port=int(port), announce=lambda _: print("listening", flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
