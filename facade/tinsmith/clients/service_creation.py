"""The part of ServiceClient that makes clients: models to train, and samplers.

Each returns its client at once, and the client is the future of itself; the work is `clients.creation`'s.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tinsmith.core.arguments import labels
from tinsmith.core.deferred import Deferred
from tinsmith.core.errors import InputError
from tinsmith.core.origin import is_loopback
from tinsmith.core.paths import FILE_SCHEME, AdapterFolder, check_tinker_path
from tinsmith.core.policy import RetryConfig
from tinsmith.core.values.names import OptimizerConfig
from tinsmith.io.context import ClientContext

if TYPE_CHECKING:
    from tinsmith.clients import sampling, training
else:  # what only annotations name is loaded when somebody reads them
    sampling, training = Deferred("tinsmith.clients.sampling"), Deferred("tinsmith.clients.training")


class CreationCalls:
    """How training and sampling clients are asked for."""

    _context: ClientContext

    def create_lora_training_client(
        self,
        base_model: str,
        rank: int = 32,
        seed: int | None = None,
        train_mlp: bool = True,
        train_attn: bool = True,
        train_unembed: bool = True,
        user_metadata: Mapping[str, str] | None = None,
        optimizer: OptimizerConfig | None = None,
    ) -> training.TrainingClient:
        """Ask for a model to train, a fresh LoRA adapter on `base_model`, and return its client at once.

        `await` the client, or call its `result()`, to wait until the server has the model. Calls made before
        that wait in line behind the creation, and fail with it (`applied` "no").

        `base_model` is one that `get_server_capabilities` names. `rank` is at least 1, and one of the
        `train_*` is true; `seed` fixes the initial weights. `user_metadata` are labels that lists show.
        `optimizer` is Adam unless it says otherwise. Raises `InputError` before sending; the client raises
        `BadRequestError` or `NotFoundError` (`applied` "no") for a base model or an optimizer that the server
        does not have.
        """
        from tinsmith_api.models import LoraConfig

        from tinsmith.clients.creation import create_training
        from tinsmith.core.arguments import check_optimizer

        if optimizer is not None:
            check_optimizer(optimizer)
        lora = LoraConfig(
            rank=rank, seed=seed, train_unembed=train_unembed, train_mlp=train_mlp, train_attn=train_attn
        )
        return create_training(self._context, base_model, lora, labels(user_metadata), optimizer)

    async def create_lora_training_client_async(
        self,
        base_model: str,
        rank: int = 32,
        seed: int | None = None,
        train_mlp: bool = True,
        train_attn: bool = True,
        train_unembed: bool = True,
        user_metadata: Mapping[str, str] | None = None,
        optimizer: OptimizerConfig | None = None,
    ) -> training.TrainingClient:
        """As `create_lora_training_client`, awaited."""
        return await self.create_lora_training_client(
            base_model, rank, seed, train_mlp, train_attn, train_unembed, user_metadata, optimizer
        )

    def create_training_client_from_state(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        base_model: str | None = None,
        weights_access_token: str | None = None,
        optimizer: OptimizerConfig | None = None,
    ) -> training.TrainingClient:
        """Ask for a model with the weights of a checkpoint and a fresh optimizer; return its client at once.

        `path` is a `tinker://` path of training weights; the new model has their base model, rank and trained
        parts. On `local:` and `tinsmith serve` of this machine it may be `file:PATH`, the directory of an
        adapter that peft or Tinsmith wrote (`docs/models.md`). `weights_access_token` opens a checkpoint of
        somebody else, `base_model` names another base model than the checkpoint's. Raises `InputError` before
        sending for what is no path; the client raises `NotFoundError` (`applied` "no") for one that is not
        there, and otherwise what `load_state` does.
        """
        return self._from_state(path, user_metadata, False, weights_access_token, base_model, optimizer)

    async def create_training_client_from_state_async(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        base_model: str | None = None,
        weights_access_token: str | None = None,
        optimizer: OptimizerConfig | None = None,
    ) -> training.TrainingClient:
        """As `create_training_client_from_state`, awaited."""
        return await self.create_training_client_from_state(
            path,
            user_metadata,
            base_model=base_model,
            weights_access_token=weights_access_token,
            optimizer=optimizer,
        )

    def create_training_client_from_state_with_optimizer(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        base_model: str | None = None,
        weights_access_token: str | None = None,
    ) -> training.TrainingClient:
        """Ask for a model with the weights and the optimizer of a checkpoint; return its client at once.

        As `create_training_client_from_state`; a sampler's checkpoint, which has no optimizer, is refused
        with `BadRequestError` (`applied` "no") by the embedded service.
        """
        return self._from_state(path, user_metadata, True, weights_access_token, base_model, None)

    async def create_training_client_from_state_with_optimizer_async(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None = None,
        *,
        base_model: str | None = None,
        weights_access_token: str | None = None,
    ) -> training.TrainingClient:
        """As `create_training_client_from_state_with_optimizer`, awaited."""
        return await self.create_training_client_from_state_with_optimizer(
            path, user_metadata, base_model=base_model, weights_access_token=weights_access_token
        )

    def create_sampling_client(
        self,
        model_path: str | None = None,
        base_model: str | None = None,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
    ) -> sampling.SamplingClient:
        """Ask for a sampler of a checkpoint or of a base model, and return its client at once.

        Exactly one of `model_path`, a `tinker://` path, and `base_model` is given, else `InputError`.
        `retry_config` holds for all samples of the new client, which wait until the server has the sampler.
        `record_stability_info` has the server record what the loss `stable_reinforce` needs of each sample.
        The client raises `NotFoundError` or `BadRequestError` (`applied` "no") for what the server does not
        have.
        """
        from tinsmith.clients.creation import create_sampling
        from tinsmith.clients.sampling import check_one_of

        check_one_of(model_path, base_model)
        made = create_sampling(self._context, model_path, base_model, retry_config)
        return made._recording(record_stability_info)

    async def create_sampling_client_async(
        self,
        model_path: str | None = None,
        base_model: str | None = None,
        retry_config: RetryConfig | None = None,
        record_stability_info: bool = False,
    ) -> sampling.SamplingClient:
        """As `create_sampling_client`, awaited."""
        return await self.create_sampling_client(model_path, base_model, retry_config, record_stability_info)

    def _from_state(
        self,
        path: str,
        user_metadata: Mapping[str, str] | None,
        optimizer: bool,
        weights_access_token: str | None,
        base_model: str | None,
        optimizer_config: OptimizerConfig | None,
    ) -> training.TrainingClient:
        from tinsmith.clients.creation import Restoring, create_training_from_state

        if isinstance(path, str) and path.startswith(FILE_SCHEME):
            path = _adapter_here(self._context, path, base_model)
        check_tinker_path(path)
        wanted = Restoring(
            path, optimizer, labels(user_metadata), weights_access_token, base_model, optimizer_config
        )
        return create_training_from_state(self._context, wanted)


def _adapter_here(context: ClientContext, path: str, base_model: str | None) -> str:
    """Return the path under which a service of this machine takes the adapter of a directory."""
    config = context.connection.config
    if not (config.local or is_loopback(urlsplit(config.base_url).hostname or "")):
        raise InputError(
            "file: names a directory of this machine, which another machine's server does not read;"
            " base_url='local:' and `tinsmith serve` do",
            field="path",
        )
    place = path.removeprefix(FILE_SCHEME)
    if place.startswith("//"):
        from urllib.request import url2pathname  # loads much

        place = url2pathname(urlsplit(path).path)
    if not place:
        raise InputError("file: names no directory", field="path")
    return AdapterFolder(os.path.abspath(os.path.expanduser(place)), base_model).tinker_path
