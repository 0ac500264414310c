"""What every step has at hand, and the verdict on a step.

A step is a function that drives our client against a server. It is right if it ends, and if the server's own
tables fit what the client said of each call that the step made.
"""

from __future__ import annotations

import sys
import time
import tomllib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import attrs
from tinsmith import AdamParams, Datum, ModelInput, ServiceClient, TinkerError, types
from tinsmith.core.config import ClientConfig
from tinsmith_api.models import UnloadModelRequest
from tokenizers import Tokenizer

from tests.servers.environments import KEY, RANK
from tests.servers.ledgers import Call, Ledger, differences, settled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from tinsmith import APIFuture, RestClient, SamplingClient, TrainingClient

T = TypeVar("T")
WAIT_S = 300.0
"""Longest wait for one result in seconds; a guard against hangs, since a first step compiles for long."""
ADAM = AdamParams(learning_rate=1e-2, beta1=0.9, beta2=0.95, eps=1e-8)
"""One optimizer step."""
TEXTS = (
    ("import os; def main(", "self, argv): return 0"),
    ("for x in range(", "10): print(x)"),
    ("raise Value", "Error('bad value')"),
)
"""Prompts and what the model shall learn to say after them."""
LACKS = Path(__file__).with_name("lacks.toml")


class Differs(AssertionError):  # noqa: N818  # what a step found, not what went wrong in it
    """A step ended, and what the server gave is not what the step is about."""


class Refused(Exception):  # noqa: N818  # the answer of a command, not a fault of this program
    """A command of ours ended with an exit code."""


def same(found: object, expected: object, what: str) -> None:
    """Raise `Differs` unless two things are equal."""
    if found != expected:
        raise Differs(f"{what}: {found!r}, expected {expected!r}")


def holds(true: bool, what: str) -> None:
    """Raise `Differs` unless something is so."""
    if not true:
        raise Differs(what)


class Drive:
    """One program that works with a server."""

    def __init__(
        self, name: str, url: str, base_model: str, ledger: Ledger, folder: Path, **settings: Any
    ) -> None:
        self.name = name
        """The kind of server."""
        self.url = url
        """Its address."""
        self.base_model = base_model
        """Its base model, the folder of its files."""
        self.ledger = ledger
        """Its tables."""
        self.folder = folder
        """Where the program may write."""
        self.python = Path(sys.executable)
        """A Python that has torch, transformers and peft: that of the server."""
        self.restart: Callable[[bool], None] = _nobody_restarts
        """Restarts the server; on its old data if told so."""
        self.calls: list[Call] = []
        """What the client said of each of its calls in this step."""
        self._known: set[tuple[int, str]] = set()
        self.service = ServiceClient(
            config=ClientConfig.from_environment(base_url=url, api_key=KEY, **settings)
        )
        """Our client."""

    def renewed(self, **settings: Any) -> Drive:
        """Return the same program with a client of its own."""
        return Drive(self.name, self.url, self.base_model, self.ledger, self.folder, **settings)

    def begin(self) -> None:
        """Forget the calls so far, and what the tables say of them."""
        self.calls.clear()
        self._known = {(row.order, row.model_id) for row in self.ledger.rows()}

    def wrong(self) -> list[str]:
        """Say where the tables do not fit the calls."""
        rows = [row for row in settled(self.ledger) if (row.order, row.model_id) not in self._known]
        return differences(self.calls, rows)

    def restarted(self, *, keep_data: bool) -> None:
        """Restart the server; its tables are compared before, since it may write them anew."""
        if wrong := self.wrong():
            raise Differs("; ".join(wrong))
        self.restart(keep_data)
        self.begin()

    # ---- calls that are noted

    def done(self, trainer: TrainingClient, future: APIFuture[T], *operations: str) -> T:
        """Wait for a training call, and note what the client says of it."""
        try:
            value = future.result(WAIT_S)
        except TinkerError as error:
            self.calls.append(Call(trainer.model_id, operations, error.applied or "unknown"))
            raise
        self.calls.append(Call(trainer.model_id, operations, "yes"))
        return value

    def learn(
        self, trainer: TrainingClient, *, loss: str = "cross_entropy", data: list[Datum] | None = None
    ) -> Any:
        """Make one step; the output of its forward_backward."""
        passed = trainer.forward_backward(data or self.data, loss)
        stepped = trainer.optim_step(ADAM)
        output = self.done(trainer, passed, "forward_backward")
        self.done(trainer, stepped, "optim_step")
        return output

    def look(self, trainer: TrainingClient) -> float:
        """Return the mean loss of the data."""
        return self.loss(self.done(trainer, trainer.forward(self.data, "cross_entropy"), "forward"))

    def saved(self, trainer: TrainingClient, name: str) -> str:
        """Save weights and optimizer; the path."""
        path = self.done(trainer, trainer.save_state(name), "save_weights").path
        holds(path is not None and path.startswith("tinker://"), f"the path is {path!r}")
        return str(path)

    def create(self, rank: int = RANK) -> TrainingClient:
        """Make a model, and wait for it."""
        made = self.service.create_lora_training_client(self.base_model, rank=rank, seed=1)
        holds(bool(made.model_id), "the model has no id")
        return made

    def remade(self, path: str, *, optimizer: bool = False) -> TrainingClient:
        """Make a model of a checkpoint, and wait for it."""
        asked = (
            self.service.create_training_client_from_state_with_optimizer
            if optimizer
            else self.service.create_training_client_from_state
        )
        try:
            made = asked(path)
            model_id = made.model_id
        except TinkerError as error:
            if error.model_id is not None:
                self.calls.append(Call(error.model_id, ("load_weights",), error.applied or "unknown"))
            raise
        self.calls.append(Call(model_id, ("load_weights",), "yes"))
        return made

    def handed(self, trainer: TrainingClient) -> SamplingClient:
        """Hand the weights of a model to a sampler."""
        made = trainer.save_weights_and_get_sampling_client_submit()
        return self.done(trainer, made, "save_weights_for_sampler")

    def unload(self, trainer: TrainingClient) -> None:
        """Have the server forget a model."""
        asked = UnloadModelRequest(model_id=trainer.model_id)
        promise = self.service.raw.unload_model(body=asked).result(WAIT_S)
        self.service.attach(promise.request_id, types.UnloadModelResponse).result(WAIT_S)

    # ---- what many steps need

    @cached_property
    def trainer(self) -> TrainingClient:
        """The model of most steps."""
        return self.create()

    @cached_property
    def state(self) -> str:
        """The path of a saved state of `trainer`."""
        return self.saved(self.trainer, "first")

    @cached_property
    def sampled(self) -> str:
        """The path of sampler weights of `trainer`."""
        saved = self.trainer.save_weights_for_sampler("for-sampler")
        return str(self.done(self.trainer, saved, "save_weights_for_sampler").path)

    @cached_property
    def sampler(self) -> SamplingClient:
        """A sampler of those weights."""
        return self.service.create_sampling_client(self.sampled)

    @cached_property
    def rest(self) -> RestClient:
        """What lists and changes checkpoints."""
        return self.service.create_rest_client()

    @cached_property
    def words(self) -> Tokenizer:
        """The tokenizer of the base model, by the library alone."""
        return Tokenizer.from_file(f"{self.base_model}/tokenizer.json")

    def ids(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        return list(self.words.encode(text, add_special_tokens=False).ids)

    @cached_property
    def prompt(self) -> ModelInput:
        """What samples go on from."""
        return ModelInput.from_ints(self.ids(TEXTS[0][0]))

    @cached_property
    def data(self) -> list[Datum]:
        """Three datums; the loss looks at what follows the prompt."""
        return [self.datum(prompt, completion) for prompt, completion in TEXTS]

    def datum(self, prompt: str, completion: str) -> Datum:
        """Make one datum."""
        first, second = self.ids(prompt), self.ids(completion)
        tokens = first + second
        weights = [0.0] * (len(first) - 1) + [1.0] * len(second)
        inputs = {"target_tokens": tokens[1:], "weights": weights}
        return Datum(model_input=ModelInput.from_ints(tokens[:-1]), loss_fn_inputs=inputs)

    def loss(self, output: types.ForwardBackwardOutput) -> float:
        """Return the mean negative log-probability of what the data weigh."""
        same(len(output.loss_fn_outputs), len(self.data), "outputs")
        total = count = 0.0
        for datum, found in zip(self.data, output.loss_fn_outputs, strict=True):
            weights = datum.loss_fn_inputs["weights"].data
            logprobs = found["logprobs"].data
            same(len(logprobs), len(weights), "logprobs of a datum")
            total -= sum(a * b for a, b in zip(logprobs, weights, strict=True))
            count += sum(weights)
        return float(total / count)


def _nobody_restarts(_: bool) -> None:
    raise RuntimeError("this server is not ours to restart")


@attrs.frozen
class Step:
    """One step."""

    name: str
    """What the table calls it."""
    run: Callable[[Drive], object]
    """Drives it; what it returns is a note."""


def step(name: str) -> Callable[[Callable[[Drive], object]], Step]:
    """Make a function a step."""
    return lambda function: Step(name, function)


def steps_in(module: ModuleType) -> list[Step]:
    """Return the steps of a module in the order of their definition."""
    return [value for value in vars(module).values() if isinstance(value, Step)]


@attrs.frozen
class Lack:
    """What a server is known not to do, and why the client is right to say so."""

    server: str
    """Which server."""
    step: str
    """In which step."""
    error: str
    """The class of the error."""
    reason: str
    """Why this is right."""
    applied: str | None = None
    """What the error says of the request; None where that is not compared."""
    says: str = ""
    """What its text contains."""

    def fits(self, error: Exception) -> bool:
        """Say whether an error is the one that is known."""
        named = type(error).__name__ == self.error and self.says in str(error)
        return named and self.applied in (None, getattr(error, "applied", None))


def known_lacks() -> list[Lack]:
    """Read the list; an entry may name several servers and several steps."""
    entries = tomllib.loads(LACKS.read_text(encoding="utf-8"))["lack"]
    return [
        Lack(**{**entry, "server": server, "step": named})
        for entry in entries
        for server in _each(entry["server"])
        for named in _each(entry["step"])
    ]


def _each(named: str | list[str]) -> list[str]:
    return [named] if isinstance(named, str) else named


Verdict = Literal["ok", "lack", "DEVIATION"]


@attrs.frozen
class Result:
    """What came of one step."""

    step: str
    """Its name."""
    verdict: Verdict
    """Right, right to fail, or wrong."""
    note: str
    """What it saw, or the error."""
    reason: str = ""
    """Of a lack: why it is right."""
    applied: str | None = None
    """What the error said of the request."""
    seconds: float = 0.0
    """How long it took; for people, judged by nobody."""


def perform(drive: Drive, chosen: Step, lacks: Iterable[Lack]) -> Result:
    """Drive one step and judge it."""
    mine = [lack for lack in lacks if (lack.server, lack.step) == (drive.name, chosen.name)]
    drive.begin()
    started = time.monotonic()
    error: Exception | None = None
    try:
        note = _short(repr(chosen.run(drive)))
    except Exception as caught:  # noqa: BLE001  # whatever reaches the program is judged
        error, note = caught, _short(f"{type(caught).__name__}: {caught}")
    seconds = time.monotonic() - started
    wrong = drive.wrong()
    applied = getattr(error, "applied", None)
    if wrong:
        note = f"{'; '.join(wrong)} ({note})"
        error = Differs(note)
    if error is None:
        if mine:
            note = f"works, though the list of lacks says: {mine[0].reason}"
        return Result(chosen.name, "DEVIATION" if mine else "ok", note, "", None, seconds)
    for lack in mine:
        if lack.fits(error):
            return Result(chosen.name, "lack", note, lack.reason, applied, seconds)
    return Result(chosen.name, "DEVIATION", note, "", applied, seconds)


def _short(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def expect(
    kind: type[Exception] | tuple[type[Exception], ...],
    call: Callable[[], object],
    *,
    applied: tuple[str | None, ...] = ("no",),
) -> Exception:
    """Return the error that a call must end in, saying of its request one of `applied`."""
    try:
        value = call()
    except kind as error:
        found = getattr(error, "applied", None)
        if found not in applied:
            raise Differs(f"applied is {found!r}, expected one of {applied}: {error}") from error
        return error
    raise Differs(f"no {kind}, but {_short(repr(value))}")


__all__ = [
    "ADAM",
    "KEY",
    "TEXTS",
    "Differs",
    "Drive",
    "Lack",
    "Refused",
    "Result",
    "Step",
    "expect",
    "holds",
    "known_lacks",
    "perform",
    "same",
    "step",
    "steps_in",
]
