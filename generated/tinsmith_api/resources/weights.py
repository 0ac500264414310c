# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Weights: saving, loading and copying weights. Builds the requests; a subclass sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import models
from ..future import APIFuture, handed_out
from ..resource import Ask, Resource


class Weights(Resource):
    """Saving, loading and copying weights."""

    def get_weights_info_by_tinker_path(self, tinker_path: str) -> APIFuture[models.WeightsInfoResponse]:
        """Ask what a checkpoint was trained on.

        Works for other people's public ones too.

        `tinker_path`: The checkpoint, as a `tinker://` path.
        """
        return self._send(Ask("weights_info", models.WeightsInfoResponse, body={"tinker_path": tinker_path}))

    async def get_weights_info_by_tinker_path_async(self, tinker_path: str) -> models.WeightsInfoResponse:
        """As `get_weights_info_by_tinker_path`, awaited."""
        return await self.get_weights_info_by_tinker_path(tinker_path)


class WeightsInOrder(Resource):
    """Saving, loading and copying weights. In the order of training."""

    def save_state(
        self,
        name: str,
        ttl_seconds: int | None = None,
        overwrite: bool | None = None,
        user_metadata: Mapping[str, str] | None = None,
    ) -> APIFuture[models.SaveWeightsResponse]:
        """Save weights and optimizer under `name`.

        The path of the result loads them again. A name that is taken is refused, unless `overwrite` is
        true: with `BadRequestError` by the embedded service, with `ConflictError` by others, `applied` "no"
        in both.
        Sent after everything that was called before. The future holds the result.

        `name`: Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`. Absent or
        null lets the server choose.
        `ttl_seconds`: Seconds until the server deletes it, one hour to ten years. Absent or null keeps it.
        From 3600 to 315360000.
        `overwrite`: Whether a checkpoint of the same name may be replaced. Absent means no, and the answer
        is then 409.
        `user_metadata`: Labels that the user attaches to the checkpoint, text by name. Absent or null means
        none.
        """
        return self._send(
            Ask(
                "save_weights",
                models.SaveWeightsResponse,
                body={
                    "path": name,
                    "ttl_seconds": ttl_seconds,
                    "overwrite": overwrite,
                    "user_metadata": user_metadata,
                    "type": "save_weights",
                },
                names={"path": "name"},
            )
        )

    async def save_state_async(
        self,
        name: str,
        ttl_seconds: int | None = None,
        overwrite: bool | None = None,
        user_metadata: Mapping[str, str] | None = None,
    ) -> APIFuture[models.SaveWeightsResponse]:
        """Like `save_state`; await the future that it returns."""
        return await handed_out(self.save_state(name, ttl_seconds, overwrite, user_metadata))

    def load_state(
        self, path: str, weights_access_token: str | None = None
    ) -> APIFuture[models.LoadWeightsResponse]:
        """Replace the weights by those of a checkpoint.

        The optimizer starts anew. The embedded service refuses a checkpoint of another base model, rank or
        choice of trained parts with `BadRequestError`, an unknown one with `NotFoundError` (`applied` "no"
        in both).
        Sent after everything that was called before. The future holds the result.

        `path`: The checkpoint, as a `tinker://` path.
        `weights_access_token`: Secret that opens somebody else's checkpoint. Absent or null for one's own
        and for public ones.
        """
        return self._send(
            Ask(
                "load_weights",
                models.LoadWeightsResponse,
                body={
                    "path": path,
                    "weights_access_token": weights_access_token,
                    "optimizer": False,
                    "type": "load_weights",
                },
            )
        )

    async def load_state_async(
        self, path: str, weights_access_token: str | None = None
    ) -> APIFuture[models.LoadWeightsResponse]:
        """Like `load_state`; await the future that it returns."""
        return await handed_out(self.load_state(path, weights_access_token))

    def load_state_with_optimizer(
        self, path: str, weights_access_token: str | None = None
    ) -> APIFuture[models.LoadWeightsResponse]:
        """Replace weights and optimizer by those of a checkpoint.

        As `load_state`; the embedded service refuses a sampler's checkpoint, which has no optimizer, with
        `BadRequestError` (`applied` "no").
        Sent after everything that was called before. The future holds the result.

        `path`: The checkpoint, as a `tinker://` path.
        `weights_access_token`: Secret that opens somebody else's checkpoint. Absent or null for one's own
        and for public ones.
        """
        return self._send(
            Ask(
                "load_weights",
                models.LoadWeightsResponse,
                body={
                    "path": path,
                    "weights_access_token": weights_access_token,
                    "optimizer": True,
                    "type": "load_weights",
                },
            )
        )

    async def load_state_with_optimizer_async(
        self, path: str, weights_access_token: str | None = None
    ) -> APIFuture[models.LoadWeightsResponse]:
        """Like `load_state_with_optimizer`; await the future that it returns."""
        return await handed_out(self.load_state_with_optimizer(path, weights_access_token))

    def save_weights_for_sampler(
        self, name: str, ttl_seconds: int | None = None, user_metadata: Mapping[str, str] | None = None
    ) -> APIFuture[models.SaveWeightsForSamplerResponse]:
        """Save the weights to sample from under `name`.

        The path of the result makes a sampler. Nothing is overwritten, and the optimizer is not saved.
        Sent after everything that was called before. The future holds the result.

        `name`: Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`. Absent or
        null for a sampler that lives with the session.
        `ttl_seconds`: Seconds until the server deletes it, one hour to ten years. Absent or null keeps it.
        From 3600 to 315360000.
        `user_metadata`: Labels that the user attaches to the checkpoint, text by name. Absent or null means
        none.
        """
        return self._send(
            Ask(
                "save_weights_for_sampler",
                models.SaveWeightsForSamplerResponse,
                body={
                    "path": name,
                    "ttl_seconds": ttl_seconds,
                    "user_metadata": user_metadata,
                    "type": "save_weights_for_sampler",
                },
                names={"path": "name"},
            )
        )

    async def save_weights_for_sampler_async(
        self, name: str, ttl_seconds: int | None = None, user_metadata: Mapping[str, str] | None = None
    ) -> APIFuture[models.SaveWeightsForSamplerResponse]:
        """Like `save_weights_for_sampler`; await the future that it returns."""
        return await handed_out(self.save_weights_for_sampler(name, ttl_seconds, user_metadata))

    def save_weights_external(
        self,
        name: str,
        ttl_seconds: int | None = None,
        age_encryption_recipients: Sequence[str] | None = None,
    ) -> APIFuture[models.SaveWeightsExternalResponse]:
        """Save the weights as files under `name`.

        `RestClient.download_external_weights` fetches them. The embedded service refuses to encrypt with
        `BadRequestError`.
        Sent after everything that was called before. The future holds the result.

        `name`: Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`.
        `ttl_seconds`: Seconds until the server deletes the files, one hour to ten years. Absent or null
        keeps them. From 3600 to 315360000.
        `age_encryption_recipients`: Public age keys that the files are encrypted for. Absent or null leaves
        them unencrypted.
        """
        return self._send(
            Ask(
                "save_weights_external",
                models.SaveWeightsExternalResponse,
                body={
                    "path": name,
                    "ttl_seconds": ttl_seconds,
                    "age_encryption_recipients": age_encryption_recipients,
                    "type": "save_weights_external",
                },
                names={"path": "name"},
            )
        )

    async def save_weights_external_async(
        self,
        name: str,
        ttl_seconds: int | None = None,
        age_encryption_recipients: Sequence[str] | None = None,
    ) -> APIFuture[models.SaveWeightsExternalResponse]:
        """Like `save_weights_external`; await the future that it returns."""
        return await handed_out(self.save_weights_external(name, ttl_seconds, age_encryption_recipients))
