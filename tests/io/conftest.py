"""Fixtures of the wire: a frozen clock under every test, and a service in memory."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
from tinsmith import testing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> Iterator[testing.FrozenClock]:
    """Run the clients of a test on a clock that jumps."""
    with testing.frozen_clock() as frozen:
        yield frozen


@pytest.fixture
def service(clock: testing.FrozenClock) -> testing.LedgerService:
    """Make a service in memory."""
    return testing.LedgerService()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1 that nobody signed but itself."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=local"
    )
    command += f" -keyout {folder}/key.pem -out {folder}/cert.pem -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(command.split(), check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(certificate: Path) -> Iterator[testing.SocketServer]:
    """Run a service behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with testing.SocketServer(testing.LedgerService(), tls=context) as running:
        yield running
