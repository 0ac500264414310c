"""What is read and done beside training: runs, checkpoints, sessions, samplers, telemetry, archives."""

import io
import tarfile
from datetime import datetime
from urllib.parse import urlsplit

import pytest

from tests.embedded.app.caller import Caller


@pytest.fixture
def saved(caller: Caller) -> tuple[Caller, str, str]:
    """A model with one checkpoint of each kind; the caller, the run and its session."""
    session = caller.session()
    model = caller.model(session)
    caller.done("save_weights", model_id=model, seq_id=1, path="one", user_metadata={"a": "b"})
    caller.done("save_weights_for_sampler", model_id=model, seq_id=2, path="two")
    return caller, model, session


def test_runs_are_listed_newest_first(caller: Caller) -> None:
    """Pages by limit and offset, with a cursor that knows the total."""
    session = caller.session()
    models = [caller.model(session, number) for number in range(3)]
    page = caller.send("GET", "training_runs?limit=2&offset=1").json()
    assert [run["training_run_id"] for run in page["training_runs"]] == [models[1], models[0]]
    assert page["cursor"] == {"offset": 1, "limit": 2, "total_count": 3}


@pytest.mark.parametrize("scope", ["owned", "accessible"])
def test_a_run_is_described(saved: tuple[Caller, str, str], scope: str) -> None:
    """Owner, shape, last checkpoints; the one user owns all."""
    caller, model, _ = saved
    run = caller.send("GET", f"training_runs/{model}?access_scope={scope}").json()
    assert (run["base_model"], run["is_lora"], run["lora_rank"], run["corrupted"]) == (
        "tinsmith/tiny",
        True,
        4,
        False,
    )
    assert run["last_checkpoint"]["tinker_path"] == f"tinker://{model}/weights/one"
    assert run["last_sampler_checkpoint"]["checkpoint_id"] == "sampler_weights/two"
    assert datetime.fromisoformat(run["last_request_time"]).tzinfo is not None


def test_checkpoints_are_listed(saved: tuple[Caller, str, str]) -> None:
    """Those of a run and those of the user, newest first, with type, size and metadata."""
    caller, model, _ = saved
    of_run = caller.send("GET", f"training_runs/{model}/checkpoints").json()["checkpoints"]
    of_user = caller.send("GET", "checkpoints?limit=100&offset=0").json()
    assert of_run == of_user["checkpoints"]
    assert [one["checkpoint_type"] for one in of_run] == ["sampler", "training"]
    assert of_run[1]["user_metadata"] == {"a": "b"}
    assert of_run[1]["size_bytes"] > 0
    assert of_user["cursor"] == {"offset": 0, "limit": 100, "total_count": 2}
    assert caller.send("GET", "training_runs/nobody/checkpoints").status_code == 404


def test_publish_and_unpublish(saved: tuple[Caller, str, str]) -> None:
    """Public is shown in lists; doing it twice is 409."""
    caller, model, _ = saved
    path = f"training_runs/{model}/checkpoints/weights/one"
    assert caller.send("POST", f"{path}/publish").status_code == 204
    assert caller.send("POST", f"{path}/publish").status_code == 409
    assert caller.send("GET", f"training_runs/{model}").json()["last_checkpoint"]["public"] is True
    assert caller.send("DELETE", f"{path}/publish").status_code == 204
    assert caller.send("DELETE", f"{path}/publish").status_code == 409
    assert caller.send("POST", f"training_runs/{model}/checkpoints/weights/none/publish").status_code == 404


def test_ttl_is_given_and_taken(saved: tuple[Caller, str, str]) -> None:
    """`null` takes it away."""
    caller, model, _ = saved
    path = f"training_runs/{model}/checkpoints/weights/one/ttl"
    assert caller.send("PUT", path, json={"ttl_seconds": 3600}).status_code == 204
    shown = caller.send("GET", f"training_runs/{model}").json()["last_checkpoint"]
    lasts = datetime.fromisoformat(shown["expires_at"]) - datetime.fromisoformat(shown["time"])
    assert 3590 < lasts.total_seconds() < 3700
    assert caller.send("PUT", path, json={"ttl_seconds": None}).status_code == 204
    assert caller.send("GET", f"training_runs/{model}").json()["last_checkpoint"]["expires_at"] is None
    assert caller.send("PUT", path, json={}).status_code == 422


def test_delete(saved: tuple[Caller, str, str]) -> None:
    """A deleted checkpoint is gone with its files; a bare name is refused."""
    caller, model, _ = saved
    found = caller.service.checkpoints.find(f"tinker://{model}/weights/one")
    assert found is not None
    assert caller.send("DELETE", f"training_runs/{model}/checkpoints/one").status_code == 400
    assert caller.send("DELETE", f"training_runs/{model}/checkpoints/weights/one").status_code == 204
    assert caller.send("DELETE", f"training_runs/{model}/checkpoints/weights/one").status_code == 404
    assert not (caller.service.files.root / found.directory).exists()
    assert caller.post("weights_info", tinker_path=found.tinker_path).status_code == 404


def archive(caller: Caller, model: str) -> str:
    """Return the path of a signed URL, below the API's root."""
    answer = caller.send("GET", f"training_runs/{model}/checkpoints/weights/one/archive")
    assert answer.status_code == 302
    assert answer.headers["expires"].endswith("GMT")
    return urlsplit(answer.headers["location"]).path.removeprefix("/api/v1/")


def test_an_archive_is_a_tar_of_the_checkpoint(saved: tuple[Caller, str, str]) -> None:
    """The 302 leads to a tar whose members load as they are."""
    caller, model, _ = saved
    answer = caller.send("GET", archive(caller, model))
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        assert sorted(tar.getnames()) == [
            "adapter_config.json",
            "adapter_model.safetensors",
            "optimizer.safetensors",
        ]


def test_a_download_can_be_continued(saved: tuple[Caller, str, str]) -> None:
    """Range gives the rest of the same bytes; If-Range with another tag gives the whole."""
    caller, model, _ = saved
    path = archive(caller, model)
    whole = caller.send("GET", path)
    rest = caller.send("GET", path, headers={"range": "bytes=1000-", "if-range": whole.headers["etag"]})
    assert (rest.status_code, rest.content) == (206, whole.content[1000:])
    assert rest.headers["content-range"] == f"bytes 1000-{len(whole.content) - 1}/{len(whole.content)}"
    stale = caller.send("GET", path, headers={"range": "bytes=1000-", "if-range": '"other"'})
    assert (stale.status_code, stale.content) == (200, whole.content)
    again = caller.send("GET", archive(caller, model))
    assert (again.headers["etag"], again.content) == (whole.headers["etag"], whole.content)


def test_a_signature_is_needed_and_ends(saved: tuple[Caller, str, str]) -> None:
    """A changed or expired URL is refused."""
    caller, model, _ = saved
    path = archive(caller, model)
    assert caller.send("GET", path[:-4] + "AAAA").status_code == 403
    assert caller.send("GET", "x-tinsmith/archives/nonsense").status_code == 403
    caller.clock.ahead_s = 901
    assert caller.send("GET", path).status_code == 403


def test_files_of_an_external_checkpoint_are_signed_one_by_one(caller: Caller) -> None:
    """save_weights_external, then a URL a file."""
    model = caller.model()
    made = caller.done("save_weights_external", model_id=model, seq_id=1, path="out")
    assert made["path"] == f"tinker://{model}/external_weights/out"
    found = caller.send(
        "GET", f"training_runs/{model}/checkpoints/external_weights/out/external_weights_urls"
    )
    urls = found.json()["urls"]
    assert sorted(urls) == ["adapter_config.json", "adapter_model.safetensors"]
    path = urlsplit(urls["adapter_config.json"]).path.removeprefix("/api/v1/")
    assert caller.send("GET", path).json()["r"] == 4


def test_sessions_are_described_listed_and_finished(saved: tuple[Caller, str, str]) -> None:
    """A finished session takes no more work, and its heartbeat answers 410."""
    caller, model, session = saved
    sampler = caller.ok(
        "create_sampling_session",
        session_id=session,
        sampling_session_seq_id=0,
        model_path=f"tinker://{model}/sampler_weights/two",
    )["sampling_session_id"]
    assert sampler == f"{session}:sample:0"
    described = caller.send("GET", f"sessions/{session}").json()
    assert (described["training_run_ids"], described["sampler_ids"]) == ([model], [sampler])
    assert caller.send("GET", "sessions?limit=1").json() == {"sessions": [session]}
    shown = caller.send("GET", f"samplers/{sampler}").json()
    assert (shown["base_model"], shown["model_path"]) == (
        "tinsmith/tiny",
        f"tinker://{model}/sampler_weights/two",
    )
    done = {"reason": {"type": "success"}, "detail": None}
    assert caller.send("POST", f"sessions/{session}/finish", json=done).status_code == 204
    assert caller.post("session_heartbeat", session_id=session).status_code == 410
    refused = caller.post("create_model", session_id=session, model_seq_id=5, base_model="tinsmith/tiny")
    assert (refused.status_code, "finished" in refused.text) == (404, True)


def test_sessions_are_searched(caller: Caller) -> None:
    """By metadata, name, project and status, in pages."""
    for number in range(3):
        caller.ok(
            "create_session",
            tags=[],
            user_metadata={"n": str(number % 2)},
            sdk_version="1",
            display_name=f"Run {number}",
        )
    found = caller.ok("sessions/search", user_metadata={"n": "0"}, limit=1)
    assert [one["display_name"] for one in found["sessions"]] == ["Run 2"]
    rest = caller.ok("sessions/search", user_metadata={"n": "0"}, cursor=found["next_cursor"])
    assert ([one["display_name"] for one in rest["sessions"]], rest["next_cursor"]) == (["Run 0"], None)
    assert (
        len(caller.ok("sessions/search", display_name="run", statuses=[{"type": "active"}])["sessions"]) == 3
    )
    nobody = {"last_created_at": "2026-11-22T06:55:44Z", "last_session_id": "nobody"}
    for cursor, status in (("x", 422), (3, 422), ({}, 422), (nobody, 400)):
        assert caller.post("sessions/search", cursor=cursor).status_code == status


def test_a_session_is_found_by_id_or_name(caller: Caller) -> None:
    """An id and a name are alternatives, and of a name every word counts, anywhere and in any case."""
    opened = [
        caller.ok("create_session", tags=[], user_metadata={}, sdk_version="1", display_name=name)
        for name in ("Baseline, seed 3", "Baseline, seed 4", None)
    ]
    ids = [one["session_id"] for one in opened]

    def found(**search: str) -> set[str]:
        return {one["session_id"] for one in caller.ok("sessions/search", **search)["sessions"]}

    assert found(display_name="SEED base") == {ids[0], ids[1]}
    assert found(display_name="seed 3", session_id=ids[2]) == {ids[0], ids[2]}
    assert found(display_name="seed 5") == set()


def test_metadata_of_any_kind_is_answered_as_text(caller: Caller) -> None:
    """Values that are no text come back as their JSON."""
    given = {"name": "a", "seed": 3, "sweep": {"lr": [0.1]}}
    told = {"name": "a", "seed": "3", "sweep": '{"lr":[0.1]}'}
    session = caller.ok("create_session", tags=[], user_metadata=given, sdk_version="1")["session_id"]
    body = {"base_model": "tinsmith/tiny", "lora_config": {"rank": 1}, "user_metadata": given}
    model = caller.done("create_model", session_id=session, model_seq_id=0, **body)["model_id"]
    assert caller.send("GET", f"sessions/{session}").json()["user_metadata"] == told
    assert caller.send("GET", f"training_runs/{model}").json()["user_metadata"] == told
    assert len(caller.ok("sessions/search", user_metadata={"seed": "3"})["sessions"]) == 1


def test_a_found_session_says_what_became_of_it(caller: Caller) -> None:
    """State with its reason, checkpoints with their size, and when it was opened."""
    model = caller.model()
    session = model.partition(":")[0]
    size = caller.done("save_weights", model_id=model, seq_id=1, path="a") and sum(
        row.size_bytes for row in caller.service.checkpoints.of_run(model)
    )
    [before] = caller.ok("sessions/search", session_id=session)["sessions"]
    assert (before["status"], before["checkpoints_count"]) == ({"type": "active"}, 1)
    assert (before["checkpoint_storage_bytes"], before["owner"], before["project_id"]) == (size, "local", "")
    assert before["created_at"].endswith("Z")
    done = {"reason": {"type": "errored"}, "detail": "too hot"}
    caller.send("POST", f"sessions/{session}/finish", json=done)
    for reasons, count in ((None, 1), (["errored"], 1), (["success"], 0)):
        status = {"type": "client_finished", "reasons": reasons}
        assert len(caller.ok("sessions/search", statuses=[status])["sessions"]) == count
    [after] = caller.ok("sessions/search")["sessions"]
    assert after["status"] == {"type": "client_finished", **done}


def test_a_session_is_put_in_a_project(caller: Caller) -> None:
    """Runs can then be listed by project."""
    session, other = caller.session(), caller.session()
    model = caller.model(session)
    caller.model(other)
    assert caller.send("PUT", f"sessions/{session}/project", json={"project_id": "p"}).status_code == 204
    page = caller.send("GET", "training_runs?project_id=p").json()
    assert [run["training_run_id"] for run in page["training_runs"]] == [model]
    assert page["cursor"]["total_count"] == 1


def test_the_disk_space_of_checkpoints_by_project(caller: Caller) -> None:
    """External ones and copies count, each for its own project; one project can be asked for."""
    session = caller.session()
    model, other = caller.model(session), caller.model()
    caller.send("PUT", f"sessions/{session}/project", json={"project_id": "p"})
    path = caller.done("save_weights", model_id=model, seq_id=1, path="a")["path"]
    caller.done("save_weights_external", model_id=model, seq_id=2, path="b")
    caller.done("save_weights", model_id=other, seq_id=1, path="c")
    caller.ok("copy_weights", source_path=path, destination_project_id="q")
    items = caller.send("GET", "billing/usage/checkpoints/current").json()["data"]
    assert [(item["project_id"], item["checkpoint_count"]) for item in items] == [
        (None, 1), ("p", 2), ("q", 1),
    ]  # fmt: skip
    assert items[2]["size_bytes"] == items[0]["size_bytes"]
    assert items[1]["size_gigabytes"] == items[1]["size_bytes"] / 1e9
    asked = caller.send("GET", "billing/usage/checkpoints/current?project_id=q").json()["data"]
    assert asked == items[2:]


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2026-11-01T00:00:00Z", "2026-11-15T01:00:00Z", "ending_before"),
        ("2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", "ending_before"),
        ("2026-11-01T00:00:00Z", "2026-11-02T00:30:00Z", "ending_before"),
        ("0001-01-01T00:00:00%2B01:00", "2026-11-02T00:00:00Z", "starting_on"),
        ("9999-12-31T23:00:00Z", "9999-12-31T23:00:00Z", "ending_before"),
        ("2026-11-01T00:00:01Z", "2026-11-02T00:00:00Z", "starting_on"),
        ("2026-13-01T00:00:00Z", "2026-11-02T00:00:00Z", "starting_on"),
    ],
)
def test_usage_periods_are_full_hours_of_at_most_two_weeks(
    caller: Caller, start: str, end: str, field: str
) -> None:
    """What the API refuses is refused here too, so that a script fails before it meets the bill."""
    answer = caller.send("GET", f"billing/usage/events?starting_on={start}&ending_before={end}")
    assert (answer.status_code in (400, 422), answer.json()["field"]) == (True, field)


def test_a_copied_checkpoint_is_independent(saved: tuple[Caller, str, str]) -> None:
    """copy_weights to a project; the key makes a repetition the same copy."""
    caller, model, _ = saved
    body = {"source_path": f"tinker://{model}/weights/one", "destination_project_id": "p q"}
    headers = {"x-idempotency-key": "k"}
    copies = [caller.send("POST", "copy_weights", json=body, headers=headers).json() for _ in range(2)]
    assert copies[0] == copies[1]
    assert caller.post("copy_weights", **body).status_code == 409
    caller.send("DELETE", f"training_runs/{model}/checkpoints/weights/one")
    assert caller.ok("weights_info", tinker_path=copies[0]["tinker_path"])["lora_rank"] == 4


def test_telemetry_is_kept(caller: Caller) -> None:
    """Events of known and unknown sessions can be read back."""
    event = {
        "event": "SESSION_START",
        "event_id": "1",
        "event_session_index": 0,
        "severity": "INFO",
        "timestamp": "2026-11-22T06:55:44Z",
    }
    answer = caller.ok(
        "telemetry", events=[event], platform="Linux", sdk_version="1", session_id="sessionless-1"
    )
    assert answer == {"status": "accepted"}
    [(session, _, kept)] = caller.service.telemetry.read()
    assert session == "sessionless-1"
    assert '"SESSION_START"' in kept


def test_the_tokenizer_is_handed_out(caller: Caller) -> None:
    """get_info names a tokenizer that the extension route has."""
    model = caller.model()
    name = caller.ok("get_info", model_id=model)["model_data"]["tokenizer_id"]
    found = caller.send("GET", f"x-tinsmith/tokenizers?base_model={name}").json()
    assert '"BPE"' in found["tokenizer_json"]
    assert found["eos_token"] == "<|im_end|>"
    assert "im_start" in found["chat_template"]
    assert caller.send("GET", "x-tinsmith/tokenizers?base_model=nobody").status_code == 404


def test_operations_that_are_not_offered_say_so(caller: Caller) -> None:
    """No bill, no audit log, no traces, one key."""
    session = caller.session()
    hours = "starting_on=2026-11-01T00:00:00Z&ending_before=2026-11-02T00:00:00Z"
    assert caller.send("GET", f"billing/usage/events?{hours}").json()["data"] == []
    assert caller.send("GET", "billing/usage/checkpoints/current").json()["data"] == []
    assert caller.send("GET", "audit?event_type=all").json() == {"entries": []}
    assert caller.send("GET", f"sessions/{session}/trace_export").json()["status"] == "failed"
    assert caller.send("DELETE", "auth/apikey/me").status_code == 403
    assert caller.ok("client/config", sdk_version="0.38.0")["parallel_fwdbwd_chunks"] is False
    assert caller.ok("client/dynamic_config", sdk_version="0.38.0")["sample_cancel_enabled"] is True
