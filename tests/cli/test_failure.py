"""What a failure says: in the words of the command line, once, without markup; and that it still tries."""

from __future__ import annotations

import errno
import os
import shlex
import sys
import threading
import warnings
from typing import TYPE_CHECKING

import attrs
import pytest
from tinsmith import ServiceClient
from tinsmith.cli import connect, output
from tinsmith.cli.failure import describe, sentence
from tinsmith.core import errors
from tinsmith.core.failures import error_from_status
from tinsmith.core.polling import SAMPLES_WHILE_LOADED
from tinsmith.core.retry import History, OpClass, Outcome, decide, in_time
from tinsmith.io.events import Progress, StillWaiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result, Server

PAGE = b"<!doctype html><html><head><title>Bad gateway</title></head><body>nginx</body></html>"
TOLD = Progress(waiting=0, in_flight=0, done=0, failed=0, errors={"status 500": 2, "reset": 1})


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (
            error_from_status(502, PAGE, attempts=11),
            "Internal server error: Bad gateway (status 502, 11 attempts)",
            1,
        ),
        (
            error_from_status(404, b'{"detail":"no run x"}', attempts=1),
            "Resource not found: no run x (status 404)",
            3,
        ),
        (error_from_status(402, b'{"detail":"no funds"}'), "Payment required: no funds", 1),
        (error_from_status(409, b'{"detail":"is public"}'), "Conflict: is public", 1),
        (
            error_from_status(
                404, b'{"detail":[{"loc":["body","m"],"msg":"field \'m\': unknown"}]}', attempts=1
            ),
            "Resource not found: m: unknown (status 404)",
            3,
        ),
        (
            errors.InputError("must be -1 or above 0", field="top_k"),
            "Invalid input: --top-k: must be -1 or above 0",
            2,
        ),
        (
            errors.APIConnectionError("reset", applied="unknown", request_id="r7"),
            "Connection failed: reset (request r7, it may have been applied)",
            1,
        ),
        (KeyError("x"), "Unexpected error occurred: KeyError: 'x'", 1),
    ],
)
def test_sentences(error: Exception, line: str, code: int) -> None:
    """Nothing is said twice, and what helps to find the request is in parentheses."""
    assert describe(error) == (f"Error: {line}", code)


@pytest.mark.parametrize(
    ("arguments", "key", "words"),
    [
        (("--base-url", "http://example.com"), "tml-x", "--insecure or set TINSMITH_INSECURE=1"),
        (("--base-url", "https://example.com"), "sk-x", "--any-key or set TINSMITH_ANY_KEY=1"),
        (("--base-url", "https://example.com"), "", "TINKER_API_KEY"),
        (("--base-url", "example.com"), "tml-x", "--base-url or TINKER_BASE_URL: must start with https://"),
    ],
)
def test_options_not_arguments(
    cli: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    key: str,
    words: str,
) -> None:
    """The options and variables of this program are named, and no argument of the library."""
    monkeypatch.setenv("TINKER_API_KEY", key)
    said = cli(*arguments, "run", "list").err
    assert words in said
    for name in ("base_url", "api_key", "require_key_prefix", "insecure="):
        assert name not in said


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_server_of_ones_own(
    cli: Callable[..., Result], server: Server, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A key of any kind is sent when an option or a variable says so."""
    server.on("GET", "/sessions", (200, {"sessions": []}))
    monkeypatch.setenv("TINKER_API_KEY", "mine")
    assert cli("session", "list").code == 4
    if way == "variable":
        monkeypatch.setenv("TINSMITH_ANY_KEY", "1")
    assert cli(*(["--any-key"] if way == "option" else []), "session", "list").code == 0
    assert [asked.key for asked in server.asked] == ["mine"]


@pytest.mark.parametrize(
    ("program", "code", "keys"),
    [("print('tml-printed')", 0, ["tml-printed"]), ("exit(3)", 4, []), ("print('sk-other')", 4, [])],
)
def test_a_command_for_the_key(
    cli: Callable[..., Result],
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    code: int,
    keys: list[str],
) -> None:
    """The key that a command prints is sent; without one nothing is, and the exit code is 4."""
    server.on("GET", "/sessions", (200, {"sessions": []}))
    monkeypatch.delenv("TINKER_API_KEY")
    monkeypatch.setenv("TINKER_CREDENTIAL_CMD", shlex.join([sys.executable, "-c", program]))
    done = cli("session", "list", "-f", "json")
    assert (done.code, [asked.key for asked in server.asked]) == (code, keys), done.err
    assert (done.out == "", "sk-other" in done.err) == (code != 0, False)


def test_http_to_another_machine(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried when an option says so; a name that nobody has is a failure of the connection."""
    monkeypatch.setenv("TINKER_API_KEY", "tml-x")
    done = cli("--insecure", "--base-url", "http://nobody.invalid", "session", "list")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: Connection failed: ")


def test_a_command_tries_until_its_time_is_over() -> None:
    """A server that refuses at once is tried again for as long as the command says, not ten times."""
    config = connect.retries(300.0)
    late = History(attempt=80, elapsed_s=290.0)
    again = decide(OpClass.SUBMIT, Outcome(status=503), late, config)
    assert in_time(again, late).goes_on
    assert not in_time(again, attrs.evolve(late, elapsed_s=300.5)).goes_on


def test_a_command_that_only_waits_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Requests that are sent again are told of when they fail for a while, and again when more did."""
    monkeypatch.setattr(connect, "PATIENCE_S", 0.0)
    monkeypatch.setattr(connect, "EVERY_S", 0.0)
    over = threading.Event()
    answers = iter([TOLD, TOLD])

    def progress() -> Progress:
        told = next(answers, None)
        if told is None:
            over.set()
        return told or TOLD

    connect._report_retries(progress, over)
    assert (
        capsys.readouterr().err
        == "No answer yet (1 x reset, 2 x status 500); trying again. Ctrl-C gives up.\n"
    )


def test_many_that_wait_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Requests that wait at the same time are told of once, and again when they still wait later."""
    time_s = 0.0
    report = connect._wait_reporter(lambda: time_s)
    for _ in range(64):
        report(StillWaiting("sample", "its turn", 60.0))
    report(TOLD)
    assert capsys.readouterr().err == "Has waited 60 s for its turn\n"
    time_s = 60.0
    report(StillWaiting("sample", "its turn", 120.0))
    assert capsys.readouterr().err == "Has waited 120 s for its turn\n"


def test_a_slow_server_is_no_wait(capsys: pytest.CaptureFixture[str]) -> None:
    """A long wait is told of only where no result has come since it began."""
    time_s = 0.0
    report = connect._wait_reporter(lambda: time_s)
    time_s = 30.0
    report(attrs.evolve(TOLD, done=1))
    time_s = 70.0
    report(StillWaiting("optim_step", "the server", 60.0))
    assert capsys.readouterr().err == ""
    time_s = 90.0
    report(attrs.evolve(TOLD, done=1))
    report(StillWaiting("optim_step", "the server", 60.0))
    assert capsys.readouterr().err == "Has waited 60 s for the server\n"


def test_notes_are_wrapped_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal breaks lines in the middle of words; we break them between."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((12, 24)))
    output.note("one two three\n\nfour")
    assert capsys.readouterr().err == "one two\nthree\n\nfour\n"


def test_other_errors_say_what_they_say() -> None:
    """What is no error of the library is printed as it is."""
    assert sentence(OSError("disk full")) == "disk full"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a/b"),
            "a/b: No such file or directory; check its name, and the folder that it is in",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; make room there, or"),
        (FileExistsError("out is there already; pass overwrite=True to replace it"), "out (--overwrite"),
    ],
)
def test_errors_of_the_system_say_what_to_do(error: OSError, said: str) -> None:
    """With the file where the system names it, and without its number."""
    assert sentence(error).startswith(said)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("session finish", "SESSION_ID"),
        ("session info", "SESSION_ID"),
        ("session export-trace", "SESSION_ID"),
        ("run info", "RUN_ID"),
        ("checkpoint list --run-id", "--run-id"),
        ("checkpoint delete --run-id", "--run-id"),
    ],
)
@pytest.mark.parametrize("text", ["../../x", "..", "", "a b"])
def test_what_is_no_id(cli: Callable[..., Result], command: str, option: str, text: str) -> None:
    """It is refused before a server is asked, under the name that help has for it."""
    done = cli(*command.split(), text)
    noun = "session" if "session" in command else "run"
    assert (done.code, done.out) == (2, "")
    assert f"{text!r} is no id of a {noun}; `tinsmith {noun} list` lists them" in " ".join(done.err.split())
    assert f"'{option}'" in done.err


def test_a_key_is_asked_for_with_its_server(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who named no server learns which one wants the key."""
    monkeypatch.delenv("TINKER_API_KEY", raising=False)
    monkeypatch.delenv("TINKER_BASE_URL", raising=False)
    said = "Error: No usable API key: no server is named, so that https://"
    assert cli("run", "list").err.startswith(said)
    assert "no server is named" not in cli("--base-url", "https://example.com", "run", "list").err
    watched = cli("run", "watch", "nowhere")
    assert watched.code == 4
    assert watched.err.startswith("nowhere is no folder here; looking for a run of this id on the server.")


def test_a_warning_is_a_line(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the place in the library, and without the arguments of its calls."""

    def warn(_: object) -> None:
        warnings.simplefilter("always")
        warnings.warn("it may be trained twice. Pass server_deduplicates=True to allow it.", stacklevel=1)
        raise errors.TinkerError("enough")

    monkeypatch.setattr(ServiceClient, "get_server_capabilities", warn)
    done = cli("--base-url", "local:", "model", "list")
    assert done.err == "Warning: it may be trained twice.\nError: Failed: enough\n"


@pytest.mark.parametrize(
    "words",
    [
        "sample x -m tinker://a/sampler_weights/final",
        "chat tinker://a/sampler_weights/final",
        "gateway --alias a=tinker://a/sampler_weights/final",
    ],
)
def test_a_model_that_was_unloaded(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Some servers sample a checkpoint only while its model is loaded; the error says what to give."""

    def lost(*_: object, **__: object) -> None:
        raise errors.ModelLostError("not loaded.", advice=SAMPLES_WHILE_LOADED)

    monkeypatch.setattr(ServiceClient, "create_sampling_client", lost)
    done = cli("--base-url", "local:", *words.split())
    assert done.code == 1
    assert done.err.endswith(
        "give the checkpoint for training (tinker://RUN/weights/NAME), which is loaded again.\n"
    )
    assert "No checkpoint was saved" not in done.err
