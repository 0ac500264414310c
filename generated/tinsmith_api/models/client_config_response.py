# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ClientConfigResponse")


@_attrs_define
class ClientConfigResponse:
    """How the server wants this client to behave. Unknown settings are ignored; each missing one has a known meaning."""

    pjwt_auth_enabled: bool | None | Unset = UNSET
    """ Whether the key is to be exchanged for a short-lived token with `auth_token`. Absent means no. """
    credential_default_source: None | str | Unset = UNSET
    """ Where a credential comes from when the user names none, an API key (`api_key`) or a command
    (`credential_cmd`). Absent means `api_key`.
     """
    sample_dispatch_bytes_semaphore_size: int | None | Unset = UNSET
    """ Most bytes of sampling requests in transmission at a time. Absent means 10485760. """
    inflight_response_bytes_semaphore_size: int | None | Unset = UNSET
    """ Most bytes of large results in transmission at a time. Absent means 52428800. """
    parallel_fwdbwd_chunks: bool | None | Unset = UNSET
    """ Whether the chunks of one training call may be sent at the same time. The server then orders them by seq_id.
    Absent means yes.
     """
    proto_compress_fwdbwd: bool | None | Unset = UNSET
    """ Whether training requests in the binary form are compressed with zstd. Absent means no. """
    fwdbwd_max_chunk_len: int | None | Unset = UNSET
    """ Most datums in one training request. Absent means 1024. """
    fwdbwd_max_chunk_bytes_count: int | None | Unset = UNSET
    """ Largest estimated size of one training request, in bytes. Absent means 5000000. """
    fwdbwd_dispatch_bytes_semaphore_size: int | None | Unset = UNSET
    """ Most bytes of training requests in transmission at a time. Absent means 50000000. """
    billing_exception_max_pause_duration_sec: float | None | Unset = UNSET
    """ Seconds that a client waits out a 402 before it is an error. Absent means 3600. """
    sample_no_retries: bool | None | Unset = UNSET
    """ Whether failures of sampling go to the caller at once, without a retry. Absent means no. """
    sample_enable_stuck_detection: bool | None | Unset = UNSET
    """ Whether sampling has a progress timeout. Absent means yes. """
    sample_max_concurrent_requests: int | None | Unset = UNSET
    """ Most samples in flight at a time. Absent means 2000. """
    use_pyqwest_transport: bool | None | Unset = UNSET
    """ Which HTTP library the official client uses. Means nothing to other clients. Absent means yes. """
    sample_use_retrieve_futures: bool | None | Unset = UNSET
    """ Whether samples are awaited with `retrieve_futures`, which watches all promises of a sampler at once. Absent
    means no.
     """
    custom_loss_server_side: bool | None | Unset = UNSET
    """ Whether the server computes custom losses. Absent means no, they run at the client. """
    sample_join_sampling_session: bool | None | Unset = UNSET
    """ Whether a copy of a sampler asks `join_sampling_session` for its counter. Absent means no, it draws one at
    random.
     """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pjwt_auth_enabled: bool | None | Unset
        if isinstance(self.pjwt_auth_enabled, Unset):
            pjwt_auth_enabled = UNSET
        else:
            pjwt_auth_enabled = self.pjwt_auth_enabled

        credential_default_source: None | str | Unset
        if isinstance(self.credential_default_source, Unset):
            credential_default_source = UNSET
        else:
            credential_default_source = self.credential_default_source

        sample_dispatch_bytes_semaphore_size: int | None | Unset
        if isinstance(self.sample_dispatch_bytes_semaphore_size, Unset):
            sample_dispatch_bytes_semaphore_size = UNSET
        else:
            sample_dispatch_bytes_semaphore_size = self.sample_dispatch_bytes_semaphore_size

        inflight_response_bytes_semaphore_size: int | None | Unset
        if isinstance(self.inflight_response_bytes_semaphore_size, Unset):
            inflight_response_bytes_semaphore_size = UNSET
        else:
            inflight_response_bytes_semaphore_size = self.inflight_response_bytes_semaphore_size

        parallel_fwdbwd_chunks: bool | None | Unset
        if isinstance(self.parallel_fwdbwd_chunks, Unset):
            parallel_fwdbwd_chunks = UNSET
        else:
            parallel_fwdbwd_chunks = self.parallel_fwdbwd_chunks

        proto_compress_fwdbwd: bool | None | Unset
        if isinstance(self.proto_compress_fwdbwd, Unset):
            proto_compress_fwdbwd = UNSET
        else:
            proto_compress_fwdbwd = self.proto_compress_fwdbwd

        fwdbwd_max_chunk_len: int | None | Unset
        if isinstance(self.fwdbwd_max_chunk_len, Unset):
            fwdbwd_max_chunk_len = UNSET
        else:
            fwdbwd_max_chunk_len = self.fwdbwd_max_chunk_len

        fwdbwd_max_chunk_bytes_count: int | None | Unset
        if isinstance(self.fwdbwd_max_chunk_bytes_count, Unset):
            fwdbwd_max_chunk_bytes_count = UNSET
        else:
            fwdbwd_max_chunk_bytes_count = self.fwdbwd_max_chunk_bytes_count

        fwdbwd_dispatch_bytes_semaphore_size: int | None | Unset
        if isinstance(self.fwdbwd_dispatch_bytes_semaphore_size, Unset):
            fwdbwd_dispatch_bytes_semaphore_size = UNSET
        else:
            fwdbwd_dispatch_bytes_semaphore_size = self.fwdbwd_dispatch_bytes_semaphore_size

        billing_exception_max_pause_duration_sec: float | None | Unset
        if isinstance(self.billing_exception_max_pause_duration_sec, Unset):
            billing_exception_max_pause_duration_sec = UNSET
        else:
            billing_exception_max_pause_duration_sec = self.billing_exception_max_pause_duration_sec

        sample_no_retries: bool | None | Unset
        if isinstance(self.sample_no_retries, Unset):
            sample_no_retries = UNSET
        else:
            sample_no_retries = self.sample_no_retries

        sample_enable_stuck_detection: bool | None | Unset
        if isinstance(self.sample_enable_stuck_detection, Unset):
            sample_enable_stuck_detection = UNSET
        else:
            sample_enable_stuck_detection = self.sample_enable_stuck_detection

        sample_max_concurrent_requests: int | None | Unset
        if isinstance(self.sample_max_concurrent_requests, Unset):
            sample_max_concurrent_requests = UNSET
        else:
            sample_max_concurrent_requests = self.sample_max_concurrent_requests

        use_pyqwest_transport: bool | None | Unset
        if isinstance(self.use_pyqwest_transport, Unset):
            use_pyqwest_transport = UNSET
        else:
            use_pyqwest_transport = self.use_pyqwest_transport

        sample_use_retrieve_futures: bool | None | Unset
        if isinstance(self.sample_use_retrieve_futures, Unset):
            sample_use_retrieve_futures = UNSET
        else:
            sample_use_retrieve_futures = self.sample_use_retrieve_futures

        custom_loss_server_side: bool | None | Unset
        if isinstance(self.custom_loss_server_side, Unset):
            custom_loss_server_side = UNSET
        else:
            custom_loss_server_side = self.custom_loss_server_side

        sample_join_sampling_session: bool | None | Unset
        if isinstance(self.sample_join_sampling_session, Unset):
            sample_join_sampling_session = UNSET
        else:
            sample_join_sampling_session = self.sample_join_sampling_session

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if pjwt_auth_enabled is not UNSET:
            field_dict["pjwt_auth_enabled"] = pjwt_auth_enabled
        if credential_default_source is not UNSET:
            field_dict["credential_default_source"] = credential_default_source
        if sample_dispatch_bytes_semaphore_size is not UNSET:
            field_dict["sample_dispatch_bytes_semaphore_size"] = sample_dispatch_bytes_semaphore_size
        if inflight_response_bytes_semaphore_size is not UNSET:
            field_dict["inflight_response_bytes_semaphore_size"] = inflight_response_bytes_semaphore_size
        if parallel_fwdbwd_chunks is not UNSET:
            field_dict["parallel_fwdbwd_chunks"] = parallel_fwdbwd_chunks
        if proto_compress_fwdbwd is not UNSET:
            field_dict["proto_compress_fwdbwd"] = proto_compress_fwdbwd
        if fwdbwd_max_chunk_len is not UNSET:
            field_dict["fwdbwd_max_chunk_len"] = fwdbwd_max_chunk_len
        if fwdbwd_max_chunk_bytes_count is not UNSET:
            field_dict["fwdbwd_max_chunk_bytes_count"] = fwdbwd_max_chunk_bytes_count
        if fwdbwd_dispatch_bytes_semaphore_size is not UNSET:
            field_dict["fwdbwd_dispatch_bytes_semaphore_size"] = fwdbwd_dispatch_bytes_semaphore_size
        if billing_exception_max_pause_duration_sec is not UNSET:
            field_dict["billing_exception_max_pause_duration_sec"] = billing_exception_max_pause_duration_sec
        if sample_no_retries is not UNSET:
            field_dict["sample_no_retries"] = sample_no_retries
        if sample_enable_stuck_detection is not UNSET:
            field_dict["sample_enable_stuck_detection"] = sample_enable_stuck_detection
        if sample_max_concurrent_requests is not UNSET:
            field_dict["sample_max_concurrent_requests"] = sample_max_concurrent_requests
        if use_pyqwest_transport is not UNSET:
            field_dict["use_pyqwest_transport"] = use_pyqwest_transport
        if sample_use_retrieve_futures is not UNSET:
            field_dict["sample_use_retrieve_futures"] = sample_use_retrieve_futures
        if custom_loss_server_side is not UNSET:
            field_dict["custom_loss_server_side"] = custom_loss_server_side
        if sample_join_sampling_session is not UNSET:
            field_dict["sample_join_sampling_session"] = sample_join_sampling_session

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        pjwt_auth_enabled = cast(bool | None | Unset, d.pop("pjwt_auth_enabled", UNSET))

        credential_default_source = cast(None | str | Unset, d.pop("credential_default_source", UNSET))

        sample_dispatch_bytes_semaphore_size = cast(
            int | None | Unset, d.pop("sample_dispatch_bytes_semaphore_size", UNSET)
        )

        inflight_response_bytes_semaphore_size = cast(
            int | None | Unset, d.pop("inflight_response_bytes_semaphore_size", UNSET)
        )

        parallel_fwdbwd_chunks = cast(bool | None | Unset, d.pop("parallel_fwdbwd_chunks", UNSET))

        proto_compress_fwdbwd = cast(bool | None | Unset, d.pop("proto_compress_fwdbwd", UNSET))

        fwdbwd_max_chunk_len = cast(int | None | Unset, d.pop("fwdbwd_max_chunk_len", UNSET))

        fwdbwd_max_chunk_bytes_count = cast(int | None | Unset, d.pop("fwdbwd_max_chunk_bytes_count", UNSET))

        fwdbwd_dispatch_bytes_semaphore_size = cast(
            int | None | Unset, d.pop("fwdbwd_dispatch_bytes_semaphore_size", UNSET)
        )

        billing_exception_max_pause_duration_sec = cast(
            float | None | Unset, d.pop("billing_exception_max_pause_duration_sec", UNSET)
        )

        sample_no_retries = cast(bool | None | Unset, d.pop("sample_no_retries", UNSET))

        sample_enable_stuck_detection = cast(
            bool | None | Unset, d.pop("sample_enable_stuck_detection", UNSET)
        )

        sample_max_concurrent_requests = cast(
            int | None | Unset, d.pop("sample_max_concurrent_requests", UNSET)
        )

        use_pyqwest_transport = cast(bool | None | Unset, d.pop("use_pyqwest_transport", UNSET))

        sample_use_retrieve_futures = cast(bool | None | Unset, d.pop("sample_use_retrieve_futures", UNSET))

        custom_loss_server_side = cast(bool | None | Unset, d.pop("custom_loss_server_side", UNSET))

        sample_join_sampling_session = cast(bool | None | Unset, d.pop("sample_join_sampling_session", UNSET))

        client_config_response = cls(
            pjwt_auth_enabled=pjwt_auth_enabled,
            credential_default_source=credential_default_source,
            sample_dispatch_bytes_semaphore_size=sample_dispatch_bytes_semaphore_size,
            inflight_response_bytes_semaphore_size=inflight_response_bytes_semaphore_size,
            parallel_fwdbwd_chunks=parallel_fwdbwd_chunks,
            proto_compress_fwdbwd=proto_compress_fwdbwd,
            fwdbwd_max_chunk_len=fwdbwd_max_chunk_len,
            fwdbwd_max_chunk_bytes_count=fwdbwd_max_chunk_bytes_count,
            fwdbwd_dispatch_bytes_semaphore_size=fwdbwd_dispatch_bytes_semaphore_size,
            billing_exception_max_pause_duration_sec=billing_exception_max_pause_duration_sec,
            sample_no_retries=sample_no_retries,
            sample_enable_stuck_detection=sample_enable_stuck_detection,
            sample_max_concurrent_requests=sample_max_concurrent_requests,
            use_pyqwest_transport=use_pyqwest_transport,
            sample_use_retrieve_futures=sample_use_retrieve_futures,
            custom_loss_server_side=custom_loss_server_side,
            sample_join_sampling_session=sample_join_sampling_session,
        )

        client_config_response.additional_properties = d
        return client_config_response

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
