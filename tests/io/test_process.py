"""The client and the end of a process: exits, Ctrl-C, forks, running loops, threads and spawned copies."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import pickle
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import APIFuture, ClosedError, ModelInput, SamplingParams, ServiceClient, testing
from tinsmith.core.config import ClientConfig, FlowLimits, RetryConfig
from tinsmith.core.retry import Fault
from tinsmith.io.http.messages import Faulted

from tests.io.bench import ADAM, WAIT_S, refuse, trainer_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.io.http.messages import Answer, Seen

MAKE = """
import sys, os, threading, time, asyncio, pickle, warnings
from tinsmith import *
service = ServiceClient(base_url=sys.argv[1], api_key="tml-x", server_deduplicates=True)
trainer = service.create_lora_training_client("tinsmith/tiny").result()
"""


@pytest.fixture
def server() -> Iterator[testing.SocketServer]:
    """Run a service behind a socket."""
    with testing.SocketServer(testing.LedgerService()) as running:
        yield running


def start(server: testing.SocketServer, program: str) -> subprocess.Popen[str]:
    """Start a program that has a training client."""
    return subprocess.Popen(
        [sys.executable, "-c", MAKE + textwrap.dedent(program), server.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(server: testing.SocketServer, program: str) -> tuple[int, str, str]:
    """Run a program to its end."""
    process = start(server, program)
    out, err = process.communicate(timeout=WAIT_S)
    return process.returncode, out, err


def test_exit_drains_what_is_in_flight(server: testing.SocketServer) -> None:
    """A program that leaves with 50 steps in flight has them all applied, in order, and says nothing."""
    code, _, err = run(server, "steps = [trainer.optim_step(AdamParams()) for _ in range(50)]")
    assert (code, err) == (0, "")
    server.service.ledger.assert_exactly_once("session-1:train:0", 50)


def test_exit_says_what_was_not_acknowledged(server: testing.SocketServer) -> None:
    """A program that cannot drain says how many requests were not sent and not acknowledged."""
    server.service.rules.append(_silent("optim_step"))
    program = """
        config = ClientConfig.from_environment(
          base_url=sys.argv[1], api_key="tml-x", flow=FlowLimits(exit_drain_s=0.3), server_deduplicates=True)
        trainer = ServiceClient(config=config).create_lora_training_client("tinsmith/tiny")
        steps = [trainer.optim_step(AdamParams()) for _ in range(50)]
    """
    code, _, err = run(server, program)
    assert code == 0
    assert re.search(r"49 requests not sent and 1 requests? sent but not acknowledged", err), err


def test_exit_says_what_was_accepted_and_not_finished(server: testing.SocketServer) -> None:
    """Results that come soon are waited for; what the server has and does not finish is told, once."""
    server.service.rules.append(_models_alone)
    steps = "steps = [trainer.optim_step(AdamParams()) for _ in range(5)]"
    code, _, err = run(server, f"from tinsmith.io import runtime; runtime.RESULT_GRACE_S = 0.2\n{steps}")
    assert (code, err) == (0, "tinsmith: the process ends with 5 requests accepted and not finished\n")


def test_work_begun_at_the_exit_ends(server: testing.SocketServer) -> None:
    """A save, a batch that is built in a worker, and a step that nobody waits for."""
    program = """
        import atexit
        trainer.model_id
        def last():
            print(trainer.save_state("final").result(20).path)
            datum = Datum(
                model_input=ModelInput.from_ints([1] * 400),
                loss_fn_inputs={"target_tokens": [1] * 400, "weights": [1.0] * 400},
            )
            print(len(trainer.forward_backward([datum] * 100, "cross_entropy").result(20).loss_fn_outputs))
            trainer.optim_step(AdamParams())
        atexit.register(last)
    """
    code, out, err = run(server, program)
    assert (code, out.split(), err) == (0, ["tinker://session-1:train:0/weights/final", "100"], "")
    server.service.ledger.assert_exactly_once("session-1:train:0", 3)


def test_exit_says_what_failed_meanwhile(server: testing.SocketServer) -> None:
    """A program that leaves before its requests were refused says how many, and why."""

    def rule(operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        if operation != "optim_step":
            return None
        time.sleep(1.0)  # the program is leaving by now
        return refuse(400)

    server.service.rules.append(rule)
    code, _, err = run(server, "steps = [trainer.optim_step(AdamParams()) for _ in range(5)]")
    assert code == 0
    assert "5 requests failed while the process ended; the first: Error code: 400" in err


def test_closing_says_what_was_not_acknowledged(
    server: testing.SocketServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that is closed with a limit warns of what it gives up."""
    server.service.rules.append(_silent("optim_step"))
    client = ServiceClient(base_url=server.url, api_key="tml-x", server_deduplicates=True)
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    steps = [trainer.optim_step(ADAM) for _ in range(5)]
    client.close(timeout=0.2)
    assert "4 requests not sent and 1 requests sent but not acknowledged" in caplog.text
    assert all(isinstance(step.exception(WAIT_S), ClosedError) for step in steps)


def test_ctrl_c_does_not_wait_for_a_loss(server: testing.SocketServer) -> None:
    """Ctrl-C while a function of the user runs for long ends the process, and not when the function likes."""
    program = """
        import numpy as np
        def loss(data, logprobs):
            sys.stdout.write("computing\\n"); sys.stdout.flush()
            time.sleep(600)
        datum = Datum(model_input=ModelInput.from_ints([1, 2]), loss_fn_inputs={"target_tokens": [1, 2]})
        trainer.forward_backward_custom([datum], loss, backend="numpy").result()
    """
    process = start(server, program)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "computing"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT_S)


def test_exit_counts_samples_without_waiting(server: testing.SocketServer) -> None:
    """Samples change nothing: leaving does not wait for them, and says how many were not finished."""
    not_yet = testing.reply({"type": "try_again"}, 408)
    server.service.rules.append(
        lambda name, _seen, body: (
            not_yet if name == "retrieve_future" and "model" not in body["request_id"] else None
        )
    )
    program = """
        sampler = service.create_sampling_client(base_model="tinsmith/tiny")
        drawn = [sampler.sample(ModelInput.from_ints([1]), 1, SamplingParams()) for _ in range(50)]
    """
    code, _, err = run(server, program)
    assert code == 0
    assert "50 samples not finished" in err


def test_ctrl_c_is_quick(server: testing.SocketServer) -> None:
    """Ctrl-C ends a program that waits, though its drain would last an hour, and says what was left."""
    server.service.rules.append(_silent("optim_step"))
    program = """
        from tinsmith.core.config import ClientConfig, FlowLimits
        patient = ClientConfig.from_environment(
            base_url=sys.argv[1],
            api_key="tml-x",
            flow=FlowLimits(exit_drain_s=3600.0),
            server_deduplicates=True,
        )
        trainer = ServiceClient(config=patient).create_lora_training_client("tinsmith/tiny")
        steps = [trainer.optim_step(AdamParams()) for _ in range(5)]
        print("waiting", flush=True)
        steps[-1].result()
    """
    process = start(server, program)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    assert "4 requests not sent and 1 request" in err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_fork_gives_an_error_at_once(server: testing.SocketServer) -> None:
    """In a forked child an inherited client and an inherited future raise at once; a new one works."""
    program = """
        trainer.optim_step(AdamParams()).result()
        future = APIFuture()
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of a fork beside threads
        if os.fork() == 0:
            for act in (lambda: trainer.optim_step(AdamParams()).result(), service.get_server_capabilities,
                        future.result):
                try:
                    act()
                except ClosedError as error:
                    print(type(error).__name__, flush=True)
            fresh = ServiceClient(base_url=sys.argv[1], api_key="tml-x")
            print(fresh.get_server_capabilities().supported_models[0].model_name, flush=True)
            os._exit(0)
        os.wait()
        print(trainer.optim_step(AdamParams()).result().metrics["seq_id"])
    """
    code, out, err = run(server, program)
    assert (code, err) == (0, "")
    assert out.split() == ["ClosedError"] * 3 + ["tinsmith/tiny", "2.0"]


def test_sampling_client_works_in_a_spawned_process(server: testing.SocketServer) -> None:
    """A pickled sampler holds no key, and samples in another process under numbers of its own."""
    program = """
        sampler = service.create_sampling_client(base_model="tinsmith/tiny")
        sampler.sample(ModelInput.from_ints([1]), 1, SamplingParams(max_tokens=1)).result()
        data = pickle.dumps(sampler)
        assert b"tml-" not in data
        import subprocess
        child = "import sys, pickle; from tinsmith import *;"
        child += "s = pickle.loads(sys.stdin.buffer.read());"
        child += "drawn = s.sample(ModelInput.from_ints([1]), 1, SamplingParams(max_tokens=2)).result();"
        child += "print(drawn.sequences[0].tokens)"
        done = subprocess.run([sys.executable, "-c", child], input=data, capture_output=True,
                              env={**os.environ, "TINKER_API_KEY": "tml-y"})
        print(done.stdout.decode().strip(), done.stderr.decode().strip())
    """
    code, out, err = run(server, program)
    assert (code, err) == (0, "")
    assert out.strip() == "[7, 7]"
    first, second = (entry.seq_id for entry in server.service.ledger.applied)
    assert first == 0
    assert second >= 10**9
    assert second % 10**9 == 0


def test_local_client_does_not_pickle() -> None:
    """A sampler of the embedded service refuses to pickle, and names what does."""
    with ServiceClient(base_url="local:") as client:
        sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
        with pytest.raises(TypeError, match="tinsmith serve"):
            pickle.dumps(sampler)
        with pytest.raises(TypeError, match="does not pickle"):
            pickle.dumps(client)


def test_calls_inside_a_running_loop(service: testing.LedgerService) -> None:
    """As in a notebook: plain calls work inside a running loop, and so does awaiting their futures."""

    async def cell() -> tuple[float, float]:
        trainer = trainer_on(service)
        plain = trainer.optim_step(ADAM).result(WAIT_S)
        awaited = await trainer.optim_step(ADAM)
        assert plain.metrics is not None
        assert awaited.metrics is not None
        return plain.metrics["seq_id"], awaited.metrics["seq_id"]

    assert asyncio.run(cell()) == (1.0, 2.0)


def test_waiting_on_our_own_loop_is_refused(service: testing.LedgerService) -> None:
    """A callback that waits for another future would stop the loop: it is told so at once."""
    trainer = trainer_on(service)
    found: list[BaseException] = []
    told = threading.Event()

    def callback(_: Any) -> None:
        try:
            APIFuture[None]().result()
        except RuntimeError as error:
            found.append(error)
        told.set()

    trainer.optim_step(ADAM).add_done_callback(callback)
    assert told.wait(WAIT_S)
    assert "result_async" in str(found[0])


def test_closing_in_a_callback_does_not_wait_for_itself(service: testing.LedgerService) -> None:
    """`close()` on tinsmith's own thread begins to close and returns."""
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    closed = threading.Event()

    def close(_: object) -> None:
        client.close()
        closed.set()

    trainer.optim_step(ADAM).add_done_callback(close)
    assert closed.wait(WAIT_S)
    ServiceClient(**service.settings()).get_server_capabilities()
    client.close()
    with pytest.raises(ClosedError):
        trainer.optim_step(ADAM).result(WAIT_S)


def test_sampling_in_a_callback_is_not_held_up(service: testing.LedgerService) -> None:
    """A callback that samples while `max_queued` are waiting does not block the thread that makes room."""
    config = ClientConfig.from_environment(
        base_url="http://127.0.0.1:1/",
        api_key="tml-x",
        flow=FlowLimits(max_queued=1),
        retry=RetryConfig(max_connections=1),
    )
    client = ServiceClient(**service.settings(config=config))
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    more: list[Any] = []
    done = threading.Event()

    def sample() -> Any:
        return sampler.sample(ModelInput.from_ints([1]), 1, SamplingParams(max_tokens=1))

    def draw(_: object) -> None:
        more.extend(sample() for _ in range(3))
        done.set()

    sample().add_done_callback(draw)
    assert done.wait(WAIT_S)
    for future in more:
        future.result(WAIT_S)
    for future in [sample() for _ in range(4)]:
        future.result(WAIT_S)


def test_an_exit_in_a_callback_ends_nobody_else(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """`sys.exit()` in a done-callback is logged; the thread that all clients share lives on."""
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result()

    def leave(_: object) -> None:
        sys.exit(3)

    with caplog.at_level("ERROR"):
        step = trainer.optim_step(ADAM)
        step.add_done_callback(leave)
        step.result(WAIT_S)
        trainer.optim_step(ADAM).result(WAIT_S)
    assert "SystemExit" in caplog.text


def test_cancelled_futures_are_done_for_everybody(service: testing.LedgerService) -> None:
    """`concurrent.futures.wait` and `as_completed` see a call that is cancelled before or while they wait."""
    trainer = trainer_on(service)
    steps = [trainer.optim_step(ADAM) for _ in range(20)]
    threads = [threading.Thread(target=step.cancel) for step in steps[10:] for _ in range(2)]
    steps[0].cancel()
    for thread in threads:
        thread.start()
    assert not concurrent.futures.wait(steps, WAIT_S).not_done
    assert set(concurrent.futures.as_completed(steps, WAIT_S)) == set(steps)


def test_sixteen_threads(service: testing.LedgerService) -> None:
    """16 threads x 100 steps arrive in order of their calls."""
    trainer = trainer_on(service)
    futures: list[APIFuture[Any]] = []
    line = threading.Lock()

    def work() -> None:
        for _ in range(100):
            with line:
                futures.append(trainer.optim_step(ADAM))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [future.result(WAIT_S).metrics["seq_id"] for future in futures] == list(range(1, 1601))
    service.ledger.assert_exactly_once(trainer.model_id, 1600)


def test_leaving_the_block_waits_for_results(service: testing.LedgerService) -> None:
    """Futures of a client that was closed by its block have their results; after an error nobody waits."""
    service.dialect = testing.ServerDialect(ready_after_polls=2, hold_s=1.0)
    with ServiceClient(**service.settings()) as client:
        future = client.create_lora_training_client("tinsmith/tiny").result().optim_step(ADAM)
    assert future.result(0).metrics == {"seq_id": 1.0}
    service.dialect = testing.ServerDialect(ready_after_polls=10**6, hold_s=1.0)
    client = ServiceClient(**service.settings())
    service.rules.append(
        lambda name, _seen, body: (
            testing.reply({"type": "create_model", "model_id": body["request_id"].removeprefix("model ")})
            if name == "retrieve_future" and "model" in body["request_id"]
            else None
        )
    )
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    future = trainer.optim_step(ADAM)
    with pytest.raises(KeyError), client:
        raise KeyError
    with pytest.raises(ClosedError):
        future.result(0)


def test_closed_client_says_so(service: testing.LedgerService) -> None:
    """After `close` every call fails at once."""
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    client.close()
    for call in (
        lambda: trainer.optim_step(ADAM),
        lambda: sampler.sample(ModelInput.from_ints([1]), 1, SamplingParams()),
    ):
        with pytest.raises(ClosedError):
            call().result(WAIT_S)


def _silent(operation: str) -> Any:
    """Make a rule under which an operation is never answered."""

    def rule(asked: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        if asked == operation:
            raise Faulted(Fault.DEADLINE, "never")
        return None

    return rule


def _models_alone(operation: str, seen: Seen, body: dict[str, Any]) -> Answer | None:
    """Finish models, and nothing else."""
    if operation != "retrieve_future" or body["request_id"].startswith("model"):
        return None
    return testing.reply({"type": "try_again"}, 408)
