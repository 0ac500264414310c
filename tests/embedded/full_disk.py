"""Meets a disk that is really full; the directory on it is the argument. Prints what was answered as JSON.

Runs in a process of its own: on a small tmpfs, or under a limit on the size of files.
"""

import contextlib
import json
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tinsmith.core.errors import TinkerError

from tests.embedded.app.caller import Caller, datum

#: Every file stays below this while the limit holds.
LIMIT_BYTES = 256 << 10


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leave no room on the disk while the block runs."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass
    yield
    ballast.unlink()


@contextlib.contextmanager
def limited(folder: Path) -> Iterator[None]:
    """Let no file grow beyond a limit while the block runs."""
    del folder
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def until_refused(caller: Caller, model: str, seq: int) -> tuple[int, Any]:
    """Step until one is not accepted or fails; its number and what was said."""
    while True:
        answer = caller.post("optim_step", model_id=model, seq_id=seq, adam_params={"learning_rate": 1e-3})
        if not answer.is_success:
            return seq, [answer.status_code, answer.json()["detail"], answer.json()["category"]]
        found = caller.result(answer.json()["request_id"])
        if "error" in found:
            return seq + 1, [200, found["error"], found["category"]]
        seq += 1


def main(directory: Path, full: Callable[[Path], contextlib.AbstractContextManager[None]]) -> dict[str, Any]:
    """Train on a directory, fill the disk under it, make room, and start again."""
    caller = Caller.on(directory / "data", snapshot_min_s=0.0, snapshot_cost_ratio=0.0)
    model = caller.model()
    said: dict[str, Any] = {}
    with full(directory):
        seq, said["step"] = until_refused(caller, model, 1)
        big = {"data": [datum(b"a" * 1900)] * 60, "loss_fn": "cross_entropy"}
        answer = caller.post("forward_backward", model_id=model, seq_id=seq, forward_backward_input=big)
        said["batch"] = [answer.status_code, answer.json()["detail"], answer.json()["category"]]
        session = model.partition(":")[0]
        said["others"] = [
            caller.post("session_heartbeat", session_id=session).status_code,
            caller.post("get_info", model_id=model).status_code,
            caller.send("GET", f"sessions/{session}").status_code,
        ]
    caller.forward_backward(model, seq)
    said["gapless"] = caller.ledger(model) in (list(range(1, seq + 1)), [*range(1, seq - 1), seq])
    caller.close()
    with full(directory):
        try:
            Caller.on(directory / "data").close()
            said["start"] = "works"
        except TinkerError as error:
            said["start"] = str(error)
    again = Caller.on(directory / "data")
    again.forward_backward(model, seq + 1)
    said["again"] = again.ledger(model)[-1] == seq + 1
    again.close()
    return said


if __name__ == "__main__":
    kinds = {"tmpfs": filled, "limit": limited}
    print(json.dumps(main(Path(sys.argv[1]), kinds[sys.argv[2]])))
