"""What users build and what they get back: frozen values with the official names.

Each submodule is loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinsmith.core.values.account import AuditEventType as AuditEventType
    from tinsmith.core.values.account import AuditLogEntry as AuditLogEntry
    from tinsmith.core.values.account import AuditLogResponse as AuditLogResponse
    from tinsmith.core.values.account import BillingEventInfo as BillingEventInfo
    from tinsmith.core.values.account import BillingUsageEvent as BillingUsageEvent
    from tinsmith.core.values.account import BillingUsageResponse as BillingUsageResponse
    from tinsmith.core.values.account import (
        CurrentCheckpointStorageUsageItem as CurrentCheckpointStorageUsageItem,
    )
    from tinsmith.core.values.account import (
        CurrentCheckpointStorageUsageResponse as CurrentCheckpointStorageUsageResponse,
    )
    from tinsmith.core.values.account import WhoamiResponse as WhoamiResponse
    from tinsmith.core.values.chunks import DmelChunk as DmelChunk
    from tinsmith.core.values.chunks import EncodedTextChunk as EncodedTextChunk
    from tinsmith.core.values.chunks import ImageAssetPointerChunk as ImageAssetPointerChunk
    from tinsmith.core.values.chunks import ImageChunk as ImageChunk
    from tinsmith.core.values.chunks import ImageFormat as ImageFormat
    from tinsmith.core.values.chunks import ModelInputChunk as ModelInputChunk
    from tinsmith.core.values.chunks import UnknownChunk as UnknownChunk
    from tinsmith.core.values.datum import Datum as Datum
    from tinsmith.core.values.datum import LossFnInputs as LossFnInputs
    from tinsmith.core.values.model_input import ModelInput as ModelInput
    from tinsmith.core.values.optimizers import AdamOptimizerConfig as AdamOptimizerConfig
    from tinsmith.core.values.optimizers import DimuonOptimizerConfig as DimuonOptimizerConfig
    from tinsmith.core.values.optimizers import DimuonParams as DimuonParams
    from tinsmith.core.values.optimizers import OptimizerConfig as OptimizerConfig
    from tinsmith.core.values.optimizers import OptimParams as OptimParams
    from tinsmith.core.values.params import AdamParams as AdamParams
    from tinsmith.core.values.params import LoraConfig as LoraConfig
    from tinsmith.core.values.params import LossFnType as LossFnType
    from tinsmith.core.values.params import SamplingParams as SamplingParams
    from tinsmith.core.values.provenance import PromptProvenanceSpan as PromptProvenanceSpan
    from tinsmith.core.values.provenance import ProvenanceSpans as ProvenanceSpans
    from tinsmith.core.values.provenance import SampledProvenanceSpan as SampledProvenanceSpan
    from tinsmith.core.values.requests import CopyWeightsRequest as CopyWeightsRequest
    from tinsmith.core.values.requests import CreateModelRequest as CreateModelRequest
    from tinsmith.core.values.requests import CreateSamplingSessionRequest as CreateSamplingSessionRequest
    from tinsmith.core.values.requests import CreateSessionRequest as CreateSessionRequest
    from tinsmith.core.values.requests import ForwardBackwardInput as ForwardBackwardInput
    from tinsmith.core.values.requests import ForwardBackwardRequest as ForwardBackwardRequest
    from tinsmith.core.values.requests import ForwardRequest as ForwardRequest
    from tinsmith.core.values.requests import FutureRetrieveRequest as FutureRetrieveRequest
    from tinsmith.core.values.requests import GetInfoRequest as GetInfoRequest
    from tinsmith.core.values.requests import LoadWeightsRequest as LoadWeightsRequest
    from tinsmith.core.values.requests import OptimStepRequest as OptimStepRequest
    from tinsmith.core.values.requests import SampleRequest as SampleRequest
    from tinsmith.core.values.requests import SamplingClientKind as SamplingClientKind
    from tinsmith.core.values.requests import SaveWeightsExternalRequest as SaveWeightsExternalRequest
    from tinsmith.core.values.requests import SaveWeightsForSamplerRequest as SaveWeightsForSamplerRequest
    from tinsmith.core.values.requests import SaveWeightsRequest as SaveWeightsRequest
    from tinsmith.core.values.requests import SessionHeartbeatRequest as SessionHeartbeatRequest
    from tinsmith.core.values.requests import UnloadModelRequest as UnloadModelRequest
    from tinsmith.core.values.rest import Checkpoint as Checkpoint
    from tinsmith.core.values.rest import CheckpointArchiveUrlResponse as CheckpointArchiveUrlResponse
    from tinsmith.core.values.rest import CheckpointsListResponse as CheckpointsListResponse
    from tinsmith.core.values.rest import CheckpointType as CheckpointType
    from tinsmith.core.values.rest import CopyWeightsResponse as CopyWeightsResponse
    from tinsmith.core.values.rest import Cursor as Cursor
    from tinsmith.core.values.rest import ExternalWeightsUrlsResponse as ExternalWeightsUrlsResponse
    from tinsmith.core.values.rest import GetSamplerResponse as GetSamplerResponse
    from tinsmith.core.values.rest import GetSessionResponse as GetSessionResponse
    from tinsmith.core.values.rest import ListSessionsResponse as ListSessionsResponse
    from tinsmith.core.values.rest import TrainingRun as TrainingRun
    from tinsmith.core.values.rest import TrainingRunsResponse as TrainingRunsResponse
    from tinsmith.core.values.rest import WeightsInfoResponse as WeightsInfoResponse
    from tinsmith.core.values.results import ForwardBackwardOutput as ForwardBackwardOutput
    from tinsmith.core.values.results import LoadWeightsResponse as LoadWeightsResponse
    from tinsmith.core.values.results import LossFnOutput as LossFnOutput
    from tinsmith.core.values.results import OptimStepResponse as OptimStepResponse
    from tinsmith.core.values.results import PromptAltTokens as PromptAltTokens
    from tinsmith.core.values.results import SampledSequence as SampledSequence
    from tinsmith.core.values.results import SampleResponse as SampleResponse
    from tinsmith.core.values.results import SaveWeightsExternalResponse as SaveWeightsExternalResponse
    from tinsmith.core.values.results import SaveWeightsForSamplerResponse as SaveWeightsForSamplerResponse
    from tinsmith.core.values.results import SaveWeightsResponse as SaveWeightsResponse
    from tinsmith.core.values.results import StopReason as StopReason
    from tinsmith.core.values.results import TopkLogprobs as TopkLogprobs
    from tinsmith.core.values.search import AccessibleSearchOwner as AccessibleSearchOwner
    from tinsmith.core.values.search import ActiveSessionStatusQuery as ActiveSessionStatusQuery
    from tinsmith.core.values.search import CancelledSessionStatusQuery as CancelledSessionStatusQuery
    from tinsmith.core.values.search import (
        ClientFinishedSessionStatusQuery as ClientFinishedSessionStatusQuery,
    )
    from tinsmith.core.values.search import FailedSessionStatusQuery as FailedSessionStatusQuery
    from tinsmith.core.values.search import OwnSearchOwner as OwnSearchOwner
    from tinsmith.core.values.search import SearchOwner as SearchOwner
    from tinsmith.core.values.search import SessionSearchRequest as SessionSearchRequest
    from tinsmith.core.values.search import SessionSearchResponse as SessionSearchResponse
    from tinsmith.core.values.search import SessionStatusQuery as SessionStatusQuery
    from tinsmith.core.values.search import SessionSummary as SessionSummary
    from tinsmith.core.values.search import UserSearchOwner as UserSearchOwner
    from tinsmith.core.values.service import CreateModelResponse as CreateModelResponse
    from tinsmith.core.values.service import CreateSamplingSessionResponse as CreateSamplingSessionResponse
    from tinsmith.core.values.service import CreateSessionResponse as CreateSessionResponse
    from tinsmith.core.values.service import FutureRetrieveResponse as FutureRetrieveResponse
    from tinsmith.core.values.service import GetInfoResponse as GetInfoResponse
    from tinsmith.core.values.service import GetServerCapabilitiesResponse as GetServerCapabilitiesResponse
    from tinsmith.core.values.service import HealthResponse as HealthResponse
    from tinsmith.core.values.service import ModelData as ModelData
    from tinsmith.core.values.service import ModelID as ModelID
    from tinsmith.core.values.service import RequestFailedResponse as RequestFailedResponse
    from tinsmith.core.values.service import RequestID as RequestID
    from tinsmith.core.values.service import SessionHeartbeatResponse as SessionHeartbeatResponse
    from tinsmith.core.values.service import SupportedModel as SupportedModel
    from tinsmith.core.values.service import TryAgainResponse as TryAgainResponse
    from tinsmith.core.values.service import UnloadModelResponse as UnloadModelResponse
    from tinsmith.core.values.service import UntypedAPIFuture as UntypedAPIFuture
    from tinsmith.core.values.telemetry import EventType as EventType
    from tinsmith.core.values.telemetry import GenericEvent as GenericEvent
    from tinsmith.core.values.telemetry import SessionEndEvent as SessionEndEvent
    from tinsmith.core.values.telemetry import SessionStartEvent as SessionStartEvent
    from tinsmith.core.values.telemetry import Severity as Severity
    from tinsmith.core.values.telemetry import TelemetryBatch as TelemetryBatch
    from tinsmith.core.values.telemetry import TelemetryEvent as TelemetryEvent
    from tinsmith.core.values.telemetry import TelemetryResponse as TelemetryResponse
    from tinsmith.core.values.telemetry import TelemetrySendRequest as TelemetrySendRequest
    from tinsmith.core.values.telemetry import UnhandledExceptionEvent as UnhandledExceptionEvent
    from tinsmith.core.values.tensor import TensorData as TensorData
    from tinsmith.core.values.tensor import TensorDtype as TensorDtype

_HOME: dict[str, str] = {
    name: module
    for module, names in {
        "account": "AuditEventType AuditLogEntry AuditLogResponse BillingEventInfo BillingUsageEvent"
        " BillingUsageResponse CurrentCheckpointStorageUsageItem"
        " CurrentCheckpointStorageUsageResponse WhoamiResponse",
        "chunks": "DmelChunk EncodedTextChunk ImageAssetPointerChunk ImageChunk ImageFormat ModelInputChunk"
        " UnknownChunk",
        "datum": "Datum LossFnInputs",
        "model_input": "ModelInput",
        "optimizers": "AdamOptimizerConfig DimuonOptimizerConfig DimuonParams OptimizerConfig OptimParams",
        "params": "AdamParams LoraConfig LossFnType SamplingParams",
        "provenance": "PromptProvenanceSpan ProvenanceSpans SampledProvenanceSpan",
        "requests": "CopyWeightsRequest CreateModelRequest CreateSamplingSessionRequest CreateSessionRequest"
        " ForwardBackwardInput ForwardBackwardRequest ForwardRequest FutureRetrieveRequest"
        " GetInfoRequest LoadWeightsRequest OptimStepRequest SampleRequest SamplingClientKind"
        " SaveWeightsExternalRequest SaveWeightsForSamplerRequest SaveWeightsRequest"
        " SessionHeartbeatRequest UnloadModelRequest",
        "rest": "Checkpoint CheckpointArchiveUrlResponse CheckpointsListResponse CheckpointType"
        " CopyWeightsResponse Cursor ExternalWeightsUrlsResponse GetSamplerResponse"
        " GetSessionResponse ListSessionsResponse TrainingRun TrainingRunsResponse"
        " WeightsInfoResponse",
        "results": "ForwardBackwardOutput LoadWeightsResponse LossFnOutput OptimStepResponse PromptAltTokens"
        " SampledSequence SampleResponse SaveWeightsExternalResponse SaveWeightsForSamplerResponse"
        " SaveWeightsResponse StopReason TopkLogprobs",
        "search": "AccessibleSearchOwner ActiveSessionStatusQuery CancelledSessionStatusQuery"
        " ClientFinishedSessionStatusQuery FailedSessionStatusQuery OwnSearchOwner SearchOwner"
        " SessionSearchRequest SessionSearchResponse SessionStatusQuery SessionSummary"
        " UserSearchOwner",
        "service": "CreateModelResponse CreateSamplingSessionResponse CreateSessionResponse"
        " FutureRetrieveResponse GetInfoResponse GetServerCapabilitiesResponse HealthResponse"
        " ModelData ModelID RequestFailedResponse RequestID SessionHeartbeatResponse"
        " SupportedModel TryAgainResponse UnloadModelResponse UntypedAPIFuture",
        "telemetry": "EventType GenericEvent SessionEndEvent SessionStartEvent Severity TelemetryBatch"
        " TelemetryEvent TelemetryResponse TelemetrySendRequest UnhandledExceptionEvent",
        "tensor": "TensorData TensorDtype",
    }.items()
    for name in names.split()
}

if not TYPE_CHECKING:  # pragma: no branch - a checker takes the re-exports above
    __all__ = list(_HOME)

    def __getattr__(name: str) -> object:
        """Load the module that holds a value when it is first asked for."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(_HOME)
