"""Tinsmith: a client for the Tinker training API, with an embedded service to try every loop offline.

Public names only; each is loaded on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__title__ = "tinsmith"

if TYPE_CHECKING:
    from tinsmith import data as data
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
    from tinsmith.core.values import AdamOptimizerConfig as AdamOptimizerConfig
    from tinsmith.core.values import AdamParams as AdamParams
    from tinsmith.core.values import Checkpoint as Checkpoint
    from tinsmith.core.values import CheckpointType as CheckpointType
    from tinsmith.core.values import Datum as Datum
    from tinsmith.core.values import DimuonOptimizerConfig as DimuonOptimizerConfig
    from tinsmith.core.values import DimuonParams as DimuonParams
    from tinsmith.core.values import DmelChunk as DmelChunk
    from tinsmith.core.values import EncodedTextChunk as EncodedTextChunk
    from tinsmith.core.values import ForwardBackwardOutput as ForwardBackwardOutput
    from tinsmith.core.values import ImageAssetPointerChunk as ImageAssetPointerChunk
    from tinsmith.core.values import ImageChunk as ImageChunk
    from tinsmith.core.values import LoraConfig as LoraConfig
    from tinsmith.core.values import ModelID as ModelID
    from tinsmith.core.values import ModelInput as ModelInput
    from tinsmith.core.values import ModelInputChunk as ModelInputChunk
    from tinsmith.core.values import OptimParams as OptimParams
    from tinsmith.core.values import OptimStepRequest as OptimStepRequest
    from tinsmith.core.values import OptimStepResponse as OptimStepResponse
    from tinsmith.core.values import PromptProvenanceSpan as PromptProvenanceSpan
    from tinsmith.core.values import SampledProvenanceSpan as SampledProvenanceSpan
    from tinsmith.core.values import SampledSequence as SampledSequence
    from tinsmith.core.values import SampleRequest as SampleRequest
    from tinsmith.core.values import SampleResponse as SampleResponse
    from tinsmith.core.values import SamplingParams as SamplingParams
    from tinsmith.core.values import StopReason as StopReason
    from tinsmith.core.values import TensorData as TensorData
    from tinsmith.core.values import TensorDtype as TensorDtype
    from tinsmith.core.values import TrainingRun as TrainingRun
    from tinsmith.io.future import APIFuture as APIFuture
    from tinsmith.io.http.messages import RequestOptions as RequestOptions
    from tinsmith.io.http.transport import Timeout as Timeout

_HOME: dict[str, str] = {
    name: module
    for module, names in {
        "tinsmith.clients.service": "ServiceClient",
        "tinsmith.clients.training": "TrainingClient",
        "tinsmith.clients.sampling": "SamplingClient",
        "tinsmith.clients.rest": "RestClient",
        "tinsmith.io.future": "APIFuture",
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
        " SampledProvenanceSpan SampledSequence SampleRequest SampleResponse SamplingParams"
        " StopReason TensorData TensorDtype TrainingRun",
    }.items()
    for name in names.split()
}

__all__ = ["__title__", "data", "types"]
__all__ += list(_HOME)


if not TYPE_CHECKING:  # a checker takes the names from above, and refuses all others

    def __getattr__(name: str) -> object:
        """Load a public name when it is first asked for."""
        if name in ("data", "types"):
            return import_module(f"tinsmith.{name}")
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        if hasattr(value, "__attrs_attrs__"):
            import_module("tinsmith.core.field_texts").show_fields(value)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
