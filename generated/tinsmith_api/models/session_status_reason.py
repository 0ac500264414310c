# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionStatusReason."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SessionStatusReason(Model):
    """Why a session failed or was ended, told apart by `type`. Of a failure: `request` (with
    `request_id` and `request_type`), `training_run` (with `training_run_id`) or `sampling_session`
    (with `sampling_session_id`). Of an end by the client: `success`, `errored` or `interrupted`,
    without further fields.

    * `type`: The kind of reason. Known values: `request`, `training_run`, `sampling_session`,
      `success`, `errored`, `interrupted`.
    * `request_id`: The promise that failed. Only for `request`.
    * `request_type`: What kind of work failed, `ForwardBackward` for example. Only for `request`.
    * `training_run_id`: The training run that failed. Only for `training_run`.
    * `sampling_session_id`: The sampler that failed. Only for `sampling_session`.
    """

    type: str
    """The kind of reason. Known values: `request`, `training_run`, `sampling_session`, `success`,
    `errored`, `interrupted`.
    """
    request_id: str | None = None
    """The promise that failed. Only for `request`."""
    request_type: str | None = None
    """What kind of work failed, `ForwardBackward` for example. Only for `request`."""
    training_run_id: str | None = None
    """The training run that failed. Only for `training_run`."""
    sampling_session_id: str | None = None
    """The sampler that failed. Only for `sampling_session`."""
