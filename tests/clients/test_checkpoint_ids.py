"""Ids of checkpoints go out as the server spells them, and in the other form where it has no such route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import APIStatusError, ServiceClient, testing
from tinsmith.io.http.messages import Answer
from tinsmith.testing.ledger_service import reply

if TYPE_CHECKING:
    from tinsmith.io.http.messages import Seen

WAIT_S = 20.0
RUN = "training_runs/run1/checkpoints"


class Keeper(testing.LedgerService):
    """A service whose routes of checkpoints take ids of `segments` segments."""

    def __init__(self, segments: int, missing: str | None = None) -> None:
        super().__init__()
        self.segments = segments
        self.missing = missing
        self.asked: list[str] = []
        self.rules.append(self.serve)

    def serve(self, asked: str, seen: Seen, _body: dict[str, Any]) -> Answer | None:
        """Answer for one checkpoint."""
        if not asked.startswith(RUN):
            return None
        end = "/archive" if asked.endswith("/archive") else ""
        name = asked.removeprefix(RUN + "/").removesuffix(end)
        self.asked.append(f"{seen.method} {name}")
        if len(name.split("/")) != self.segments:
            return reply({"detail": "Not Found"}, 404)
        if name == self.missing:
            return reply({"detail": f"Checkpoint not found: {name}"}, 404)
        return Answer(302, {"location": "https://store.example/x"}, b"") if end else Answer(204, {}, b"")


@pytest.mark.parametrize(
    ("segments", "checkpoint_id", "sent"),
    [
        (1, "samp-a", ["samp-a"]),
        (1, "sampler_weights/samp-a", ["sampler_weights/samp-a", "samp-a"]),
        (2, "weights/a", ["weights/a"]),
        (2, "samp-a", ["samp-a", "sampler_weights/samp-a"]),
    ],
)
def test_ids_go_out_as_the_server_spells_them(segments: int, checkpoint_id: str, sent: list[str]) -> None:
    """What a list of the server says works as it is; the other form costs one more request."""
    service = Keeper(segments)
    with ServiceClient(**service.settings()) as client:
        rest = client.create_rest_client()
        assert rest.get_checkpoint_archive_url("run1", checkpoint_id).result(WAIT_S).url.endswith("/x")
        assert service.asked == [f"GET {name}" for name in sent]
        rest.delete_checkpoint("run1", checkpoint_id).result(WAIT_S)
        assert service.asked[len(sent) :] == [f"DELETE {name}" for name in sent]


@pytest.mark.parametrize(
    ("segments", "checkpoint_id"),
    [(1, "gone"), (1, "weights/gone"), (2, "gone"), (2, "sampler_weights/gone")],
)
def test_a_checkpoint_that_is_missing_is_told_as_that(segments: int, checkpoint_id: str) -> None:
    """Not as a route that is missing, whichever form was tried last."""
    service = Keeper(segments, "gone" if segments == 1 else "sampler_weights/gone")
    with ServiceClient(**service.settings()) as client:
        future = client.create_rest_client().get_checkpoint_archive_url("run1", checkpoint_id)
        with pytest.raises(APIStatusError, match="Checkpoint not found"):
            future.result(WAIT_S)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_bare_name_that_is_refused_is_asked_for_with_its_kind(status: int) -> None:
    """SkyRL 0.4 saves under bare names, lists both, and deletes by kind and name alone."""
    service = Keeper(2)
    told = reply({"detail": "Invalid checkpoint identifier. Expected format 'weights/<name>'"}, status)
    service.rules.insert(0, lambda asked, *_: told if asked == f"{RUN}/a" else None)
    with ServiceClient(**service.settings()) as client:
        client.create_rest_client().delete_checkpoint_from_tinker_path("tinker://run1/a").result(WAIT_S)
    assert service.asked == ["DELETE sampler_weights/a"]


def test_a_server_that_has_kinds_is_asked_once() -> None:
    """Where the profile says so, a bare name is one of sampler weights."""
    service = Keeper(2)
    with ServiceClient(**service.settings(server="tinsmith")) as client:
        client.create_rest_client().delete_checkpoint("run1", "a").result(WAIT_S)
    assert service.asked == ["DELETE sampler_weights/a"]


def test_a_bare_name_that_reads_as_a_kind_never_stands_alone() -> None:
    """`DELETE …/weights/publish` would delete a checkpoint called publish."""
    service = Keeper(2)
    with ServiceClient(**service.settings()) as client:
        client.create_rest_client().delete_checkpoint("run1", "weights").result(WAIT_S)
    assert service.asked == ["DELETE sampler_weights/weights"]
