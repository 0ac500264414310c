"""Downloads: resumed by Range, verified by size and hash, atomic, and without the key."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import (
    APIResponseValidationError,
    InputError,
    NotFoundError,
    RestClient,
    ServiceClient,
    TinkerError,
    UnsafeArchiveError,
    testing,
)
from tinsmith.io.http.messages import Answer
from tinsmith.testing.sockets import CutAnswer

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.io.http.messages import Seen

PATH = "tinker://run:train:0/weights/0001"


def archive(content: bytes = b"weights" * 50_000) -> bytes:
    """Pack one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("adapter_model.safetensors")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class Store:
    """A store behind signed URLs that can cut, change and refuse."""

    def __init__(self) -> None:
        self.content = archive()
        self.etag: str | None = '"v1"'
        self.cut_at: list[int] = []
        self.refuse: list[int] = []
        self.headers: dict[str, str] = {}
        self.ranges: list[str | None] = []
        self.keys: list[str | None] = []
        self.signed = 0
        self.location = "/store/file"

    def rule(self, operation: str, seen: Seen, _body: dict[str, Any]) -> Answer | None:
        """Answer the route that signs, and the signed URL itself."""
        if operation.endswith("/archive"):
            self.signed += 1
            return Answer(302, {"location": f"{self.location}?sig={self.signed}"}, b"")
        if not seen.path.startswith("store/"):
            return None
        self.ranges.append(seen.headers.get("range"))
        self.keys.append(seen.headers.get("x-api-key"))
        if self.refuse:
            return Answer(self.refuse.pop(0), {}, b"<Error>expired</Error>")
        start = 0
        if seen.headers.get("range") and seen.headers.get("if-range") == self.etag:
            start = int(seen.headers["range"].removeprefix("bytes=").rstrip("-"))
        body = self.content[start:]
        headers = {**self.headers, **({"etag": self.etag} if self.etag else {})}
        total = len(self.content)
        headers |= {"content-range": f"bytes {start}-{total - 1}/{total}"} if start else {}
        if self.cut_at:
            raise CutAnswer(Answer(206 if start else 200, headers, body), self.cut_at.pop(0))
        return Answer(206 if start else 200, headers, body)


@pytest.fixture
def store() -> Store:
    """Make a store."""
    return Store()


@pytest.fixture
def rest(store: Store) -> Iterator[RestClient]:
    """Make a client over a service that has the store, on a real socket, since cuts are the point."""
    service = testing.LedgerService()
    service.rules.append(store.rule)
    with (
        testing.SocketServer(service) as server,
        ServiceClient(base_url=server.url, api_key="tml-x", max_retries=3) as client,
    ):
        yield client.create_rest_client()


def test_download(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """A checkpoint arrives unpacked, with progress told, and no key went to the store."""
    told: list[tuple[int, int | None]] = []
    made = rest.download_checkpoint(
        PATH, tmp_path / "deep/target", progress=lambda done, total: told.append((done, total))
    ).result(WAIT_S)
    assert made == tmp_path / "deep/target"
    assert (made / "adapter_model.safetensors").read_bytes() == b"weights" * 50_000
    assert told[-1] == (len(store.content), len(store.content))
    assert store.keys == [None]
    assert [path.name for path in made.parent.iterdir()] == ["target"]


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("file:///srv/a", "'file:///srv/a', a place on its own machine: copy it there"),
        ("s3://bucket/a", "'s3://bucket/a', which is not fetched over http"),
        ("http://elsewhere.example/a", "http to elsewhere.example would send"),
    ],
)
def test_address_that_is_none_to_fetch_from(
    rest: RestClient, store: Store, tmp_path: Path, location: str, told: str
) -> None:
    """The error says where the archive is; nothing was interrupted, and nothing is tried again."""
    store.location = location
    with pytest.raises(TinkerError) as caught:
        rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)
    assert told in str(caught.value)
    assert "interrupted" not in str(caught.value)
    assert "base_url" not in str(caught.value)
    assert store.signed == 1
    assert not (tmp_path / "target").exists()


def test_cut_download_goes_on_where_it_stopped(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """After a cut only the rest is asked for, under the ETag of what is here."""
    store.cut_at = [100_000]
    rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)
    assert store.ranges == [None, "bytes=100000-"]


def test_changed_file_is_fetched_anew(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """When the file changed between two pieces, nothing of the old one is kept."""
    store.cut_at = [100_000]
    old = store.rule

    def changing(*arguments: Any) -> Answer | None:
        if store.ranges:
            store.content, store.etag = archive(b"other" * 60_000), '"v2"'
        return old(*arguments)

    service = testing.LedgerService()
    service.rules.append(changing)
    with (
        testing.SocketServer(service) as server,
        ServiceClient(base_url=server.url, api_key="tml-x") as client,
    ):
        made = client.create_rest_client().download_checkpoint(PATH, tmp_path / "t").result(WAIT_S)
    assert (made / "adapter_model.safetensors").read_bytes() == b"other" * 60_000


def test_interrupted_call_is_resumed_by_the_next(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """A call that fails keeps what it has; the next call, perhaps of another process, goes on from there."""
    store.cut_at = [100_000, 0, 0, 0, 0, 0]
    with pytest.raises(TinkerError):
        rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)
    assert not (tmp_path / "target").exists()
    store.cut_at = []
    store.ranges.clear()
    rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)
    assert store.ranges == ["bytes=100000-"]


def test_expired_signature_is_renewed(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """A signed URL that expired is asked for again."""
    store.refuse = [403]
    rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)
    assert store.signed == 2


@pytest.mark.parametrize("header", ["digest", "repr-digest", "x-amz-checksum-sha256"])
def test_hash_is_compared(rest: RestClient, store: Store, tmp_path: Path, header: str) -> None:
    """A file that does not hash to what the server says is thrown away, and fetched anew next time."""
    forms = {"digest": "sha-256={}", "repr-digest": "sha-256=:{}:", "x-amz-checksum-sha256": "{}"}
    wrong = base64.b64encode(bytes(32)).decode()
    store.headers = {header: forms[header].format(wrong)}
    with pytest.raises(APIResponseValidationError, match="sha256"):
        rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)
    assert list(tmp_path.iterdir()) == []
    right = base64.b64encode(hashlib.sha256(store.content).digest()).decode()
    store.headers = {header: forms[header].format(right)}
    assert rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)


def test_existing_target(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """An existing target is refused before anything is fetched, unless it is to be replaced."""
    (tmp_path / "target").mkdir()
    with pytest.raises(FileExistsError):
        rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)
    assert store.signed == 0
    assert rest.download_checkpoint(PATH, tmp_path / "target", overwrite=True).result(WAIT_S)


def test_errors_of_the_route(rest: RestClient, tmp_path: Path) -> None:
    """A malformed path raises at once; a checkpoint that is not there is a NotFoundError."""
    with pytest.raises(InputError):
        rest.download_checkpoint("tinker://x", tmp_path / "target")
    service = testing.LedgerService()
    client = ServiceClient(**service.settings())
    with pytest.raises(NotFoundError):
        client.create_rest_client().download_checkpoint(PATH, tmp_path / "t").result(WAIT_S)


def test_archive_of_the_embedded_service(tmp_path: Path) -> None:
    """A checkpoint of `local:` is fetched and unpacked like any other."""
    with ServiceClient(base_url="local:") as client:
        trainer = client.create_lora_training_client("tinsmith/tiny", rank=2)
        path = trainer.save_state("saved").result(WAIT_S).path
        made = client.create_rest_client().download_checkpoint(path, tmp_path / "t").result(WAIT_S)
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {
        entry.name for entry in Path(made).iterdir()
    }


def test_an_archive_without_its_end_is_fetched_anew(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """A server that sends less than it has is found out by the archive; the next call starts from nothing."""
    whole, store.etag = store.content, None
    store.content = whole[: 512 + 350_208]
    with pytest.raises(UnsafeArchiveError, match="truncated"):
        rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)
    assert list(tmp_path.iterdir()) == []
    store.content = whole
    made = rest.download_checkpoint(PATH, tmp_path / "target").result(WAIT_S)
    assert (made / "adapter_model.safetensors").read_bytes() == b"weights" * 50_000
