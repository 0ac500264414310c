"""A server that is newer or older than this client: additions break nothing, omissions are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tinsmith import (
    APIResponseValidationError,
    ModelInput,
    NotFoundError,
    SamplingParams,
    ServiceClient,
    TrainingClient,
    testing,
)
from tinsmith.core.codec.decode import decode_chunk
from tinsmith.core.codec.encode import to_wire
from tinsmith.core.values.model_input import UnknownChunk
from tinsmith.io.http.messages import Answer
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S, datum, once, refuse

if TYPE_CHECKING:
    from tinsmith.io.http.messages import Seen

PROMPT = ModelInput.from_ints([1, 2])
CHECKPOINT = "tinker://other:train:0/weights/a"


class Newer(testing.LedgerService):
    """A service of a time to come: each answer has fields, words and a content type that nobody knows."""

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer, and add what is new."""
        answer = await super().answer(seen, drips=drips)
        fields = orjson.loads(answer.body)
        if isinstance(fields, dict):
            fields = {**fields, "x_new": {"deep": [1]}, "queue_position": 3}
            if fields.get("type") == "try_again":
                fields["queue_state"] = "paused_by_the_moon"
            for sequence in fields.get("sequences", ()):
                sequence |= {"stop_reason": "tired", "mood": "new"}
        kind = {"content-type": "application/vnd.tomorrow; v=9"}
        return Answer(answer.status, {**answer.headers, **kind}, orjson.dumps(fields))


def test_what_a_newer_server_adds_breaks_nothing(clock: testing.FrozenClock) -> None:
    """Unknown fields, queue states, stop reasons and content types, in a run of every kind of call."""
    service = Newer(testing.ServerDialect(ready_after_polls=2))
    service.rules.append(
        lambda asked, *_: (
            reply({"brand_new_flag": True, "proto_v2": "x"}) if asked == "client/config" else None
        )
    )
    client = ServiceClient(**service.settings())
    assert client.get_server_capabilities().supported_models
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    states: list[str] = []
    client.add_observer(lambda event: states.append(event.state) if event.kind == "queue" else None)
    assert trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S).metrics == {"loss:sum": 3.0}
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics is not None
    assert trainer.save_state("a").result(WAIT_S).path.endswith("/a")
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    (sequence,) = sampler.sample(PROMPT, 1, SamplingParams(max_tokens=2)).result(WAIT_S).sequences
    assert (sequence.tokens, sequence.stop_reason) == ([7, 7], "tired")
    assert sequence.extra == {"mood": "new"}
    assert "paused_by_the_moon" in states
    service.ledger.assert_exactly_once(trainer.model_id, 3)


def test_unknown_chunk_survives_a_round_trip() -> None:
    """A chunk of a kind that nobody knows is kept, and sent back as it came."""
    wire = {"type": "hologram", "data": [1, 2], "deep": {"x": None}}
    chunk = decode_chunk(wire)
    assert isinstance(chunk, UnknownChunk)
    assert to_wire(chunk) == wire


DROPPED: list[tuple[str, dict[str, Any]]] = [
    ("forward_backward", {"metrics": {}, "loss_fn_output_type": "ArrayRecord"}),
    (
        "forward_backward",
        {"loss_fn_outputs": [{"l": {"dtype": "float32"}}], "metrics": {}, "loss_fn_output_type": ""},
    ),
    ("save_weights", {"type": "save_weights"}),
    ("asample", {"type": "sample"}),
    ("asample", {"type": "sample", "sequences": [{"tokens": [1]}]}),
]


@pytest.mark.parametrize(("operation", "payload"), DROPPED)
def test_what_a_server_drops_is_one_clear_error(
    clock: testing.FrozenClock, operation: str, payload: dict[str, Any]
) -> None:
    """A result without a required field: the field, the ids, and that it was applied; the line goes on."""
    service = testing.LedgerService()
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    calls: dict[str, Any] = {
        "forward_backward": lambda: trainer.forward_backward([datum()], "cross_entropy"),
        "save_weights": lambda: trainer.save_state("a"),
        "asample": lambda: sampler.sample(PROMPT, 1, SamplingParams(max_tokens=2)),
    }
    service.rules.append(once("retrieve_future", reply(payload)))
    with pytest.raises(APIResponseValidationError) as caught:
        calls[operation]().result(WAIT_S)
    error = caught.value
    assert (error.request_id, error.applied) == ("request-2", "yes")
    assert error.model_id == (sampler.sampling_session_id if operation == "asample" else trainer.model_id)
    assert error.seq_id == (0 if operation == "asample" else 1)
    assert "is missing" in str(error)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics is not None


# A model that is created by loading


def from_state(service: testing.LedgerService, **flags: object) -> TrainingClient:
    """Make a training client of a checkpoint, on a server that answers client/config."""
    service.rules.append(lambda asked, *_: reply(flags) if asked == "client/config" else None)
    return ServiceClient(**service.settings()).create_training_client_from_state(CHECKPOINT).result()


def asked(service: testing.LedgerService) -> list[str]:
    """Return the operations that made the model."""
    names = [seen.path.removeprefix("api/v1/") for seen in service.seen]
    return [name for name in names if name in ("create_model", "load_weights")]


class Loader(testing.LedgerService):
    """A service that creates a model by loading."""

    def _in_order(self, operation: str, seen: Seen, body: dict[str, Any]) -> Answer:
        if operation != "load_weights" or "model_id" in body:
            return super()._in_order(operation, seen, body)
        model_id = f"{body['session_id']}:train:{body['model_seq_id']}"
        self._next.setdefault(model_id, 1)
        return self._promise(
            f"model {model_id}", {"type": operation, "path": body["path"], "model_id": model_id}
        )


def test_model_is_created_by_loading(clock: testing.FrozenClock) -> None:
    """One request with the session and the model's number; training starts with number 1."""
    service = Loader()
    trainer = from_state(service)
    assert asked(service) == ["load_weights"]
    sent = next(seen.json() for seen in service.seen if seen.path == "api/v1/load_weights")
    assert (sent["session_id"], sent["model_seq_id"], sent["optimizer"]) == ("session-1", 0, False)
    assert not {"model_id", "seq_id"} & set(sent)
    assert trainer.model_id == "session-1:train:0"
    trainer.optim_step(ADAM).result(WAIT_S)
    service.ledger.assert_exactly_once(trainer.model_id, 1)


@pytest.mark.parametrize("kind", list(testing.FaultKind))
def test_creation_by_loading_survives_a_fault(clock: testing.FrozenClock, kind: testing.FaultKind) -> None:
    """It is sent again byte for byte under the same number: one model, whatever was lost."""
    service = Loader(plan=testing.AtPosition({0: kind}, paths=["api/v1/load_weights"]))
    trainer = from_state(service)
    sent = {seen.body for seen in service.seen if seen.path == "api/v1/load_weights"}
    assert len(sent) == 1
    assert trainer.model_id == "session-1:train:0"


def test_server_that_does_not_create_by_loading(service: testing.LedgerService) -> None:
    """It refuses; the model is created under the same number and loaded afterwards, and nobody asks again."""
    first = from_state(service)
    assert asked(service) == ["load_weights", "create_model", "load_weights"]
    assert first.model_id == "session-1:train:0"
    service.ledger.assert_exactly_once(first.model_id, 1)


def test_refusal_to_create_by_loading_may_be_lost(clock: testing.FrozenClock) -> None:
    """The same refusal of the re-sent request is believed: the first at worst made a model nobody uses."""
    lost = testing.FaultKind.RESET_AFTER
    service = testing.LedgerService(plan=testing.AtPosition({0: lost}, paths=["api/v1/load_weights"]))
    first = from_state(service)
    assert asked(service) == ["load_weights", "load_weights", "create_model", "load_weights"]
    service.ledger.assert_exactly_once(first.model_id, 1)


def test_older_server_is_not_asked_to_create_by_loading(service: testing.LedgerService) -> None:
    """Without client/config a server is of a time before."""
    ServiceClient(**service.settings()).create_training_client_from_state(CHECKPOINT).result()
    assert asked(service) == ["create_model", "load_weights"]


def test_checkpoint_that_is_not_there_is_told(service: testing.LedgerService) -> None:
    """The error is that of the checkpoint, and no model is made."""
    service.rules.append(once("weights_info", refuse(404)))
    with pytest.raises(NotFoundError):
        from_state(service)
    assert asked(service) == []
