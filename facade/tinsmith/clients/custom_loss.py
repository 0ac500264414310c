"""Losses that the user writes: a forward pass on the server, the user's function here, and a backward pass.

With logprobs `l` and a loss `L(l)` of the user, the server's cross entropy `-sum(w * l)` has the gradient
`-w`; so the backward pass runs with weights `w = -dL/dl`. The gradient comes from torch, autograd or jax, or
from a numpy function that returns it. None of these libraries is imported before a loss needs it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import attrs

from tinsmith.core.checks import check_batch
from tinsmith.core.errors import (
    InputError,
    MissingExtraError,
    ProgressTimeoutError,
    RequestFailedError,
    TinkerError,
)
from tinsmith.core.values.datum import Datum
from tinsmith.core.values.results import ForwardBackwardOutput
from tinsmith.core.values.tensor import TensorData
from tinsmith.io.future import APIFuture
from tinsmith.io.queues.jobs import Job, UserCodeError
from tinsmith.io.queues.training_queue import TrainingQueue
from tinsmith.io.queues.training_requests import ForwardBackward
from tinsmith.io.runtime import HELD_QUEUE, HeldQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]
    Call = Callable[[list[Any]], tuple[Any, ...]]
    """The user's function as a function of the arrays alone; it has returned as many values as it should."""

T = TypeVar("T")
Backend = Literal["torch", "autograd", "jax", "numpy"]
"""What the arrays of a loss are: torch tensors, autograd's or jax's arrays, or plain numpy arrays."""


class CustomLoss(Protocol):
    """A function of the data and of the log-probabilities of each datum's targets: `(loss, metrics)`.

    With the numpy backend it returns the gradients too: `(loss, metrics, [dloss/dlogprobs for each datum])`.
    """

    def __call__(self, data: list[Datum], logprobs: list[Any], /) -> tuple[Any, ...]:
        """Compute the loss."""
        ...


class DivergedLogprobsError(Exception):
    """The logprobs of a datum hold NaN or infinity, and so does the gradient of a loss of them."""


@attrs.frozen
class Evaluated:
    """What a loss returned, once it is checked."""

    gradients: list[Array]
    """dL/dlogprobs of each datum, in the shape of its logprobs."""
    metrics: dict[str, Any]
    """The user's metrics: numbers as floats, everything else as it is."""
    loss: float
    """The loss itself."""


def choose_backend(wanted: Backend | None) -> Backend:
    """Return the backend that was asked for, else the first of torch, autograd and jax that is installed."""
    if wanted is not None:
        if wanted not in _BACKENDS:
            raise InputError(f"is none of {', '.join(_BACKENDS)}", field="backend")
        if wanted != "numpy" and find_spec(wanted) is None:
            raise MissingExtraError(f"a custom loss with {wanted}", wanted)
        return wanted
    for name in ("torch", "autograd", "jax"):
        if find_spec(name) is not None:
            return name
    return "numpy"


def forward_data(data: Sequence[Datum]) -> list[Datum]:
    """Return the datums of the forward pass: their targets, and their weights or zeros."""
    import numpy as np

    reduced = []
    for index, datum in enumerate(data):
        targets = datum.loss_fn_inputs.get("target_tokens")
        if targets is None:
            raise InputError("is missing; a custom loss needs it", datum=index, field="target_tokens")
        weights = datum.loss_fn_inputs.get("weights")
        if weights is None:
            weights = TensorData(np.zeros(len(targets), np.float32), "float32", targets.shape)
        reduced.append(_weighted(datum, targets, weights))
    return reduced


def evaluate(
    loss_fn: CustomLoss, backend: Backend, data: list[Datum], forward: ForwardBackwardOutput
) -> Evaluated:
    """Call the loss and check what it returns; runs in a thread of its own."""
    import numpy as np

    logprobs = [_logprobs(index, output) for index, output in enumerate(forward.loss_fn_outputs)]
    if len(logprobs) != len(data):
        raise TinkerError(f"the forward pass gave {len(logprobs)} outputs for {len(data)} datums")

    def call(arrays: list[Any]) -> tuple[Any, ...]:
        return _split(loss_fn(data, arrays), 3 if backend == "numpy" else 2)

    loss, gradients, metrics = _BACKENDS[backend](call, logprobs)
    if not isinstance(gradients, (list, tuple)) or len(gradients) != len(data):
        raise InputError(f"must be one array a datum, {len(data)} in all", field="gradients")
    checked = []
    for index, (gradient, values) in enumerate(zip(gradients, logprobs, strict=True)):
        if gradient is None:
            raise InputError("No gradient computed for logprob tensor", datum=index, field="logprobs")
        array = _real_array(gradient, index)
        if array.shape != values.shape:
            raise InputError(
                f"has shape {array.shape}, but the logprobs have {values.shape}",
                datum=index,
                field="gradient",
            )
        if not np.isfinite(array).all():
            if not np.isfinite(values).all():
                raise DivergedLogprobsError(index)
            raise InputError("holds NaN or infinity", datum=index, field="gradient")
        checked.append(array)
    passed = {str(name): _metric(value) for name, value in _named(metrics).items()}
    return Evaluated(checked, passed, loss)


def backward_data(reduced: Sequence[Datum], gradients: Sequence[Array]) -> list[Datum]:
    """Return the datums of the backward pass: cross entropy whose weights are the negative gradients."""
    made = []
    for datum, gradient in zip(reduced, gradients, strict=True):
        targets = datum.loss_fn_inputs["target_tokens"]
        weights = TensorData((-gradient).ravel(), "float32", targets.shape or list(gradient.shape))
        made.append(_weighted(datum, targets, weights))
    return made


def _weighted(datum: Datum, targets: TensorData, weights: TensorData) -> Datum:
    return attrs.evolve(datum, loss_fn_inputs={"target_tokens": targets, "weights": weights})


@attrs.frozen
class WeightedBackward(ForwardBackward):
    """The backward pass of a custom loss, once the loss is computed: its gradient is in the weights."""

    metrics: Mapping[str, Any] = attrs.field(kw_only=True)
    """Metrics of the user's function, and the loss itself."""

    def merge(self, results: Sequence[ForwardBackwardOutput]) -> ForwardBackwardOutput:
        """Join the results of the chunks, and add the metrics of the user's function."""
        merged = super().merge(results)
        surrogate = {_SURROGATE.get(name, name): value for name, value in merged.metrics.items()}
        return ForwardBackwardOutput.of_owned(
            loss_fn_output_type=merged.loss_fn_output_type,
            loss_fn_outputs=merged.loss_fn_outputs,
            metrics={**surrogate, **self.metrics},
            extra=None,
        )


@attrs.frozen
class CustomBackward(ForwardBackward):
    """The backward pass of a custom loss that is not computed yet; `prepare` does that."""

    queue: TrainingQueue = attrs.field(kw_only=True)
    """The queue of the model."""
    forward: APIFuture[ForwardBackwardOutput] = attrs.field(kw_only=True)
    """The result of the forward pass."""
    backward: APIFuture[ForwardBackwardOutput] = attrs.field(kw_only=True)
    """The future of this call itself."""
    given: list[Datum] = attrs.field(kw_only=True)
    """What the user gave, for the function."""
    function: CustomLoss = attrs.field(kw_only=True)
    """The user's function."""
    backend: Backend = attrs.field(kw_only=True)
    """What its arrays are."""

    async def prepare(self) -> WeightedBackward:
        """Compute the loss, and return the backward pass with its gradient."""
        result = await self.forward
        connection = self.queue.connection
        computing = connection.runtime.in_thread(self._compute, result)
        evaluated = await _within_limit(self.queue, self.backward, computing)
        if (profile := connection.server.profile).loss_reduction == "mean":
            connection.sender.warn_once(
                "mean loss",
                "the server (%s) divides a loss by the sum of its weights, and the gradient of a custom loss"
                " is sent as weights: it has another scale there than the loss says",
                profile.name,
            )
        return WeightedBackward(
            self.operation,
            backward_data(self.data, evaluated.gradients),
            self.loss_fn,
            self.loss_fn_config,
            metrics={**evaluated.metrics, "loss:sum": evaluated.loss},
        )

    def _compute(self, result: ForwardBackwardOutput) -> Evaluated:
        held = HeldQueue(self.queue)
        HELD_QUEUE.set(held)  # this thread runs the loss alone
        try:
            return evaluate(self.function, self.backend, self.given, result)
        except TinkerError:
            raise
        except DivergedLogprobsError as error:
            step = self.queue.last_step
            since = "" if step is None else f", at the latest since its optim_step {step}"
            raise RequestFailedError(
                f"the server's logprobs of datum {error.args[0]} hold NaN or infinity: the model has diverged"
                f"{since}; nothing is wrong with the data. Load a checkpoint that was saved before, and go on"
                " with a smaller learning rate or grad_clip_norm",
                applied="no",
            ) from error
        except (asyncio.CancelledError, concurrent.futures.CancelledError, GeneratorExit) as error:
            # Raised as it is, it would look as if the wait for the result was cancelled.
            raise TinkerError(f"loss_fn raised {type(error).__name__}: {error}", applied="no") from error
        except BaseException as error:  # an exit or an interrupt is for the caller too, not for the worker
            raise UserCodeError(error) from error
        finally:
            held.queue = None


def jobs(
    queue: TrainingQueue, data: Sequence[Datum], function: CustomLoss, backend: Backend | None
) -> tuple[Job[ForwardBackwardOutput], Job[ForwardBackwardOutput]]:
    """Make the forward and the backward pass of a custom loss, to be queued one behind the other.

    The backward pass holds its turn while the loss is computed, so that nothing comes between them.
    """
    if not callable(function):
        raise InputError(f"is a {type(function).__name__}, not a function", field="loss_fn")
    chosen = choose_backend(backend)
    given = list(data)
    reduced = forward_data(given)
    check_batch(given, "cross_entropy")
    forward = Job(ForwardBackward("forward", reduced, "cross_entropy", None))
    future: APIFuture[ForwardBackwardOutput] = APIFuture()
    backward = CustomBackward(
        "forward_backward",
        reduced,
        "cross_entropy",
        None,
        queue=queue,
        forward=forward.future,
        backward=future,
        given=given,
        function=function,
        backend=chosen,
    )
    return forward, Job(backward, future=future)


async def _within_limit(
    queue: TrainingQueue, backward: APIFuture[Any], computing: Coroutine[Any, Any, T]
) -> T:
    """Wait for the loss, and give up one that does not return while calls are queued behind it.

    It may wait for one of them, in a thread of its own: there `APIFuture` does not notice it at once.
    """
    running, limit_s = asyncio.ensure_future(computing), queue.connection.config.progress_timeout_s
    try:
        while not (await asyncio.wait([running], timeout=limit_s))[0]:
            unsent = [future for future in queue.futures() if future.seq_id is None]
            if unsent != [backward]:
                raise ProgressTimeoutError(
                    f"loss_fn has not returned for {limit_s:g} s, and calls of its training client are queued"
                    " behind it. Does it wait for one of them, in a thread perhaps? Wait for it after"
                    " forward_backward_custom; progress_timeout_s of ClientConfig sets the limit",
                    applied="no",
                )
        return running.result()
    finally:
        running.cancel()


def _logprobs(index: int, output: dict[str, TensorData]) -> Array:
    import numpy as np

    tensor = output.get("logprobs")
    if tensor is None:
        raise TinkerError(f"the forward pass gave no logprobs for datum {index}")
    return np.asarray(tensor.to_numpy(), np.float32)


def _real_array(gradient: Any, index: int) -> Array:
    """Return a gradient as float32; `InputError` for what is not a real number."""
    import numpy as np

    try:
        array = np.asarray(gradient)
        if array.dtype.kind in _NOT_REAL:
            raise InputError(f"holds {array.dtype.name}, not real numbers", datum=index, field="gradient")
        with np.errstate(over="ignore"):  # infinite, and refused as that
            return array.astype(np.float32)
    except (TypeError, ValueError, RuntimeError) as cause:
        if isinstance(cause, InputError):
            raise
        raise InputError(f"is no array of numbers: {cause}", datum=index, field="gradient") from cause


def _named(metrics: Any) -> dict[Any, Any]:
    if metrics is not None and not isinstance(metrics, Mapping):
        kind = type(metrics).__name__
        raise InputError(f"must be a mapping of names to values, not a {kind}", field="metrics")
    return dict(metrics or {})


def _number(value: Any, field: str) -> float:
    """Return a number of any library as a float, a torch tensor with a gradient among them."""
    try:
        if isinstance(value, (str, bytes)) or getattr(getattr(value, "dtype", None), "kind", "") == "c":
            raise TypeError
        detach = getattr(value, "detach", None)  # torch warns of a float that had a gradient
        return float(value if detach is None else detach())
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise InputError(f"is {value!r:.80}, not a real number", field=field) from None


def _metric(value: Any) -> Any:
    """Return a number of any library as a float; lists, texts, None and whole tensors as they are."""
    try:
        return _number(value, "metrics")
    except InputError:
        return value


def _split(returned: Any, parts: int) -> tuple[Any, ...]:
    if not isinstance(returned, tuple) or len(returned) != parts:
        wanted = "(loss, metrics)" if parts == 2 else "(loss, metrics, gradients)"
        raise InputError(f"must return {wanted}, not a {type(returned).__name__}", field="loss_fn")
    if isinstance(returned[0], (str, bytes)) or returned[0] is None:
        raise InputError(f"is {returned[0]!r:.80}, not a real number", field="loss")
    return returned


def _with_torch(call: Call, logprobs: list[Array]) -> tuple[float, list[Any], Any]:
    torch = import_module("torch")
    tensors = [torch.tensor(values, dtype=torch.float32, requires_grad=True) for values in logprobs]
    loss, metrics = call(tensors)
    if not getattr(loss, "requires_grad", False):
        raise InputError("the loss does not depend on the logprobs, so it has no gradient", field="loss_fn")
    loss.backward()
    return float(loss.detach()), [None if t.grad is None else t.grad.numpy() for t in tensors], metrics


def _with_autograd(call: Call, logprobs: list[Array]) -> tuple[float, list[Any], Any]:
    autograd, tracer = import_module("autograd"), import_module("autograd.tracer")
    kept: list[Any] = []

    def loss_of(arrays: list[Any]) -> Any:
        loss, metrics = call(list(arrays))
        kept.append({name: tracer.getval(value) for name, value in _named(metrics).items()})
        return loss

    # float64 within: autograd accumulates in the dtype of its input.
    arrays = [values.astype("float64") for values in logprobs]
    loss, gradients = autograd.value_and_grad(loss_of)(arrays)
    return float(loss), list(gradients), kept[-1]


def _with_jax(call: Call, logprobs: list[Array]) -> tuple[float, list[Any], Any]:
    jax, numpy = import_module("jax"), import_module("jax.numpy")
    arrays = [numpy.asarray(values) for values in logprobs]
    (loss, metrics), gradients = jax.value_and_grad(call, has_aux=True)(arrays)
    return float(loss), list(gradients), metrics


def _with_numpy(call: Call, logprobs: list[Array]) -> tuple[float, list[Any], Any]:
    import numpy as np

    loss, metrics, gradients = call(list(logprobs))
    return _number(np.asarray(loss).squeeze()[()], "loss"), gradients, metrics


_NOT_REAL = "cUSMm"
"""numpy's kinds of complex numbers, texts, bytes and times, which it would turn into real numbers."""

_SURROGATE = {"loss:sum": "surrogate_loss:sum"}
"""Metric of the server's cross entropy -> its name in the result, which is that of the official client."""

_BACKENDS: dict[Backend, Callable[[Call, list[Array]], tuple[float, list[Any], Any]]] = {
    "torch": _with_torch,
    "autograd": _with_autograd,
    "jax": _with_jax,
    "numpy": _with_numpy,
}
