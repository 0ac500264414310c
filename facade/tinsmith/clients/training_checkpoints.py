"""The part of TrainingClient that saves and loads weights, by the contract's methods, and hands them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tinsmith_api.resources import OperationsInOrder

from tinsmith.clients import training_calls as calls
from tinsmith.clients.sampling import SamplingClient
from tinsmith.clients.training_line import TrainingLine
from tinsmith.core.policy import RetryConfig
from tinsmith.core.values.names import SamplingClientKind
from tinsmith.io.future import APIFuture

if TYPE_CHECKING:
    from tinsmith.clients.training import TrainingClient


class CheckpointingCalls(TrainingLine, OperationsInOrder):
    """Checkpoints of a model in training: those of the contract, and the way to a sampler."""

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

        saved = self._enter(calls.save_ephemeral(self._line, self._context.session.next_sampler(), kind))
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
        made = create_sampling(self._context, model_path, None, retry_config)
        return made._recording(record_stability_info)

    async def create_sampling_client_async(
        self,
        model_path: str,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
    ) -> SamplingClient:
        """As `create_sampling_client`, awaited."""
        return await self.create_sampling_client(model_path, retry_config, record_stability_info)
