"""Wait for a promise by its id alone, for instance one that was noted before a crash."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
from tinsmith.core.codec.structure import to_value
from tinsmith.core.errors import InputError
from tinsmith.core.polling import PollState
from tinsmith.core.values import results, service
from tinsmith.io.future import APIFuture
from tinsmith.io.outcome import fetch
from tinsmith.io.promise import Promise

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.io.link import Link

_OPERATIONS: dict[type[Any], tuple[str, str]] = {
    results.ForwardBackwardOutput: ("forward_backward", "ForwardBackward"),
    results.OptimStepResponse: ("optim_step", "OptimStep"),
    results.SampleResponse: ("asample", "Sample"),
    results.SaveWeightsResponse: ("save_weights", "SaveWeights"),
    results.LoadWeightsResponse: ("load_weights", "LoadWeights"),
    results.SaveWeightsExternalResponse: ("save_weights_external", "SaveWeightsExternal"),
    results.SaveWeightsForSamplerResponse: ("save_weights_for_sampler", "SaveWeightsForSampler"),
    service.CreateModelResponse: ("create_model", "CreateModel"),
    service.UnloadModelResponse: ("unload_model", "UnloadModel"),
}

_DECODERS: dict[type[Any], Callable[[Any], Any]] = {
    results.ForwardBackwardOutput: decode_forward_backward,
    results.SampleResponse: decode_sample,
}


def attach(link: Link, request_id: str, result: type[Any]) -> APIFuture[Any]:
    """Return a future for a promise that another future, or another process, made."""
    if result not in _OPERATIONS:
        known = ", ".join(sorted(each.__name__ for each in _OPERATIONS))
        raise InputError(f"{result!r} is no result of a promise; known are {known}", field="result")
    if not isinstance(request_id, str) or not request_id:
        raise InputError("must be the id of a promise", field="request_id")
    future: APIFuture[Any] = APIFuture()
    future.request_ids.append(request_id)
    return link.run(_result(link, request_id, result), future)


async def _result(link: Link, request_id: str, result: type[Any]) -> Any:
    operation, request_type = _OPERATIONS[result]
    promise = Promise(
        request_id,
        operation,
        request_type,
        state=PollState(may_resubmit=False, trusted=False),
        read=_DECODERS.get(result) or partial(to_value, result),
    )
    return await fetch(link, promise, None)
