"""The program as a whole: start, exit codes, Ctrl-C, and where the words go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import tinsmith
from tinsmith.cli.tree import COMMANDS, branch

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import typer

    from tests.cli.conftest import Answer, Asked, Result, Server

HEAVY = ("httpx", "numpy", "rich", "aiohttp", "tokenizers", "asyncio", "orjson")


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), (*HEAVY, "pydantic", "attrs", "tinsmith_api.model", "typer", "click")),
        (("version",), (*HEAVY, "typer")),
        (("run", "--help"), (*HEAVY, "typer", "click")),
        (("checkpoint", "delete", "--help"), (*HEAVY, "typer", "click")),
        (("sample", "-h"), (*HEAVY, "typer", "click")),
        (("-f", "json", "sample", "-h"), HEAVY),
    ],
)
def test_help_and_version_are_light(arguments: tuple[str, ...], heavy: tuple[str, ...]) -> None:
    """What only prints text loads no library that takes long to load."""
    code = (
        "import sys, tinsmith.cli\n"
        "try:\n    tinsmith.cli.main(sys.argv[1:])\n"
        f"except SystemExit as left:\n    print(left.code, [m for m in {heavy!r} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 []"
    assert done.stderr == ""


def test_version(cli: Callable[..., Result]) -> None:
    """The version is that of the package, by every way."""
    assert cli("version") == (0, f"tinsmith {tinsmith.__version__}\n", "")
    assert cli("-f", "table", "version").out == f"tinsmith {tinsmith.__version__}\n"
    assert cli("--version") == (0, f"tinsmith {tinsmith.__version__}\n", "")
    assert cli("-f", "json", "--version").out == f"tinsmith {tinsmith.__version__}\n"
    assert cli("version", "-f", "json").json == {"name": "tinsmith", "version": tinsmith.__version__}


def test_module_is_the_program() -> None:
    """`python -m tinsmith` and `python -m tinsmith.cli` are the same program."""
    for module in ("tinsmith", "tinsmith.cli"):
        done = subprocess.run(
            [sys.executable, "-m", module, "version"], capture_output=True, text=True, check=True
        )
        assert done.stdout == f"tinsmith {tinsmith.__version__}\n"


def test_completion_can_be_installed(tmp_path: Path) -> None:
    """A shell gets completion by one command, which changes that shell's own files alone."""
    done = subprocess.run(
        # From a shell, as people do it: which one it is, is found among the parents of the process.
        ["bash", "-c", '"$0" -m tinsmith --install-completion; exit $?', sys.executable],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("run",),
        ("checkpoint",),
        ("session",),
        ("nonsense",),
        ("run", "nonsense"),
        ("run", "info"),
        ("run", "list", "--limit", "-1"),
        ("run", "list", "--nonsense"),
        ("-f", "xml", "run", "list"),
    ],
)
def test_usage(cli: Callable[..., Result], server: Server, arguments: tuple[str, ...]) -> None:
    """A wrong command line is exit code 2, says so on stderr and sends nothing."""
    done = cli(*arguments)
    assert (done.code, done.out, server.asked) == (2, "", [])
    assert "Usage: tinsmith" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-f", "xml", "version"), "'xml' is not one of 'table', 'json'"),
        (("run", "list", "-f", "xml"), "'xml' is not one of 'table', 'json'"),
        (("audit", "list", "--type", "x"), "'x' is not one of 'all'"),
        (("run", "list", "--limit", "x"), "'--limit': must be a whole number"),
        (("run", "list", "--limit", "-1"), "'--limit': must be at least 0"),
        (("serve", "--port", "70000"), "'--port': must be at most 65535"),
        (("sample", "hi", "--temperature", "x"), "'--temperature': must be a number"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(
    cli: Callable[..., Result], server: Server, arguments: tuple[str, ...], words: str
) -> None:
    """What the option takes, and no sentence of a validator."""
    done = cli(*arguments)
    assert (done.code, done.out, server.asked) == (2, "", [])
    assert words in done.err
    assert "Value error" not in done.err
    assert "Input should" not in done.err


def helps() -> Iterator[tuple[str, ...]]:
    """Yield the words of the program and of each group and command."""
    yield ()
    for name in COMMANDS:
        yield from _below(branch(name), ())


def _below(tree: typer.Typer, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for command in tree.registered_commands:
        assert command.callback is not None
        yield (*path, command.name or command.callback.__name__)
    for group in tree.registered_groups:
        assert group.typer_instance is not None
        yield (*path, group.name or "")
        yield from _below(group.typer_instance, (*path, group.name or ""))


def test_the_list_of_commands_says_what_each_says_itself() -> None:
    """The first sentence of a command's own help stands in the list, and a group has its words from there."""
    for name, entry in COMMANDS.items():
        for command in branch(name).registered_commands:
            assert command.short_help == entry.help
        for group in branch(name).registered_groups:
            assert group.typer_instance is not None
            assert not isinstance(group.typer_instance.info.help, str)


@pytest.mark.parametrize(
    ("words", "module"), [("-f json run list --help", "runs"), ("-f json data check --help", "data")]
)
def test_a_command_imports_no_other(words: str, module: str) -> None:
    """The help of a command imports its module, and that of the program none."""
    assert f"tinsmith.cli.{module}" in _imported(words) - _imported("--help")
    assert not {"tinsmith.cli.train", "tinsmith.cli.checkpoint"} & _imported(words)


def _imported(words: str) -> set[str]:
    code = (
        "import sys, tinsmith.cli\n"
        "try:\n    tinsmith.cli.main(sys.argv[1:])\n"
        "except SystemExit:\n    print(*sys.modules)\n"
    )
    command = [sys.executable, "-c", code, *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("command", list(helps()), ids=" ".join)
def test_help_is_whole(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """Help keeps within a narrow terminal, cuts no sentence short and names no type of Python."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERMINAL_WIDTH", "60")
    done = cli(*command, "--help")
    assert (done.code, done.err) == (0, "")
    for line in done.out.splitlines()[1:]:
        assert not line.endswith("...")
        assert "range>" not in line
        assert len(line) <= 60


@pytest.mark.parametrize(
    ("status", "code", "headline"),
    [
        (400, 1, "Invalid request"),
        (401, 4, "Authentication failed"),
        (403, 4, "Permission denied"),
        (404, 3, "Resource not found"),
        (422, 1, "Invalid data provided"),
    ],
)
def test_refusals(cli: Callable[..., Result], server: Server, status: int, code: int, headline: str) -> None:
    """A refusal is one line with the server's words, and an exit code by its kind."""
    server.on("GET", "/training_runs/r", (status, {"detail": "because of the moon"}))
    done = cli("run", "info", "r", "--format", "json")
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(f"Error: {headline}: ")
    assert "because of the moon" in done.err
    assert "Traceback" not in done.err
    assert "tml-key" not in done.err


def test_no_key(cli: Callable[..., Result], server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key, and with a foreign one, nothing is sent; the exit code is 4."""
    monkeypatch.delenv("TINKER_API_KEY")
    done = cli("run", "list")
    assert (done.code, done.out) == (4, "")
    assert "TINKER_API_KEY" in done.err
    monkeypatch.setenv("TINKER_API_KEY", "sk-of-somebody-else")
    foreign = cli("run", "list")
    assert (foreign.code, server.asked) == (4, [])
    assert "somebody-else" not in foreign.err


def test_nobody_there(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not there is exit code 1 and names the address."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
        monkeypatch.setenv("TINKER_API_KEY", "tml-x")
        done = cli("--base-url", address, "run", "list")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: Connection failed: ")
    assert "127.0.0.1" in done.err


def test_bad_address(cli: Callable[..., Result]) -> None:
    """An address that is none is a usage error."""
    done = cli("--base-url", "ftp://example.com", "run", "list")
    assert (done.code, done.out) == (2, "")


def test_own_mistake(cli: Callable[..., Result], server: Server) -> None:
    """An answer that is no JSON of this API is a failure with a sentence, not a traceback."""
    server.on("GET", "/training_runs/r", (200, ["not", "a", "run"]))
    done = cli("run", "info", "r")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: ")


def test_closed_pipe(server: Server) -> None:
    """A reader that goes away early, such as `head`, ends the program quietly."""
    server.on("GET", "/sessions", (200, {"sessions": [f"sess-{n}" for n in range(200_000)]}))
    program = subprocess.Popen(
        [sys.executable, "-m", "tinsmith.cli", "session", "list", "-f", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ},
    )
    assert program.stdout is not None
    program.stdout.read(1)
    program.stdout.close()
    assert program.stderr is not None
    with program.stderr:
        assert b"Traceback" not in program.stderr.read()
    assert program.wait() in {0, 1}


FULL = pytest.param("1>/dev/full", marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux"))


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("stdout", ["1>&-", FULL])
@pytest.mark.parametrize(
    "command",
    ["version", "--help", "session list", "session list -f json", "auth whoami", "serve --port 0"],
)
def test_a_stdout_that_takes_nothing(
    server: Server, tmp_path: Path, command: str, stdout: str, unbuffered: str
) -> None:
    """A stdout that is closed or full is one line on stderr and a failure; a service does not stay."""
    server.on("GET", "/sessions", (200, {"sessions": ["s"]}))
    server.on("POST", "/auth/token", (200, {"jwt": "a.e30.c"}))
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m tinsmith.cli {command} {stdout}', sys.executable],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("Serving")]
    assert (done.returncode, line.partition(": ")[0]) == (1, "Error")
    assert "closed" in line or "No space left" in line


def test_a_stderr_that_takes_nothing(server: Server) -> None:
    """Words that nobody can hear change neither the result nor the exit code."""
    server.on("GET", "/sessions", (200, {"sessions": ["s"]}))
    for stderr in ("2>&-", "2>/dev/full"):
        for command, code in (("session list -f json", 0), ("run info nope", 3)):
            words = f'exec "$0" -m tinsmith.cli {command} {stderr} 0<&-'
            done = subprocess.run(["sh", "-c", words, sys.executable], capture_output=True, check=False)
            assert done.returncode == code
            assert (b'"s"' in done.stdout) == (code == 0)


def test_names_of_any_script(server: Server) -> None:
    """A terminal that cannot show a name gets a table all the same, and JSON is UTF-8 everywhere."""
    server.on("GET", "/sessions", (200, {"sessions": ["sess-\u0436"]}))
    for output, shown in (("table", b"sess-?"), ("json", "sess-\u0436".encode())):
        done = subprocess.run(
            [sys.executable, "-m", "tinsmith.cli", "session", "list", "-f", output],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert shown in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--base-url", "{url}", "--any-key", "session", "list", "-f", "json"),
        ("session", "--any-key", "--base-url={url}", "list", "-f", "json"),
        ("session", "list", "-f", "json", "--any-key", "--base-url", "{url}"),
    ],
)
def test_options_of_all_commands_stand_anywhere(
    cli: Callable[..., Result], server: Server, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """The server and the key's kind may be told in front of a command, behind its group, and behind it."""
    server.on("GET", "/sessions", (200, {"sessions": []}))
    monkeypatch.setenv("TINKER_BASE_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("TINKER_API_KEY", "not-of-the-hosted-service")
    done = cli(*(word.format(url=server.url) for word in words))
    assert done.code == 0, done.err
    assert done.json["sessions"] == []


def test_a_value_behind_beats_one_in_front(cli: Callable[..., Result], server: Server) -> None:
    """The nearest to the command counts, as for --format."""
    server.on("GET", "/sessions", (200, {"sessions": []}))
    done = cli("--base-url", "http://127.0.0.1:9/", "session", "list", "--base-url", server.url)
    assert done.out == "No sessions found\n"


@pytest.mark.parametrize(
    "words", [("run", "list"), ("checkpoint", "list"), ("session", "list"), ("model", "list")]
)
@pytest.mark.parametrize("there", [False, True])
def test_reading_makes_no_data_directory(
    cli: Callable[..., Result], tmp_path: Path, words: tuple[str, ...], there: bool
) -> None:
    """A path of `local:` where nothing is gives empty lists, is told, and stays as it was."""
    folder = tmp_path / "data"
    if there:
        folder.mkdir()
    done = cli(*words, "--base-url", f"local:{folder}")
    assert done.code == 0
    assert done.err.startswith(f"There is no data of an embedded service in {folder}.\n")
    assert list(tmp_path.rglob("*")) == ([folder] if there else [])


LOADING = """
import signal, sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "tinsmith.cli.app":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupted())
from tinsmith.cli import main
main(["run", "list"])
"""


def test_ctrl_c_while_modules_are_loaded() -> None:
    """In the first moments of a command Ctrl-C is exit code 130 too, and no traceback."""
    done = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


LEAVING = """
import signal, sys
import tinsmith.cli as cli
def interrupted(code):
    signal.raise_signal(signal.SIGINT)
cli._flushed = interrupted
def command(words):
    raise KeyboardInterrupt
cli._run = command
cli.main()
"""


@pytest.mark.skipif(os.name == "nt", reason="a signal is no exit code there")
def test_a_second_ctrl_c_while_the_program_leaves() -> None:
    """It ends the program at once, without a traceback of how Python leaves."""
    done = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("stage", ["waiting", "deleting"])
def test_ctrl_c(server: Server, stage: str) -> None:
    """Ctrl-C while the server thinks ends the program at once, with exit code 130 and no traceback."""

    def interrupt(asked: Asked) -> Answer:
        os.kill(program.pid, signal.SIGINT)
        program.wait()
        return 200, {}

    server.on("GET", "/training_runs/r", interrupt)
    server.on("DELETE", "/training_runs/r/checkpoints/weights/1", interrupt)
    arguments = {
        "waiting": ("run", "info", "r"),
        "deleting": ("checkpoint", "delete", "-y", "tinker://r/weights/1"),
    }[stage]
    program = subprocess.Popen(
        [sys.executable, "-m", "tinsmith.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    out, err = program.communicate(timeout=WAIT_S)
    assert (program.returncode, out) == (130, "")
    assert "Traceback" not in err
