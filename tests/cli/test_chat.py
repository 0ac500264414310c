"""`tinsmith chat`: in a pipe, and in a real terminal, whose keys are pressed while answers come."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import tinsmith
from tinsmith.cli import dialogue as talk
from tinsmith.cli import main
from tinsmith.core.errors import InputError
from tinsmith.train import RunFolder
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.cli.test_every_command import INTERRUPTED
from tests.guard import WAIT_S
from tests.train.conftest import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import Result

TINY = ("--base-url", "local:", "chat", "-m", "tinsmith/tiny", "--max-tokens", "12", "--seed", "1")
ENDLESS = ("-m", "tinsmith/tiny", "--max-tokens", "4000", "--temperature", "0")
"""The likeliest tokens of the tiny model end no answer."""


def lines(done: Result) -> list[dict[str, Any]]:
    """Return the documents that a command printed, one a line."""
    return [json.loads(line) for line in done.out.splitlines()]


def test_each_line_of_a_pipe_is_a_turn(cli: Callable[..., Result]) -> None:
    """Only the answers are printed, each with an end of line, and the same seed gives the same."""
    done = cli(*TINY, stdin="one\n\ntwo\n")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\n")
    assert done.out == cli(*TINY, stdin="one\ntwo").out
    assert cli(*TINY, stdin="").out == ""


def test_a_line_of_json_a_turn(cli: Callable[..., Result]) -> None:
    """The second turn has the first in its prompt; what is printed in text is in JSON."""
    done = cli(*TINY, "-f", "json", stdin="one\ntwo\n")
    first, second = lines(done)
    assert set(first) == {"user", "assistant", "stop_reason", "prompt_tokens", "tokens"}
    assert (first["user"], first["stop_reason"], first["tokens"]) == ("one", "length", 12)
    assert second["prompt_tokens"] > first["prompt_tokens"] + 12
    assert cli(*TINY, stdin="one\ntwo\n").out == f"{first['assistant']}\n{second['assistant']}\n"


def test_the_answer_is_the_sample_through_the_template(cli: Callable[..., Result]) -> None:
    """Piece by piece or whole: the text of the same tokens, broken bytes included; --system is a message."""
    [turn] = lines(cli(*TINY, "--system", "Be brief.", "-f", "json", stdin="one\n"))
    with tinsmith.ServiceClient(base_url="local:") as service:
        sampler = service.create_sampling_client(base_model="tinsmith/tiny")
        tokenizer = sampler.get_tokenizer()
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one"}]
        prompt = tokenizer.apply_chat_template(messages, tokenize=True, add_generation_prompt=True)
        params = tinsmith.SamplingParams(max_tokens=12, temperature=0.7, seed=1)
        drawn = sampler.sample(tinsmith.ModelInput.from_ints(list(prompt)), 1, params).result(WAIT_S)
    assert turn["assistant"] == tokenizer.decode(drawn.sequences[0].tokens, skip_special_tokens=True)
    assert turn["prompt_tokens"] == len(prompt)


def test_commands_in_a_pipe(cli: Callable[..., Result], tmp_path: Path) -> None:
    """They work there too, and say what they say on stderr; a line that only looks like one is a turn."""
    file = tmp_path / "saved.jsonl"
    script = "one\n/etc is a folder\n/undo\n/params temperature=0 seed none\n/system Be brief.\n"
    script += f"/save {file}\n/quit\ntwo\n"
    done = cli(*TINY, stdin=script)
    assert done.code == 0, done.err
    assert done.err.splitlines() == [
        "Dropped the last turn; 1 turn left.",
        "temperature 0.0, top_p 1.0, max_tokens 12, seed none",
        "System message: Be brief.",
        f"Added 1 turn to {file}.",
    ]
    [saved] = map(json.loads, file.read_text().splitlines())
    assert [message["role"] for message in saved["messages"]] == ["system", "user", "assistant"]
    checked = cli("--base-url", "local:", "data", "check", str(file), "-m", "tinsmith/tiny", "-f", "json")
    assert (checked.code, checked.json["problems"]) == (0, [])


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ("/save /nowhere/at/all.jsonl", 2, "there is nothing to save yet"),
        ("one\n/save", 2, "name the file, such as /save chats.jsonl"),
        ("one\n/save /nowhere/at/all.jsonl", 1, "No such file or directory"),
        ("/params temperature", 2, "give names and values, such as temperature 0.2"),
        ("/params heat 1", 2, "there is no heat; names are temperature, top_p, max_tokens, seed"),
        ("/params seed x", 2, "seed must be a whole number, not x"),
        ("/params temperature hot", 2, "temperature must be a number, not hot"),
        ("/params temperature -1", 2, "--temperature: must be"),
        ("/params max_tokens 0", 2, "--max-tokens: must be > 0, not 0"),
        (
            "x" * 5000,
            1,
            "the context of tinsmith/tiny, 4096 tokens, is full: with this turn the conversation has 50",
        ),
    ],
)
def test_what_goes_wrong_in_a_pipe(cli: Callable[..., Result], script: str, code: int, words: str) -> None:
    """One sentence says what to do, and the program ends."""
    done = cli(*TINY, stdin=f"{script}\n")
    assert done.code == code, done.err
    assert words in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("", 2, "give either a checkpoint or --model NAME"),
        ("tinker://a/weights/b -m c", 2, "give either a checkpoint or --model NAME"),
        ("-m no/body", 3, "unknown base model 'no/body'"),
        ("tinker://nobody/sampler_weights/ghost", 3, "ghost"),
        ("tinker://nonsense", 2, "Invalid tinker path: 'tinker://nonsense'"),
        ("nowhere", 2, "nowhere holds no run: there is no config.json"),
        ("-m tinsmith/tiny --temperature -1", 2, "--temperature: must be"),
        ("-m tinsmith/tiny --max-tokens 0", 2, "--max-tokens: must be"),
    ],
)
@pytest.mark.parametrize("output", ["table", "json"])
def test_what_cannot_be_chatted_with(
    cli: Callable[..., Result], arguments: str, code: int, words: str, output: str
) -> None:
    """One sentence on stderr, nothing on stdout."""
    done = cli("--base-url", "local:", "-f", output, "chat", *arguments.split(), stdin="one\n")
    assert (done.code, done.out) == (code, ""), done.err
    assert words in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
@pytest.mark.parametrize(
    "words", [("chat", "-m", "tinsmith/tiny"), ("sample", "--base-model", "tinsmith/tiny", "-")]
)
def test_bytes_that_are_no_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], errors: str
) -> None:
    """One sentence says which line of standard input is not UTF-8, however Python was told to read it."""
    sent = io.TextIOWrapper(io.BytesIO(b"\xcc\xff\x00\n"), encoding="utf-8", errors=errors)
    monkeypatch.setattr(sys, "stdin", sent)
    with pytest.raises(SystemExit) as left:
        main(("--base-url", "local:", *words))
    out, err = capsys.readouterr()
    assert (left.value.code, out) == (2, "")
    assert "line 1 of standard input is not UTF-8" in err


def test_no_key(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key nothing is sent, and the exit code is 4."""
    monkeypatch.delenv("TINKER_API_KEY", raising=False)
    done = cli("--base-url", "https://example.com", "chat", "-m", "some/model", stdin="one\n")
    assert (done.code, done.out) == (4, "")
    assert "TINKER_API_KEY" in done.err


def test_ctrl_c_in_a_pipe() -> None:
    """It ends the program with 130, without a traceback or half a result."""
    words = ["--base-url", "local:", "-f", "json", "chat", "-m", "tinsmith/tiny"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *words],
        input="one\n",
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train for two steps, in a folder."""
    folder = tmp_path_factory.mktemp("runs")
    file = written(folder / "metals.jsonl")
    words = ["train", file, "-m", "tinsmith/tiny", "--rank", "2", "--steps", "2", "-o", str(folder / "tone")]
    done = subprocess.run(
        [sys.executable, "-m", "tinsmith", *words],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"Chat:     tinsmith chat {folder / 'tone'}\n" in done.stderr
    return folder / "tone"


def test_the_folder_of_a_run(cli: Callable[..., Result], run: Path) -> None:
    """It names the weights and the server; a path of the same server does the same."""
    more = ("--max-tokens", "6", "--seed", "1", "-f", "json")
    [turn] = lines(cli("chat", str(run), *more, stdin="How hot?\n"))
    noted = [json.loads(line) for line in (run / "checkpoints.jsonl").read_text().splitlines()]
    weights, state = noted[-1]["path"], noted[-2]["path"]
    assert "/sampler_weights/" in weights
    assert "/weights/" in state
    for path in (weights, state):  # of those of training a model is made first
        done = cli("--base-url", f"local:{run}/service", "chat", path, *more, stdin="How hot?\n")
        assert lines(done) == [turn]


def test_a_run_that_is_not_finished(cli: Callable[..., Result], run: Path, tmp_path: Path) -> None:
    """Its last checkpoint is taken, and this is said; without any, what to do."""
    copy = tmp_path / "tone"
    copy.mkdir()
    config = json.loads((run / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"base_url": f"local:{run}/service"}))
    done = cli("chat", str(copy), stdin="one\n")
    assert done.code == 2
    assert f"has no checkpoint yet; go on with it (tinsmith train --resume {copy})" in done.err
    noted = (run / "checkpoints.jsonl").read_text().splitlines()
    (copy / "checkpoints.jsonl").write_text("".join(f"{line}\n" for line in noted[:-1]))
    done = cli("chat", str(copy), "--max-tokens", "2", "-f", "json", stdin="one\n")
    assert done.code == 0, done.err
    assert "The run is not finished; this is its checkpoint after step 2." in done.err
    with RunFolder.open(copy).locked():
        done = cli("chat", str(copy), stdin="one\n")
    assert done.code == 2
    assert f"follow it (tinsmith run watch {copy})" in " ".join(done.err.split())


class Terminal:
    """The program in a terminal of its own."""

    def __init__(self, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tinsmith", *words],
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: os.login_tty(theirs),  # so that Ctrl-C is a signal
            env={**os.environ, "TERM": "dumb"},
        )
        os.close(theirs)
        self.shown = ""
        self._bytes = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._program.kill()
        self._program.wait()
        os.close(self._ours)

    def until(self, pattern: str) -> str:
        """Read until the new text has a pattern; return that text."""
        seen = ""
        while not re.search(pattern, seen):
            try:
                part = os.read(self._ours, 4096)
            except OSError:  # the other end is closed
                part = b""
            assert part, f"no {pattern!r} in {seen!r}"
            self._bytes += part
            text = self._bytes.decode(errors="ignore")
            seen += text
            self._bytes = b""
        self.shown += seen
        return seen.replace("\r\n", "\n")

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C once the program waits for keys: a signal just before that is lost to readline."""
        status = Path(f"/proc/{self._program.pid}/stat")
        while status.exists() and status.read_text().rpartition(")")[2].split()[0] != "S":
            os.sched_yield()
        self.type("\x03")

    def code(self) -> int:
        """Wait for the end; the exit code."""
        while True:
            try:
                if not (part := os.read(self._ours, 4096)):
                    break
            except OSError:
                break
            self.shown += part.decode(errors="ignore")
        return self._program.wait(WAIT_S)


PROMPT = r"\n> $"


@pytest.fixture(params=["local", "served"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give an embedded service: in the process of the program, and behind a socket."""
    if request.param == "local":
        yield "local:"
        return
    with serving(ServeOptions(data_dir=tmp_path / "data")) as (where, service):
        monkeypatch.setenv("TINKER_API_KEY", where.token)
        yield where.base_url
        assert not service.sampling._streams


def test_a_conversation_in_a_terminal(address: str, tmp_path: Path) -> None:
    """Ctrl-C in the middle of an answer stops it and no more; commands work; Ctrl-D ends."""
    file = tmp_path / "saved.jsonl"
    with Terminal("--base-url", address, "chat", *ENDLESS) as terminal:
        assert "tinsmith/tiny. /help lists the commands; Ctrl-D ends." in terminal.until(PROMPT)
        terminal.type("one\n")
        terminal.until(r"one\r\n[^>]{40}")
        terminal.type("\x03")
        assert "Stopped; what came of the answer stays, and /undo drops it." in terminal.until(PROMPT)
        terminal.type("/params max_tokens 5\n")
        assert "max_tokens 5, seed none" in terminal.until(PROMPT)
        terminal.type("two\n")
        assert "Cut after 5 tokens; /params max_tokens NUMBER allows more." in terminal.until(PROMPT)
        terminal.type(f"/save {file}\n")
        assert f"Added 2 turns to {file}." in terminal.until(PROMPT)
        terminal.type("/nonsense\n")
        assert "there is no /nonsense; /help lists the commands." in terminal.until(PROMPT).replace("\n", " ")
        terminal.type("/undo\n/undo\n/undo\n")
        assert "There is no turn to drop." in terminal.until(r"no turn to drop.\r\n> $")
        terminal.type("/clear\n")
        assert "Dropped all turns." in terminal.until(PROMPT)
        terminal.type("/help\n")
        assert "/system - takes that of the template" in terminal.until(PROMPT)
        terminal.type("/params temperature 0.5\n")
        terminal.until(r"temperature 0.5, .*\r\n> $")
        terminal.type("\x04")
        assert terminal.code() == 0
    assert "Traceback" not in terminal.shown
    [saved] = map(json.loads, file.read_text().splitlines())
    assert [message["role"] for message in saved["messages"]] == ["user", "assistant"] * 2
    assert len(saved["messages"][1]["content"]) >= 20


def test_ctrl_c_at_the_prompt() -> None:
    """The first says how to end, a turn in between forgets it, the second in a row ends with 130."""
    with Terminal("--base-url", "local:", "chat", *ENDLESS) as terminal:
        terminal.until(PROMPT)
        terminal.interrupt()
        assert "Ctrl-C again, or Ctrl-D, ends." in terminal.until(PROMPT)
        terminal.type("/system\n")
        assert "System message: that of the chat template" in terminal.until(PROMPT)
        terminal.interrupt()
        terminal.until(PROMPT)
        terminal.interrupt()
        assert terminal.code() == 130
    assert "Ended by Ctrl-C. The conversation was not saved." in terminal.shown


def test_quit_ends() -> None:
    """/quit ends as Ctrl-D does."""
    with Terminal("--base-url", "local:", "chat", *ENDLESS) as terminal:
        terminal.until(PROMPT)
        terminal.type("/quit\n")
        assert terminal.code() == 0


class Answers:
    """A sampler of the tiny model whose streams say how much was asked for."""

    def __init__(self, sampler: tinsmith.SamplingClient) -> None:
        self._sampler = sampler
        self.asked: list[tinsmith.SamplingParams] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sampler, name)

    def stream(self, prompt: tinsmith.ModelInput, params: tinsmith.SamplingParams) -> tinsmith.SampleStream:
        """Note the parameters."""
        self.asked.append(params)
        return self._sampler.stream(prompt, params)


def test_a_full_context() -> None:
    """An answer gets what room is left and says that it filled it; the next turn is refused and not added."""
    with tinsmith.ServiceClient(base_url="local:") as service:
        sampler = Answers(service.create_sampling_client(base_model="tinsmith/tiny"))
        conversation = talk.Dialogue(sampler, 60, None)  # type: ignore[arg-type]
        conversation.params = talk.ChatParams(seed=3)
        answer = conversation.ask("one")
        assert list(answer)
        assert sampler.asked[0].max_tokens == 60 - answer.prompt_tokens
        assert conversation.keep(answer)
        assert answer.fills_context
        with pytest.raises(talk.ContextFullError, match=r"is full: .* /undo drops the last turn, /clear"):
            conversation.ask("two")
        assert conversation.questions == 1
        assert conversation.undo()
        assert conversation.messages == []


def test_a_template_without_a_system_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal says how to leave the system message out; the conversation goes on without it."""
    template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{{ m.content }}{% endfor %}"
    )
    with tinsmith.ServiceClient(base_url="local:") as service:
        sampler = service.create_sampling_client(base_model="tinsmith/tiny").result(WAIT_S)
        monkeypatch.setattr(sampler.get_tokenizer(), "chat_template", template)
        conversation = talk.Dialogue.with_model(service, sampler, "Be brief.")
        with pytest.raises(InputError, match="refuses: no system role; /system - leaves out the system mess"):
            conversation.ask("one")
        conversation.system = None
        assert conversation.keep(conversation.ask("one")) is False
        monkeypatch.setattr(sampler.get_tokenizer(), "chat_template", "{{ raise_exception('nothing') }}")
        with pytest.raises(InputError, match=r"refuses: nothing$"):
            conversation.ask("one")


def test_an_answer_of_which_nothing_came_is_dropped() -> None:
    """Its question too, so that roles stay in turn."""
    with tinsmith.ServiceClient(base_url="local:") as service:
        sampler = service.create_sampling_client(base_model="tinsmith/tiny")
        conversation = talk.Dialogue.with_model(service, sampler)
        answer = conversation.ask("one")
        assert not conversation.keep(answer)
        assert conversation.messages == []


def test_a_model_without_a_template_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is said."""
    with tinsmith.ServiceClient(base_url="local:") as service:
        sampler = service.create_sampling_client(base_model="tinsmith/tiny").result(WAIT_S)
        tokenizer = sampler.get_tokenizer()
        monkeypatch.setattr(tokenizer, "chat_template", None)
        monkeypatch.setattr(sampler, "get_tokenizer", lambda: tokenizer)
        with pytest.raises(InputError, match="chat"):
            talk.Dialogue.with_model(service, sampler)
