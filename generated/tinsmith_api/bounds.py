# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""The bounds that the contract gives to parameters and fields, by operation; they are checked before sending."""

from typing import Final, NamedTuple


class Bounds(NamedTuple):
    """What a value may be."""

    kind: str
    """The type in the words of JSON Schema, a format (`date-time`, `date`, `tinker-path`), or `any`."""
    required: bool = False
    """Whether it must be given."""
    null: bool = False
    """Whether null may be given although it is required; null then has a meaning of its own."""
    minimum: float | None = None
    """The least number."""
    above: float | None = None
    """A number that it must be greater than."""
    maximum: float | None = None
    """The greatest number."""
    below: float | None = None
    """A number that it must be less than."""
    min_length: int | None = None
    """The fewest characters."""
    max_length: int | None = None
    """The most characters."""
    min_items: int | None = None
    """The fewest entries."""
    max_items: int | None = None
    """The most entries."""
    pattern: str | None = None
    """A regular expression that must match somewhere in the text."""
    choices: tuple[str, ...] | None = None
    """The texts that are allowed."""
    shape: str | None = None
    """What the text is, in words."""
    granularity: str | None = None
    """`hour` for a time that is a full hour."""
    items: "Bounds | None" = None
    """What each entry may be."""


BOUNDS: Final[dict[str, dict[str, Bounds]]] = {
    "client_config": {
        "sdk_version": Bounds("string", min_length=1, required=True),
    },
    "client_dynamic_config": {
        "sdk_version": Bounds("string", min_length=1, required=True),
    },
    "create_session": {
        "tags": Bounds("array", required=True, items=Bounds("string")),
        "user_metadata": Bounds("object", required=True, null=True),
        "sdk_version": Bounds("string", min_length=1, required=True),
        "project_id": Bounds("string", min_length=1),
        "display_name": Bounds("string"),
    },
    "session_heartbeat": {
        "session_id": Bounds("string", min_length=1, required=True),
    },
    "list_sessions": {
        "limit": Bounds("integer", minimum=1, maximum=500),
        "offset": Bounds("integer", minimum=0),
        "access_scope": Bounds("string", choices=("owned", "accessible")),
    },
    "get_session": {
        "session_id": Bounds("string", min_length=1, required=True),
        "access_scope": Bounds("string", choices=("owned", "accessible")),
    },
    "set_session_project": {
        "session_id": Bounds("string", min_length=1, required=True),
        "project_id": Bounds("string", min_length=1, required=True),
    },
    "finish_session": {
        "session_id": Bounds("string", min_length=1, required=True),
        "reason": Bounds("object", required=True),
        "detail": Bounds("string"),
    },
    "export_session_trace": {
        "session_id": Bounds("string", min_length=1, required=True),
    },
    "search_sessions": {
        "session_id": Bounds("string", min_length=1),
        "project_ids": Bounds("array", items=Bounds("string")),
        "user_metadata": Bounds("object"),
        "display_name": Bounds("string", min_length=1),
        "statuses": Bounds("array", min_items=1),
        "limit": Bounds("integer", minimum=1, maximum=200),
        "cursor": Bounds("object"),
    },
    "create_model": {
        "session_id": Bounds("string", min_length=1, required=True),
        "model_seq_id": Bounds("integer", minimum=0, maximum=9223372036854775807, required=True),
        "base_model": Bounds("string", min_length=1, required=True),
        "user_metadata": Bounds("object"),
        "lora_config": Bounds("object"),
    },
    "get_info": {
        "model_id": Bounds("string", min_length=1, required=True),
    },
    "unload_model": {
        "model_id": Bounds("string", min_length=1, required=True),
    },
    "get_tokenizer": {
        "base_model": Bounds("string", min_length=1, required=True),
    },
    "forward": {
        "forward_input": Bounds("object", required=True),
        "model_id": Bounds("string", min_length=1, required=True),
        "seq_id": Bounds("integer", minimum=1, maximum=2147483647),
    },
    "forward_backward": {
        "forward_backward_input": Bounds("object", required=True),
        "model_id": Bounds("string", min_length=1, required=True),
        "seq_id": Bounds("integer", minimum=1, maximum=2147483647),
    },
    "optim_step": {
        "adam_params": Bounds("object"),
        "model_id": Bounds("string", min_length=1, required=True),
        "seq_id": Bounds("integer", minimum=1, maximum=2147483647),
    },
    "create_custom_loss": {
        "session_id": Bounds("string", min_length=1, required=True),
        "custom_loss_seq_id": Bounds("integer", minimum=0, maximum=9223372036854775807, required=True),
        "name": Bounds("string", min_length=1, required=True),
        "inputs": Bounds("array", required=True, items=Bounds("object")),
        "graph": Bounds("object", required=True),
    },
    "save_weights": {
        "model_id": Bounds("string", min_length=1, required=True),
        "path": Bounds(
            "string",
            max_length=255,
            pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$",
            shape="checkpoint name: letters, digits, '.', '_' and '-', at most 255",
        ),
        "seq_id": Bounds("integer", minimum=1, maximum=2147483647),
        "ttl_seconds": Bounds("integer", minimum=3600, maximum=315360000),
        "overwrite": Bounds("boolean"),
        "user_metadata": Bounds("object"),
    },
    "load_weights": {
        "model_id": Bounds("string", min_length=1),
        "seq_id": Bounds("integer", minimum=1, maximum=2147483647),
        "session_id": Bounds("string", min_length=1),
        "model_seq_id": Bounds("integer", minimum=0, maximum=9223372036854775807),
        "base_model": Bounds("string", min_length=1),
        "user_metadata": Bounds("object"),
        "path": Bounds("tinker-path", pattern="^tinker://.+$", required=True),
        "optimizer": Bounds("boolean", required=True),
        "weights_access_token": Bounds("string", min_length=1),
    },
    "save_weights_for_sampler": {
        "model_id": Bounds("string", min_length=1, required=True),
        "path": Bounds(
            "string",
            max_length=255,
            pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$",
            shape="checkpoint name: letters, digits, '.', '_' and '-', at most 255",
        ),
        "sampling_session_seq_id": Bounds("integer", minimum=0, maximum=9223372036854775807),
        "kind": Bounds("string", choices=("snapshot", "inflight")),
        "seq_id": Bounds("integer", minimum=1, maximum=2147483647),
        "ttl_seconds": Bounds("integer", minimum=3600, maximum=315360000),
        "user_metadata": Bounds("object"),
    },
    "save_weights_external": {
        "model_id": Bounds("string", min_length=1, required=True),
        "path": Bounds(
            "string",
            max_length=255,
            pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$",
            shape="checkpoint name: letters, digits, '.', '_' and '-', at most 255",
            required=True,
        ),
        "seq_id": Bounds("integer", minimum=1, maximum=2147483647),
        "ttl_seconds": Bounds("integer", minimum=3600, maximum=315360000),
        "age_encryption_recipients": Bounds("array", items=Bounds("string")),
    },
    "weights_info": {
        "tinker_path": Bounds("tinker-path", pattern="^tinker://.+$", required=True),
    },
    "copy_weights": {
        "X-Idempotency-Key": Bounds("string", min_length=1),
        "X-Tinker-Weights-Access-Token": Bounds("string", min_length=1),
        "session_id": Bounds("string", min_length=1),
        "model_seq_id": Bounds("integer", minimum=0, maximum=9223372036854775807),
        "destination_project_id": Bounds("string", min_length=1),
        "source_path": Bounds("tinker-path", pattern="^tinker://.+$", required=True),
        "ttl_seconds": Bounds("integer", minimum=3600, maximum=315360000),
        "weights_access_token": Bounds("string", min_length=1),
    },
    "create_sampling_session": {
        "session_id": Bounds("string", min_length=1, required=True),
        "sampling_session_seq_id": Bounds("integer", minimum=0, maximum=9223372036854775807, required=True),
        "base_model": Bounds("string", min_length=1),
        "model_path": Bounds("tinker-path", pattern="^tinker://.+$"),
    },
    "join_sampling_session": {
        "sampling_session_id": Bounds("string", min_length=1, required=True),
    },
    "asample": {
        "X-Tinker-Sampling-Backpressure": Bounds("string"),
        "num_samples": Bounds("integer", minimum=1),
        "prompt": Bounds("object", required=True),
        "sampling_params": Bounds("object", required=True),
        "base_model": Bounds("string", min_length=1),
        "model_path": Bounds("tinker-path", pattern="^tinker://.+$"),
        "sampling_session_id": Bounds("string", min_length=1),
        "seq_id": Bounds("integer", minimum=0, maximum=9223372036854775807),
        "prompt_logprobs": Bounds("boolean"),
        "topk_prompt_logprobs": Bounds("integer", minimum=0),
        "topk_sample_logprobs": Bounds("integer", minimum=0),
        "target_prompt_logprobs": Bounds("object"),
        "prompt_alt_tokens_k": Bounds("integer", minimum=0),
        "prompt_logprobs_last_n": Bounds("integer", minimum=0),
        "record_stability_info": Bounds("boolean"),
    },
    "stream_sample": {
        "prompt": Bounds("object", required=True),
        "sampling_params": Bounds("object", required=True),
        "base_model": Bounds("string", min_length=1),
        "model_path": Bounds("tinker-path", pattern="^tinker://.+$"),
        "sampling_session_id": Bounds("string", min_length=1),
        "topk_sample_logprobs": Bounds("integer", minimum=0),
    },
    "get_sampler": {
        "sampler_id": Bounds("string", min_length=1, required=True),
    },
    "retrieve_future": {
        "X-Tinker-Request-Iteration": Bounds("string", pattern="^[0-9]+$"),
        "X-Tinker-Request-Type": Bounds("string", min_length=1),
        "X-Tinker-Create-Promise-Roundtrip-Time": Bounds("string"),
        "request_id": Bounds("string", min_length=1, required=True),
        "allow_metadata_only": Bounds("boolean"),
    },
    "retrieve_futures": {
        "target": Bounds("object", required=True),
        "prev_cursor": Bounds("integer", minimum=0),
        "timeout": Bounds("number", minimum=0),
        "retrieved_request_ids": Bounds("array", items=Bounds("string")),
    },
    "cancel_future": {
        "request_id": Bounds("string", min_length=1, required=True),
    },
    "list_training_runs": {
        "limit": Bounds("integer", minimum=1, maximum=500),
        "offset": Bounds("integer", minimum=0),
        "access_scope": Bounds("string", choices=("owned", "accessible")),
        "project_id": Bounds("string", min_length=1),
    },
    "get_training_run": {
        "training_run_id": Bounds("string", min_length=1, pattern="^[^/?#\\s]+$", required=True),
        "access_scope": Bounds("string", choices=("owned", "accessible")),
    },
    "list_checkpoints": {
        "training_run_id": Bounds("string", min_length=1, pattern="^[^/?#\\s]+$", required=True),
        "limit": Bounds("integer", minimum=1, maximum=1000),
        "offset": Bounds("integer", minimum=0),
    },
    "list_user_checkpoints": {
        "limit": Bounds("integer", minimum=1, maximum=1000),
        "offset": Bounds("integer", minimum=0),
    },
    "delete_checkpoint": {
        "training_run_id": Bounds("string", min_length=1, pattern="^[^/?#\\s]+$", required=True),
        "checkpoint_kind": Bounds(
            "string", choices=("weights", "sampler_weights", "external_weights"), required=True
        ),
        "checkpoint_name": Bounds(
            "string",
            min_length=1,
            max_length=255,
            pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$",
            shape="checkpoint name: letters, digits, '.', '_' and '-', at most 255",
            required=True,
        ),
    },
    "get_checkpoint_archive_url": {
        "training_run_id": Bounds("string", min_length=1, pattern="^[^/?#\\s]+$", required=True),
        "checkpoint_kind": Bounds(
            "string", choices=("weights", "sampler_weights", "external_weights"), required=True
        ),
        "checkpoint_name": Bounds(
            "string",
            min_length=1,
            max_length=255,
            pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$",
            shape="checkpoint name: letters, digits, '.', '_' and '-', at most 255",
            required=True,
        ),
    },
    "publish_checkpoint": {
        "training_run_id": Bounds("string", min_length=1, pattern="^[^/?#\\s]+$", required=True),
        "checkpoint_kind": Bounds(
            "string", choices=("weights", "sampler_weights", "external_weights"), required=True
        ),
        "checkpoint_name": Bounds(
            "string",
            min_length=1,
            max_length=255,
            pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$",
            shape="checkpoint name: letters, digits, '.', '_' and '-', at most 255",
            required=True,
        ),
    },
    "unpublish_checkpoint": {
        "training_run_id": Bounds("string", min_length=1, pattern="^[^/?#\\s]+$", required=True),
        "checkpoint_kind": Bounds(
            "string", choices=("weights", "sampler_weights", "external_weights"), required=True
        ),
        "checkpoint_name": Bounds(
            "string",
            min_length=1,
            max_length=255,
            pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$",
            shape="checkpoint name: letters, digits, '.', '_' and '-', at most 255",
            required=True,
        ),
    },
    "set_checkpoint_ttl": {
        "training_run_id": Bounds("string", min_length=1, pattern="^[^/?#\\s]+$", required=True),
        "checkpoint_kind": Bounds(
            "string", choices=("weights", "sampler_weights", "external_weights"), required=True
        ),
        "checkpoint_name": Bounds(
            "string",
            min_length=1,
            max_length=255,
            pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$",
            shape="checkpoint name: letters, digits, '.', '_' and '-', at most 255",
            required=True,
        ),
        "ttl_seconds": Bounds("integer", minimum=3600, maximum=315360000, required=True, null=True),
    },
    "get_external_weights_urls": {
        "training_run_id": Bounds("string", min_length=1, pattern="^[^/?#\\s]+$", required=True),
        "checkpoint_kind": Bounds(
            "string", choices=("weights", "sampler_weights", "external_weights"), required=True
        ),
        "checkpoint_name": Bounds(
            "string",
            min_length=1,
            max_length=255,
            pattern="^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$",
            shape="checkpoint name: letters, digits, '.', '_' and '-', at most 255",
            required=True,
        ),
    },
    "telemetry": {
        "events": Bounds("array", required=True),
        "platform": Bounds("string", required=True),
        "sdk_version": Bounds("string", min_length=1, required=True),
        "session_id": Bounds("string", min_length=1, required=True),
        "process_uuid": Bounds("string"),
    },
    "list_billing_usage_events": {
        "starting_on": Bounds("date-time", granularity="hour", required=True),
        "ending_before": Bounds("date-time", granularity="hour", required=True),
    },
    "list_checkpoint_storage_usage": {
        "project_id": Bounds("string", min_length=1),
    },
    "list_audit_log": {
        "event_type": Bounds("string", choices=("all", "checkpoints", "projects", "teams", "organizations")),
        "day": Bounds("date"),
    },
}
