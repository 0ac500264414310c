# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""The models, each loaded when it is first named: one operation must not load them all."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .access_scope import AccessScope as AccessScope
    from .accessible_search_owner import AccessibleSearchOwner as AccessibleSearchOwner
    from .active_session_status_query import ActiveSessionStatusQuery as ActiveSessionStatusQuery
    from .adam_optimizer_config import AdamOptimizerConfig as AdamOptimizerConfig
    from .adam_params import AdamParams as AdamParams
    from .api_key_details import ApiKeyDetails as ApiKeyDetails
    from .api_key_info import ApiKeyInfo as ApiKeyInfo
    from .api_key_org_details import ApiKeyOrgDetails as ApiKeyOrgDetails
    from .api_key_user_details import ApiKeyUserDetails as ApiKeyUserDetails
    from .audit_event_details import AuditEventDetails as AuditEventDetails
    from .audit_log_entry import AuditLogEntry as AuditLogEntry
    from .audit_log_response import AuditLogResponse as AuditLogResponse
    from .auth_token_request import AuthTokenRequest as AuthTokenRequest
    from .auth_token_response import AuthTokenResponse as AuthTokenResponse
    from .billing_event_info import BillingEventInfo as BillingEventInfo
    from .billing_usage_event import BillingUsageEvent as BillingUsageEvent
    from .billing_usage_response import BillingUsageResponse as BillingUsageResponse
    from .billing_usage_session import BillingUsageSession as BillingUsageSession
    from .billing_usage_sessions import BillingUsageSessions as BillingUsageSessions
    from .cancel_future_request import CancelFutureRequest as CancelFutureRequest
    from .cancelled_session_status_query import CancelledSessionStatusQuery as CancelledSessionStatusQuery
    from .checkpoint import Checkpoint as Checkpoint
    from .checkpoint_kind import CheckpointKind as CheckpointKind
    from .checkpoints_list_response import CheckpointsListResponse as CheckpointsListResponse
    from .client_config_request import ClientConfigRequest as ClientConfigRequest
    from .client_config_response import ClientConfigResponse as ClientConfigResponse
    from .client_dynamic_config_response import ClientDynamicConfigResponse as ClientDynamicConfigResponse
    from .client_finished_session_status_query import (
        ClientFinishedSessionStatusQuery as ClientFinishedSessionStatusQuery,
    )
    from .client_session_finish_reason_type import (
        ClientSessionFinishReasonType as ClientSessionFinishReasonType,
    )
    from .complete_metadata_response import CompleteMetadataResponse as CompleteMetadataResponse
    from .copy_weights_request import CopyWeightsRequest as CopyWeightsRequest
    from .copy_weights_response import CopyWeightsResponse as CopyWeightsResponse
    from .create_custom_loss_request import CreateCustomLossRequest as CreateCustomLossRequest
    from .create_custom_loss_response import CreateCustomLossResponse as CreateCustomLossResponse
    from .create_model_request import CreateModelRequest as CreateModelRequest
    from .create_model_response import CreateModelResponse as CreateModelResponse
    from .create_sampling_session_request import CreateSamplingSessionRequest as CreateSamplingSessionRequest
    from .create_sampling_session_response import (
        CreateSamplingSessionResponse as CreateSamplingSessionResponse,
    )
    from .create_session_request import CreateSessionRequest as CreateSessionRequest
    from .create_session_response import CreateSessionResponse as CreateSessionResponse
    from .current_checkpoint_storage_usage_item import (
        CurrentCheckpointStorageUsageItem as CurrentCheckpointStorageUsageItem,
    )
    from .current_checkpoint_storage_usage_response import (
        CurrentCheckpointStorageUsageResponse as CurrentCheckpointStorageUsageResponse,
    )
    from .cursor import Cursor as Cursor
    from .custom_loss_graph import CustomLossGraph as CustomLossGraph
    from .custom_loss_input import CustomLossInput as CustomLossInput
    from .custom_loss_node import CustomLossNode as CustomLossNode
    from .custom_loss_node_op import CustomLossNodeOp as CustomLossNodeOp
    from .datum import Datum as Datum
    from .dimuon_optimizer_config import DimuonOptimizerConfig as DimuonOptimizerConfig
    from .dimuon_params import DimuonParams as DimuonParams
    from .dmel_chunk import DmelChunk as DmelChunk
    from .encoded_text_chunk import EncodedTextChunk as EncodedTextChunk
    from .error_body import ErrorBody as ErrorBody
    from .external_weights_urls_response import ExternalWeightsUrlsResponse as ExternalWeightsUrlsResponse
    from .failed_session_status_query import FailedSessionStatusQuery as FailedSessionStatusQuery
    from .finish_reason import FinishReason as FinishReason
    from .finish_session_request import FinishSessionRequest as FinishSessionRequest
    from .forward_backward_input import ForwardBackwardInput as ForwardBackwardInput
    from .forward_backward_output import ForwardBackwardOutput as ForwardBackwardOutput
    from .forward_backward_request import ForwardBackwardRequest as ForwardBackwardRequest
    from .forward_request import ForwardRequest as ForwardRequest
    from .future_answer import FutureAnswer as FutureAnswer
    from .future_completion import FutureCompletion as FutureCompletion
    from .future_retrieve_request import FutureRetrieveRequest as FutureRetrieveRequest
    from .futures_retrieve_request import FuturesRetrieveRequest as FuturesRetrieveRequest
    from .futures_retrieve_response import FuturesRetrieveResponse as FuturesRetrieveResponse
    from .generic_event import GenericEvent as GenericEvent
    from .get_info_request import GetInfoRequest as GetInfoRequest
    from .get_info_response import GetInfoResponse as GetInfoResponse
    from .get_sampler_response import GetSamplerResponse as GetSamplerResponse
    from .get_server_capabilities_response import (
        GetServerCapabilitiesResponse as GetServerCapabilitiesResponse,
    )
    from .get_session_response import GetSessionResponse as GetSessionResponse
    from .get_tokenizer_response import GetTokenizerResponse as GetTokenizerResponse
    from .health_response import HealthResponse as HealthResponse
    from .image_asset_pointer_chunk import ImageAssetPointerChunk as ImageAssetPointerChunk
    from .image_chunk import ImageChunk as ImageChunk
    from .image_format import ImageFormat as ImageFormat
    from .join_sampling_session_request import JoinSamplingSessionRequest as JoinSamplingSessionRequest
    from .join_sampling_session_response import JoinSamplingSessionResponse as JoinSamplingSessionResponse
    from .json_metadata import JsonMetadata as JsonMetadata
    from .list_audit_log_event_type import ListAuditLogEventType as ListAuditLogEventType
    from .list_sessions_response import ListSessionsResponse as ListSessionsResponse
    from .load_weights_request import LoadWeightsRequest as LoadWeightsRequest
    from .load_weights_response import LoadWeightsResponse as LoadWeightsResponse
    from .lora_config import LoraConfig as LoraConfig
    from .loss_fn_config import LossFnConfig as LossFnConfig
    from .loss_fn_inputs import LossFnInputs as LossFnInputs
    from .loss_fn_output import LossFnOutput as LossFnOutput
    from .metrics import Metrics as Metrics
    from .model_data import ModelData as ModelData
    from .model_input import ModelInput as ModelInput
    from .model_input_chunk import ModelInputChunk as ModelInputChunk
    from .optim_step_request import OptimStepRequest as OptimStepRequest
    from .optim_step_response import OptimStepResponse as OptimStepResponse
    from .optimizer_config import OptimizerConfig as OptimizerConfig
    from .optimizer_params import OptimizerParams as OptimizerParams
    from .other_optimizer_config import OtherOptimizerConfig as OtherOptimizerConfig
    from .other_optimizer_params import OtherOptimizerParams as OtherOptimizerParams
    from .own_search_owner import OwnSearchOwner as OwnSearchOwner
    from .prompt_alt_tokens import PromptAltTokens as PromptAltTokens
    from .request_failed_response import RequestFailedResponse as RequestFailedResponse
    from .sample_piece import SamplePiece as SamplePiece
    from .sample_request import SampleRequest as SampleRequest
    from .sample_response import SampleResponse as SampleResponse
    from .sample_stream_request import SampleStreamRequest as SampleStreamRequest
    from .sampled_sequence import SampledSequence as SampledSequence
    from .sampling_params import SamplingParams as SamplingParams
    from .sampling_session_futures_target import SamplingSessionFuturesTarget as SamplingSessionFuturesTarget
    from .save_weights_external_request import SaveWeightsExternalRequest as SaveWeightsExternalRequest
    from .save_weights_external_response import SaveWeightsExternalResponse as SaveWeightsExternalResponse
    from .save_weights_for_sampler_request import SaveWeightsForSamplerRequest as SaveWeightsForSamplerRequest
    from .save_weights_for_sampler_request_kind import (
        SaveWeightsForSamplerRequestKind as SaveWeightsForSamplerRequestKind,
    )
    from .save_weights_for_sampler_response import (
        SaveWeightsForSamplerResponse as SaveWeightsForSamplerResponse,
    )
    from .save_weights_request import SaveWeightsRequest as SaveWeightsRequest
    from .save_weights_response import SaveWeightsResponse as SaveWeightsResponse
    from .search_owner import SearchOwner as SearchOwner
    from .session_end_event import SessionEndEvent as SessionEndEvent
    from .session_heartbeat_request import SessionHeartbeatRequest as SessionHeartbeatRequest
    from .session_heartbeat_response import SessionHeartbeatResponse as SessionHeartbeatResponse
    from .session_search_cursor import SessionSearchCursor as SessionSearchCursor
    from .session_search_request import SessionSearchRequest as SessionSearchRequest
    from .session_search_response import SessionSearchResponse as SessionSearchResponse
    from .session_start_event import SessionStartEvent as SessionStartEvent
    from .session_status import SessionStatus as SessionStatus
    from .session_status_query import SessionStatusQuery as SessionStatusQuery
    from .session_status_reason import SessionStatusReason as SessionStatusReason
    from .session_summary import SessionSummary as SessionSummary
    from .session_trace_export import SessionTraceExport as SessionTraceExport
    from .set_checkpoint_ttl_request import SetCheckpointTtlRequest as SetCheckpointTtlRequest
    from .set_session_project_request import SetSessionProjectRequest as SetSessionProjectRequest
    from .severity import Severity as Severity
    from .signed_urls import SignedUrls as SignedUrls
    from .supported_model import SupportedModel as SupportedModel
    from .telemetry_event import TelemetryEvent as TelemetryEvent
    from .telemetry_response import TelemetryResponse as TelemetryResponse
    from .telemetry_send_request import TelemetrySendRequest as TelemetrySendRequest
    from .tensor_data import TensorData as TensorData
    from .tensor_data_output import TensorDataOutput as TensorDataOutput
    from .tensor_dtype import TensorDtype as TensorDtype
    from .training_run import TrainingRun as TrainingRun
    from .training_runs_response import TrainingRunsResponse as TrainingRunsResponse
    from .try_again_response import TryAgainResponse as TryAgainResponse
    from .unhandled_exception_event import UnhandledExceptionEvent as UnhandledExceptionEvent
    from .unload_model_request import UnloadModelRequest as UnloadModelRequest
    from .unload_model_response import UnloadModelResponse as UnloadModelResponse
    from .untyped_api_future import UntypedAPIFuture as UntypedAPIFuture
    from .user_metadata import UserMetadata as UserMetadata
    from .user_search_owner import UserSearchOwner as UserSearchOwner
    from .weights_info_request import WeightsInfoRequest as WeightsInfoRequest
    from .weights_info_response import WeightsInfoResponse as WeightsInfoResponse

_MODULE_OF = {
    "AccessScope": ".access_scope",
    "AccessibleSearchOwner": ".accessible_search_owner",
    "ActiveSessionStatusQuery": ".active_session_status_query",
    "AdamOptimizerConfig": ".adam_optimizer_config",
    "AdamParams": ".adam_params",
    "ApiKeyDetails": ".api_key_details",
    "ApiKeyInfo": ".api_key_info",
    "ApiKeyOrgDetails": ".api_key_org_details",
    "ApiKeyUserDetails": ".api_key_user_details",
    "AuditEventDetails": ".audit_event_details",
    "AuditLogEntry": ".audit_log_entry",
    "AuditLogResponse": ".audit_log_response",
    "AuthTokenRequest": ".auth_token_request",
    "AuthTokenResponse": ".auth_token_response",
    "BillingEventInfo": ".billing_event_info",
    "BillingUsageEvent": ".billing_usage_event",
    "BillingUsageResponse": ".billing_usage_response",
    "BillingUsageSession": ".billing_usage_session",
    "BillingUsageSessions": ".billing_usage_sessions",
    "CancelFutureRequest": ".cancel_future_request",
    "CancelledSessionStatusQuery": ".cancelled_session_status_query",
    "Checkpoint": ".checkpoint",
    "CheckpointKind": ".checkpoint_kind",
    "CheckpointsListResponse": ".checkpoints_list_response",
    "ClientConfigRequest": ".client_config_request",
    "ClientConfigResponse": ".client_config_response",
    "ClientDynamicConfigResponse": ".client_dynamic_config_response",
    "ClientFinishedSessionStatusQuery": ".client_finished_session_status_query",
    "ClientSessionFinishReasonType": ".client_session_finish_reason_type",
    "CompleteMetadataResponse": ".complete_metadata_response",
    "CopyWeightsRequest": ".copy_weights_request",
    "CopyWeightsResponse": ".copy_weights_response",
    "CreateCustomLossRequest": ".create_custom_loss_request",
    "CreateCustomLossResponse": ".create_custom_loss_response",
    "CreateModelRequest": ".create_model_request",
    "CreateModelResponse": ".create_model_response",
    "CreateSamplingSessionRequest": ".create_sampling_session_request",
    "CreateSamplingSessionResponse": ".create_sampling_session_response",
    "CreateSessionRequest": ".create_session_request",
    "CreateSessionResponse": ".create_session_response",
    "CurrentCheckpointStorageUsageItem": ".current_checkpoint_storage_usage_item",
    "CurrentCheckpointStorageUsageResponse": ".current_checkpoint_storage_usage_response",
    "Cursor": ".cursor",
    "CustomLossGraph": ".custom_loss_graph",
    "CustomLossInput": ".custom_loss_input",
    "CustomLossNode": ".custom_loss_node",
    "CustomLossNodeOp": ".custom_loss_node_op",
    "Datum": ".datum",
    "DimuonOptimizerConfig": ".dimuon_optimizer_config",
    "DimuonParams": ".dimuon_params",
    "DmelChunk": ".dmel_chunk",
    "EncodedTextChunk": ".encoded_text_chunk",
    "ErrorBody": ".error_body",
    "ExternalWeightsUrlsResponse": ".external_weights_urls_response",
    "FailedSessionStatusQuery": ".failed_session_status_query",
    "FinishReason": ".finish_reason",
    "FinishSessionRequest": ".finish_session_request",
    "ForwardBackwardInput": ".forward_backward_input",
    "ForwardBackwardOutput": ".forward_backward_output",
    "ForwardBackwardRequest": ".forward_backward_request",
    "ForwardRequest": ".forward_request",
    "FutureAnswer": ".future_answer",
    "FutureCompletion": ".future_completion",
    "FutureRetrieveRequest": ".future_retrieve_request",
    "FuturesRetrieveRequest": ".futures_retrieve_request",
    "FuturesRetrieveResponse": ".futures_retrieve_response",
    "GenericEvent": ".generic_event",
    "GetInfoRequest": ".get_info_request",
    "GetInfoResponse": ".get_info_response",
    "GetSamplerResponse": ".get_sampler_response",
    "GetServerCapabilitiesResponse": ".get_server_capabilities_response",
    "GetSessionResponse": ".get_session_response",
    "GetTokenizerResponse": ".get_tokenizer_response",
    "HealthResponse": ".health_response",
    "ImageAssetPointerChunk": ".image_asset_pointer_chunk",
    "ImageChunk": ".image_chunk",
    "ImageFormat": ".image_format",
    "JoinSamplingSessionRequest": ".join_sampling_session_request",
    "JoinSamplingSessionResponse": ".join_sampling_session_response",
    "JsonMetadata": ".json_metadata",
    "ListAuditLogEventType": ".list_audit_log_event_type",
    "ListSessionsResponse": ".list_sessions_response",
    "LoadWeightsRequest": ".load_weights_request",
    "LoadWeightsResponse": ".load_weights_response",
    "LoraConfig": ".lora_config",
    "LossFnConfig": ".loss_fn_config",
    "LossFnInputs": ".loss_fn_inputs",
    "LossFnOutput": ".loss_fn_output",
    "Metrics": ".metrics",
    "ModelData": ".model_data",
    "ModelInput": ".model_input",
    "ModelInputChunk": ".model_input_chunk",
    "OptimStepRequest": ".optim_step_request",
    "OptimStepResponse": ".optim_step_response",
    "OptimizerConfig": ".optimizer_config",
    "OptimizerParams": ".optimizer_params",
    "OtherOptimizerConfig": ".other_optimizer_config",
    "OtherOptimizerParams": ".other_optimizer_params",
    "OwnSearchOwner": ".own_search_owner",
    "PromptAltTokens": ".prompt_alt_tokens",
    "RequestFailedResponse": ".request_failed_response",
    "SamplePiece": ".sample_piece",
    "SampleRequest": ".sample_request",
    "SampleResponse": ".sample_response",
    "SampleStreamRequest": ".sample_stream_request",
    "SampledSequence": ".sampled_sequence",
    "SamplingParams": ".sampling_params",
    "SamplingSessionFuturesTarget": ".sampling_session_futures_target",
    "SaveWeightsExternalRequest": ".save_weights_external_request",
    "SaveWeightsExternalResponse": ".save_weights_external_response",
    "SaveWeightsForSamplerRequest": ".save_weights_for_sampler_request",
    "SaveWeightsForSamplerRequestKind": ".save_weights_for_sampler_request_kind",
    "SaveWeightsForSamplerResponse": ".save_weights_for_sampler_response",
    "SaveWeightsRequest": ".save_weights_request",
    "SaveWeightsResponse": ".save_weights_response",
    "SearchOwner": ".search_owner",
    "SessionEndEvent": ".session_end_event",
    "SessionHeartbeatRequest": ".session_heartbeat_request",
    "SessionHeartbeatResponse": ".session_heartbeat_response",
    "SessionSearchCursor": ".session_search_cursor",
    "SessionSearchRequest": ".session_search_request",
    "SessionSearchResponse": ".session_search_response",
    "SessionStartEvent": ".session_start_event",
    "SessionStatus": ".session_status",
    "SessionStatusQuery": ".session_status_query",
    "SessionStatusReason": ".session_status_reason",
    "SessionSummary": ".session_summary",
    "SessionTraceExport": ".session_trace_export",
    "SetCheckpointTtlRequest": ".set_checkpoint_ttl_request",
    "SetSessionProjectRequest": ".set_session_project_request",
    "Severity": ".severity",
    "SignedUrls": ".signed_urls",
    "SupportedModel": ".supported_model",
    "TelemetryEvent": ".telemetry_event",
    "TelemetryResponse": ".telemetry_response",
    "TelemetrySendRequest": ".telemetry_send_request",
    "TensorData": ".tensor_data",
    "TensorDataOutput": ".tensor_data_output",
    "TensorDtype": ".tensor_dtype",
    "TrainingRun": ".training_run",
    "TrainingRunsResponse": ".training_runs_response",
    "TryAgainResponse": ".try_again_response",
    "UnhandledExceptionEvent": ".unhandled_exception_event",
    "UnloadModelRequest": ".unload_model_request",
    "UnloadModelResponse": ".unload_model_response",
    "UntypedAPIFuture": ".untyped_api_future",
    "UserMetadata": ".user_metadata",
    "UserSearchOwner": ".user_search_owner",
    "WeightsInfoRequest": ".weights_info_request",
    "WeightsInfoResponse": ".weights_info_response",
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
    "Datum",
    "DimuonOptimizerConfig",
    "DimuonParams",
    "DmelChunk",
    "EncodedTextChunk",
    "ErrorBody",
    "ExternalWeightsUrlsResponse",
    "FailedSessionStatusQuery",
    "FinishReason",
    "FinishSessionRequest",
    "ForwardBackwardInput",
    "ForwardBackwardOutput",
    "ForwardBackwardRequest",
    "ForwardRequest",
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
    "ImageAssetPointerChunk",
    "ImageChunk",
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
    "LossFnInputs",
    "LossFnOutput",
    "Metrics",
    "ModelData",
    "ModelInput",
    "ModelInputChunk",
    "OptimStepRequest",
    "OptimStepResponse",
    "OptimizerConfig",
    "OptimizerParams",
    "OtherOptimizerConfig",
    "OtherOptimizerParams",
    "OwnSearchOwner",
    "PromptAltTokens",
    "RequestFailedResponse",
    "SamplePiece",
    "SampleRequest",
    "SampleResponse",
    "SampleStreamRequest",
    "SampledSequence",
    "SamplingParams",
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
    "Severity",
    "SignedUrls",
    "SupportedModel",
    "TelemetryEvent",
    "TelemetryResponse",
    "TelemetrySendRequest",
    "TensorData",
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

    value: object = getattr(import_module(module, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
