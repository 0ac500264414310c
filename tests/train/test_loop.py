"""What the loop sends and when, what it reports, where it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tinsmith
from tinsmith import InputError, data, train
from tinsmith.core.errors import UnprocessableEntityError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STEPS = 5


class Watched:
    """A trainer that notes each call, and each result that is waited for."""

    def __init__(self, trainer: Any) -> None:
        self.trainer = trainer
        self.seen: list[str] = []
        self.saves: list[tuple[Any, ...]] = []
        self.refuses_labels = False

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self.seen.append(name)
            if name == "save_state":
                self.saves.append((*arguments, named))
                if self.refuses_labels and named:
                    return Refused()
            if name == "optim_step":
                self.seen[-1] += f" {arguments[0].learning_rate}"
            return Result(getattr(self.trainer, name)(*arguments, **named), f"result of {name}", self.seen)

        return call


class Refused:
    """The future of a call that the server refuses."""

    def result(self) -> Any:
        """Raise the refusal."""
        raise UnprocessableEntityError("unknown field", applied="no")


class Result:
    """A future that notes when it is waited for."""

    def __init__(self, future: Any, name: str, seen: list[str]) -> None:
        self.future, self.name, self.seen = future, name, seen

    def result(self) -> Any:
        """Wait."""
        self.seen.append(self.name)
        return self.future.result()


@pytest.fixture
def service() -> Iterator[tinsmith.ServiceClient]:
    """Give a service."""
    with tinsmith.ServiceClient(base_url="local:") as opened:
        yield opened


@pytest.fixture
def watched(service: tinsmith.ServiceClient) -> Any:
    """Give a trainer of the tiny model that is watched."""
    return Watched(service.create_lora_training_client("tinsmith/tiny", rank=2, seed=0))


@pytest.fixture
def texts(watched: Any) -> list[tinsmith.Datum]:
    """Give a datum for each step."""
    tokenizer = watched.trainer.get_tokenizer()
    return [
        data.datum_from_text(tokenizer, "Tin is ", word) for word in ("Sn", "50", "a metal", "old", "soft")
    ]


def batches(texts: list[tinsmith.Datum]) -> list[data.Batch]:
    """Return a batch for each text."""
    return list(data.Batches(data=texts, items=1).walk(epochs=1))


def test_the_next_step_is_sent_before_the_last_one_is_waited_for(watched: Any, texts: Any) -> None:
    """A step is a gradient and an update, at the rate of its number; its results come one step later."""
    train.supervised(watched, batches(texts)[:3], lambda step: step / 1000)
    assert watched.seen == [
        "forward_backward", "optim_step 0.001",
        "forward_backward", "optim_step 0.002", "result of forward_backward", "result of optim_step",
        "forward_backward", "optim_step 0.003", "result of forward_backward", "result of optim_step",
        "result of forward_backward", "result of optim_step",
        "save_state", "result of save_state",
    ]  # fmt: skip


def test_metrics(watched: Any, texts: Any) -> None:
    """Each step has its own; the held-out loss stands before the first, where asked for, and at the last."""
    lines: list[tuple[int, Mapping[str, float]]] = []
    ticks = iter(range(0, 1000, 2))
    train.supervised(
        watched,
        batches(texts),
        1e-2,
        held_out=texts[:2],
        evaluate_every=2,
        loggers=[lambda *line: lines.append(line)],
        clock=lambda: float(next(ticks)),
    )
    assert [step for step, _ in lines] == list(range(STEPS + 1))
    assert [step for step, metrics in lines if "held_out_loss" in metrics] == [0, 2, 4, 5]
    assert set(lines[1][1]) == {"loss", "learning_rate", "epoch", "tokens", "tokens_per_s"}
    assert all(metrics["tokens_per_s"] == metrics["tokens"] / 2 for _, metrics in lines[1:])
    assert lines[-1][1]["held_out_loss"] < lines[0][1]["held_out_loss"]


def test_an_evaluation_changes_nothing(service: tinsmith.ServiceClient, texts: Any) -> None:
    """The losses with evaluations between the steps are those without."""

    def losses(held_out: list[tinsmith.Datum]) -> list[float]:
        found: dict[int, float] = {}
        trainer = service.create_lora_training_client("tinsmith/tiny", rank=2, seed=0)
        train.supervised(
            trainer,
            batches(texts),
            1e-2,
            held_out=held_out,
            evaluate_every=1,
            loggers=[lambda step, metrics: found.update({step: metrics.get("loss", 0.0)})],
        )
        return [found[step] for step in range(1, STEPS + 1)]

    assert losses(texts) == losses([])


def test_checkpoints(watched: Any, texts: Any) -> None:
    """Those on the way have a time to live, the last one has none; labels say which batch was the last."""
    noted: list[train.SavedStep] = []
    last = train.supervised(
        watched, batches(texts), 1e-2, checkpoint_every=2, ttl_seconds=7200, on_checkpoint=noted.append
    )
    assert [saved.step for saved in noted] == [2, 4, 5]
    assert last == noted[-1]
    assert watched.saves[0] == (
        "step-000002",
        7200,
        {"user_metadata": {"step": "2", "epoch": "0", "batch": "1"}},
    )
    assert [arguments[1] for arguments in watched.saves] == [7200, 7200, None]
    assert [saved.expires for saved in noted] == [True, True, False]


def test_a_server_that_refuses_labels_gets_none(watched: Any, texts: Any) -> None:
    """The checkpoint is saved without them, of the same step: nothing was sent in between."""
    watched.refuses_labels = True
    noted: list[train.SavedStep] = []
    saved = train.supervised(
        watched, batches(texts), 1e-2, checkpoint_every=3, ttl_seconds=7200, on_checkpoint=noted.append
    )
    assert saved is not None
    assert [each.expires for each in noted] == [False, False]
    assert [arguments[0] for arguments in watched.saves] == ["step-000003", "step-000003", "step-000005"]
    assert watched.seen.count("forward_backward") == STEPS
    first = watched.seen.index("save_state")
    assert watched.seen[first : first + 3] == ["save_state", "save_state", "result of save_state"]


@pytest.mark.parametrize("after", [1, 3])
def test_stop(watched: Any, texts: Any, after: int) -> None:
    """What was sent is waited for and saved, with a time to live; nothing more is sent."""
    answers = iter([False] * after + [True])
    steps: list[int] = []
    saved = train.supervised(
        watched,
        batches(texts),
        1e-2,
        ttl_seconds=7200,
        loggers=[lambda step, _: steps.append(step)],
        stop=lambda: next(answers),
    )
    assert saved is not None
    assert saved.step == after
    assert steps == list(range(1, after + 1))
    assert [arguments[1] for arguments in watched.saves] == [7200]


def test_stop_right_behind_a_checkpoint(watched: Any, texts: Any) -> None:
    """It is not saved twice."""
    answers = iter([False, False, True])
    saved = train.supervised(watched, batches(texts), 1e-2, checkpoint_every=2, stop=lambda: next(answers))
    assert saved is not None
    assert (saved.step, len(watched.saves)) == (2, 1)


def test_stop_before_the_first_step(watched: Any, texts: Any) -> None:
    """Nothing is sent, and nothing is there to be saved."""
    assert train.supervised(watched, batches(texts), 1e-2, stop=lambda: True) is None
    assert train.supervised(watched, batches(texts), 1e-2, start=3, stop=lambda: True) is None
    assert watched.seen == []


@pytest.mark.parametrize("start", [-1, STEPS])
def test_a_start_outside_the_batches(watched: Any, texts: Any, start: int) -> None:
    """There is no such step."""
    with pytest.raises(InputError, match=f"'start'.* must be from 0 to {STEPS - 1}, not {start}"):
        train.supervised(watched, batches(texts), 1e-2, start=start)
