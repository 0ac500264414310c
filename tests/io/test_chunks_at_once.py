"""The chunks of one call over a real socket, by the order of events: none waits for another one's promise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import (
    BadRequestError,
    ClientPoisonedError,
    PartialBatchError,
    ServiceClient,
    TinkerError,
    testing,
)
from tinsmith.core.config import ChunkLimits, ClientConfig
from tinsmith.testing.ledger_service import ServerDialect, reply

from tests.io.bench import ADAM, WAIT_S, datum

if TYPE_CHECKING:
    from tinsmith import TrainingClient
    from tinsmith.io.http.messages import Answer, Seen

CHUNKS = 5
BATCH = [datum(token) for token in range(1, CHUNKS + 1)]
GRADIENT = "forward_backward"
BATCHES = (GRADIENT, "forward")


class SlowToAccept(testing.LedgerService):
    """A service that accepts batches when it is told to, and notes what happens in which order."""

    def __init__(self, order: Any) -> None:
        super().__init__(ServerDialect(order=order))
        self.events: list[tuple[str, int]] = []
        """What arrived, and what was answered, under which number."""
        self.expected = 1
        """How many batches must have arrived before one of them is answered."""
        self.refuses: int | None = None
        """Number that is refused, once all have arrived; None for none."""
        self._all_here = asyncio.Event()

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer when as many batches have arrived as are expected."""
        body = seen.json() or {}
        operation, number = seen.path.removeprefix("api/v1/"), body.get("seq_id")
        if number is None:
            return await super().answer(seen, drips=drips)
        self.events.append((operation, number))
        if operation in BATCHES:
            await self._wait_for_all()
            if number == self.refuses:
                return reply({"detail": "no such datum"}, 400)
        answer = await super().answer(seen, drips=drips)
        self.events.append(("accepted", number))
        return answer

    async def _wait_for_all(self) -> None:
        if sum(event in BATCHES for event, _ in self.events) == self.expected:
            self._all_here.set()
        await self._all_here.wait()

    def numbers(self, what: str) -> list[int]:
        """List the numbers of one kind of event."""
        return [number for event, number in self.events if event == what]

    def renew(self, expected: int) -> None:
        """Forget what happened, and expect so many batches."""
        self.events.clear()
        self.expected, self._all_here = expected, asyncio.Event()


def trainer_on(running: testing.SocketServer, **settings: Any) -> TrainingClient:
    """Make a training client that puts one datum into each request."""
    config = ClientConfig.from_environment(
        base_url=running.url,
        api_key="tml-x",
        chunk_limits=ChunkLimits(max_datums=1),
        server_deduplicates=True,
        **settings,
    )
    return ServiceClient(config=config).create_lora_training_client("tinsmith/tiny").result(WAIT_S)


def warmed_up(service: SlowToAccept, trainer: TrainingClient) -> None:
    """Train one datum, so that the loss is known, and forget it."""
    trainer.forward_backward(BATCH[:1], "cross_entropy").result(WAIT_S)
    service.renew(CHUNKS)


@pytest.mark.parametrize("order", ["hold", "promise"])
def test_all_chunks_arrive_before_one_is_accepted(order: str) -> None:
    """No chunk is answered before all have arrived; the step arrives when all are accepted."""
    service = SlowToAccept(order)
    with testing.SocketServer(service) as running:
        trainer = trainer_on(running, chunks_at_once=True)
        warmed_up(service, trainer)
        gradient, step = trainer.forward_backward(BATCH, "cross_entropy"), trainer.optim_step(ADAM)
        step.result(WAIT_S)
        outputs = gradient.result(WAIT_S).loss_fn_outputs
        events = service.events
        assert [event for event, _ in events] == [GRADIENT] * 5 + ["accepted"] * 5 + [
            "optim_step",
            "accepted",
        ]
        assert sorted(service.numbers(GRADIENT)) == [2, 3, 4, 5, 6]
        assert len(outputs) == CHUNKS
        assert len(set(gradient.request_ids)) == CHUNKS
        service.ledger.assert_exactly_once(trainer.model_id, 7)


def test_the_flag_of_a_server_decides() -> None:
    """A server that was not recognised, and says that it orders chunks by number, gets them together."""
    service = SlowToAccept("promise")
    service.rules.append(
        lambda asked, _seen, _body: (
            reply({"parallel_fwdbwd_chunks": True}) if asked == "client/config" else None
        )
    )
    with testing.SocketServer(service) as running:
        trainer = trainer_on(running)
        warmed_up(service, trainer)
        trainer.forward_backward(BATCH, "cross_entropy").result(WAIT_S)
        assert [event for event, _ in service.events] == [GRADIENT] * 5 + ["accepted"] * 5


def test_without_a_word_chunks_wait_for_each_other() -> None:
    """A server of which nothing is known gets one after the other."""
    service = SlowToAccept("hold")
    with testing.SocketServer(service) as running:
        trainer = trainer_on(running)
        warmed_up(service, trainer)
        service.renew(1)
        trainer.forward_backward(BATCH, "cross_entropy").result(WAIT_S)
        assert [event for event, _ in service.events] == [GRADIENT, "accepted"] * CHUNKS


def test_the_first_chunk_of_a_new_loss_goes_alone() -> None:
    """Nothing is behind it if the server refuses that loss; the others follow together."""
    service = SlowToAccept("promise")
    with testing.SocketServer(service) as running:
        trainer = trainer_on(running, chunks_at_once=True)
        trainer.forward_backward(BATCH, "cross_entropy").result(WAIT_S)
        assert [event for event, _ in service.events[:3]] == [GRADIENT, "accepted", GRADIENT]


@pytest.mark.parametrize("order", ["hold", "promise"])
@pytest.mark.parametrize("bad", range(1, CHUNKS))
def test_a_chunk_refused_before_others(order: str, bad: int) -> None:
    """Nobody waits for those behind it, the client is closed, and each error says what is known."""
    service = SlowToAccept(order)
    with testing.SocketServer(service) as running:
        trainer = trainer_on(running, chunks_at_once=True)
        warmed_up(service, trainer)
        service.refuses = 1 + bad
        gradient, step = trainer.forward_backward(BATCH, "cross_entropy"), trainer.optim_step(ADAM)
        error = gradient.exception(WAIT_S)
        assert isinstance(error, PartialBatchError)
        assert isinstance(error.__cause__, BadRequestError)
        assert (error.applied, error.seq_id, error.model_id) == ("unknown", 1 + bad, trainer.model_id)
        assert error.chunks_applied == tuple(range(bad - 1))
        behind = step.exception(WAIT_S)
        assert isinstance(behind, TinkerError)
        assert behind.applied == "no"
        assert isinstance(trainer.optim_step(ADAM).exception(WAIT_S), ClientPoisonedError)
        assert service.ledger.numbers(trainer.model_id) == list(range(1, 1 + bad))
        assert "optim_step" not in {event for event, _ in service.events}


def test_the_last_chunk_refused_leaves_no_gap() -> None:
    """What was accepted before it is half a batch, as it is where chunks go one after the other."""
    service = SlowToAccept("promise")
    with testing.SocketServer(service) as running:
        trainer = trainer_on(running, chunks_at_once=True)
        warmed_up(service, trainer)
        service.refuses = 1 + CHUNKS
        error = trainer.forward_backward(BATCH, "cross_entropy").exception(WAIT_S)
        assert isinstance(error, PartialBatchError)
        assert error.applied == "unknown"


def test_a_chunk_that_is_lost_is_sent_again_before_those_behind_it() -> None:
    """Nothing is answered the first time; then the chunks come one after the other, byte for byte."""
    service = SlowToAccept("promise")
    lost: dict[int, bytes] = {}
    again: list[int] = []

    def lose(asked: str, seen: Seen, body: dict[str, Any]) -> Answer | None:
        number = body.get("seq_id", 0)
        if asked != GRADIENT or number < 2:
            return None
        if number not in lost:
            lost[number] = seen.body
            return reply({"detail": "try again"}, 503)
        assert seen.body == lost[number]
        again.append(number)
        return None

    service.rules.append(lose)
    with testing.SocketServer(service) as running:
        trainer = trainer_on(running, chunks_at_once=True)
        warmed_up(service, trainer)
        gradient, step = trainer.forward_backward(BATCH, "cross_entropy"), trainer.optim_step(ADAM)
        step.result(WAIT_S)
        gradient.result(WAIT_S)
        assert again == [2, 3, 4, 5, 6]
        service.ledger.assert_exactly_once(trainer.model_id, 7)


def test_forward_goes_together_too() -> None:
    """It takes numbers as gradients do, and has no gradient that could be half."""
    service = SlowToAccept("hold")
    with testing.SocketServer(service) as running:
        trainer = trainer_on(running, chunks_at_once=True)
        trainer.forward(BATCH[:1], "cross_entropy").result(WAIT_S)
        service.renew(CHUNKS)
        trainer.forward(BATCH, "cross_entropy").result(WAIT_S)
        assert [event for event, _ in service.events] == ["forward"] * 5 + ["accepted"] * 5
