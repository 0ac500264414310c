"""The same short run on a stand-in of each kind of server: the right weights, and the right `applied`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from tinsmith import (
    AdamParams,
    ConflictError,
    ModelInput,
    ResultLostError,
    SamplingParams,
    ServiceClient,
    TinkerError,
    testing,
)
from tinsmith.core.errors import ServerWarning

from tests.dialects import standin
from tests.guard import WAIT_S
from tests.io.bench import datum

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tinsmith import TrainingClient

    from tests.dialects.standin import StandIn

RATE = 0.125
STEPS = 4
OPERATIONS = ("forward_backward", "optim_step", "save_weights", "save_weights_for_sampler", "forward")


@attrs.frozen
class Kind:
    """One kind of server, and what a client must make of it."""

    habits: standin.Habits
    """What it does."""
    name: str
    """What it is recognised as."""
    lost: str | None
    """`applied` of a request whose answer was lost; None where it succeeds all the same."""
    probes: int
    """Requests that were asked for the encoding."""
    per_token: bool = True
    """Whether the gradient grows with the number of tokens."""


KINDS = {
    "skyrl-0.3": Kind(standin.SKYRL_0_3, "skyrl-0.3", "unknown", 1),
    "skyrl-0.4": Kind(standin.SKYRL_0_4, "skyrl-0.4", None, 1),
    "tuft": Kind(standin.TUFT, "tuft", "yes", 0),
    "hatchery": Kind(standin.HATCHERY, "hatchery", "unknown", 0, per_token=False),
    "both": Kind(standin.BOTH, "unknown", None, 1),
    "unknown": Kind(standin.NUMBERS, "unknown", None, 1),
}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return each kind in turn."""
    return KINDS[request.param]


@pytest.fixture
def server(kind: Kind) -> StandIn:
    """Make a stand-in of the kind."""
    return standin.StandIn(kind.habits)


@pytest.fixture
def client(server: StandIn) -> Iterator[ServiceClient]:
    """Make a client of it over a real socket, which was told nothing about its server."""
    stand: Any = server
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ServerWarning)
        with testing.SocketServer(stand) as at, ServiceClient(base_url=at.url, api_key="tml-x") as made:
            yield made


def step(weight: float, kind: Kind, *, tokens: int = 3) -> float:
    """Compute one step as it must come out."""
    return weight - RATE * (tokens if kind.per_token else 1.0) * (1.0 + weight)


def train(trainer: TrainingClient, steps: int) -> None:
    """Make steps whose requests go out one behind the other."""
    calls: list[Any] = []
    for _ in range(steps):
        calls.append(trainer.forward_backward([datum()], "cross_entropy"))
        calls.append(trainer.optim_step(AdamParams(learning_rate=RATE)))
    for call in calls:
        call.result(WAIT_S)


def waited(made: Any) -> Any:
    """Wait for a client that is being made."""
    return made.result(WAIT_S) if hasattr(made, "result") else made


def created(client: ServiceClient) -> Any:
    """Make a model, and wait for it."""
    return waited(client.create_lora_training_client("m", rank=4))


def restored(client: ServiceClient, path: str) -> Any:
    """Make a model of a checkpoint, and wait for it."""
    return waited(client.create_training_client_from_state(path))


def test_a_run_with_one_lost_answer_ends_in_the_right_weights(
    kind: Kind, server: StandIn, client: ServiceClient
) -> None:
    """Create, steps, save, a step whose answer is lost, and where its outcome is unknown: load and repeat."""
    trainer = created(client)
    train(trainer, STEPS)
    path = trainer.save_state("a").result(WAIT_S).path
    weight = 0.0
    for _ in range(STEPS):
        weight = step(weight, kind)
    assert server.saved[path] == weight

    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    server.lose.append("optim_step")
    lost = trainer.optim_step(AdamParams(learning_rate=RATE)).exception(WAIT_S)
    assert lost is None or isinstance(lost, TinkerError)
    assert (None if lost is None else lost.applied) == kind.lost
    assert client.server.name == kind.name
    if kind.lost == "unknown":
        with pytest.raises(TinkerError):
            trainer.optim_step(AdamParams(learning_rate=RATE)).result(WAIT_S)
        trainer = restored(client, path)
        train(trainer, 1)
    weight = step(weight, kind)
    train(trainer, 1)
    weight = step(weight, kind)

    assert server.models[trainer.model_id].weight == weight
    applied = [(operation, number) for model, operation, number in server.ledger if model == trainer.model_id]
    assert len(set(applied)) == len(applied)
    sent = [entry for entry in server.log if entry[1] == "forward_backward" and entry[2] is None]
    assert len(sent) <= kind.probes


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_said_of_a_lost_answer_is_what_the_ledger_says(
    kind: Kind, server: StandIn, client: ServiceClient, operation: str
) -> None:
    """At each operation: applied once, whatever the client says, and it says nothing that is not so."""
    trainer = created(client)
    train(trainer, 1)
    before = len(server.ledger)
    route = "forward_backward" if operation == "forward" and kind.habits.reads == "protobuf" else operation
    server.lose.append(route)
    calls: dict[str, Any] = {
        "forward_backward": lambda: trainer.forward_backward([datum()], "cross_entropy"),
        "forward": lambda: trainer.forward([datum()], "cross_entropy"),
        "optim_step": lambda: trainer.optim_step(AdamParams(learning_rate=RATE)),
        "save_weights": lambda: trainer.save_state("b"),
        "save_weights_for_sampler": lambda: trainer.save_weights_for_sampler("b"),
    }
    error = calls[operation]().exception(WAIT_S)
    assert (None if error is None else error.applied) == kind.lost
    assert error is None or kind.lost == "unknown" or isinstance(error, ResultLostError)
    assert [entry[1] for entry in server.ledger[before:]] == [operation]


@pytest.mark.parametrize("length", [3, 20_000])
def test_a_large_first_batch_goes_in_the_cheaper_form(
    kind: Kind, server: StandIn, client: ServiceClient, length: int
) -> None:
    """Protobuf wherever it is read; a second probe where nobody knows, and for a large batch alone."""
    trainer = created(client)
    trainer.forward_backward([datum(*[1] * length)], "cross_entropy").result(WAIT_S)
    is_large, reads = length > 3, kind.habits.reads
    cheaper = "protobuf" if reads == "protobuf" or (reads == "both" and is_large) else "json"
    assert client.holder.settings.encoding == cheaper
    assert [entry[1] for entry in server.ledger] == ["forward_backward"]
    asked = [number for _, operation, number in server.log if operation in ("forward", "forward_backward")]
    assert asked[-1] == 1
    assert len(asked) <= kind.probes + 1 + (is_large and reads == "both")


def test_checkpoints_are_sampled_listed_and_downloaded(
    kind: Kind, server: StandIn, client: ServiceClient, tmp_path: Path
) -> None:
    """Under the ids of the server's own list, with dates as it writes them and prompts in full."""
    trainer = created(client)
    train(trainer, 1)
    trainer.save_state("a").result(WAIT_S)
    path = trainer.save_weights_for_sampler("samp-a").result(WAIT_S).path
    sampler = waited(client.create_sampling_client(model_path=path))
    prompt = ModelInput.from_ints([1, 2, 3])
    assert sampler.compute_logprobs(prompt).result(WAIT_S) == [None, -1.0, -1.0]
    assert sampler.sample(prompt, 2, SamplingParams(max_tokens=1)).result(WAIT_S).sequences[1].tokens == [7]

    rest = client.create_rest_client()
    rows = rest.list_checkpoints(trainer.model_id).result(WAIT_S).checkpoints
    assert len(rows) == 2
    assert (rows[0].time is None) == (kind.habits.dates == "null")
    for checkpoint_id in {rows[-1].checkpoint_id, "sampler_weights/samp-a"}:
        url = rest.get_checkpoint_archive_url(trainer.model_id, checkpoint_id).result(WAIT_S).url
        assert url.endswith("/file")
    target = f"tinker://{trainer.model_id}/sampler_weights/samp-a"
    folder = rest.download_checkpoint(target, tmp_path / "got").result(WAIT_S)
    assert (folder / "adapter_model.safetensors").read_bytes() == b"weights"


def test_a_name_that_is_taken_is_refused_and_the_run_goes_on(
    kind: Kind, server: StandIn, client: ServiceClient
) -> None:
    """409 about a name: nothing was applied, the number is free, and the next save works."""
    trainer = created(client)
    train(trainer, 1)
    trainer.save_state("a").result(WAIT_S)
    with pytest.raises(ConflictError) as caught:
        trainer.save_state("a").result(WAIT_S)
    assert caught.value.applied == "no"
    trainer.save_state("b").result(WAIT_S)
    train(trainer, 1)
    assert server.models[trainer.model_id].weight == step(step(0.0, kind), kind)


def test_a_model_that_could_not_be_loaded_is_unloaded(
    kind: Kind, server: StandIn, client: ServiceClient
) -> None:
    """Nobody holds it, and it would take the place of another one."""
    with pytest.raises(TinkerError):
        restored(client, "tinker://gone/weights/a")
    assert server.models == {}


def test_no_batch_is_written_in_two_forms(kind: Kind, server: StandIn, client: ServiceClient) -> None:
    """Each number comes once, in the form that the server reads, and a forward pass trains nothing."""
    trainer = created(client)
    trainer.forward([datum()], "cross_entropy").result(WAIT_S)
    train(trainer, 2)
    numbers = [number for _, _, number in server.log if number is not None]
    assert numbers == sorted(set(numbers))
    assert server.models[trainer.model_id].weight == step(step(0.0, kind), kind)


@pytest.mark.parametrize("kind", ["skyrl-0.3", "skyrl-0.4", "hatchery"], indirect=True)
def test_a_lost_creation_is_not_repeated_where_it_would_make_a_second_model(
    server: StandIn, client: ServiceClient
) -> None:
    """SkyRL and Hatchery are known by then: one model, and an error that says so."""
    server.lose.append("create_model")
    with pytest.raises(TinkerError) as caught:
        created(client)
    assert caught.value.applied == "unknown"
    assert len(server.models) == 1
