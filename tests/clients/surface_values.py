"""The public values, errors and names as data, written by hand: what a program for the official SDK names."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


EXPORTS: frozenset[str] = _words(
    """
    ServiceClient TrainingClient SamplingClient APIFuture AdamParams Checkpoint CheckpointType Datum
    EncodedTextChunk ForwardBackwardOutput LoraConfig ModelID ModelInput ModelInputChunk
    OptimStepRequest OptimStepResponse ParsedCheckpointTinkerPath SampledSequence SampleRequest
    SampleResponse SamplingParams StopReason TensorData TensorDtype TrainingRun Timeout
    RequestOptions TinkerError APIError APIStatusError APITimeoutError APIConnectionError
    APIResponseValidationError RequestFailedError BadRequestError AuthenticationError
    PermissionDeniedError NotFoundError ConflictError UnprocessableEntityError RateLimitError
    InternalServerError types __version__ __title__
    """
)
"""`__all__` of the official package at 0.6.3."""

OWN_EXPORTS: frozenset[str] = _words(
    """
    RestClient ImageChunk ImageAssetPointerChunk RequestErrorCategory BillingError RetryConfig
    ClientConfig ChunkLimits FlowLimits PollPolicy Timeouts Secret InputError SessionLostError ModelLostError
    ResultLostError PartialBatchError ClientPoisonedError ProgressTimeoutError ClosedError MissingExtraError
    MissingModelError UnsafeArchiveError ServerWarning BodyTooLargeError
    estimate_image_tokens validate_model_input
    AdamOptimizerConfig DimuonOptimizerConfig DimuonParams DmelChunk OptimParams PromptProvenanceSpan
    SampledProvenanceSpan SamplePiece SampleStream Tokenizer load_tokenizer data export train
    """
)
"""What `tinsmith.__all__` holds beyond that. A new public name is added here too, on purpose."""

TYPES: frozenset[str] = _words(
    """
    AdamParams Checkpoint CheckpointArchiveUrlResponse CheckpointType CheckpointsListResponse
    CreateModelRequest CreateModelResponse CreateSamplingSessionRequest
    CreateSamplingSessionResponse CreateSessionRequest CreateSessionResponse Cursor Datum
    EncodedTextChunk EventType ForwardBackwardInput ForwardBackwardOutput ForwardBackwardRequest
    ForwardRequest FutureRetrieveRequest FutureRetrieveResponse GenericEvent GetInfoRequest
    GetInfoResponse GetSamplerResponse GetServerCapabilitiesResponse GetSessionResponse
    HealthResponse ImageAssetPointerChunk ImageChunk ListSessionsResponse LoadWeightsRequest
    LoadWeightsResponse LoraConfig LossFnInputs LossFnOutput LossFnType ModelData ModelID ModelInput
    ModelInputChunk OptimStepRequest OptimStepResponse ParsedCheckpointTinkerPath
    RequestErrorCategory RequestFailedResponse RequestID SampleRequest SampleResponse
    SampledSequence SamplingParams SaveWeightsForSamplerRequest SaveWeightsForSamplerResponse
    SaveWeightsRequest SaveWeightsResponse SessionEndEvent SessionHeartbeatRequest
    SessionHeartbeatResponse SessionStartEvent Severity StopReason SupportedModel TelemetryBatch
    TelemetryEvent TelemetryResponse TelemetrySendRequest TensorData TensorDtype TrainingRun
    TrainingRunsResponse TryAgainResponse UnhandledExceptionEvent UnloadModelRequest
    UnloadModelResponse UntypedAPIFuture WeightsInfoResponse
    """
)
"""Names of `tinker.types` at 0.6.3."""

FIELDS: dict[str, str] = {
    "EncodedTextChunk": "tokens, type='encoded_text'",
    "ImageChunk": "data, format, expected_tokens=None, type='image'",
    "ImageAssetPointerChunk": "format, location, expected_tokens=None, type='image_asset_pointer'",
    "ModelInput": "chunks",
    "TensorData": "data, dtype, shape=None, sparse_crow_indices=None, sparse_col_indices=None",
    "Datum": "loss_fn_inputs, model_input, model_input_spans=None, loss_fn_input_spans=None",
    "DmelChunk": "dmel, type='dmel'",
    "PromptProvenanceSpan": "sequence_id, offset=0, length",
    "SampledProvenanceSpan": "sequence_id, offset=0, length",
    "AdamOptimizerConfig": "type='adamw'",
    "DimuonOptimizerConfig": "version=1, type='dimuon'",
    "DimuonParams": "learning_rate, grad_clip_norm=0.0, beta1=0.9, type='dimuon'",
    "SessionSearchRequest": "session_id=None, project_ids=None, display_name=None, statuses=None, limit=50,"
    " cursor=None",
    "LoraConfig": "rank, seed=None, train_unembed=True, train_mlp=True, train_attn=True",
    "AdamParams": "learning_rate=0.0001, beta1=0.9, beta2=0.95, eps=1e-12, weight_decay=0.0,"
    " grad_clip_norm=0.0",
    "SamplingParams": "max_tokens=None, seed=None, stop=None, temperature=1, top_k=-1, top_p=1",
    "ForwardBackwardOutput": "loss_fn_output_type, loss_fn_outputs, metrics",
    "OptimStepResponse": "metrics=None",
    "SampledSequence": "stop_reason, tokens, logprobs=None, sequence_id=None",
    "SampleResponse": "sequences, prompt_logprobs=None, topk_prompt_logprobs=None,"
    " target_prompt_logprobs=None, prompt_alt_tokens=None, prompt_cache_hit_tokens=0",
    "SaveWeightsExternalResponse": "path=None",
    "ExternalWeightsUrlsResponse": "urls, expires",
    "BillingUsageResponse": "data, cost_data_through=None",
    "AuditLogResponse": "entries",
    "AuditLogEntry": "timestamp, event, model_id=None, tinker_path=None, purpose=None",
    "WhoamiResponse": "user_urn=None, org_urn=None, email=None",
    "SaveWeightsResponse": "path",
    "SaveWeightsForSamplerResponse": "path=None",
    "LoadWeightsResponse": "path=None",
    "GetInfoResponse": "model_data, model_id, is_lora=None, lora_rank=None, model_name=None",
    "ModelData": "arch=None, model_name=None, tokenizer_id=None",
    "GetServerCapabilitiesResponse": "supported_models",
    "SupportedModel": "model_name=None",
    "Checkpoint": "checkpoint_id, checkpoint_type, time, tinker_path, size_bytes=None, public=False",
    "CheckpointsListResponse": "checkpoints, cursor=None",
    "CheckpointArchiveUrlResponse": "url, expires",
    "Cursor": "offset, limit, total_count",
    "TrainingRun": "training_run_id, base_model, model_owner, is_lora, corrupted=False, lora_rank=None,"
    " last_request_time, last_checkpoint=None, last_sampler_checkpoint=None, user_metadata=None",
    "TrainingRunsResponse": "training_runs, cursor",
    "WeightsInfoResponse": "base_model, is_lora, lora_rank=None",
    "GetSessionResponse": "training_run_ids, sampler_ids",
    "ListSessionsResponse": "sessions",
    "GetSamplerResponse": "sampler_id, base_model, model_path=None",
    "ParsedCheckpointTinkerPath": "tinker_path, training_run_id, checkpoint_type, checkpoint_id",
}
"""Fields of the values that programs build or read, with defaults. Order and further fields are free."""

VALUE_METHODS: dict[str, tuple[str, ...]] = {
    "ModelInput": ("from_ints", "to_ints", "empty", "append", "append_int", "length"),
    "TensorData": ("from_numpy", "from_torch", "to_numpy", "to_torch", "tolist"),
    "EncodedTextChunk": ("length",),
    "DmelChunk": ("length",),
    "SampledSequence": ("topk_logprobs",),
    "ImageChunk": ("length",),
    "ImageAssetPointerChunk": ("length",),
    "ParsedCheckpointTinkerPath": ("from_tinker_path",),
}
"""Conveniences of values."""

ERRORS: dict[str, tuple[str, int | None]] = {
    "APIError": ("TinkerError", None),
    "APIResponseValidationError": ("APIError", None),
    "APIStatusError": ("APIError", None),
    "BadRequestError": ("APIStatusError", 400),
    "AuthenticationError": ("APIStatusError", 401),
    "PermissionDeniedError": ("APIStatusError", 403),
    "NotFoundError": ("APIStatusError", 404),
    "ConflictError": ("APIStatusError", 409),
    "UnprocessableEntityError": ("APIStatusError", 422),
    "RateLimitError": ("APIStatusError", 429),
    "InternalServerError": ("APIStatusError", 500),
    "APIConnectionError": ("APIError", None),
    "APITimeoutError": ("APIConnectionError", None),
    "RequestFailedError": ("TinkerError", None),
}
"""Error -> its official base class, and the status that raises it."""

RETRY_CONFIG: str = (
    "max_connections=1000, progress_timeout=7200, retry_delay_base=0.5, retry_delay_max=8.0,"
    " jitter_factor=1.0, enable_retry_logic=True"
)
"""Official fields of RetryConfig with our defaults: delays grow to 8 s with full jitter, where the official
client has 10 s and a quarter. `retryable_exceptions` is tested by name alone."""
