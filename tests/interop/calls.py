"""Makes calls one by one and prints each with its outcome; counts what did not come out as expected."""

import time
from collections.abc import Callable
from typing import Any


class Calls:
    """The calls of one program, in order."""

    def __init__(self) -> None:
        self.made = 0
        self.failed: list[str] = []

    def __call__(
        self, name: str, call: Callable[..., Any], expect: Callable[[Any], object] = lambda value: True
    ) -> Any:
        """Make a call that must succeed with a result that `expect` holds true; return the result."""
        started = time.monotonic()
        try:
            value = call()
            right = bool(expect(value))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
            self._say(name, False, f"{type(error).__name__}: {error}", started)
            return None
        self._say(name, right, brief(value) if right else f"unexpected: {value!r}"[:500], started)
        return value

    def refused(self, name: str, call: Callable[..., Any], *words: str) -> None:
        """Make a call that must raise an error whose class and text contain `words`."""
        started = time.monotonic()
        try:
            value = call()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
            said = f"{type(error).__name__}: {error}"
            self._say(name, all(word in said for word in words), f"refused as it must be: {said}", started)
        else:
            self._say(name, False, f"was not refused: {value!r}"[:500], started)

    def _say(self, name: str, right: bool, outcome: str, started: float) -> None:
        self.made += 1
        if not right:
            self.failed.append(name)
        text = " ".join(outcome.split())
        took = time.monotonic() - started
        print(f"{'ok    ' if right else 'FAILED'} {took:6.2f} s  {name}: {text[:300]}", flush=True)


def brief(value: object) -> str:
    """Say in a few words what a call returned."""
    if value is None:
        return "done"
    if isinstance(value, (list, tuple)):
        return f"{len(value)} items"
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else f"{text[:117]}..."
