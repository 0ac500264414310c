"""Runs, checkpoints, sessions and samplers as the REST routes list them. Owns their fields only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import attrs

from tinsmith.core.values.open import Open
from tinsmith.core.values.ownership import own_fields

CheckpointType = Literal["training", "sampler", "external"]
"""What a checkpoint can be used for."""


@attrs.frozen(field_transformer=own_fields)
class Cursor(Open):
    """Where a page stands in the whole list."""

    offset: int
    """Entries before this page."""
    limit: int
    """Most entries on this page."""
    total_count: int
    """Entries in all."""


@attrs.frozen(field_transformer=own_fields)
class Checkpoint(Open):
    """Saved weights."""

    checkpoint_id: str
    """Kind and name, e.g. `weights/0001`."""
    checkpoint_type: CheckpointType
    """`training`, `sampler` or `external`."""
    time: datetime | None
    """When it was saved, UTC; None where the server does not say."""
    tinker_path: str
    """Its `tinker://` path."""
    size_bytes: int | None = None
    """Size on the server."""
    public: bool = False
    """Whether anybody may read it."""
    expires_at: datetime | None = None
    """When the server deletes it; None is never."""
    user_metadata: dict[str, str] | None = None
    """What the user attached."""


@attrs.frozen(field_transformer=own_fields)
class CheckpointsListResponse(Open):
    """A page of checkpoints."""

    checkpoints: list[Checkpoint]
    """The page."""
    cursor: Cursor | None = None
    """Where the page stands."""


@attrs.frozen(field_transformer=own_fields)
class CheckpointArchiveUrlResponse(Open):
    """Where an archive can be fetched."""

    url: str
    """A signed URL; treat it as a secret."""
    expires: datetime
    """When it stops working, UTC."""


@attrs.frozen(field_transformer=own_fields)
class ExternalWeightsUrlsResponse(Open):
    """Where the files of an external checkpoint can be fetched."""

    urls: dict[str, str] = attrs.field(repr=False)
    """Signed URLs by file name; treat each as a secret."""
    expires: datetime
    """When they stop working, UTC."""


@attrs.frozen(field_transformer=own_fields)
class CopyWeightsResponse(Open):
    """A checkpoint was copied."""

    tinker_path: str
    """The copy's path."""


@attrs.frozen(field_transformer=own_fields)
class TrainingRun(Open):
    """One model's history."""

    training_run_id: str
    """Its id, `<session>:train:<n>`."""
    base_model: str
    """Base model."""
    model_owner: str
    """Owner."""
    is_lora: bool
    """Whether it is an adapter."""
    last_request_time: datetime
    """Last use, UTC."""
    corrupted: bool = False
    """Whether it can no longer be used."""
    lora_rank: int | None = None
    """Rank of the adapter."""
    last_checkpoint: Checkpoint | None = None
    """Newest training checkpoint."""
    last_sampler_checkpoint: Checkpoint | None = None
    """Newest sampler checkpoint."""
    user_metadata: dict[str, str] | None = None
    """What the user attached."""


@attrs.frozen(field_transformer=own_fields)
class TrainingRunsResponse(Open):
    """A page of training runs."""

    training_runs: list[TrainingRun]
    """The page."""
    cursor: Cursor | None
    """Where the page stands; None where the server does not say."""


@attrs.frozen(field_transformer=own_fields)
class WeightsInfoResponse(Open):
    """What a checkpoint was trained on."""

    base_model: str
    """Base model."""
    is_lora: bool
    """Whether it is an adapter."""
    lora_rank: int | None = None
    """Rank of the adapter."""
    train_unembed: bool | None = None
    """Whether the unembedding was adapted, where the server says."""
    train_mlp: bool | None = None
    """Whether the MLP was adapted, where the server says."""
    train_attn: bool | None = None
    """Whether attention was adapted, where the server says."""
    optimizer_config: dict[str, Any] | None = None
    """Its optimizer, where the server says; `type` names the kind."""


@attrs.frozen(field_transformer=own_fields)
class GetSessionResponse(Open):
    """What a session made."""

    training_run_ids: list[str]
    """Its training runs."""
    sampler_ids: list[str]
    """Its samplers."""
    user_metadata: dict[str, str] | None = None
    """What the user attached, where the server says."""
    display_name: str | None = None
    """Its name for people, where the server says."""


@attrs.frozen(field_transformer=own_fields)
class ListSessionsResponse(Open):
    """A page of sessions."""

    sessions: list[str]
    """Their ids."""


@attrs.frozen(field_transformer=own_fields)
class GetSamplerResponse(Open):
    """What a sampler draws from."""

    sampler_id: str
    """Its id."""
    base_model: str
    """Base model."""
    model_path: str | None = None
    """Checkpoint; None is the base model itself."""
