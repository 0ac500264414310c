# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.sampling_session_futures_target import SamplingSessionFuturesTarget


T = TypeVar("T", bound="FuturesRetrieveRequest")


@_attrs_define
class FuturesRetrieveRequest:
    """Ask which promises of a sampler have ended since a cursor."""

    target: SamplingSessionFuturesTarget
    """ The sampler whose promises are watched. """
    prev_cursor: int | Unset = UNSET
    """ The cursor of the previous answer. Absent means 0, the beginning. """
    timeout: float | None | Unset = UNSET
    """ How long the server may hold the request open, in seconds. 0 answers at once, which is for acknowledging
    only. Absent or null leaves it to the server.
     """
    retrieved_request_ids: list[str] | Unset = UNSET
    """ Promises whose results have arrived, so that the server may forget them. Absent means none. """

    def to_dict(self) -> dict[str, Any]:
        target = self.target.to_dict()

        prev_cursor = self.prev_cursor

        timeout: float | None | Unset
        if isinstance(self.timeout, Unset):
            timeout = UNSET
        else:
            timeout = self.timeout

        retrieved_request_ids: list[str] | Unset = UNSET
        if not isinstance(self.retrieved_request_ids, Unset):
            retrieved_request_ids = self.retrieved_request_ids

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "target": target,
            }
        )
        if prev_cursor is not UNSET:
            field_dict["prev_cursor"] = prev_cursor
        if timeout is not UNSET:
            field_dict["timeout"] = timeout
        if retrieved_request_ids is not UNSET:
            field_dict["retrieved_request_ids"] = retrieved_request_ids

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.sampling_session_futures_target import SamplingSessionFuturesTarget  # noqa: PLC0415

        d = dict(src_dict)
        target = SamplingSessionFuturesTarget.from_dict(d.pop("target"))

        prev_cursor = d.pop("prev_cursor", UNSET)

        timeout = cast(float | None | Unset, d.pop("timeout", UNSET))

        retrieved_request_ids = cast(list[str], d.pop("retrieved_request_ids", UNSET))

        futures_retrieve_request = cls(
            target=target,
            prev_cursor=prev_cursor,
            timeout=timeout,
            retrieved_request_ids=retrieved_request_ids,
        )

        return futures_retrieve_request
