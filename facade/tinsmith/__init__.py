"""Tinsmith: a client for the Tinker training API, with an embedded service to try every loop offline.

Public names only; each is loaded on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__title__ = "tinsmith"

if TYPE_CHECKING:
    from tinsmith import data as data
    from tinsmith import export as export
    from tinsmith import train as train
    from tinsmith import types as types
    from tinsmith.clients.rest import RestClient as RestClient
    from tinsmith.clients.sampling import SamplingClient as SamplingClient
    from tinsmith.clients.service import ServiceClient as ServiceClient
    from tinsmith.clients.tokenizer import load_tokenizer as load_tokenizer
    from tinsmith.clients.training import TrainingClient as TrainingClient
    from tinsmith.core import __version__ as __version__
    from tinsmith.core.addresses import ParsedCheckpointTinkerPath as ParsedCheckpointTinkerPath
    from tinsmith.core.checks import estimate_image_tokens as estimate_image_tokens
    from tinsmith.core.checks import validate_model_input as validate_model_input
    from tinsmith.core.config import ChunkLimits as ChunkLimits
    from tinsmith.core.config import ClientConfig as ClientConfig
    from tinsmith.core.config import FlowLimits as FlowLimits
    from tinsmith.core.config import PollPolicy as PollPolicy
    from tinsmith.core.config import RetryConfig as RetryConfig
    from tinsmith.core.config import Secret as Secret
    from tinsmith.core.config import Timeouts as Timeouts
    from tinsmith.core.errors import *  # noqa: F403 - all of them are public
    from tinsmith.core.errors import RequestErrorCategory as RequestErrorCategory
    from tinsmith.core.tokenization import Tokenizer as Tokenizer
    from tinsmith.core.values import *  # noqa: F403
    from tinsmith.io.future import APIFuture as APIFuture
    from tinsmith.io.http.messages import RequestOptions as RequestOptions
    from tinsmith.io.http.transport import Timeout as Timeout
    from tinsmith.io.queues.sample_stream import SampleStream as SampleStream

_HOME: dict[str, str] = {
    name: module
    for module, names in {
        "tinsmith.clients.service": "ServiceClient",
        "tinsmith.clients.training": "TrainingClient",
        "tinsmith.clients.sampling": "SamplingClient",
        "tinsmith.clients.rest": "RestClient",
        "tinsmith.io.future": "APIFuture",
        "tinsmith.io.queues.sample_stream": "SampleStream",
        "tinsmith.io.http.transport": "Timeout",
        "tinsmith.io.http.messages": "RequestOptions",
        "tinsmith.core": "__version__",
        "tinsmith.core.config": "ChunkLimits ClientConfig FlowLimits PollPolicy RetryConfig Secret Timeouts",
        "tinsmith.core.errors": "APIConnectionError APIError APIResponseValidationError APIStatusError"
        " APITimeoutError AuthenticationError BadRequestError BillingError BodyTooLargeError"
        " ClientPoisonedError ClosedError ConflictError InputError InternalServerError"
        " MissingExtraError MissingModelError ModelLostError NotFoundError"
        " PartialBatchError PermissionDeniedError ProgressTimeoutError RateLimitError"
        " RequestErrorCategory RequestFailedError ResultLostError ServerWarning SessionLostError"
        " TinkerError UnprocessableEntityError UnsafeArchiveError",
        "tinsmith.core.checks": "estimate_image_tokens validate_model_input",
        "tinsmith.core.addresses": "ParsedCheckpointTinkerPath",
        "tinsmith.clients.tokenizer": "load_tokenizer",
        "tinsmith.core.tokenization": "Tokenizer",
        "tinsmith.core.values": "AdamOptimizerConfig AdamParams Checkpoint CheckpointType Datum"
        " DimuonOptimizerConfig DimuonParams DmelChunk EncodedTextChunk ForwardBackwardOutput"
        " ImageAssetPointerChunk ImageChunk LoraConfig ModelID ModelInput ModelInputChunk"
        " OptimParams OptimStepRequest OptimStepResponse PromptProvenanceSpan"
        " SampledProvenanceSpan SampledSequence SamplePiece SampleRequest SampleResponse SamplingParams"
        " StopReason TensorData TensorDtype TrainingRun",
    }.items()
    for name in names.split()
}

__all__ = ["__title__", "data", "export", "train", "types"]
__all__ += list(_HOME)


if not TYPE_CHECKING:  # a checker takes the names from above, and refuses all others

    def __getattr__(name: str) -> object:
        """Load a public name when it is first asked for."""
        if name in ("data", "export", "train", "types"):
            return import_module(f"tinsmith.{name}")
        try:
            value = getattr(import_module(_HOME.get(name, "tinsmith.types")), name)
        except AttributeError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
        if hasattr(value, "__attrs_attrs__"):
            import_module("tinsmith.core.field_texts").show_fields(value)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
