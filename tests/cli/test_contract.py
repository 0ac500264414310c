"""`tinsmith contract check`: the table, the JSON, exit codes, captures, and what it refuses."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import json
import os
import pty
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith.contract.document import shipped
from tinsmith.contract.exchange import redacted

from tests.cli.conftest import KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Asked, Result, Server


def test_the_embedded_service_passes(cli: Callable[..., Result]) -> None:
    """A probe says of each operation what came of it, and exits with 0."""
    done = cli("contract", "check", "local:")
    assert done.code == 0
    assert "healthz verified 200" in done.words
    assert "unknown session" in done.out
    assert "Deviations" not in done.out


def test_a_probe_makes_no_data_directory(cli: Callable[..., Result], tmp_path: Path) -> None:
    """Nothing is changed without --write: a service that was never used is not begun either."""
    assert cli("contract", "check", f"local:{tmp_path / 'data'}").code == 0
    assert list(tmp_path.iterdir()) == []


def test_write_walks_and_keeps_a_capture(cli: Callable[..., Result], tmp_path: Path) -> None:
    """With --write it trains; what was said can be judged again from the file, with the same verdicts."""
    file = tmp_path / "said.json"
    done = cli("contract", "check", "local:", "--write", "--capture", str(file), "-f", "json")
    assert done.code == 0
    verdicts = {row["operation"]: row["verdict"] for row in done.json["operations"]}
    assert verdicts["forward_backward"] == verdicts["asample"] == "verified"
    assert "deleted at the end" in done.err
    examples = json.loads(file.read_text())["examples"].values()
    packed = [each["request"] for each in examples if "protobuf" in (each["request"] or ())]
    assert packed
    assert all({"model_id", "seq_id"} <= body["json"].keys() for body in packed)
    again = cli("contract", "check", "--from", str(file), "-f", "json")
    assert {row["operation"]: row["verdict"] for row in again.json["operations"]} == verdicts


def test_a_server_that_deviates_is_a_failure(
    cli: Callable[..., Result], server: Server, tmp_path: Path
) -> None:
    """The place, the value and the rule are told, the exit code is 1, and no file holds the key."""
    server.on("GET", "/healthz", (200, {"status": 7}))
    server.on("POST", "/client/config", lambda asked: (200, {"echo": asked.key}))
    done = cli("contract", "check", "--capture", str(tmp_path / "said.json"))
    assert done.code == 1
    assert "healthz body/status 7" in done.words
    found = cli("contract", "check", server.url, "-f", "json")
    assert [(one["operation"], one["place"], one["value"]) for one in found.json["deviations"]] == [
        ("healthz", "body/status", "7")
    ]
    assert {row["verdict"] for row in found.json["operations"]} >= {"deviates", "absent"}
    assert KEY not in (tmp_path / "said.json").read_text()
    assert KEY not in done.out + found.out


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("write", [[], ["--write"]], ids=["probe", "write"])
def test_a_key_that_opens_nothing_is_an_error(
    cli: Callable[..., Result],
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    write: list[str],
) -> None:
    """Where all but the health check is refused there is nothing to report: the key is."""
    health = (200, {"status": "ok"})
    refusal = (status, {"detail": "who are you?"})
    monkeypatch.setattr(server, "answer", lambda asked: health if asked.path == "/healthz" else refusal)
    done = cli("contract", "check", *write)
    assert done.code == 4
    assert done.out == ""
    assert f"status {status}: who are you?" in done.err
    assert "TINKER_API_KEY" in done.err


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("shown", [[], ["-f", "json"]], ids=["table", "json"])
def test_a_server_of_another_api_is_a_failure(cli: Callable[..., Result], shown: list[str]) -> None:
    """Where nothing is served there is a report, a sentence, and an exit code that is no success."""
    done = cli("contract", "check", *shown)
    assert done.code == 1
    assert "absent" in done.out
    assert "served nothing beyond the health check" in done.err


def test_ctrl_c_ends_with_the_report(cli: Callable[..., Result], server: Server) -> None:
    """What was found until then is reported, with a row that says where the check ended."""

    def interrupt(_: Asked) -> tuple[int, Any]:
        os.kill(os.getpid(), signal.SIGINT)
        return 200, {"supported_models": []}

    server.on("GET", "/healthz", (200, {"status": "ok"}))
    server.on("GET", "/get_server_capabilities", interrupt)
    done = cli("contract", "check", "--write", "-f", "json")
    assert done.code == 130
    verdicts = {row["operation"]: row["verdict"] for row in done.json["operations"]}
    assert verdicts["healthz"] == "verified"
    assert verdicts["the check itself"] == "failed"
    assert done.json["passed"] is False


@pytest.mark.parametrize(("shown", "words"), [([], b"request 1"), (["-f", "json"], b"")])
def test_a_terminal_shows_what_is_waited_for(shown: list[str], words: bytes) -> None:
    """Stderr has the request that is under way; with JSON it has nothing, and stdout is the report alone."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tinsmith.cli", "contract", "check", "local:", *shown]
    environ = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environ) as process:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # so a terminal ends that nobody holds any more
            while piece := os.read(ours, 4096):
                seen += piece
        assert process.stdout is not None
        out = process.stdout.read()
    os.close(ours)
    assert process.returncode == 0
    assert b"healthz" in out
    assert b"\x1b" not in out
    assert (words in seen) if words else seen == b""


def test_one_open_route_is_a_report(
    cli: Callable[..., Result], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that may read something is one that the server knows."""
    opened = {
        "/healthz": (200, {"status": "ok"}),
        "/get_server_capabilities": (200, {"supported_models": []}),
    }
    monkeypatch.setattr(server, "answer", lambda asked: opened.get(asked.path, (401, {"detail": "no"})))
    done = cli("contract", "check")
    assert done.code == 0
    assert "get_server_capabilities verified 200" in done.words


def test_a_capture_that_cannot_be_written_is_told_before_anything_is_sent(
    cli: Callable[..., Result], server: Server, tmp_path: Path
) -> None:
    """A folder that does not exist costs no walk."""
    done = cli("contract", "check", "--write", "--capture", str(tmp_path / "nosuch" / "said.json"))
    assert done.code == 1
    assert "nosuch" in done.err
    assert server.asked == []


def test_the_report_does_not_depend_on_the_capture(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the disk is full in the end, the report was shown before."""

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tinsmith.core.whole_files.whole_file", full)
    done = cli("contract", "check", "local:", "--capture", str(tmp_path / "said.json"))
    assert done.code == 1
    assert "healthz verified 200" in done.words
    assert "No space left" in done.err


def test_what_is_sent_no_body_is_told_as_that(cli: Callable[..., Result]) -> None:
    """A row about a body that the check spoiled itself does not quote the server about it."""
    rows = cli("contract", "check", "local:", "-f", "json").json["operations"]
    reasons = {row["operation"]: row["reason"] for row in rows}
    assert reasons["create_session"] == reasons["optim_step"] == "refused a body that is none"
    assert not [reason for reason in reasons.values() if "[]" in reason]


def test_a_server_that_is_not_there(cli: Callable[..., Result], server: Server) -> None:
    """Nobody answers: that is no report."""
    server.close()
    done = cli("contract", "check")
    assert done.code == 1
    assert "cannot be reached" in done.err
    assert done.out == ""
    server.__init__()  # type: ignore[misc]


@pytest.mark.parametrize(
    "arguments",
    [["--from", "{file}", "--write"], ["http://127.0.0.1:9", "--from", "{file}"], ["--from", "{file}"]],
)
def test_from_reads_captures_alone(cli: Callable[..., Result], tmp_path: Path, arguments: list[str]) -> None:
    """A file that is no capture, and options that send, are usage errors."""
    file = tmp_path / "said.json"
    file.write_text(json.dumps({"nothing": 1}))
    done = cli("contract", "check", *(one.format(file=file) for one in arguments))
    assert done.code == 2
    assert "--from" in done.err


EXAMPLE = {
    "method": "POST",
    "path": "/api/v1/optim_step",
    "status": 200,
    "request_headers": {},
    "request": {"model_id": "m", "seq_id": 1},
    "answer_headers": {},
    "answer": {"request_id": "r"},
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "200"),
        ("status", None),
        ("status", True),
        ("method", 5),
        ("path", None),
        ("step", 5),
        ("request_headers", None),
        ("answer_headers", []),
        ("answer_headers", {"retry-after": 5}),
    ],
)
def test_a_file_with_a_field_of_another_type_is_no_capture(
    cli: Callable[..., Result], tmp_path: Path, field: str, value: Any
) -> None:
    """The field is named; what cannot be read is not judged."""
    file = tmp_path / "said.json"
    file.write_text(json.dumps({"examples": {"1": {**EXAMPLE, field: value}}}))
    done = cli("contract", "check", "--from", str(file))
    assert done.code == 2
    assert "is no capture" in " ".join(done.err.split())
    assert field in done.err


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"examples": {"1": {"step": "\\ud800"}}}', "[" * 150 + "]" * 150]
)
def test_json_that_cannot_be_read_is_no_capture(
    cli: Callable[..., Result], tmp_path: Path, text: str
) -> None:
    """Neither endless nesting nor half a character ends in another error."""
    file = tmp_path / "said.json"
    file.write_text(text)
    done = cli("contract", "check", "--from", str(file))
    assert done.code == 2
    assert "is no capture" in " ".join(done.err.split())


@pytest.mark.parametrize(
    "changed",
    [
        {"answer": {"protobuf": 5}},
        {"answer": {"protobuf": "AAAA"}},
        {"answer": {"protobuf": 5}, "answer_headers": {"content-type": "application/x-protobuf"}},
        {"answer": 5, "status": 500, "path": "/api/v1/retrieve_future", "request": {"request_id": {}}},
        {"answer": {"detail": [{"loc": None, "msg": None}]}, "status": 422},
    ],
)
def test_any_answer_is_judged(cli: Callable[..., Result], tmp_path: Path, changed: dict[str, Any]) -> None:
    """An answer of another shape is a deviation in the report."""
    file = tmp_path / "said.json"
    file.write_text(json.dumps({"examples": {"1": {**EXAMPLE, **changed}}}))
    done = cli("contract", "check", "--from", str(file), "-f", "json")
    assert done.code in (0, 1), done.err
    assert done.json["operations"]
    if changed.get("status") is None:
        assert [one["operation"] for one in done.json["deviations"]] == ["optim_step"]


@pytest.mark.parametrize("number", [[1], {}, "x", 1.5, None])
def test_numbers_that_are_none_are_not_compared(
    cli: Callable[..., Result], tmp_path: Path, number: Any
) -> None:
    """Requests of others may have anything where a number belongs."""
    file = tmp_path / "said.json"
    asked = {**EXAMPLE, "request": {"model_id": [], "seq_id": number}}
    file.write_text(json.dumps({"examples": {"1": asked, "2": asked}}))
    assert cli("contract", "check", "--from", str(file), "-f", "json").code == 0


def test_the_missing_extra_is_named(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library that validates the error says what to install."""
    real = importlib.util.find_spec

    def without(name: str, *more: Any) -> Any:
        return None if name == "jsonschema_rs" else real(name, *more)

    monkeypatch.setattr("tinsmith.contract.document.find_spec", without)
    done = cli("contract", "check", "local:")
    assert done.code == 1
    assert "tinsmith[contract]" in done.err


def test_a_capture_holds_nothing_below_a_secret_field() -> None:
    """Signed addresses by file name are secrets as their map is, and so is a token that may be null."""
    contract = shipped()
    said = {
        "answer": {"urls": {"adapter.safetensors": "https://store/a?sig=canary"}},
        "request": {"weights_access_token": "canary", "source_path": "tinker://a/weights/b"},
    }
    kept = json.dumps(redacted(said, contract))
    assert "canary" not in kept
    assert "tinker://a/weights/b" in kept


@pytest.mark.parametrize(
    "where", ["/a/canary/b.tar", "/a?sig=canary", "/x-tinsmith/archives/canary", "?canary"]
)
def test_a_capture_holds_no_signature_of_an_archive(where: str) -> None:
    """Wherever in the address it stands; nor the header of a token of weights. The host stays."""
    said = {
        "request_headers": {"x-tinker-weights-access-token": "canary"},
        "answer_headers": {"location": f"https://store.example{where}"},
    }
    kept = redacted(said, shipped())
    assert kept["answer_headers"]["location"] == "https://store.example/REDACTED"
    assert "canary" not in json.dumps(kept)
