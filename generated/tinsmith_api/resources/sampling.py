# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Sampling: samplers and samples. Builds the requests; a subclass sends them."""

from __future__ import annotations

from .. import models
from ..future import APIFuture
from ..resource import Ask, Resource


class Sampling(Resource):
    """Samplers and samples."""

    def get_sampler(self, sampler_id: str) -> APIFuture[models.GetSamplerResponse]:
        """Describe a sampler.

        Answers with the weights that a sampler samples.

        `sampler_id`: Id of the sampler. Its colons stay unescaped in the path.
        """
        return self._send(Ask("get_sampler", models.GetSamplerResponse, path={"sampler_id": sampler_id}))

    async def get_sampler_async(self, sampler_id: str) -> models.GetSamplerResponse:
        """As `get_sampler`, awaited."""
        return await self.get_sampler(sampler_id)
