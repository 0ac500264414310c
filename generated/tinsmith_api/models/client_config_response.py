# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ClientConfigResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ClientConfigResponse(Model):
    """How the server wants this client to behave. Unknown settings are ignored; each missing one has a
    known meaning.

    * `pjwt_auth_enabled`: Whether the key is to be exchanged for a short-lived token with
      `auth_token`. Absent means no.
    * `credential_default_source`: Where a credential comes from when the user names none, an API
      key (`api_key`) or a command (`credential_cmd`). Absent means `api_key`. Known values:
      `api_key`, `credential_cmd`.
    * `sample_dispatch_bytes_semaphore_size`: Most bytes of sampling requests in transmission at a
      time. Absent means 10485760. Unit: bytes.
    * `inflight_response_bytes_semaphore_size`: Most bytes of large results in transmission at a
      time. Absent means 52428800. Unit: bytes.
    * `parallel_fwdbwd_chunks`: Whether the chunks of one training call may be sent at the same
      time. The server then orders them by seq_id. Absent means yes.
    * `proto_compress_fwdbwd`: Whether training requests in the binary form are compressed with
      zstd. Absent means no.
    * `fwdbwd_max_chunk_len`: Most datums in one training request. Absent means 1024. Unit: datums.
    * `fwdbwd_max_chunk_bytes_count`: Largest estimated size of one training request, in bytes.
      Absent means 5000000. Unit: bytes.
    * `fwdbwd_dispatch_bytes_semaphore_size`: Most bytes of training requests in transmission at a
      time. Absent means 50000000. Unit: bytes.
    * `billing_exception_max_pause_duration_sec`: Seconds that a client waits out a 402 before it is
      an error. Absent means 3600. Unit: s.
    * `sample_no_retries`: Whether failures of sampling go to the caller at once, without a retry.
      Absent means no.
    * `sample_enable_stuck_detection`: Whether sampling has a progress timeout. Absent means yes.
    * `sample_max_concurrent_requests`: Most samples in flight at a time. Absent means 2000.
    * `use_pyqwest_transport`: Which HTTP library the official client uses. Means nothing to other
      clients. Absent means yes.
    * `sample_use_retrieve_futures`: Whether samples are awaited with `retrieve_futures`, which
      watches all promises of a sampler at once. Absent means no.
    * `custom_loss_server_side`: Whether the server computes custom losses. Absent means no, they
      run at the client.
    * `sample_join_sampling_session`: Whether a copy of a sampler asks `join_sampling_session` for
      its counter. Absent means no, it draws one at random.
    """

    pjwt_auth_enabled: bool = False
    """Whether the key is to be exchanged for a short-lived token with `auth_token`. Absent means no."""
    credential_default_source: str = "api_key"
    """Where a credential comes from when the user names none, an API key (`api_key`) or a command
    (`credential_cmd`). Absent means `api_key`. Known values: `api_key`, `credential_cmd`.
    """
    sample_dispatch_bytes_semaphore_size: int = 10485760
    """Most bytes of sampling requests in transmission at a time. Absent means 10485760. Unit: bytes."""
    inflight_response_bytes_semaphore_size: int = 52428800
    """Most bytes of large results in transmission at a time. Absent means 52428800. Unit: bytes."""
    parallel_fwdbwd_chunks: bool = True
    """Whether the chunks of one training call may be sent at the same time. The server then orders
    them by seq_id. Absent means yes.
    """
    proto_compress_fwdbwd: bool = False
    """Whether training requests in the binary form are compressed with zstd. Absent means no."""
    fwdbwd_max_chunk_len: int = 1024
    """Most datums in one training request. Absent means 1024. Unit: datums."""
    fwdbwd_max_chunk_bytes_count: int = 5000000
    """Largest estimated size of one training request, in bytes. Absent means 5000000. Unit: bytes."""
    fwdbwd_dispatch_bytes_semaphore_size: int = 50000000
    """Most bytes of training requests in transmission at a time. Absent means 50000000. Unit: bytes."""
    billing_exception_max_pause_duration_sec: float = 3600
    """Seconds that a client waits out a 402 before it is an error. Absent means 3600. Unit: s."""
    sample_no_retries: bool = False
    """Whether failures of sampling go to the caller at once, without a retry. Absent means no."""
    sample_enable_stuck_detection: bool = True
    """Whether sampling has a progress timeout. Absent means yes."""
    sample_max_concurrent_requests: int = 2000
    """Most samples in flight at a time. Absent means 2000."""
    use_pyqwest_transport: bool = True
    """Which HTTP library the official client uses. Means nothing to other clients. Absent means yes."""
    sample_use_retrieve_futures: bool = False
    """Whether samples are awaited with `retrieve_futures`, which watches all promises of a sampler at
    once. Absent means no.
    """
    custom_loss_server_side: bool = False
    """Whether the server computes custom losses. Absent means no, they run at the client."""
    sample_join_sampling_session: bool = False
    """Whether a copy of a sampler asks `join_sampling_session` for its counter. Absent means no, it
    draws one at random.
    """
