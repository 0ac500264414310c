"""What holds for every test: no foreign network, no settings of the person who runs it."""

import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("tinsmith", deadline=None)
settings.load_profile("tinsmith")  # no example is timed: a busy machine is no fault

LOOPBACK = ("127.", "::1", "localhost")


def pytest_configure() -> None:
    """Have Ctrl-C work in the programs that tests start, also where the suite runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the environment's keys and addresses: a test names its own."""
    for name in list(os.environ):
        if name.startswith(("TINKER_", "CLOUDFLARE_ACCESS_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TINSMITH_CREDENTIALS", os.path.join(os.devnull, "no login"))


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Iterator[None]:
    """Refuse every connection that would leave this machine, so that the suite means the same offline."""
    with pytest.MonkeyPatch.context() as patch:
        for method in ("connect", "connect_ex"):
            patch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))
        yield


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
            raise RuntimeError(f"a test tried to reach {address[0]}; tests talk to loopback only")
        return connect(self, address)

    return guarded


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many tests were skipped, also when none was: the number belongs to the result."""
    skipped = terminalreporter.stats.get("skipped", [])
    terminalreporter.write_line(f"skipped tests: {len(skipped)}")
