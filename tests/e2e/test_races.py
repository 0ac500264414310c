"""Many clients at one thing at the same moment: one of them gets it, the others a 4xx, nobody a 500."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import tinsmith
from tinsmith import types
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.e2e.bench import datum, works
from tests.guard import WAIT_S

WIDTH = 12


class Crowd:
    """Clients of one service that all send at once."""

    def __init__(self, service: tinsmith.ServiceClient, http: httpx.Client) -> None:
        self.service = service
        self.http = http
        self._threads = ThreadPoolExecutor(WIDTH)

    def together(self, *calls: Callable[[], httpx.Response]) -> list[httpx.Response]:
        """Make the calls at the same time, in no order."""
        mixed = random.Random(1).sample(calls, len(calls))
        return list(self._threads.map(lambda call: call(), mixed))

    def post(self, operation: str, **body: object) -> Callable[[], httpx.Response]:
        """Return a call that posts a body."""
        return lambda: self.http.post(operation, json=body)


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    """Serve, with room for a crowd."""
    with (
        serving(ServeOptions(data_dir=tmp_path)) as (address, _),
        tinsmith.ServiceClient(base_url=address.base_url, api_key=address.token) as service,
        httpx.Client(
            base_url=f"{address.base_url}/api/v1/", headers={"x-api-key": address.token}, trust_env=False
        ) as http,
    ):
        yield Crowd(service, http)


def route(path: str, tail: str = "") -> str:
    """Return the route of a checkpoint."""
    run, kind, name = path.removeprefix("tinker://").split("/")
    return f"training_runs/{run}/checkpoints/{kind}/{name}{tail}"


def test_one_place_for_many_copies(crowd: Crowd) -> None:
    """One copy is made, the others find the place taken; under one key all get that copy."""
    client = crowd.service.create_lora_training_client("tinsmith/tiny", rank=2)
    saved = client.save_state("a").result().path
    copies = crowd.together(
        *[crowd.post("copy_weights", source_path=saved, destination_project_id="one")] * WIDTH
    )
    assert Counter(answer.status_code for answer in copies) == {200: 1, 409: WIDTH - 1}
    again = {"source_path": saved, "destination_project_id": "other"}
    keyed = crowd.together(
        *[lambda: crowd.http.post("copy_weights", json=again, headers={"X-Idempotency-Key": "k"})] * WIDTH
    )
    assert {answer.status_code for answer in keyed} == {200}
    assert len({answer.json()["tinker_path"] for answer in keyed}) == 1


def test_everything_at_once_with_a_deletion(crowd: Crowd) -> None:
    """Copied, published, packed, loaded and deleted at once, six times: every answer is below 500."""
    client = crowd.service.create_lora_training_client("tinsmith/tiny", rank=2)
    session = client.model_id.partition(":")[0]
    for number in range(6):
        path = client.save_state(f"c{number}").result().path
        sampled = {"session_id": session, "sampling_session_seq_id": number, "model_path": path}
        answers = crowd.together(
            *[lambda path=path: crowd.http.delete(route(path))] * 2,
            *[lambda path=path: crowd.http.get(route(path, "/archive"), follow_redirects=True)] * 4,
            *[lambda path=path: crowd.http.post(route(path, "/publish"))] * 2,
            *[lambda path=path: crowd.http.put(route(path, "/ttl"), json={"ttl_seconds": 86400})] * 2,
            *[crowd.post("weights_info", tinker_path=path)] * 2,
            *[crowd.post("copy_weights", source_path=path, destination_project_id="p")] * 4,
            *[crowd.post("create_sampling_session", **sampled)] * 2,
        )
        assert [answer.text for answer in answers if answer.status_code >= 500] == []
        assert 204 in {answer.status_code for answer in answers}
    works(client)


def test_a_model_is_unloaded_while_it_trains(crowd: Crowd) -> None:
    """What was accepted before ends, in a result or an error; the others' models go on."""
    doomed, other = (crowd.service.create_lora_training_client("tinsmith/tiny", rank=2) for _ in range(2))
    futures = [doomed.forward_backward([datum()], "cross_entropy") for _ in range(20)]
    crowd.http.post("unload_model", json={"model_id": doomed.model_id}).raise_for_status()
    for future in futures:
        failed = future.exception(timeout=WAIT_S)
        assert failed is None or isinstance(failed, tinsmith.TinkerError), failed
    works(other)


def test_samples_outlive_a_deleted_checkpoint_or_say_so(crowd: Crowd) -> None:
    """Each sample ends, in tokens or in an error that names the checkpoint; other samplers go on."""
    client = crowd.service.create_lora_training_client("tinsmith/tiny", rank=2)
    path = client.save_weights_for_sampler("gone").result().path
    assert path is not None
    sampler = crowd.service.create_sampling_client(model_path=path)
    prompt = types.ModelInput.from_ints([104, 105])
    asked = types.SamplingParams(max_tokens=64, stop=[])
    futures = [sampler.sample(prompt, 2, asked) for _ in range(8)]
    gone = threading.Timer(0.01, lambda: crowd.http.delete(route(path)))
    gone.start()
    for future in futures:
        failed = future.exception(timeout=WAIT_S)
        assert failed is None or "gone" in str(failed), failed
    gone.join()
    other = crowd.service.create_sampling_client(base_model="tinsmith/tiny")
    assert len(other.sample(prompt, 1, asked).result(timeout=WAIT_S).sequences[0].tokens) == 64


def test_clients_that_hang_up_leave_nothing_behind(crowd: Crowd) -> None:
    """Polls given up by their clients end with them: the service answers the next one at once."""
    sampler = crowd.service.create_sampling_client(base_model="tinsmith/tiny")
    asked = {"prompt": {"chunks": [{"tokens": [1]}]}, "base_model": "tinsmith/tiny"}
    long = {**asked, "num_samples": 8, "sampling_params": {"max_tokens": 4000, "stop": []}}
    promise = crowd.http.post("asample", json=long).json()["request_id"]

    def give_up() -> httpx.Response:
        try:
            return crowd.http.post("retrieve_future", json={"request_id": promise}, timeout=0.05)
        except httpx.TimeoutException:
            return httpx.Response(499)

    answers = crowd.together(*[give_up] * 24)
    assert 499 in {answer.status_code for answer in answers}
    crowd.http.post("cancel_future", json={"request_id": promise}).raise_for_status()
    one = sampler.sample(types.ModelInput.from_ints([1]), 1, types.SamplingParams(max_tokens=1))
    assert len(one.result(timeout=WAIT_S).sequences) == 1
