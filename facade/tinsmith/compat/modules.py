"""The modules of the official SDK that the stand-in has: which names each offers, and where they live here.

Data only. A name stands alone where this package has it under the same name, in `tinsmith` or in
`tinsmith.types`, and as `name=module:attribute` elsewhere. A test compares the table with the official SDK.
"""

from __future__ import annotations

OFFICIAL_VERSION = "0.38.0"
"""The release of the official SDK that the stand-in stands for."""

_LOW = "tinsmith.compat.low_level"
_INTERFACES = "tinker.lib.public_interfaces"

_ERRORS = (
    "APIConnectionError APIError APIResponseValidationError APIStatusError APITimeoutError "
    "AuthenticationError BadRequestError BillingError ConflictError InternalServerError "
    "NotFoundError PermissionDeniedError RateLimitError RequestFailedError TinkerError "
    "UnprocessableEntityError"
)

_CLIENT_NAMES: dict[str, str] = {
    "admin_client": "AdminClient=tinsmith:RestClient",
    "api_future": "APIFuture AwaitableConcurrentFuture=tinsmith:APIFuture",
    "backcompat_client_future": "BackcompatClientFuture=tinsmith:APIFuture",
    "backcompat_sampling_client_future": "BackcompatSamplingClientFuture=tinsmith:SamplingClient",
    "backcompat_training_client_future": "BackcompatTrainingClientFuture=tinsmith:TrainingClient",
    "rest_client": "RestClient",
    "sampling_client": "SamplingClient RetryConfig",
    "service_client": "ServiceClient RetryConfig",
    "training_client": "TrainingClient CustomLossFnV1=tinsmith.clients.custom_loss:CustomLoss",
}
"""Modules of `tinker.lib.public_interfaces`."""

_RESOURCES: dict[str, str] = {
    name: f"Async{name.title()}Resource={_LOW}:Async{name.title()}Resource"
    for name in ("futures", "models", "sampling", "service", "telemetry", "training", "weights")
}
"""Modules of `tinker.resources`."""

MODULES: dict[str, str] = {
    "tinker._client": f"AsyncTinker={_LOW}:AsyncTinker RequestOptions Timeout",
    "tinker._compat": " ".join(
        f"{name}={_LOW}:{name}" for name in ("model_copy", "model_dump", "model_json")
    ),
    "tinker._exceptions": _ERRORS,
    "tinker._types": f"NOT_GIVEN={_LOW}:NOT_GIVEN NotGiven={_LOW}:NotGiven RequestOptions Timeout",
    "tinker._version": "__title__ __version__=tinsmith.compat.modules:OFFICIAL_VERSION",
    "tinker.auth": " ".join(
        f"{name}={_LOW}:{name}"
        for name in ("get_tinker_token", "raise_if_tinker_not_accessible", "tinker_has_credentials")
    ),
    "tinker.cli": "",
    "tinker.cli.__main__": "main=tinsmith.cli:main main_cli=tinsmith.cli:main",
    "tinker.lib": "",
    "tinker.lib.api_future_impl": "APIFuture QueueState=tinsmith.io.events:QueueState RequestFailedError"
    f" QueueStateObserver={_LOW}:QueueStateObserver _APIFuture={_LOW}:_APIFuture",
    "tinker.lib.base_url": "DEFAULT_BASE_URL=tinsmith.core.config:DEFAULT_BASE_URL"
    f" resolve_base_url={_LOW}:resolve_base_url",
    "tinker.lib.chunked_fwdbwd_helpers": "combine_fwd_bwd_output_results="
    "tinsmith.core.chunking:merge_forward_backward",
    "tinker.lib.client_connection_pool_type": f"ClientConnectionPoolType={_LOW}:ClientConnectionPoolType",
    "tinker.lib.experimental": f"ExperimentalWarning={_LOW}:ExperimentalWarning",
    "tinker.lib.internal_client_holder": "InternalClientHolder=tinsmith.io.context:ClientContext"
    f" ClientConnectionPoolType={_LOW}:ClientConnectionPoolType",
    "tinker.lib.retry_handler": "RetryConfig",
    "tinker.lib.telemetry": "Telemetry=tinsmith.io.telemetry:Telemetry"
    f" capture_exceptions={_LOW}:capture_exceptions is_user_error={_LOW}:is_user_error",
    "tinker.resources": " ".join(_RESOURCES.values()),
    **{f"tinker.resources.{name}": names for name, names in _RESOURCES.items()},
    "tinker.types._pydantic_types": "",
    _INTERFACES: " ".join(_CLIENT_NAMES.values()),
    **{f"{_INTERFACES}.{name}": names for name, names in _CLIENT_NAMES.items()},
}
"""Modules beside `tinker` and those of `tinker.types`."""

TOP_NAMES = (
    f"__version__=tinsmith.compat.modules:OFFICIAL_VERSION ExperimentalWarning={_LOW}:ExperimentalWarning"
    " AdminClient=tinsmith:RestClient"
    " BackcompatSamplingClientFuture=tinsmith:SamplingClient"
    " BackcompatTrainingClientFuture=tinsmith:TrainingClient"
)
"""Names of `tinker` beside those of `tinsmith`."""

_OTHER_TYPES: dict[str, str] = {
    "CheckpointBillingEvent": "tinsmith.types:BillingEventInfo",
    "ClientSessionFinishReason": "tinsmith_api.models:FinishReason",
    "SamplingPrefillBillingEvent": "tinsmith.types:BillingEventInfo",
    "SamplingSampleBillingEvent": "tinsmith.types:BillingEventInfo",
    "SaveWeightsExternalResponseInternal": "tinsmith.types:SaveWeightsExternalResponse",
    "SaveWeightsForSamplerResponseInternal": "tinsmith.types:SaveWeightsForSamplerResponse",
    "StorageBillingEvent": "tinsmith.types:BillingEventInfo",
    "TrainingBillingEvent": "tinsmith.types:BillingEventInfo",
}
"""Types that have another name here."""

TYPE_NAMES = " ".join(f"{name}={where}" for name, where in _OTHER_TYPES.items())
"""Names of `tinker.types` beside those of `tinsmith.types`."""

_PLAIN_TYPE_MODULES = (
    "datum forward_backward_input get_info_response get_sampler_response load_weights_response "
    "model_input optim_step_response sampling_params save_weights_external_response "
    "save_weights_for_sampler_response stop_reason tensor_data"
)
"""Modules of `tinker.types._pydantic_types`, which has some of the values again."""

_TYPE_MODULES = (
    "audit_log_entry audit_log_response auth_token_response billing_usage_response checkpoint "
    "checkpoints_list_response client_config_request client_config_response "
    "client_dynamic_config_response copy_weights_request copy_weights_response create_custom_loss_request "
    "create_custom_loss_response create_model_request create_model_response "
    "create_sampling_session_request create_sampling_session_response create_session_request "
    "create_session_response current_checkpoint_storage_usage_response cursor custom_loss_graph "
    "custom_loss_input datum dmel_chunk encoded_text_chunk event_type external_weights_urls_response "
    "forward_backward_input forward_backward_output forward_backward_request forward_request "
    "future_completion future_retrieve_request future_retrieve_response futures_retrieve_request "
    "futures_retrieve_response generic_event get_info_request get_info_response get_sampler_response "
    "get_server_capabilities_response get_session_response health_response image_asset_pointer_chunk "
    "image_chunk join_sampling_session_request join_sampling_session_response list_sessions_response "
    "load_weights_request load_weights_response lora_config loss_fn_inputs loss_fn_output loss_fn_type "
    "model_id model_input model_input_chunk optim_step_request optim_step_response optimizer "
    "prompt_alt_tokens provenance_spans request_error_category request_failed_response request_id "
    "sample_request sample_response sampled_sequence sampling_client_kind sampling_params "
    "save_weights_external_request save_weights_external_response save_weights_for_sampler_request "
    "save_weights_for_sampler_response save_weights_request save_weights_response search_owner "
    "session_end_event session_heartbeat_request session_heartbeat_response session_search_request "
    "session_search_response session_start_event session_status_query session_summary severity shared "
    "shared.untyped_api_future stop_reason telemetry_batch telemetry_event telemetry_response "
    "telemetry_send_request tensor_data tensor_dtype topk_logprobs training_run training_runs_response "
    "try_again_response unhandled_exception_event unload_model_request unload_model_response "
    "weights_info_response whoami_response"
)

TYPE_MODULES = frozenset(_TYPE_MODULES.split()) | {
    f"_pydantic_types.{name}" for name in _PLAIN_TYPE_MODULES.split()
}
"""Modules of `tinker.types`; each offers all values, because programs take them from any of them."""

PACKAGES = frozenset(
    {"tinker", "tinker.cli", "tinker.lib", _INTERFACES, "tinker.resources", "tinker.types"}
    | {"tinker.types.shared", "tinker.types._pydantic_types"}
)
"""Modules that have modules below them."""

REFUSED: dict[str, str] = {
    "tinker.proto": "the messages of tinsmith's binary form have other names",
}
"""Modules that are left out on purpose, and what the error says of them."""
