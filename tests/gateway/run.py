"""Programs that speak the OpenAI API, unmodified, against `tinsmith gateway` on SmolLM2, over real sockets.

`python -m tests.gateway.run --python .venv-gateway/bin/python` from the root; `make gateway` does it. First
on `local:`, then on `tinsmith serve` itself, and on a gateway before it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import tinsmith
from tinsmith.types import ModelInput

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
BASE_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
NAME = "smol"
CLOSE = 1e-4
"""Difference of log-probabilities, in nats: a prompt is computed in one piece here, and with others there."""
LEAVING = 4
"""Clients that are killed."""
WATCHED_S, RESTING = 2.0, 0.25
"""How long the gateway is watched, and the share of its work before that it stays below when it rests."""


@contextmanager
def started(*words: str, key: str = "") -> Iterator[tuple[dict[str, str], int]]:
    """Run a command of Tinsmith while the block runs; what it exports, and its process."""
    settings = {**os.environ, **({"TINKER_API_KEY": key} if key else {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "tinsmith.cli", *words], stdout=subprocess.PIPE, text=True, env=settings
    )
    assert process.stdout is not None
    try:
        lines = process.stdout.readline() + process.stdout.readline()
        yield dict(re.findall(r"^export (\w+)=(\S+)$", lines, re.MULTILINE)), process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def environment(told: dict[str, str], **more: str) -> dict[str, str]:
    """Return what a program needs to know."""
    url, key = told["OPENAI_BASE_URL"], told["OPENAI_API_KEY"]
    return {
        **os.environ,
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": key,
        "TINSMITH_BASE_URL": url,
        "TINSMITH_API_KEY": key,
        "MODEL": NAME,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "NO_PROXY": "127.0.0.1",
        **more,
    }


def run(python: str, program: str, told: dict[str, str], **more: str) -> bool:
    """Run a program to its end; whether it was content. What a library says besides is shown if it failed."""
    done = subprocess.run(
        [python, "-W", "ignore", str(HERE / program)],
        env=environment(told, **more),
        stdout=None,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stderr[-4000:], file=sys.stderr)
    return done.returncode == 0


def same_values(found: dict[str, float]) -> bool:
    """Compare what lm-eval made of the answers with what a SamplingClient says of the same texts."""
    with tinsmith.ServiceClient(base_url="local:") as service:
        sampler = service.create_sampling_client(base_model=BASE_MODEL)
        tokenizer = sampler.get_tokenizer()
        largest = 0.0
        for text, value in found.items():
            question, choice = text.split("|")
            tokens, begins = tokenizer.encode(f"{question} {choice}"), len(tokenizer.encode(question))
            logprobs = sampler.compute_logprobs(ModelInput.from_ints(tokens)).result()
            largest = max(largest, abs(sum(one or 0.0 for one in logprobs[begins:]) - value))
    print(f"  lm-eval: its {len(found)} values are those of a SamplingClient, to {largest:.1e}")
    return largest < CLOSE


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def killed(python: str, told: dict[str, str], pid: int) -> bool:
    """Kill clients in the middle of their streams; whether the gateway then rests."""
    clients = [
        subprocess.Popen(
            [python, str(HERE / "leaving_program.py")], env=environment(told), stdout=subprocess.PIPE
        )
        for _ in range(LEAVING)
    ]
    try:
        for client in clients:
            assert client.stdout is not None
            assert client.stdout.readline() == b"reading\n"
        began = cpu_s(pid)
        time.sleep(WATCHED_S)
        busy = (cpu_s(pid) - began) / WATCHED_S
    finally:
        for client in clients:
            client.kill()
            client.communicate()
    time.sleep(1.0)  # the step that was being made
    began = cpu_s(pid)
    time.sleep(WATCHED_S)
    idle = (cpu_s(pid) - began) / WATCHED_S
    print(
        f"  {LEAVING} clients killed within streams of 4 x 4000 tokens: the gateway used {busy:.0%} of a core"
        f" before and {idle:.0%} after"
    )
    return idle < RESTING * busy


def main() -> int:
    """Run everything, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="interpreter of the environment with the programs")
    python = parser.parse_args().python
    content = []
    alias = f"{NAME}={BASE_MODEL}"
    print("== tinsmith gateway --base-url local:", flush=True)
    with started("gateway", "--base-url", "local:", "--alias", alias) as (told, pid):
        content.append(run(python, "openai_program.py", told, MEASURE="1"))
        content.append(run(python, "litellm_program.py", told))
        content.append(run(python, "inspect_program.py", told))
        with tempfile.TemporaryDirectory() as folder:
            values = Path(folder, "values.json")
            content.append(run(python, "lm_eval_program.py", told, VALUES=str(values)))
            found = json.loads(values.read_text()) if values.exists() else {}
        content.append(killed(python, told, pid))
    content.append(bool(found) and same_values(found))
    with started("serve", "--alias", alias) as (served, _):
        url, key = served["TINKER_BASE_URL"], served["TINKER_API_KEY"]
        print("== tinsmith serve, which has the same routes", flush=True)
        direct = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": key}
        content += [run(python, program, direct) for program in ("openai_program.py", "litellm_program.py")]
        print("== tinsmith gateway --base-url http://..., before tinsmith serve", flush=True)
        with started("gateway", "--base-url", url, "--alias", alias, key=key) as (told, _):
            content += [run(python, program, told) for program in ("openai_program.py", "inspect_program.py")]
    print("all content" if all(content) else "NOT all content")
    return 0 if all(content) else 1


if __name__ == "__main__":
    sys.exit(main())
