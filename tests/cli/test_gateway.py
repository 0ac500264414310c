"""`tinsmith gateway`, and the same routes of `tinsmith serve`: started, used, ended by Ctrl-C, refused."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from tinsmith.core import optional_deps

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Result

BODY = {"model": "mine", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2, "seed": 1}


@pytest.fixture
def program() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tinsmith.cli", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _exports(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    lines = process.stdout.readline() + process.stdout.readline()
    return dict(re.findall(r"^export (\w+)=(\S+)$", lines, re.MULTILINE))


def _asked(url: str, key: str) -> list[httpx.Response]:
    """Ask once without a key and once with it."""
    with httpx.Client(base_url=url, timeout=WAIT_S) as http:
        return [
            http.post("chat/completions", json=BODY, headers=headers)
            for headers in ({}, {"Authorization": f"Bearer {key}"})
        ]


def _ended(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize("key", [None, "of-my-own"])
def test_gateway(
    program: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """The two lines on stdout are all that a client needs; the key is drawn, or the environment's."""
    if key is not None:
        monkeypatch.setenv("TINSMITH_GATEWAY_KEY", key)
    process = program("gateway", "--base-url", "local:", "--alias", "mine=tinsmith/tiny")
    exports = _exports(process)
    assert exports["OPENAI_API_KEY"].startswith(key or "sk-")
    without, answer = _asked(exports["OPENAI_BASE_URL"], exports["OPENAI_API_KEY"])
    assert without.status_code == 401
    assert answer.json()["choices"][0]["message"]["role"] == "assistant"
    err = _ended(process)
    assert "Serving the OpenAI API on http://127.0.0.1:" in err
    assert exports["OPENAI_API_KEY"] not in err


def test_an_alias_that_hides_a_base_model_is_told(
    program: Callable[..., subprocess.Popen[str]],
) -> None:
    """The base model of its name cannot be asked for any more; an alias of itself hides nothing."""
    words = ("--alias", "tinsmith/tiny=tinsmith/tiny-untied", "--alias", "mine=tinsmith/tiny")
    process = program("gateway", "--base-url", "local:", *words)
    exports = _exports(process)
    with httpx.Client(base_url=exports["OPENAI_BASE_URL"], timeout=WAIT_S) as http:
        listed = http.get("models", headers={"Authorization": f"Bearer {exports['OPENAI_API_KEY']}"}).json()
    roots = {each["id"]: each["root"] for each in listed["data"]}
    assert roots["tinsmith/tiny"] == "tinsmith/tiny-untied"
    assert roots["mine"] == "tinsmith/tiny"
    assert "The alias tinsmith/tiny hides the base model of this name.\n" in _ended(process)


def test_serve_has_the_same_routes_and_a_gateway_may_stand_before_it(
    program: Callable[..., subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service answers OpenAI clients by itself; a gateway before it answers the same."""
    served = program("serve", "--data", str(tmp_path / "data"), "--alias", "mine=tinsmith/tiny")
    exports = _exports(served)
    monkeypatch.setenv("TINKER_API_KEY", exports["TINKER_API_KEY"])
    before = program("gateway", "--base-url", exports["TINKER_BASE_URL"], "--alias", "mine=tinsmith/tiny")
    told = _exports(before)
    without, direct = _asked(f"{exports['TINKER_BASE_URL']}/v1", exports["TINKER_API_KEY"])
    assert without.status_code == 401
    assert set(without.json()) == {"error"}
    through = _asked(told["OPENAI_BASE_URL"], told["OPENAI_API_KEY"])[1]
    assert through.json()["choices"] == direct.json()["choices"]
    contract = httpx.get(f"{exports['TINKER_BASE_URL']}/api/v1/healthz", timeout=WAIT_S)
    assert contract.status_code == 200
    _ended(before)
    assert f"The OpenAI API is on {exports['TINKER_BASE_URL']}/v1" in _ended(served)


REFUSED = [
    ("gateway --base-url local: --alias x", 2, "NAME=MODEL"),
    ("gateway --base-url local: --alias a=b --alias a=c", 2, "twice"),
    ("gateway --base-url local: --host 0.0.0.0", 2, "--allow-remote"),
    ("gateway --base-url local: --port 70000", 2, "--port"),
    ("gateway --base-url local: --alias x=no/body", 3, "no/body"),
    ("gateway --base-url local: --alias x=tinker://r/weights/ghost", 3, "tinker://r/weights/ghost"),
    ("gateway", 4, "TINKER_API_KEY"),
    ("serve --alias x", 2, "NAME=MODEL"),
]


@pytest.mark.parametrize(("words", "code", "reason"), REFUSED, ids=[words for words, _, _ in REFUSED])
def test_refused(cli: Callable[..., Result], words: str, code: int, reason: str) -> None:
    """What is wrong is one sentence, and no server starts."""
    result = cli(*words.split())
    assert (result.code, result.out) == (code, "")
    assert reason in " ".join(result.err.split())


def test_a_key_that_is_none(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment that no header can carry is told, and not shown."""
    monkeypatch.setenv("TINSMITH_GATEWAY_KEY", "two words")
    result = cli("gateway", "--base-url", "local:")
    assert (result.code, result.out) == (2, "")
    assert "TINSMITH_GATEWAY_KEY" in result.err
    assert "two words" not in result.err


def test_without_the_extra(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the libraries of a server are missing the error names the extra."""
    monkeypatch.setitem(optional_deps.LIBRARIES, "gateway", ("no_such_library",))
    result = cli("gateway")
    assert result.code == 1
    assert "tinsmith[gateway]" in result.err
