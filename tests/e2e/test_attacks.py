"""Hostile and broken requests on a real socket: each costs its own connection, and the service goes on."""

# ruff: noqa: E501 - tables with one row a case

import random
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import tinsmith
from tinsmith import types
from tinsmith.core.errors import APIStatusError
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import Address, serving

from tests.e2e.bench import Bench, works
from tests.guard import WAIT_S


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """Serve for all attacks of the module."""
    with serving(ServeOptions(data_dir=tmp_path_factory.mktemp("data"))) as (address, _):
        yield address


def attack(address: Address, sent: bytes, *, stop: bool) -> bytes:
    """Send bytes and read until the service closes; `stop` says before that nothing more comes."""
    url = httpx.URL(address.base_url)
    with socket.create_connection((url.host, url.port or 0), timeout=WAIT_S) as raw:
        received = b""
        try:
            raw.sendall(sent)
            if stop:
                raw.shutdown(socket.SHUT_WR)
            while part := raw.recv(1 << 16):
                received += part
        except OSError:  # the service has closed the connection already
            pass
        return received


def request(
    path: bytes, *lines: bytes, method: bytes = b"GET", host: bytes = b"HOST", body: bytes = b""
) -> bytes:
    """Write a request; KEY and HOST stand for the right ones."""
    start = method + b" " + path + b" HTTP/1.1"
    head = [start, b"Host: " + host, b"X-API-Key: KEY", b"Connection: close", *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


POST = {"method": b"POST"}
JSON = b"Content-Type: application/json"
OPEN = b"/api/v1/create_session"
LIST = b"/api/v1/sessions"
SIGNED = b"/api/v1/x-tinsmith/archives/"
ATTACKS: dict[str, tuple[bytes, bytes]] = {
    "no Host": (b"GET /api/v1/sessions HTTP/1.1\r\nX-API-Key: KEY\r\nConnection: close\r\n\r\n", b"400"),
    "a foreign Host": (request(LIST, host=b"evil.example"), b"403"),
    "a Host that begins like ours": (request(LIST, host=b"127.0.0.1.evil.example"), b"403"),
    "a Host with a name for a port": (request(LIST, host=b"127.0.0.1:80.evil.example"), b"403"),
    "a Host with a user": (request(LIST, host=b"127.0.0.1@evil.example"), b"403"),
    "two Hosts": (request(LIST, b"Host: evil.example"), b"400"),
    "another origin's URL": (request(b"http://evil.example/api/v1/sessions"), b"404"),
    "no key": (b"GET /api/v1/sessions HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", b"401"),
    "a key of no ASCII": (b"GET /api/v1/sessions HTTP/1.1\r\nHost: HOST\r\nX-API-Key: \xff\r\nConnection: close\r\n\r\n", b"401"),
    "a path up from the open ones": (b"GET /api/v1/healthz/../sessions HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", b"404"),
    "an encoded path up": (b"GET " + SIGNED + b"%2e%2e/%2e%2e/sessions HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", b"404"),
    "a path out": (request(b"/api/v1/training_runs/..%2f..%2fetc%2fpasswd"), b"404"),
    "NUL in a path": (request(b"/api/v1/training_runs/a%00b"), b"404"),
    "no UTF-8 in a path": (request(b"/api/v1/training_runs/%ff%fe"), b"404"),
    "a long path": (request(b"/api/v1/training_runs/" + b"a" * 30_000), b"404"),
    "a signature that is none": (request(SIGNED + b"AAAA"), b"403"),
    "a signature of bytes": (request(SIGNED + b"%ff%00"), b"403"),
    "a long header": (request(LIST, b"X-A: " + b"a" * 40_000), b"431"),
    "a longer header": (request(LIST, b"X-A: " + b"a" * 300_000), b""),
    "many headers": (request(LIST, *[b"X-%d: %d" % (n, n) for n in range(4000)]), b"431"),
    "a negative length": (request(OPEN, b"Content-Length: -5", **POST), b"400"),
    "two lengths": (request(OPEN, b"Content-Length: 5", b"Content-Length: 6", **POST, body=b"{}"), b"400"),
    "a length beyond all": (request(OPEN, b"Content-Length: " + b"9" * 30, **POST), b"400"),
    "a length above the cap": (request(OPEN, JSON, b"Content-Length: 99999999999", **POST), b"413"),
    "a length and chunks": (request(OPEN, JSON, b"Content-Length: 5", b"Transfer-Encoding: chunked", **POST, body=b"0\r\n\r\n"), b"400"),
    "chunks that are none": (request(OPEN, JSON, b"Transfer-Encoding: chunked", **POST, body=b"zz\r\n\r\n"), b"400"),
    "a body that ends early": (request(OPEN, JSON, b"Content-Length: 50", **POST, body=b'{"tags":'), b""),
    "another coding": (request(OPEN, b"Transfer-Encoding: gzip", **POST, body=b"{}"), b"400"),
    "a compressed body": (request(OPEN, JSON, b"Content-Encoding: gzip", b"Content-Length: 2", **POST, body=b"{}"), b"415"),
    "TRACE": (request(LIST, method=b"TRACE"), b"405"),
    "CONNECT": (request(b"evil.example:443", method=b"CONNECT"), b"404"),
    "the start of HTTP/2": (b"PRI * HTTP/2.0\r\nConnection: close\r\n\r\nSM\r\n\r\n", b"40"),
    "the start of TLS": (bytes.fromhex("16030100a5010000a1030366") + b"\0" * 100, b"400"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "status"), ATTACKS.values(), ids=list(ATTACKS))
def test_one_request(address: Address, sent: bytes, status: bytes) -> None:
    """It is refused with the status that fits, or its connection ends; the next client is served."""
    host = address.base_url.removeprefix("http://").encode()
    answer = attack(
        address, sent.replace(b"HOST", host).replace(b"KEY", address.token.encode()), stop=not status
    )
    if status:
        assert answer[9:12].startswith(status), answer[:200]
    else:
        assert answer == b"" or answer[9:10] == b"4", answer[:200]
    listed = httpx.get(
        f"{address.base_url}/api/v1/sessions", headers={"x-api-key": address.token}, trust_env=False
    )
    assert listed.status_code == 200


def test_noise_and_idlers(address: Address) -> None:
    """300 connections of noise and 200 that stop in mid-body; a training client works meanwhile."""
    url = httpx.URL(address.base_url)
    draw = random.Random(1)
    host, key = address.base_url.removeprefix("http://").encode(), address.token.encode()
    half = request(OPEN, JSON, b"Content-Length: 1000", **POST, body=b"{")
    half = half.replace(b"HOST", host).replace(b"KEY", key)
    idlers = [socket.create_connection((url.host, url.port or 0)) for _ in range(200)]
    try:
        for idler in idlers:
            idler.sendall(half)
        for _ in range(300):
            with socket.create_connection((url.host, url.port or 0)) as raw:
                raw.sendall(draw.randbytes(draw.randrange(1, 400)))
        with tinsmith.ServiceClient(base_url=address.base_url, api_key=address.token) as service:
            works(service.create_lora_training_client("tinsmith/tiny", rank=2))
    finally:
        for idler in idlers:
            idler.close()


def test_a_refusal_does_not_send_everything_back(address: Address) -> None:
    """What was sent is quoted in the error, but not megabytes of it."""
    with tinsmith.ServiceClient(base_url=address.base_url, api_key=address.token) as service:
        with pytest.raises(APIStatusError) as caught:
            service.create_lora_training_client("a" * 5_000_000).result()
        assert caught.value.status_code == 404
        assert len(str(caught.value)) < 5000


@pytest.mark.parametrize("temperature", [1e-300, 5e-324, 1e-40, 1e300])
def test_temperatures_at_the_edge(bench: Bench, temperature: float) -> None:
    """The coldest is greedy, the hottest uniform; both are numbers that the API takes."""
    client = bench.sampling()
    prompt = types.ModelInput.from_ints([104, 105])

    def drawn(given: float) -> Any:
        asked = types.SamplingParams(max_tokens=8, temperature=given, seed=1, stop=[])
        [sequence] = client.sample(prompt, 1, asked).result(timeout=WAIT_S).sequences
        return sequence.tokens

    tokens = drawn(temperature)
    assert len(tokens) == 8
    assert (tokens == drawn(0)) == (temperature < 1)


@pytest.mark.parametrize("instead", ["a link", "a directory"])
def test_an_archive_holds_files_alone(bench: Bench, tmp_path: Path, instead: str) -> None:
    """What has taken the place of a checkpoint's file is not packed: a link may lead anywhere."""
    saved = bench.training().save_state("tampered").result(timeout=WAIT_S).path
    found = bench.running.checkpoints.find(saved)
    assert found is not None
    directory = bench.running.files.root / found.directory
    file = directory / "adapter_model.safetensors"
    file.unlink()
    if instead == "a link":
        secret = tmp_path / "secret"
        secret.write_text("secret")
        file.symlink_to(secret)
    else:
        file.mkdir()
    rest = bench.service.create_rest_client()
    url = rest.get_checkpoint_archive_url_from_tinker_path(saved).result(timeout=WAIT_S).url
    with pytest.raises(APIStatusError, match=r"adapter_model\.safetensors: is damaged"):
        rest.download_checkpoint(saved, tmp_path / "target").result(timeout=WAIT_S)
    assert url
    shutil.rmtree(directory)
