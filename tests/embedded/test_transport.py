"""The door beneath the client: directories, locks, time-outs, no pickle, nothing imported early."""

import asyncio
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from tinsmith import APIFuture, ClosedError, Datum, ForwardBackwardOutput, ModelInput, ServiceClient
from tinsmith.core.addresses import LOCAL_ROOT
from tinsmith_local.engine.workers import Team
from tinsmith_local.store.data_dir import DirectoryLockedError
from tinsmith_local.transport import LocalTransport, open_local

from tests.guard import WAIT_S

T = TypeVar("T")


def ask(transport: LocalTransport, work: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    """Use a transport on a loop of its own."""

    async def run() -> T:
        return await work(httpx.AsyncClient(transport=transport, base_url=f"{LOCAL_ROOT}api/v1/"))

    return asyncio.run(run())


def create_session(transport: LocalTransport) -> str:
    """Open a session."""
    body = {"tags": [], "user_metadata": {}, "sdk_version": "1"}
    return str(ask(transport, lambda http: http.post("create_session", json=body)).json()["session_id"])


def test_a_private_directory_goes_with_its_transport() -> None:
    """`local:` keeps nothing."""
    transport = open_local("local:")
    directory = transport.service.options.data_dir
    create_session(transport)
    assert directory.is_dir()
    transport.close()
    assert not directory.exists()


def test_two_private_services_share_nothing() -> None:
    """Each `local:` is its own."""
    one, other = open_local(), open_local()
    session = create_session(one)
    answer = ask(other, lambda http: http.get(f"sessions/{session}"))
    one.close()
    other.close()
    assert answer.status_code == 404


def test_a_path_keeps_its_state(tmp_path: Path) -> None:
    """What was there is there again; a slash behind the path changes nothing."""
    transport = open_local(f"local:{tmp_path}")
    session = create_session(transport)
    transport.close()
    again = open_local(f"local:{tmp_path}/")
    assert ask(again, lambda http: http.get(f"sessions/{session}")).status_code == 200
    again.close()


def test_transports_of_one_process_share_a_path(tmp_path: Path) -> None:
    """The second one reaches the same service, and the last one closes it."""
    one, other = open_local(f"local:{tmp_path}"), open_local(f"local:{tmp_path}")
    session = create_session(one)
    one.close()
    one.close()
    assert ask(other, lambda http: http.get(f"sessions/{session}")).status_code == 200
    other.close()
    with pytest.raises(Exception, match="closed"):
        other.service.database.rows("SELECT 1")


def test_another_process_is_refused(tmp_path: Path) -> None:
    """The refusal names the directory and the process that has it."""
    code = (
        "import sys; from tinsmith_local.transport import open_local\n"
        "t = open_local('local:' + sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"open\n"
    with pytest.raises(DirectoryLockedError, match=rf"{tmp_path}.*{holder.pid}.*tinsmith serve"):
        open_local(f"local:{tmp_path}")
    holder.kill()
    holder.communicate()
    open_local(f"local:{tmp_path}").close()


def test_many_loops_may_use_one_transport() -> None:
    """Polls that wait on one loop are woken by work of another."""
    transport = open_local()
    session = create_session(transport)
    body = {
        "session_id": session,
        "model_seq_id": 0,
        "base_model": "tinsmith/tiny",
        "lora_config": {"rank": 1},
    }
    gate = threading.Event()

    def hold() -> None:
        gate.wait(20)

    transport.service.engine_thread.put(hold)
    promise = ask(transport, lambda http: http.post("create_model", json=body)).json()
    answers: list[int] = []

    def poll() -> None:
        body = {"request_id": promise["request_id"]}
        answers.append(ask(transport, lambda http: http.post("retrieve_future", json=body)).status_code)

    threads = [threading.Thread(target=poll) for _ in range(4)]
    for thread in threads:
        thread.start()
    threading.Timer(0.05, gate.set).start()
    for thread in threads:
        thread.join()
    transport.close()
    assert answers == [200] * 4


def test_the_read_timeout_holds() -> None:
    """A poll that is held longer than the client waits is httpx's ReadTimeout."""
    transport = open_local()
    gate = threading.Event()

    def hold() -> None:
        gate.wait(20)

    transport.service.engine_thread.put(hold)
    session = create_session(transport)
    body = {"session_id": session, "model_seq_id": 0, "base_model": "tinsmith/tiny"}
    promise = ask(transport, lambda http: http.post("create_model", json=body)).json()
    poll = {"request_id": promise["request_id"]}
    with pytest.raises(httpx.ReadTimeout):
        ask(transport, lambda http: http.post("retrieve_future", json=poll, timeout=0.05))
    gate.set()
    transport.close()


def test_it_cannot_be_pickled() -> None:
    """The refusal names the way to share a service."""
    transport = open_local()
    with pytest.raises(TypeError, match="tinsmith serve"):
        pickle.dumps(transport)
    transport.close()


def test_only_local_urls_are_opened() -> None:
    """Anything else is a mistake of the caller."""
    with pytest.raises(ValueError, match="local:PATH"):
        open_local("http://127.0.0.1")


def test_importing_the_entry_points_is_cheap() -> None:
    """Neither `import tinsmith` nor the transport's module loads the app, the engine or numpy."""
    code = (
        "import sys, json, tinsmith, tinsmith_local.transport\n"
        "heavy = ('numpy', 'starlette', 'uvicorn', 'safetensors', 'tokenizers', 'tinsmith_local.app')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout) == []


def test_a_forked_child_gets_an_error_and_takes_nothing_away() -> None:
    """The child's request fails at once, and its end leaves the parent's service and directory alone."""
    code = (
        "import asyncio, os, sys, httpx\n"
        "from tinsmith.core.addresses import LOCAL_ROOT\n"
        "from tinsmith_local.transport import open_local\n"
        "transport = open_local()\n"
        "url = LOCAL_ROOT + 'api/v1/healthz'\n"
        "ask = lambda: asyncio.run(httpx.AsyncClient(transport=transport).get(url)).status_code\n"
        "print(ask(), flush=True)\n"
        "if os.fork() == 0:\n"
        "    try:\n"
        "        ask()\n"
        "    except httpx.ConnectError as error:\n"
        "        print(error, flush=True)\n"
        "    sys.exit()\n"
        "os.wait()\n"
        "print(ask(), transport.service.options.data_dir.is_dir(), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=WAIT_S
    )
    first, second, third = done.stdout.splitlines()
    assert (first, third) == ("200", "200 True")
    assert "forked" in second


def test_closing_gives_up_a_long_computation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`close(timeout=)` does not wait for the engine: its step is given up, and done when opened again."""
    begun = threading.Event()
    look_up = Team.look_up

    def held(team: Team) -> None:
        begun.set()
        while team.stop is not None and not team.stop():
            threading.Event().wait(0.001)
        look_up(team)

    datum = Datum(
        model_input=ModelInput.from_ints([1, 2, 3]),
        loss_fn_inputs={"target_tokens": [1, 2, 3], "weights": [1.0, 1.0, 1.0]},
    )
    with caplog.at_level("WARNING"):
        client = ServiceClient(base_url=f"local:{tmp_path}")
        trainer = client.create_lora_training_client("tinsmith/tiny", rank=2, seed=1)
        model_id = trainer.model_id
        with monkeypatch.context() as patched:
            patched.setattr(Team, "look_up", held)
            future = trainer.forward_backward([datum], "cross_entropy")
            assert begun.wait(WAIT_S)
            closing = threading.Thread(target=client.close, kwargs={"timeout": 0.0})
            closing.start()
            assert isinstance(future.exception(WAIT_S), ClosedError)
            closing.join(WAIT_S)
    assert f"forward_backward of model {model_id}" in caplog.text
    assert "was given up" in caplog.text
    request_id = future.request_id
    assert request_id is not None
    with ServiceClient(base_url=f"local:{tmp_path}") as again:
        result = APIFuture.from_request_id(request_id, service=again, result=ForwardBackwardOutput).result(
            WAIT_S
        )
    assert len(result.loss_fn_outputs) == 1
