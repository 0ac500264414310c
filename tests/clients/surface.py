"""The public surface as data, written by hand: what a program made for the official SDK 0.6.3 may call.

Parameters are written as in a `def`, without `self`. `later` are parameters that newer versions of the SDK
added and that programs use; they may stand anywhere behind the first ones, by keyword at least.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Returns = Literal["value", "future"]
Twin = Literal["value", "future", "none"]


class Method(NamedTuple):
    """One public method: how it is called, what comes back, and whether it has an `_async` twin."""

    owner: str
    name: str
    parameters: str
    result: str
    returns: Returns
    """`value` blocks and returns the result; `future` returns an `APIFuture` of it."""
    twin: Twin
    """`value`: the coroutine gives the result; `future`: it gives the future, so users await twice."""
    later: str = ""


_LORA = (
    "base_model, rank=32, seed=None, train_mlp=True, train_attn=True, train_unembed=True, user_metadata=None"
)
_PASS = "data, loss_fn, loss_fn_config=None"
_SAMPLE = "prompt, num_samples, sampling_params, include_prompt_logprobs=False, topk_prompt_logprobs=0"
_SAMPLE_LATER = (
    "topk_sample_logprobs=0, target_prompt_logprobs=None, prompt_alt_tokens_k=0, prompt_logprobs_last_n=None"
)
_SCOPE = "access_scope=None"  # not sent unless given: old servers do not know it
_ADDRESS = "training_run_id, checkpoint_id"

_COPY = "ttl_seconds=None, weights_access_token=None"

METHODS: tuple[Method, ...] = (
    Method("ServiceClient", "get_server_capabilities", "", "GetServerCapabilitiesResponse", "value", "value"),
    Method(
        "ServiceClient",
        "create_lora_training_client",
        _LORA,
        "TrainingClient",
        "value",
        "value",
        "optimizer=None",
    ),
    Method(
        "ServiceClient",
        "create_training_client_from_state",
        "path, user_metadata=None",
        "TrainingClient",
        "value",
        "value",
        "base_model=None, weights_access_token=None, optimizer=None",
    ),
    Method(
        "ServiceClient",
        "create_training_client_from_state_with_optimizer",
        "path, user_metadata=None",
        "TrainingClient",
        "value",
        "value",
        "base_model=None, weights_access_token=None",
    ),
    Method(
        "ServiceClient",
        "create_sampling_client",
        "model_path=None, base_model=None, retry_config=None",
        "SamplingClient",
        "value",
        "value",
    ),
    Method("ServiceClient", "create_rest_client", "", "RestClient", "value", "none"),
    Method("ServiceClient", "get_telemetry", "", "Telemetry | None", "value", "none"),
    Method("TrainingClient", "forward", _PASS, "ForwardBackwardOutput", "future", "future"),
    Method("TrainingClient", "forward_backward", _PASS, "ForwardBackwardOutput", "future", "future"),
    Method(
        "TrainingClient",
        "forward_backward_custom",
        "data, loss_fn",
        "ForwardBackwardOutput",
        "future",
        "future",
        "loss_type_input=None",
    ),
    Method(
        "TrainingClient",
        "optim_step",
        "adam_params=None",  # required in 0.6.3; one of the two names of today
        "OptimStepResponse",
        "future",
        "future",
        "optim_params=None",
    ),
    Method(
        "TrainingClient",
        "save_state",
        "name",
        "SaveWeightsResponse",
        "future",
        "future",
        "ttl_seconds=None, overwrite=None, user_metadata=None",
    ),
    Method(
        "TrainingClient",
        "load_state",
        "path",
        "LoadWeightsResponse",
        "future",
        "future",
        "weights_access_token=None",
    ),
    Method(
        "TrainingClient",
        "load_state_with_optimizer",
        "path",
        "LoadWeightsResponse",
        "future",
        "future",
        "weights_access_token=None",
    ),
    Method(
        "TrainingClient",
        "save_weights_for_sampler",
        "name",
        "SaveWeightsForSamplerResponse",
        "future",
        "future",
        "ttl_seconds=None, user_metadata=None",
    ),
    Method(
        "TrainingClient",
        "save_weights_and_get_sampling_client",
        "name=None, retry_config=None",
        "SamplingClient",
        "value",
        "value",
        "kind='snapshot'",
    ),
    Method(
        "TrainingClient",
        "save_weights_and_get_sampling_client_submit",
        "retry_config=None",
        "SamplingClient",
        "future",
        "none",
    ),
    Method(
        "TrainingClient",
        "create_sampling_client",
        "model_path, retry_config=None",
        "SamplingClient",
        "value",
        "value",
    ),
    Method("TrainingClient", "get_info", "", "GetInfoResponse", "value", "value"),
    Method("TrainingClient", "get_tokenizer", "", "Tokenizer", "value", "none"),
    Method("TrainingClient", "on_queue_state_change", "queue_state", "None", "value", "none"),
    Method("TrainingClient", "get_telemetry", "", "Telemetry | None", "value", "none"),
    Method("SamplingClient", "sample", _SAMPLE, "SampleResponse", "future", "value", _SAMPLE_LATER),
    Method(
        "SamplingClient",
        "compute_logprobs",
        "prompt",
        "list[float | None]",
        "future",
        "value",
        "prompt_logprobs_last_n=None",
    ),
    Method("SamplingClient", "get_telemetry", "", "Telemetry | None", "value", "none"),
    Method("SamplingClient", "on_queue_state_change", "queue_state", "None", "value", "none"),
    Method("RestClient", "get_training_run", "training_run_id", "TrainingRun", "future", "value", _SCOPE),
    Method(
        "RestClient",
        "get_training_run_by_tinker_path",
        "tinker_path",
        "TrainingRun",
        "future",
        "value",
        _SCOPE,
    ),
    Method(
        "RestClient",
        "get_weights_info_by_tinker_path",
        "tinker_path",
        "WeightsInfoResponse",
        "future",
        "none",
    ),
    Method(
        "RestClient",
        "list_training_runs",
        "limit=20, offset=0",
        "TrainingRunsResponse",
        "future",
        "value",
        _SCOPE,
    ),
    Method("RestClient", "list_checkpoints", "training_run_id", "CheckpointsListResponse", "future", "value"),
    Method(
        "RestClient",
        "list_user_checkpoints",
        "limit=100, offset=0",
        "CheckpointsListResponse",
        "future",
        "value",
    ),
    Method(
        "RestClient",
        "get_checkpoint_archive_url",
        _ADDRESS,
        "CheckpointArchiveUrlResponse",
        "future",
        "value",
    ),
    Method(
        "RestClient",
        "get_checkpoint_archive_url_from_tinker_path",
        "tinker_path",
        "CheckpointArchiveUrlResponse",
        "future",
        "value",
    ),
    Method("RestClient", "delete_checkpoint", _ADDRESS, "None", "future", "value"),
    Method("RestClient", "delete_checkpoint_from_tinker_path", "tinker_path", "None", "future", "value"),
    Method("RestClient", "publish_checkpoint_from_tinker_path", "tinker_path", "None", "future", "value"),
    Method("RestClient", "unpublish_checkpoint_from_tinker_path", "tinker_path", "None", "future", "value"),
    Method("RestClient", "get_session", "session_id", "GetSessionResponse", "future", "value", _SCOPE),
    Method(
        "RestClient", "list_sessions", "limit=20, offset=0", "ListSessionsResponse", "future", "value", _SCOPE
    ),
    Method("RestClient", "get_sampler", "sampler_id", "GetSamplerResponse", "future", "value"),
    Method("RestClient", "get_telemetry", "", "Telemetry | None", "value", "none"),
    Method("APIFuture", "result", "timeout=None", "T", "value", "value"),
    Method("APIFuture", "future", "", "APIFuture[T]", "value", "none"),
)
"""Every method of 0.6.3."""

LATER_METHODS: tuple[Method, ...] = (
    Method("ServiceClient", "close", "status=None, detail=None", "None", "future", "value", "timeout=None"),
    Method("ServiceClient", "copy_weights", "path", "str", "future", "value", _COPY),
    Method(
        "TrainingClient",
        "save_weights_external",
        "name, ttl_seconds=None, age_encryption_recipients=None",
        "SaveWeightsExternalResponse",
        "future",
        "future",
    ),
    Method("SamplingClient", "get_tokenizer", "", "Tokenizer", "value", "none"),
    Method("SamplingClient", "get_base_model", "", "str", "value", "value"),
    Method(
        "RestClient",
        "set_checkpoint_ttl_from_tinker_path",
        "tinker_path, ttl_seconds",
        "None",
        "future",
        "value",
    ),
    Method("RestClient", "whoami", "", "WhoamiResponse", "future", "value"),
    Method(
        "RestClient", "copy_weights", "path, destination_project_id=None", "str", "future", "value", _COPY
    ),
    Method(
        "RestClient",
        "get_external_weights_urls",
        "tinker_path",
        "ExternalWeightsUrlsResponse",
        "future",
        "value",
    ),
    Method("RestClient", "assign_session_project", "session_id, project_id", "None", "future", "value"),
    Method("RestClient", "search_sessions", "request", "SessionSearchResponse", "future", "value"),
    Method("RestClient", "export_session_trace", "session_id", "str", "future", "value"),
    Method(
        "RestClient",
        "get_billing_usage",
        "starting_on, ending_before",
        "BillingUsageResponse",
        "future",
        "value",
    ),
    Method(
        "RestClient",
        "get_current_checkpoint_storage_usage",
        "project_id=None",
        "CurrentCheckpointStorageUsageResponse",
        "future",
        "value",
    ),
    Method(
        "RestClient", "get_audit_log", "event_type='all', day=None", "AuditLogResponse", "future", "value"
    ),
)
"""Methods of later versions that programs call most."""

SERVICE_KEYWORDS: tuple[str, ...] = (
    "api_key",
    "base_url",
    "timeout",
    "max_retries",
    "default_headers",
    "default_query",
    "http_client",
    "display_name",
)
"""What 0.6.3 passed through `**kwargs` of ServiceClient: named, keyword-only, None unless given."""

CONTEXT_MANAGERS: tuple[str, ...] = ("ServiceClient",)

SEAMS: tuple[tuple[str, str], ...] = (
    ("ServiceClient", "raw"),
    ("ServiceClient", "config"),
    ("ServiceClient", "session_id"),
    ("ServiceClient", "closed"),
    ("ServiceClient", "add_observer"),
    ("ServiceClient", "remove_observer"),
    ("APIFuture", "from_request_id"),
    ("APIFuture", "request_id"),
    ("RestClient", "iter_training_runs"),
    ("RestClient", "iter_user_checkpoints"),
    ("RestClient", "download_checkpoint"),
    ("RestClient", "download_checkpoint_async"),
    ("RestClient", "download_external_weights"),
    ("RestClient", "download_external_weights_async"),
    ("RestClient", "download_session_trace"),
    ("RestClient", "download_session_trace_async"),
)
"""Our own doors to what programs reach into private code of the official SDK for."""

ATTRIBUTES: tuple[tuple[str, str], ...] = (("TrainingClient", "model_id"), ("TrainingClient", "holder"))
"""Public attributes of client objects."""
