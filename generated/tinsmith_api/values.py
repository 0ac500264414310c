# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""The models that clients use as they are; for the others they have classes of their own."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models.access_scope import AccessScope as AccessScope
    from .models.accessible_search_owner import AccessibleSearchOwner as AccessibleSearchOwner
    from .models.active_session_status_query import ActiveSessionStatusQuery as ActiveSessionStatusQuery
    from .models.adam_optimizer_config import AdamOptimizerConfig as AdamOptimizerConfig
    from .models.adam_params import AdamParams as AdamParams
    from .models.api_key_details import ApiKeyDetails as ApiKeyDetails
    from .models.api_key_info import ApiKeyInfo as ApiKeyInfo
    from .models.api_key_org_details import ApiKeyOrgDetails as ApiKeyOrgDetails
    from .models.api_key_user_details import ApiKeyUserDetails as ApiKeyUserDetails
    from .models.audit_event_details import AuditEventDetails as AuditEventDetails
    from .models.audit_log_entry import AuditLogEntry as AuditLogEntry
    from .models.audit_log_response import AuditLogResponse as AuditLogResponse
    from .models.auth_token_request import AuthTokenRequest as AuthTokenRequest
    from .models.auth_token_response import AuthTokenResponse as AuthTokenResponse
    from .models.billing_event_info import BillingEventInfo as BillingEventInfo
    from .models.billing_usage_event import BillingUsageEvent as BillingUsageEvent
    from .models.billing_usage_response import BillingUsageResponse as BillingUsageResponse
    from .models.billing_usage_session import BillingUsageSession as BillingUsageSession
    from .models.billing_usage_sessions import BillingUsageSessions as BillingUsageSessions
    from .models.cancel_future_request import CancelFutureRequest as CancelFutureRequest
    from .models.cancelled_session_status_query import (
        CancelledSessionStatusQuery as CancelledSessionStatusQuery,
    )
    from .models.checkpoint import Checkpoint as Checkpoint
    from .models.checkpoint_kind import CheckpointKind as CheckpointKind
    from .models.checkpoints_list_response import CheckpointsListResponse as CheckpointsListResponse
    from .models.client_config_request import ClientConfigRequest as ClientConfigRequest
    from .models.client_config_response import ClientConfigResponse as ClientConfigResponse
    from .models.client_dynamic_config_response import (
        ClientDynamicConfigResponse as ClientDynamicConfigResponse,
    )
    from .models.client_finished_session_status_query import (
        ClientFinishedSessionStatusQuery as ClientFinishedSessionStatusQuery,
    )
    from .models.client_session_finish_reason_type import (
        ClientSessionFinishReasonType as ClientSessionFinishReasonType,
    )
    from .models.complete_metadata_response import CompleteMetadataResponse as CompleteMetadataResponse
    from .models.copy_weights_request import CopyWeightsRequest as CopyWeightsRequest
    from .models.copy_weights_response import CopyWeightsResponse as CopyWeightsResponse
    from .models.create_custom_loss_request import CreateCustomLossRequest as CreateCustomLossRequest
    from .models.create_custom_loss_response import CreateCustomLossResponse as CreateCustomLossResponse
    from .models.create_model_request import CreateModelRequest as CreateModelRequest
    from .models.create_model_response import CreateModelResponse as CreateModelResponse
    from .models.create_sampling_session_request import (
        CreateSamplingSessionRequest as CreateSamplingSessionRequest,
    )
    from .models.create_sampling_session_response import (
        CreateSamplingSessionResponse as CreateSamplingSessionResponse,
    )
    from .models.create_session_request import CreateSessionRequest as CreateSessionRequest
    from .models.create_session_response import CreateSessionResponse as CreateSessionResponse
    from .models.current_checkpoint_storage_usage_item import (
        CurrentCheckpointStorageUsageItem as CurrentCheckpointStorageUsageItem,
    )
    from .models.current_checkpoint_storage_usage_response import (
        CurrentCheckpointStorageUsageResponse as CurrentCheckpointStorageUsageResponse,
    )
    from .models.cursor import Cursor as Cursor
    from .models.custom_loss_graph import CustomLossGraph as CustomLossGraph
    from .models.custom_loss_input import CustomLossInput as CustomLossInput
    from .models.custom_loss_node import CustomLossNode as CustomLossNode
    from .models.custom_loss_node_op import CustomLossNodeOp as CustomLossNodeOp
    from .models.dimuon_optimizer_config import DimuonOptimizerConfig as DimuonOptimizerConfig
    from .models.dimuon_params import DimuonParams as DimuonParams
    from .models.error_body import ErrorBody as ErrorBody
    from .models.external_weights_urls_response import (
        ExternalWeightsUrlsResponse as ExternalWeightsUrlsResponse,
    )
    from .models.failed_session_status_query import FailedSessionStatusQuery as FailedSessionStatusQuery
    from .models.finish_reason import FinishReason as FinishReason
    from .models.finish_session_request import FinishSessionRequest as FinishSessionRequest
    from .models.future_answer import FutureAnswer as FutureAnswer
    from .models.future_completion import FutureCompletion as FutureCompletion
    from .models.future_retrieve_request import FutureRetrieveRequest as FutureRetrieveRequest
    from .models.futures_retrieve_request import FuturesRetrieveRequest as FuturesRetrieveRequest
    from .models.futures_retrieve_response import FuturesRetrieveResponse as FuturesRetrieveResponse
    from .models.generic_event import GenericEvent as GenericEvent
    from .models.get_info_request import GetInfoRequest as GetInfoRequest
    from .models.get_info_response import GetInfoResponse as GetInfoResponse
    from .models.get_sampler_response import GetSamplerResponse as GetSamplerResponse
    from .models.get_server_capabilities_response import (
        GetServerCapabilitiesResponse as GetServerCapabilitiesResponse,
    )
    from .models.get_session_response import GetSessionResponse as GetSessionResponse
    from .models.get_tokenizer_response import GetTokenizerResponse as GetTokenizerResponse
    from .models.health_response import HealthResponse as HealthResponse
    from .models.image_format import ImageFormat as ImageFormat
    from .models.join_sampling_session_request import JoinSamplingSessionRequest as JoinSamplingSessionRequest
    from .models.join_sampling_session_response import (
        JoinSamplingSessionResponse as JoinSamplingSessionResponse,
    )
    from .models.json_metadata import JsonMetadata as JsonMetadata
    from .models.list_audit_log_event_type import ListAuditLogEventType as ListAuditLogEventType
    from .models.list_sessions_response import ListSessionsResponse as ListSessionsResponse
    from .models.load_weights_request import LoadWeightsRequest as LoadWeightsRequest
    from .models.load_weights_response import LoadWeightsResponse as LoadWeightsResponse
    from .models.lora_config import LoraConfig as LoraConfig
    from .models.loss_fn_config import LossFnConfig as LossFnConfig
    from .models.metrics import Metrics as Metrics
    from .models.model_data import ModelData as ModelData
    from .models.optim_step_request import OptimStepRequest as OptimStepRequest
    from .models.optim_step_response import OptimStepResponse as OptimStepResponse
    from .models.optimizer_params import OptimizerParams as OptimizerParams
    from .models.other_optimizer_config import OtherOptimizerConfig as OtherOptimizerConfig
    from .models.other_optimizer_params import OtherOptimizerParams as OtherOptimizerParams
    from .models.own_search_owner import OwnSearchOwner as OwnSearchOwner
    from .models.sample_stream_request import SampleStreamRequest as SampleStreamRequest
    from .models.sampling_session_futures_target import (
        SamplingSessionFuturesTarget as SamplingSessionFuturesTarget,
    )
    from .models.save_weights_external_request import SaveWeightsExternalRequest as SaveWeightsExternalRequest
    from .models.save_weights_external_response import (
        SaveWeightsExternalResponse as SaveWeightsExternalResponse,
    )
    from .models.save_weights_for_sampler_request import (
        SaveWeightsForSamplerRequest as SaveWeightsForSamplerRequest,
    )
    from .models.save_weights_for_sampler_request_kind import (
        SaveWeightsForSamplerRequestKind as SaveWeightsForSamplerRequestKind,
    )
    from .models.save_weights_for_sampler_response import (
        SaveWeightsForSamplerResponse as SaveWeightsForSamplerResponse,
    )
    from .models.save_weights_request import SaveWeightsRequest as SaveWeightsRequest
    from .models.save_weights_response import SaveWeightsResponse as SaveWeightsResponse
    from .models.search_owner import SearchOwner as SearchOwner
    from .models.session_end_event import SessionEndEvent as SessionEndEvent
    from .models.session_heartbeat_request import SessionHeartbeatRequest as SessionHeartbeatRequest
    from .models.session_heartbeat_response import SessionHeartbeatResponse as SessionHeartbeatResponse
    from .models.session_search_cursor import SessionSearchCursor as SessionSearchCursor
    from .models.session_search_request import SessionSearchRequest as SessionSearchRequest
    from .models.session_search_response import SessionSearchResponse as SessionSearchResponse
    from .models.session_start_event import SessionStartEvent as SessionStartEvent
    from .models.session_status import SessionStatus as SessionStatus
    from .models.session_status_query import SessionStatusQuery as SessionStatusQuery
    from .models.session_status_reason import SessionStatusReason as SessionStatusReason
    from .models.session_summary import SessionSummary as SessionSummary
    from .models.session_trace_export import SessionTraceExport as SessionTraceExport
    from .models.set_checkpoint_ttl_request import SetCheckpointTtlRequest as SetCheckpointTtlRequest
    from .models.set_session_project_request import SetSessionProjectRequest as SetSessionProjectRequest
    from .models.signed_urls import SignedUrls as SignedUrls
    from .models.supported_model import SupportedModel as SupportedModel
    from .models.telemetry_event import TelemetryEvent as TelemetryEvent
    from .models.telemetry_response import TelemetryResponse as TelemetryResponse
    from .models.telemetry_send_request import TelemetrySendRequest as TelemetrySendRequest
    from .models.tensor_data_output import TensorDataOutput as TensorDataOutput
    from .models.tensor_dtype import TensorDtype as TensorDtype
    from .models.training_run import TrainingRun as TrainingRun
    from .models.training_runs_response import TrainingRunsResponse as TrainingRunsResponse
    from .models.try_again_response import TryAgainResponse as TryAgainResponse
    from .models.unhandled_exception_event import UnhandledExceptionEvent as UnhandledExceptionEvent
    from .models.unload_model_request import UnloadModelRequest as UnloadModelRequest
    from .models.unload_model_response import UnloadModelResponse as UnloadModelResponse
    from .models.untyped_api_future import UntypedAPIFuture as UntypedAPIFuture
    from .models.user_metadata import UserMetadata as UserMetadata
    from .models.user_search_owner import UserSearchOwner as UserSearchOwner
    from .models.weights_info_request import WeightsInfoRequest as WeightsInfoRequest
    from .models.weights_info_response import WeightsInfoResponse as WeightsInfoResponse

_MODULE_OF = {
    "AccessScope": ".models.access_scope",
    "AccessibleSearchOwner": ".models.accessible_search_owner",
    "ActiveSessionStatusQuery": ".models.active_session_status_query",
    "AdamOptimizerConfig": ".models.adam_optimizer_config",
    "AdamParams": ".models.adam_params",
    "ApiKeyDetails": ".models.api_key_details",
    "ApiKeyInfo": ".models.api_key_info",
    "ApiKeyOrgDetails": ".models.api_key_org_details",
    "ApiKeyUserDetails": ".models.api_key_user_details",
    "AuditEventDetails": ".models.audit_event_details",
    "AuditLogEntry": ".models.audit_log_entry",
    "AuditLogResponse": ".models.audit_log_response",
    "AuthTokenRequest": ".models.auth_token_request",
    "AuthTokenResponse": ".models.auth_token_response",
    "BillingEventInfo": ".models.billing_event_info",
    "BillingUsageEvent": ".models.billing_usage_event",
    "BillingUsageResponse": ".models.billing_usage_response",
    "BillingUsageSession": ".models.billing_usage_session",
    "BillingUsageSessions": ".models.billing_usage_sessions",
    "CancelFutureRequest": ".models.cancel_future_request",
    "CancelledSessionStatusQuery": ".models.cancelled_session_status_query",
    "Checkpoint": ".models.checkpoint",
    "CheckpointKind": ".models.checkpoint_kind",
    "CheckpointsListResponse": ".models.checkpoints_list_response",
    "ClientConfigRequest": ".models.client_config_request",
    "ClientConfigResponse": ".models.client_config_response",
    "ClientDynamicConfigResponse": ".models.client_dynamic_config_response",
    "ClientFinishedSessionStatusQuery": ".models.client_finished_session_status_query",
    "ClientSessionFinishReasonType": ".models.client_session_finish_reason_type",
    "CompleteMetadataResponse": ".models.complete_metadata_response",
    "CopyWeightsRequest": ".models.copy_weights_request",
    "CopyWeightsResponse": ".models.copy_weights_response",
    "CreateCustomLossRequest": ".models.create_custom_loss_request",
    "CreateCustomLossResponse": ".models.create_custom_loss_response",
    "CreateModelRequest": ".models.create_model_request",
    "CreateModelResponse": ".models.create_model_response",
    "CreateSamplingSessionRequest": ".models.create_sampling_session_request",
    "CreateSamplingSessionResponse": ".models.create_sampling_session_response",
    "CreateSessionRequest": ".models.create_session_request",
    "CreateSessionResponse": ".models.create_session_response",
    "CurrentCheckpointStorageUsageItem": ".models.current_checkpoint_storage_usage_item",
    "CurrentCheckpointStorageUsageResponse": ".models.current_checkpoint_storage_usage_response",
    "Cursor": ".models.cursor",
    "CustomLossGraph": ".models.custom_loss_graph",
    "CustomLossInput": ".models.custom_loss_input",
    "CustomLossNode": ".models.custom_loss_node",
    "CustomLossNodeOp": ".models.custom_loss_node_op",
    "DimuonOptimizerConfig": ".models.dimuon_optimizer_config",
    "DimuonParams": ".models.dimuon_params",
    "ErrorBody": ".models.error_body",
    "ExternalWeightsUrlsResponse": ".models.external_weights_urls_response",
    "FailedSessionStatusQuery": ".models.failed_session_status_query",
    "FinishReason": ".models.finish_reason",
    "FinishSessionRequest": ".models.finish_session_request",
    "FutureAnswer": ".models.future_answer",
    "FutureCompletion": ".models.future_completion",
    "FutureRetrieveRequest": ".models.future_retrieve_request",
    "FuturesRetrieveRequest": ".models.futures_retrieve_request",
    "FuturesRetrieveResponse": ".models.futures_retrieve_response",
    "GenericEvent": ".models.generic_event",
    "GetInfoRequest": ".models.get_info_request",
    "GetInfoResponse": ".models.get_info_response",
    "GetSamplerResponse": ".models.get_sampler_response",
    "GetServerCapabilitiesResponse": ".models.get_server_capabilities_response",
    "GetSessionResponse": ".models.get_session_response",
    "GetTokenizerResponse": ".models.get_tokenizer_response",
    "HealthResponse": ".models.health_response",
    "ImageFormat": ".models.image_format",
    "JoinSamplingSessionRequest": ".models.join_sampling_session_request",
    "JoinSamplingSessionResponse": ".models.join_sampling_session_response",
    "JsonMetadata": ".models.json_metadata",
    "ListAuditLogEventType": ".models.list_audit_log_event_type",
    "ListSessionsResponse": ".models.list_sessions_response",
    "LoadWeightsRequest": ".models.load_weights_request",
    "LoadWeightsResponse": ".models.load_weights_response",
    "LoraConfig": ".models.lora_config",
    "LossFnConfig": ".models.loss_fn_config",
    "Metrics": ".models.metrics",
    "ModelData": ".models.model_data",
    "OptimStepRequest": ".models.optim_step_request",
    "OptimStepResponse": ".models.optim_step_response",
    "OptimizerParams": ".models.optimizer_params",
    "OtherOptimizerConfig": ".models.other_optimizer_config",
    "OtherOptimizerParams": ".models.other_optimizer_params",
    "OwnSearchOwner": ".models.own_search_owner",
    "SampleStreamRequest": ".models.sample_stream_request",
    "SamplingSessionFuturesTarget": ".models.sampling_session_futures_target",
    "SaveWeightsExternalRequest": ".models.save_weights_external_request",
    "SaveWeightsExternalResponse": ".models.save_weights_external_response",
    "SaveWeightsForSamplerRequest": ".models.save_weights_for_sampler_request",
    "SaveWeightsForSamplerRequestKind": ".models.save_weights_for_sampler_request_kind",
    "SaveWeightsForSamplerResponse": ".models.save_weights_for_sampler_response",
    "SaveWeightsRequest": ".models.save_weights_request",
    "SaveWeightsResponse": ".models.save_weights_response",
    "SearchOwner": ".models.search_owner",
    "SessionEndEvent": ".models.session_end_event",
    "SessionHeartbeatRequest": ".models.session_heartbeat_request",
    "SessionHeartbeatResponse": ".models.session_heartbeat_response",
    "SessionSearchCursor": ".models.session_search_cursor",
    "SessionSearchRequest": ".models.session_search_request",
    "SessionSearchResponse": ".models.session_search_response",
    "SessionStartEvent": ".models.session_start_event",
    "SessionStatus": ".models.session_status",
    "SessionStatusQuery": ".models.session_status_query",
    "SessionStatusReason": ".models.session_status_reason",
    "SessionSummary": ".models.session_summary",
    "SessionTraceExport": ".models.session_trace_export",
    "SetCheckpointTtlRequest": ".models.set_checkpoint_ttl_request",
    "SetSessionProjectRequest": ".models.set_session_project_request",
    "SignedUrls": ".models.signed_urls",
    "SupportedModel": ".models.supported_model",
    "TelemetryEvent": ".models.telemetry_event",
    "TelemetryResponse": ".models.telemetry_response",
    "TelemetrySendRequest": ".models.telemetry_send_request",
    "TensorDataOutput": ".models.tensor_data_output",
    "TensorDtype": ".models.tensor_dtype",
    "TrainingRun": ".models.training_run",
    "TrainingRunsResponse": ".models.training_runs_response",
    "TryAgainResponse": ".models.try_again_response",
    "UnhandledExceptionEvent": ".models.unhandled_exception_event",
    "UnloadModelRequest": ".models.unload_model_request",
    "UnloadModelResponse": ".models.unload_model_response",
    "UntypedAPIFuture": ".models.untyped_api_future",
    "UserMetadata": ".models.user_metadata",
    "UserSearchOwner": ".models.user_search_owner",
    "WeightsInfoRequest": ".models.weights_info_request",
    "WeightsInfoResponse": ".models.weights_info_response",
}

__all__ = (
    "AccessScope",
    "AccessibleSearchOwner",
    "ActiveSessionStatusQuery",
    "AdamOptimizerConfig",
    "AdamParams",
    "ApiKeyDetails",
    "ApiKeyInfo",
    "ApiKeyOrgDetails",
    "ApiKeyUserDetails",
    "AuditEventDetails",
    "AuditLogEntry",
    "AuditLogResponse",
    "AuthTokenRequest",
    "AuthTokenResponse",
    "BillingEventInfo",
    "BillingUsageEvent",
    "BillingUsageResponse",
    "BillingUsageSession",
    "BillingUsageSessions",
    "CancelFutureRequest",
    "CancelledSessionStatusQuery",
    "Checkpoint",
    "CheckpointKind",
    "CheckpointsListResponse",
    "ClientConfigRequest",
    "ClientConfigResponse",
    "ClientDynamicConfigResponse",
    "ClientFinishedSessionStatusQuery",
    "ClientSessionFinishReasonType",
    "CompleteMetadataResponse",
    "CopyWeightsRequest",
    "CopyWeightsResponse",
    "CreateCustomLossRequest",
    "CreateCustomLossResponse",
    "CreateModelRequest",
    "CreateModelResponse",
    "CreateSamplingSessionRequest",
    "CreateSamplingSessionResponse",
    "CreateSessionRequest",
    "CreateSessionResponse",
    "CurrentCheckpointStorageUsageItem",
    "CurrentCheckpointStorageUsageResponse",
    "Cursor",
    "CustomLossGraph",
    "CustomLossInput",
    "CustomLossNode",
    "CustomLossNodeOp",
    "DimuonOptimizerConfig",
    "DimuonParams",
    "ErrorBody",
    "ExternalWeightsUrlsResponse",
    "FailedSessionStatusQuery",
    "FinishReason",
    "FinishSessionRequest",
    "FutureAnswer",
    "FutureCompletion",
    "FutureRetrieveRequest",
    "FuturesRetrieveRequest",
    "FuturesRetrieveResponse",
    "GenericEvent",
    "GetInfoRequest",
    "GetInfoResponse",
    "GetSamplerResponse",
    "GetServerCapabilitiesResponse",
    "GetSessionResponse",
    "GetTokenizerResponse",
    "HealthResponse",
    "ImageFormat",
    "JoinSamplingSessionRequest",
    "JoinSamplingSessionResponse",
    "JsonMetadata",
    "ListAuditLogEventType",
    "ListSessionsResponse",
    "LoadWeightsRequest",
    "LoadWeightsResponse",
    "LoraConfig",
    "LossFnConfig",
    "Metrics",
    "ModelData",
    "OptimStepRequest",
    "OptimStepResponse",
    "OptimizerParams",
    "OtherOptimizerConfig",
    "OtherOptimizerParams",
    "OwnSearchOwner",
    "SampleStreamRequest",
    "SamplingSessionFuturesTarget",
    "SaveWeightsExternalRequest",
    "SaveWeightsExternalResponse",
    "SaveWeightsForSamplerRequest",
    "SaveWeightsForSamplerRequestKind",
    "SaveWeightsForSamplerResponse",
    "SaveWeightsRequest",
    "SaveWeightsResponse",
    "SearchOwner",
    "SessionEndEvent",
    "SessionHeartbeatRequest",
    "SessionHeartbeatResponse",
    "SessionSearchCursor",
    "SessionSearchRequest",
    "SessionSearchResponse",
    "SessionStartEvent",
    "SessionStatus",
    "SessionStatusQuery",
    "SessionStatusReason",
    "SessionSummary",
    "SessionTraceExport",
    "SetCheckpointTtlRequest",
    "SetSessionProjectRequest",
    "SignedUrls",
    "SupportedModel",
    "TelemetryEvent",
    "TelemetryResponse",
    "TelemetrySendRequest",
    "TensorDataOutput",
    "TensorDtype",
    "TrainingRun",
    "TrainingRunsResponse",
    "TryAgainResponse",
    "UnhandledExceptionEvent",
    "UnloadModelRequest",
    "UnloadModelResponse",
    "UntypedAPIFuture",
    "UserMetadata",
    "UserSearchOwner",
    "WeightsInfoRequest",
    "WeightsInfoResponse",
)


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(module, __package__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
