"""External checkpoints: fetched file by file, resumed, renewed, and in place as a whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import tinsmith
from tinsmith import (
    InputError,
    NotFoundError,
    RestClient,
    ServiceClient,
    UnsafeArchiveError,
    testing,
)
from tinsmith.io.http.messages import Answer

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tinsmith.io.http.messages import Seen

PATH = "tinker://run:train:0/external_weights/one"


class Store:
    """A store behind signed URLs that fails as it is told."""

    def __init__(self) -> None:
        self.files = {"adapter_config.json": b"{}", "sub/weights.bin": b"w" * 100_000}
        self.expires = datetime.now(UTC) + timedelta(hours=1)
        self.signed = 0
        self.fetched: list[str] = []
        self.refused: dict[str, int] = {}
        self.keys: list[str | None] = []

    def rule(self, operation: str, seen: Seen, _body: dict[str, Any]) -> Answer | None:
        """Answer the route that signs, and the signed URLs themselves."""
        if operation.endswith("/external_weights_urls"):
            self.signed += 1
            urls = {name: f"/store/{name}?sig={self.signed}" for name in self.files}
            return testing.reply({"urls": urls, "expires": self.expires.isoformat()})
        if not seen.path.startswith("store/"):
            return None
        name = seen.path.removeprefix("store/")
        self.fetched.append(name)
        self.keys.append(seen.headers.get("x-api-key"))
        if self.refused.get(name, 0) > 0:
            self.refused[name] -= 1
            return Answer(403, {}, b"expired")
        return Answer(200, {"etag": '"1"'}, self.files[name])


@pytest.fixture
def store() -> Store:
    """Make a store."""
    return Store()


@pytest.fixture
def rest(store: Store) -> Iterator[RestClient]:
    """Make a client of a service with that store."""
    with testing.frozen_clock():
        service = testing.LedgerService()
        service.rules.append(store.rule)
        yield ServiceClient(**service.settings()).create_rest_client()


def contents(folder: Path) -> dict[str, bytes]:
    """Read a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_all_files_come(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """Each once, without the key, heard of as they come; nothing is left beside the folder."""
    heard: list[tuple[str, int, int | None]] = []
    made = rest.download_external_weights(
        PATH, tmp_path / "into" / "here", progress=lambda *parts: heard.append(parts)
    ).result(WAIT_S)
    assert contents(made) == store.files
    assert store.fetched == sorted(store.files)
    assert store.keys == [None, None]
    assert heard[-1][:2] == ("sub/weights.bin", 100_000)
    assert [path.name for path in made.parent.iterdir()] == ["here"]


def test_what_came_is_kept(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """A call that failed on the second file asks for that one alone when it is made again."""
    store.refused["sub/weights.bin"] = 99
    with pytest.raises(tinsmith.PermissionDeniedError):
        rest.download_external_weights(PATH, tmp_path / "here").result(WAIT_S)
    assert not (tmp_path / "here").exists()
    store.refused.clear()
    store.fetched.clear()
    made = rest.download_external_weights(PATH, tmp_path / "here").result(WAIT_S)
    assert contents(made) == store.files
    assert store.fetched == ["sub/weights.bin"]


def test_expired_urls_are_signed_anew(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """One that is refused is asked for again, and one that ends soon is not begun with."""
    store.refused["adapter_config.json"] = 1
    made = rest.download_external_weights(PATH, tmp_path / "one").result(WAIT_S)
    assert contents(made) == store.files
    assert store.signed == 2
    store.signed, store.expires = 0, datetime.now(UTC) + timedelta(minutes=1)
    rest.download_external_weights(PATH, tmp_path / "two").result(WAIT_S)
    assert store.signed == 3


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", "a\\b", "a/../../b", "a\nb"])
def test_name_that_leaves_the_folder_is_refused(
    rest: RestClient, store: Store, tmp_path: Path, name: str
) -> None:
    """By the rules for members of archives, before anything is fetched."""
    store.files = {name: b"evil"}
    with pytest.raises(UnsafeArchiveError):
        rest.download_external_weights(PATH, tmp_path / "here").result(WAIT_S)
    assert store.fetched == []
    assert list(tmp_path.iterdir()) == []


def test_target_is_not_replaced_unasked(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """A folder that is there stays, unless `overwrite` says otherwise; then nothing old is left in it."""
    target = tmp_path / "here"
    target.mkdir()
    (target / "mine").write_text("mine")
    with pytest.raises(FileExistsError):
        rest.download_external_weights(PATH, target).result(WAIT_S)
    assert contents(target) == {"mine": b"mine"}
    made = rest.download_external_weights(PATH, target, overwrite=True).result(WAIT_S)
    assert contents(made) == store.files
    with pytest.raises(InputError):
        rest.download_external_weights("/tmp/here", target)


def test_against_the_embedded_service(tmp_path: Path) -> None:
    """Saved, fetched, copied, searched, put in a project and finished: what the service of today answers."""
    with tinsmith.ServiceClient(base_url="local:", display_name="files") as service:
        trainer = service.create_lora_training_client("tinsmith/tiny", rank=2, seed=1)
        saved = trainer.save_weights_external("release").result()
        rest = service.create_rest_client()
        assert saved.path is not None
        folder = rest.download_external_weights(saved.path, tmp_path / "release").result()
        assert "adapter_model.safetensors" in contents(folder)
        state = trainer.save_state("state", user_metadata={"kind": "best"}).result().path
        session_id = trainer.model_id.partition(":")[0]
        assert service.session_id == session_id
        copied = [service.copy_weights(state).result(), rest.copy_weights(state, "project").result()]
        assert copied[0].startswith(f"tinker://{session_id}:train:1/weights/")
        assert service.create_training_client_from_state(copied[0]).model_id.endswith(":train:2")
        rest.assign_session_project(session_id, "project").result()
        search = tinsmith.types.SessionSearchRequest(
            project_ids=["project"], statuses=[tinsmith.types.ActiveSessionStatusQuery()]
        )
        assert [one.display_name for one in rest.search_sessions(search).result().sessions] == ["files"]
        assert rest.get_audit_log().result().entries == []
        stored = rest.get_current_checkpoint_storage_usage("project").result().data
        assert [(item.project_id, item.checkpoint_count) for item in stored] == [("project", 4)]
        day = "2026-11-01T00:00:00Z"
        assert rest.get_billing_usage(day, "2026-11-02T00:00:00Z").result().data == []
        assert rest.whoami().result().org_urn == "tml:organization:local"
        with pytest.raises(tinsmith.RequestFailedError, match="no traces"):
            rest.export_session_trace(session_id).result()
        with pytest.raises(NotFoundError):
            rest.copy_weights("tinker://nobody/weights/x", "project").result()
        with pytest.raises(tinsmith.BadRequestError):
            trainer.save_weights_external("secret", age_encryption_recipients=["age1x"]).result()


def test_file_that_is_no_longer_listed(rest: RestClient, store: Store, tmp_path: Path) -> None:
    """When its URL has to be signed anew and the server does not list it, the download fails as a whole."""
    kept = store.refused["sub/weights.bin"] = 1

    class Forgetful(dict[str, int]):
        def get(self, name: str, default: Any = None) -> Any:
            if name == "sub/weights.bin":
                store.files.pop(name, None)
            return kept if name == "sub/weights.bin" else default

    store.refused = Forgetful(store.refused)
    with pytest.raises(tinsmith.APIResponseValidationError, match="no URL"):
        rest.download_external_weights(PATH, tmp_path / "here").result(WAIT_S)
    assert not (tmp_path / "here").exists()


class Traces:
    """A server of traces whose store breaks off in the middle."""

    def __init__(self) -> None:
        self.asked = 0
        self.ranges: list[str | None] = []
        self.answers: list[Answer] = []

    def rule(self, operation: str, seen: Seen, _body: dict[str, Any]) -> Answer | None:
        """Answer the route that exports, and the signed URL."""
        if operation.endswith("/trace_export"):
            self.asked += 1
            return testing.reply({"status": "ready", "url": f"/store/trace?sig={self.asked}"})
        if not seen.path.startswith("store/"):
            return None
        assert "x-api-key" not in seen.headers
        self.ranges.append(seen.headers.get("range"))
        return self.answers.pop(0)


@pytest.fixture
def traces() -> Iterator[tuple[Traces, RestClient]]:
    """Make a client of such a server."""
    with testing.frozen_clock():
        service, made = testing.LedgerService(), Traces()
        service.rules.append(made.rule)
        yield made, ServiceClient(**service.settings()).create_rest_client()


def test_a_trace_goes_on_where_it_stopped(traces: tuple[Traces, RestClient], tmp_path: Path) -> None:
    """A file that broke off is continued, an expired URL renewed; the trace is there in full, and alone."""
    server, rest = traces
    dest = tmp_path / "deep" / "trace.json"
    server.answers = [
        Answer(200, {"etag": '"1"', "content-length": "10"}, b"{12345"),
        Answer(403, {}, b"expired"),
        Answer(206, {"etag": '"1"', "content-range": "bytes 6-9/10"}, b"678}"),
    ]
    assert rest.download_session_trace("s", dest).result(WAIT_S) == dest
    assert dest.read_bytes() == b"{12345678}"
    assert server.ranges == [None, "bytes=6-", "bytes=6-"]
    assert server.asked == 2
    assert [path.name for path in dest.parent.iterdir()] == ["trace.json"]


def test_a_trace_replaces_a_file_when_it_may(traces: tuple[Traces, RestClient], tmp_path: Path) -> None:
    """A file that is there is refused before anything is asked, and replaced with `overwrite`."""
    server, rest = traces
    dest = tmp_path / "trace.json"
    dest.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        rest.download_session_trace("s", dest).result(WAIT_S)
    assert (server.asked, dest.read_bytes()) == (0, b"old")
    server.answers = [Answer(200, {}, b"{}")]
    rest.download_session_trace("s", dest, overwrite=True).result(WAIT_S)
    assert dest.read_bytes() == b"{}"
