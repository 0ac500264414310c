"""The modules of the official SDK that the stand-in has: which names each offers, and where they live here.

Data only. `name=module:attribute` says where a name lives, and `name=module` that it has the same name there.
A name that stands alone is one of `tinsmith`, or else of `tinsmith.compat.low_level`. A test compares the
table with the official SDK.
"""

from __future__ import annotations

OFFICIAL_VERSION = "0.38.0"
"""The release of the official SDK that the stand-in stands for."""

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
    name: f"Async{name.title()}Resource"
    for name in ("futures", "models", "sampling", "service", "telemetry", "training", "weights")
}
"""Modules of `tinker.resources`."""

MODULES: dict[str, str] = {
    "tinker._client": "AsyncTinker RequestOptions Timeout",
    "tinker._compat": "model_copy model_dump model_json",
    "tinker._exceptions": _ERRORS,
    "tinker._types": "NOT_GIVEN NotGiven RequestOptions Timeout",
    "tinker._version": "__title__ __version__=tinsmith.compat.modules:OFFICIAL_VERSION",
    "tinker.auth": "get_tinker_token raise_if_tinker_not_accessible tinker_has_credentials",
    "tinker.cli": "",
    "tinker.cli.__main__": "main=tinsmith.cli main_cli=tinsmith.cli:main",
    "tinker.lib": "",
    "tinker.lib.api_future_impl": "APIFuture QueueState=tinsmith.io.events QueueStateObserver"
    " RequestFailedError _APIFuture",
    "tinker.lib.base_url": "DEFAULT_BASE_URL=tinsmith.core.config resolve_base_url",
    "tinker.lib.chunked_fwdbwd_helpers": "combine_fwd_bwd_output_results="
    "tinsmith.core.chunking:merge_forward_backward",
    "tinker.lib.client_connection_pool_type": "ClientConnectionPoolType",
    "tinker.lib.experimental": "ExperimentalWarning",
    "tinker.lib.internal_client_holder": "InternalClientHolder=tinsmith.io.context:ClientContext"
    " ClientConnectionPoolType",
    "tinker.lib.retry_handler": "RetryConfig",
    "tinker.lib.telemetry": "Telemetry=tinsmith.io.telemetry capture_exceptions is_user_error",
    "tinker.resources": " ".join(_RESOURCES.values()),
    **{f"tinker.resources.{name}": names for name, names in _RESOURCES.items()},
    _INTERFACES: " ".join(_CLIENT_NAMES.values()),
    **{f"{_INTERFACES}.{name}": names for name, names in _CLIENT_NAMES.items()},
}
"""Modules beside `tinker` and those of `tinker.types`."""

TOP_NAMES = (
    "__version__=tinsmith.compat.modules:OFFICIAL_VERSION ExperimentalWarning AdminClient=tinsmith:RestClient"
    " BackcompatSamplingClientFuture=tinsmith:SamplingClient"
    " BackcompatTrainingClientFuture=tinsmith:TrainingClient"
)
"""Names of `tinker` beside those of `tinsmith`."""

TYPE_NAMES = (
    "CheckpointBillingEvent=tinsmith.types:BillingEventInfo"
    " ClientSessionFinishReason=tinsmith_api.models:FinishReason"
    " SamplingPrefillBillingEvent=tinsmith.types:BillingEventInfo"
    " SamplingSampleBillingEvent=tinsmith.types:BillingEventInfo"
    " SaveWeightsExternalResponseInternal=tinsmith.types:SaveWeightsExternalResponse"
    " SaveWeightsForSamplerResponseInternal=tinsmith.types:SaveWeightsForSamplerResponse"
    " StorageBillingEvent=tinsmith.types:BillingEventInfo"
    " TrainingBillingEvent=tinsmith.types:BillingEventInfo"
)
"""Names of `tinker.types` beside those of `tinsmith.types`."""

TYPE_MODULES = frozenset({"optimizer", "shared.untyped_api_future"})
"""Modules of `tinker.types` beside those that are named after a value of theirs, such as `tensor_data`.

Each module below `tinker.types` offers all values, because programs take them from any of them.
"""

PACKAGES = frozenset(
    {"tinker", "tinker.cli", "tinker.lib", _INTERFACES, "tinker.resources", "tinker.types"}
    | {"tinker.types.shared", "tinker.types._pydantic_types"}
)
"""Modules that have modules below them."""

REFUSED: dict[str, str] = {
    "tinker.proto": "the messages of tinsmith's binary form have other names",
}
"""Modules that are left out on purpose, and what the error says of them."""
