"""The part of TrainingClient that saves and loads weights, and hands them to samplers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from tinsmith_api.models import (
    LoadWeightsResponse,
    SaveWeightsExternalResponse,
    SaveWeightsForSamplerResponse,
    SaveWeightsResponse,
)

from tinsmith.clients import training_calls as calls
from tinsmith.clients.sampling import SamplingClient
from tinsmith.clients.training_line import TrainingLine
from tinsmith.core.policy import RetryConfig
from tinsmith.core.values.names import SamplingClientKind
from tinsmith.io.future import APIFuture, handed_out

if TYPE_CHECKING:
    from tinsmith.clients.training import TrainingClient


class CheckpointingCalls(TrainingLine):
    """Checkpoints of a model in training."""

    def save_state(
        self,
        name: str,
        ttl_seconds: int | None = None,
        overwrite: bool | None = None,
        user_metadata: Mapping[str, str] | None = None,
    ) -> APIFuture[SaveWeightsResponse]:
        """Save weights and optimizer under `name`; the result's path loads them again.

        `name` has letters, digits, `.`, `_` and `-`, at most 255. The checkpoint expires after `ttl_seconds`
        from 3600 on (None: never). A name that is taken is refused with `BadRequestError` (`applied` "no") by
        the embedded service, unless `overwrite` is true, and with `ConflictError` ("no" too) by others.
        `user_metadata` are labels that lists show.
        """
        return self._enter(calls.save_state(self._line, name, ttl_seconds, overwrite, user_metadata))

    async def save_state_async(
        self,
        name: str,
        ttl_seconds: int | None = None,
        overwrite: bool | None = None,
        user_metadata: Mapping[str, str] | None = None,
    ) -> APIFuture[SaveWeightsResponse]:
        """Like `save_state`; await the future that it returns."""
        return await handed_out(self.save_state(name, ttl_seconds, overwrite, user_metadata))

    def load_state(
        self, path: str, *, weights_access_token: str | None = None
    ) -> APIFuture[LoadWeightsResponse]:
        """Replace the weights by those of a checkpoint; the optimizer starts anew.

        `path` is a `tinker://` path of the same base model, rank and trained parts: the embedded service
        refuses others with `BadRequestError`, and an unknown one with `NotFoundError` (both `applied` "no").
        `weights_access_token` opens a checkpoint of somebody else.
        """
        return self._enter(calls.load_state(self._line, path, False, weights_access_token))

    async def load_state_async(
        self, path: str, *, weights_access_token: str | None = None
    ) -> APIFuture[LoadWeightsResponse]:
        """Like `load_state`; await the future that it returns."""
        return await handed_out(self.load_state(path, weights_access_token=weights_access_token))

    def load_state_with_optimizer(
        self, path: str, *, weights_access_token: str | None = None
    ) -> APIFuture[LoadWeightsResponse]:
        """Replace weights and optimizer by those of a checkpoint.

        As `load_state`; the embedded service refuses a sampler's checkpoint, which has no optimizer, with
        `BadRequestError` (`applied` "no").
        """
        return self._enter(calls.load_state(self._line, path, True, weights_access_token))

    async def load_state_with_optimizer_async(
        self, path: str, *, weights_access_token: str | None = None
    ) -> APIFuture[LoadWeightsResponse]:
        """Like `load_state_with_optimizer`; await the future that it returns."""
        return await handed_out(
            self.load_state_with_optimizer(path, weights_access_token=weights_access_token)
        )

    def save_weights_for_sampler(
        self,
        name: str,
        ttl_seconds: int | None = None,
        user_metadata: Mapping[str, str] | None = None,
    ) -> APIFuture[SaveWeightsForSamplerResponse]:
        """Save the weights for sampling under `name`; the result's path makes a sampler.

        `name`, `ttl_seconds` and `user_metadata` as in `save_state`; nothing is overwritten. The optimizer is
        not saved.
        """
        return self._enter(calls.save_weights_for_sampler(self._line, name, ttl_seconds, user_metadata))

    async def save_weights_for_sampler_async(
        self,
        name: str,
        ttl_seconds: int | None = None,
        user_metadata: Mapping[str, str] | None = None,
    ) -> APIFuture[SaveWeightsForSamplerResponse]:
        """Like `save_weights_for_sampler`; await the future that it returns."""
        return await handed_out(self.save_weights_for_sampler(name, ttl_seconds, user_metadata))

    def save_weights_external(
        self,
        name: str,
        ttl_seconds: int | None = None,
        age_encryption_recipients: Sequence[str] | None = None,
    ) -> APIFuture[SaveWeightsExternalResponse]:
        """Save the weights as files under `name`; `RestClient.download_external_weights` fetches them.

        `name` and `ttl_seconds` as in `save_state`. With `age_encryption_recipients`, public age keys, the
        files are encrypted for them; the embedded service refuses that with `BadRequestError`.
        """
        call = calls.save_external(self._line, name, ttl_seconds, age_encryption_recipients)
        return self._enter(call)

    async def save_weights_external_async(
        self,
        name: str,
        ttl_seconds: int | None = None,
        age_encryption_recipients: Sequence[str] | None = None,
    ) -> APIFuture[SaveWeightsExternalResponse]:
        """Like `save_weights_external`; await the future that it returns."""
        return await handed_out(self.save_weights_external(name, ttl_seconds, age_encryption_recipients))

    def save_weights_and_get_sampling_client_submit(
        self, retry_config: RetryConfig | None = None, *, kind: SamplingClientKind = "snapshot"
    ) -> APIFuture[SamplingClient]:
        """As `save_weights_and_get_sampling_client`, under the name that it had when that one waited."""
        return self.save_weights_and_get_sampling_client(None, retry_config, kind=kind)

    def save_weights_and_get_sampling_client(
        self,
        name: str | None = None,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
        *,
        kind: SamplingClientKind = "snapshot",
    ) -> SamplingClient:
        """Hand the weights as of this call to a new sampler, and return its client at once.

        Later steps do not change what a "snapshot" samples, and no named checkpoint is made; an "inflight"
        sampler follows the training, on servers that offer it. `name` is not used. `record_stability_info`
        has the server record what the loss `stable_reinforce` needs of each sample.
        """
        from tinsmith.clients.creation import sample_saved

        saved = self._enter(calls.save_ephemeral(self._line, self._link.session.next_sampler(), kind))
        made = sample_saved(cast("TrainingClient", self), saved, retry_config)
        return made._recording(record_stability_info)

    async def save_weights_and_get_sampling_client_async(
        self,
        name: str | None = None,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
        *,
        kind: SamplingClientKind = "snapshot",
    ) -> SamplingClient:
        """As `save_weights_and_get_sampling_client`, awaited."""
        return await self.save_weights_and_get_sampling_client(
            name, retry_config, record_stability_info, kind=kind
        )

    def create_sampling_client(
        self,
        model_path: str,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
    ) -> SamplingClient:
        """Ask for a sampler of a checkpoint, and return its client at once.

        `model_path` is the `path` that `save_weights_for_sampler` gave. Raises `InputError` for what is no
        `tinker://` path; the client raises `NotFoundError` (`applied` "no") for one that is not there.
        `record_stability_info` has the server record what the loss `stable_reinforce` needs of each sample.
        """
        from tinsmith.clients.creation import create_sampling
        from tinsmith.core.paths import check_tinker_path

        check_tinker_path(model_path, "model_path")
        made = create_sampling(self._link, model_path, None, retry_config)
        return made._recording(record_stability_info)

    async def create_sampling_client_async(
        self,
        model_path: str,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
    ) -> SamplingClient:
        """As `create_sampling_client`, awaited."""
        return await self.create_sampling_client(model_path, retry_config, record_stability_info)
