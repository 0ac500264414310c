"""The examples of docs/cli.md: lines of a shell, and what they print.

Usage: cli_examples.py [--check]. It runs all lines in an empty folder, one after the other, and writes down
what they printed into cli_examples.json, from which docs/cli_reference.py takes it; with --check it compares.
This takes a minute, so it is no part of docs/generate.py: run `make docs-examples` after a change of what
commands say.

A command without an example: add a line to LINES. Ids, times, ages and paths are replaced by ones that stay.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

RECORDED = Path(__file__).parent / "cli_examples.json"
BIN = Path(sys.executable).parent

CHATS = [
    {"messages": [{"role": "user", "content": f"What is {name}?"}, {"role": "assistant", "content": answer}]}
    for name, answer in (
        ("tin", "A metal that melts at 232 degrees."),
        ("lead", "A metal that melts at 327 degrees."),
        ("zinc", "A metal that melts at 420 degrees."),
        ("iron", "A metal that melts at 1538 degrees."),
    )
]
"""The file `chats.jsonl` in the folder."""

LINES = [
    "tinsmith version",
    "tinsmith data check chats.jsonl -m tinsmith/tiny --base-url local:",
    "tinsmith train chats.jsonl -m tinsmith/tiny --rank 8 --steps 6 --batch-items 2 -o run",
    "tinsmith cost chats.jsonl -m tinsmith/tiny --epochs 3 --base-url local:",
    "tinsmith run watch run",
    "tinsmith eval run --match exact --max-new-tokens 8",
    "tinsmith sample 'The capital of France is' -b HuggingFaceTB/SmolLM2-135M-Instruct"
    " --max-tokens 12 --temperature 0",
    "tinsmith run list",
    "tinsmith run info {run}",
    "tinsmith checkpoint list",
    "tinsmith checkpoint info {sampler}",
    "tinsmith checkpoint publish {sampler}",
    "tinsmith checkpoint unpublish {sampler}",
    "tinsmith checkpoint set-ttl {sampler} --ttl 86400",
    "tinsmith checkpoint download {sampler} -o adapter",
    "tinsmith checkpoint push-hf {sampler} --repo you/metals --dry-run upload",
    "tinsmith export run --to peft -o exported",
    "tinsmith checkpoint delete -y {training}",
    "tinsmith session list",
    "tinsmith session info {session}",
    "tinsmith session finish {session}",
    "tinsmith session export-trace {session}",
    "tinsmith model list",
    "tinsmith model fetch smollm2",
    "tinsmith auth status",
    "tinsmith auth whoami",
    "tinsmith billing usage 2026-11-01 2026-11-02",
    "tinsmith billing checkpoint-storage",
    "tinsmith audit list",
    "tinsmith doctor --base-url local:",
    "echo 'What is the capital of France?' | tinsmith chat -m HuggingFaceTB/SmolLM2-135M-Instruct"
    " --temperature 0 --max-tokens 20 --base-url local:",
    "tinsmith contract check local: | head -12",
    "echo tml-a-key-of-yours | tinsmith auth login --no-check --base-url http://127.0.0.1:8080",
    "tinsmith auth logout --base-url http://127.0.0.1:8080",
    "tinsmith serve --data data --port 8080 &",
    "tinsmith gateway --base-url local: --port 8081 &",
]
"""One line or more for each command, in an order in which they can run. `{...}` is known once `train` ran. A
line that ends in `&` runs until it has printed something, and is then ended by Ctrl-C."""

ENVIRONMENT = {
    "TINKER_BASE_URL": "local:data",
    "TINSMITH_CREDENTIALS": "keys.json",
    "COLUMNS": "100",
    "PYTHONUNBUFFERED": "1",
}

HEX = re.compile(r"(?<![0-9a-zA-Z])(?=[0-9a-f]*\d)[0-9a-f]{12,}(?![0-9a-zA-Z])")
TOKEN = re.compile(r"\b(tml|sk)-[\w-]{20,}")
AGE = re.compile(r"\b(?:\d+|an?) (?:second|minute|hour)s? ago")
LATENCY = re.compile(r"\bmedian \d+ ms")
PYTHON = re.compile(r"\bPython 3\.\d+\.\d+")
SPEED = re.compile(r"\b[\d.,]+ tokens/s")
LEFT = re.compile(r"\b\d+:\d\d:\d\d left")
SECONDS = re.compile(r"\b\d+(?:\.\d+)? s\b")
DATE = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?")


class Words:
    """Replaces what differs from run to run by what stays."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._ids: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Return a text as it stands on the page."""
        text = text.replace(self._folder, "/home/you/tin").replace(str(Path.home()), "/home/you")
        text = TOKEN.sub(r"\1-0123456789abcdef", HEX.sub(self._id, text))
        text = AGE.sub(lambda age: "just now".ljust(len(age[0])), SECONDS.sub("0.1 s", text))
        text = LEFT.sub("0:00:01 left", SPEED.sub("600 tokens/s", text))
        text = PYTHON.sub("Python 3.11.7", LATENCY.sub("median 1 ms", text))
        text = DATE.sub("2026-12-01 12:00:00", text)
        return "\n".join(line.rstrip() for line in text.split("\n"))

    def _id(self, found: re.Match[str]) -> str:
        number = self._ids.setdefault(found[0], str(len(self._ids)))
        return hashlib.sha256(number.encode()).hexdigest()[: len(found[0])]


def command_of(line: str, commands: Iterable[str]) -> str:
    """Return the command that a line is an example of: the longest one that it has."""
    return max((name for name in commands if f"{name} " in f"{line} "), key=len, default="")


def run(line: str, environment: dict[str, str], folder: str) -> str:
    """Run a line and return what a terminal would show of it."""
    shell = ["bash", "-c", line.removesuffix("&")]
    with subprocess.Popen(  # noqa: S603
        shell, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        if not line.endswith("&"):
            return process.stdout.read()
        shown = process.stdout.readline() + process.stdout.readline()
        process.send_signal(signal.SIGINT)
        return shown


def record() -> list[dict[str, str]]:
    """Run all lines; return each with what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "chats.jsonl").write_text("".join(f"{json.dumps(chat)}\n" for chat in CHATS))
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL") if name in os.environ}
        environment = {**kept, **ENVIRONMENT, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        words, facts, found = Words(folder), dict[str, str](), []
        for line in LINES:
            line = line.format_map(facts) if "{" in line else line
            shown = run(line, environment, folder)
            found.append({"line": words(line), "shown": words(shown).rstrip()})
            if paths := re.findall(r"tinker://\S+", shown) if " train " in line else []:
                facts = {
                    "sampler": next(path for path in paths if "/sampler_weights/" in path),
                    "training": next(path for path in paths if "/weights/" in path),
                }
                facts["run"] = facts["sampler"].removeprefix("tinker://").split("/")[0]
                facts["session"] = facts["run"].split(":")[0]
        return found


def _plain(example: dict[str, str]) -> tuple[str, str]:
    """Return an example without what the width of an age changes: blanks, and rules of tables."""
    return example["line"], re.sub(r"[\s─]+", " ", example["shown"])


def same(one: list[dict[str, str]], other: list[dict[str, str]]) -> list[str]:
    """Return the lines whose output differs, in more than blanks and rules."""
    return [each["line"] for each, again in zip(one, other, strict=True) if _plain(each) != _plain(again)]


def steady(found: list[dict[str, str]], recorded: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return what was found; where it is the same as what is recorded, as that was written down.

    On a busy machine ages are longer words, and columns wider.
    """
    known = {_plain(each): each for each in recorded}
    return [known.get(_plain(each), each) for each in found]


def examples(command: str, commands: Iterable[str]) -> str:
    """Return the recorded examples of a command as a block; empty where it has none."""
    found = [
        each for each in json.loads(RECORDED.read_text()) if command_of(each["line"], commands) == command
    ]
    shown = "\n".join(f"$ {each['line']}\n{each['shown']}".rstrip() for each in found)
    return f"```console\n{shown}\n```\n" if found else ""


def main(arguments: list[str]) -> int:
    """Write what the lines print, or compare it."""
    found, recorded = record(), json.loads(RECORDED.read_text())
    if "--check" not in arguments:
        RECORDED.write_text(json.dumps(steady(found, recorded), indent=1, ensure_ascii=False) + "\n")
        return 0
    differing = same(found, recorded)
    for line in differing:
        sys.stderr.write(f"{line!r} does not print what {RECORDED.name} says; run make docs-examples\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
