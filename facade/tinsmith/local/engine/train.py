"""Owns the training entry point: examples in, per-token results out, gradients added to the adapter."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from attrs import frozen

from tinsmith.local.engine.batch import Example
from tinsmith.local.engine.lora import Adapter
from tinsmith.local.engine.model import BaseModel


@frozen(kw_only=True, eq=False)
class BatchOutput:
    """Results of one `forward_backward`, one entry an example, in order."""

    logprobs: tuple[npt.NDArray[np.float32], ...]
    """Of every target, shape of the example's `targets`, weight 0 included."""
    elementwise_loss: tuple[npt.NDArray[np.float32], ...]
    """[N] each; their sum is "loss:sum"."""
    metrics: dict[str, float]
    """"loss:sum", "tokens:sum" (positions), "trained_tokens:sum" (positions with a gradient)."""


def forward_backward(
    model: BaseModel,
    adapter: Adapter | None,
    examples: Sequence[Example],
    loss_fn: str,
    loss_config: Mapping[str, float] | None = None,
    *,
    backward: bool = True,
) -> BatchOutput:
    """Compute a loss over examples and add its gradients to `adapter.grads`.

    The result's bits depend on the arguments alone, and one example's logprobs not on its neighbours.
    Nothing is added when anything raises. ExampleError names the datum and the field; ValueError an unknown
    loss or option.
    """
    raise NotImplementedError
