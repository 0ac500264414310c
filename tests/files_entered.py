"""Print, as JSON, the files of the facade that one warm call enters, from a profile of all threads.

Run by tests/test_files_entered.py in a process of its own, since threads that run already cannot be profiled.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

FACADE = str(Path(__file__).parents[1] / "facade" / "tinsmith") + "/"
REPEATS = 20
"""The shortest list of these counts: what the client does by the clock may join a single call, and the first
16 answers are searched for marks of a kind of server."""


class Profile:
    """The files of the facade whose functions are called while it is on, in order of their first call."""

    def __init__(self) -> None:
        self.files: dict[str, None] | None = None

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Note a call; this is what sys.setprofile and threading.setprofile call."""
        if self.files is None or event != "call" or not frame.f_code.co_filename.startswith(FACADE):
            return
        name = frame.f_code.co_filename.removeprefix(FACADE)
        if not name.startswith("testing/"):
            self.files[name] = None

    def entered(self, call: Callable[[], object]) -> list[str]:
        """Return the files that one call enters, after a first one that warms the client up."""
        call()
        runs = []
        for _ in range(REPEATS):
            self.files = {}
            call()
            files, self.files = self.files, None
            runs.append(list(files))
        return min(runs, key=len)


def main() -> None:
    """Train one datum, sample one sequence and read one resource, on the service for tests."""
    profile = Profile()
    threading.setprofile(profile)
    sys.setprofile(profile)
    import tinsmith
    from tinsmith import Datum, ModelInput, SamplingParams, testing

    prompt = ModelInput.from_ints([1, 2, 3])
    datum = Datum(model_input=prompt, loss_fn_inputs={"target_tokens": [2, 3, 4], "weights": [1.0, 1.0, 1.0]})
    with tinsmith.ServiceClient(**testing.LedgerService().settings()) as service:
        training = service.create_lora_training_client("tinsmith/tiny", rank=4)
        sampling = service.create_sampling_client(base_model="tinsmith/tiny")
        calls: dict[str, Callable[[], object]] = {
            "forward_backward": lambda: training.forward_backward([datum], "cross_entropy").result(),
            "sample": lambda: sampling.sample(prompt, 1, SamplingParams(max_tokens=2)).result(),
            "get": service.get_server_capabilities,
        }
        print(json.dumps({name: profile.entered(call) for name, call in calls.items()}))


if __name__ == "__main__":
    main()
