"""Models by the names under which they are asked for: an alias, a base model, or a `tinker://` path.

Owns the samplers: each is made when its model is first asked for, and kept. Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
from tinsmith_api.paths import SCHEME, check_tinker_path

from tinsmith.clients.sampling import SamplingClient
from tinsmith.core.addresses import ParsedCheckpointTinkerPath
from tinsmith.core.answer_ends import answer_ends, chat_stop
from tinsmith.core.errors import BadRequestError, InputError, NotFoundError
from tinsmith.core.negotiation import context_tokens
from tinsmith.core.tokenization import Tokenizer
from tinsmith.gateway.refusals import GatewayRefusal, unknown_model
from tinsmith.gateway.token_texts import TokenTexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tinsmith_api.models import SupportedModel

    from tinsmith.clients.service import ServiceClient
    from tinsmith.gateway.gateway_options import GatewayOptions


@attrs.frozen(eq=False)
class ServedModel:
    """A model that answers."""

    sampler: SamplingClient
    """Its sampler."""
    tokenizer: Tokenizer
    """Its tokenizer."""
    token_texts: TokenTexts
    """The texts of its single tokens."""
    context: int | None
    """Tokens of prompt and answer together; None where the server does not say."""
    ends: tuple[int, ...]
    """The tokens that end an answer and are not part of it."""
    chat_stop: list[int] | None
    """The stop rule of a chat's answer; None where the server's own is right."""

    def check_room(self, prompt: int, wanted: int | None, param: str) -> None:
        """Refuse a prompt that does not leave room for the answer."""
        total = prompt + (1 if wanted is None else wanted)
        if self.context is not None and total > self.context:
            raise GatewayRefusal(
                f"this model's maximum context length is {self.context} tokens, but {total} were asked for"
                f" ({prompt} in the {param}, {total - prompt} for the answer)",
                param=param,
                code="context_length_exceeded",
            )


def sampler_for(service: ServiceClient, target: str) -> SamplingClient:
    """Ask for a sampler of a base model or a checkpoint, by its name or path; return its client at once.

    Servers sample no weights of training: a model is made of them first, and its weights go to a sampler.
    """
    if not target.startswith(SCHEME):
        return service.create_sampling_client(base_model=target)
    check_tinker_path(target, "model_path")
    if ParsedCheckpointTinkerPath.from_tinker_path(target).checkpoint_type == "training":
        return service.create_training_client_from_state(target).save_weights_and_get_sampling_client()
    return service.create_sampling_client(model_path=target)


class ModelShelf:
    """The models of one service."""

    def __init__(self, service: ServiceClient, options: GatewayOptions) -> None:
        self._service, self._options = service, options
        self._served: OrderedDict[str, asyncio.Task[ServedModel]] = OrderedDict()
        self._offered: dict[str, SupportedModel] = {}
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()
        self.created = int(time.time())

    async def listing(self) -> list[dict[str, Any]]:
        """Return the aliases and the base models, as /v1/models lists them."""
        offered = await self._base_models()
        return [
            *(self._entry(name, target) for name, target in self._options.aliases.items()),
            *(self._entry(name, name) for name in offered if name not in self._options.aliases),
        ]

    async def entry(self, name: str) -> dict[str, Any]:
        """Return the entry of one model, which must be there."""
        await self.find(name)
        return self._entry(name, self._options.aliases.get(name, name))

    def _entry(self, name: str, target: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": self.created,
            "owned_by": "tinker",
            "root": target,
            "max_model_len": context_tokens(self._offered.values(), target),
        }

    async def default(self) -> str:
        """Return the model that a request without a model means: the first alias, or the only base model."""
        names = list(self._options.aliases) or list(await self._base_models())
        if self._options.aliases or len(names) == 1:
            return names[0]
        raise GatewayRefusal(
            "there are several models: name one as `model`, or start the gateway with --alias",
            param="model",
            code="missing_required_parameter",
        )

    async def find(self, name: str) -> ServedModel:
        """Return the model of a name; GatewayRefusal where there is none."""
        target = self._options.aliases.get(name, name)
        if not target.startswith(SCHEME) and name == target and target not in await self._base_models(target):
            raise unknown_model(name)
        made = self._served.get(target)
        if made is None or (made.done() and (made.cancelled() or made.exception() is not None)):
            made = self._served[target] = asyncio.create_task(self._make(target))
            while len(self._served) > self._options.max_samplers:
                self._served.popitem(last=False)
        self._served.move_to_end(target)
        try:
            return await asyncio.shield(made)
        except (NotFoundError, BadRequestError, InputError) as error:
            if isinstance(error, InputError) and error.field != "model_path":
                raise
            raise unknown_model(name) from error

    @contextmanager
    def noticing_loss(self, model: ServedModel) -> Iterator[None]:
        """Make a sampler anew at its next use where the server says in the block that it knows it no more."""
        try:
            yield
        except NotFoundError:
            for target, made in list(self._served.items()):
                if made.done() and not made.cancelled() and not made.exception() and made.result() is model:
                    del self._served[target]
            raise

    async def _make(self, target: str) -> ServedModel:
        sampler = await sampler_for(self._service, target)
        base_model = await sampler.get_base_model_async()
        tokenizer = await asyncio.to_thread(sampler.get_tokenizer)
        await self._base_models()
        return ServedModel(
            sampler,
            tokenizer,
            TokenTexts(tokenizer),
            context_tokens(self._offered.values(), base_model, tokenizer.name_or_path),
            await asyncio.to_thread(answer_ends, tokenizer),
            await asyncio.to_thread(chat_stop, tokenizer),
        )

    async def _base_models(self, wanted: str | None = None) -> Mapping[str, SupportedModel]:
        """Return the base models by name, asked for anew after a while or where one is missing."""
        async with self._asking:
            if self._is_old(wanted):
                found = await self._service.get_server_capabilities_async()
                models = found.supported_models
                self._offered = {model.model_name: model for model in models if model.model_name}
                self._asked_at = time.monotonic()
        return self._offered

    def _is_old(self, wanted: str | None) -> bool:
        if self._asked_at is None:
            return True
        age_s = time.monotonic() - self._asked_at
        return age_s >= self._options.models_s or (
            wanted is not None and wanted not in self._offered and age_s > 1
        )
