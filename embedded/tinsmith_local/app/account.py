"""What the service is, its key and its cost: there is one user and no bill."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

import attrs
import orjson
from tinsmith.core.errors import TinkerError
from tinsmith_api import models
from tinsmith_api.conversion import parse_time

from tinsmith_local.app.answers import Refusal
from tinsmith_local.models.registry import ModelRegistry
from tinsmith_local.options import CONFIG_FLAGS, DYNAMIC_FLAGS, Flag
from tinsmith_local.store.checkpoint_table import CheckpointTable

if TYPE_CHECKING:
    from tinsmith_local.app.call import Call

OWNER = "local"
"""The owner of everything: the service has one user, who started it."""
TOKEN_LIFE_S = 3600
"""How long a token that replaces the key is valid, in seconds."""
MOST_USAGE = timedelta(days=14)
"""Longest period of one request for usage."""


@attrs.frozen(kw_only=True, eq=False)
class AboutEndpoints:
    """Describes the service."""

    _base_models: ModelRegistry
    _client_flags: Mapping[str, Flag]
    _max_body_bytes: int

    async def healthz(self, call: Call) -> models.HealthResponse:
        """Answer that the service runs."""
        return models.HealthResponse(status="ok")

    async def get_server_capabilities(self, call: Call) -> models.GetServerCapabilitiesResponse:
        """List the base models."""
        found = [self._model(name) for name in self._base_models.names()]
        return models.GetServerCapabilitiesResponse(supported_models=found)

    def _model(self, name: str) -> models.SupportedModel:
        """Describe a base model; one whose files are damaged is listed without its context."""
        try:
            context = self._base_models.max_context(name)
        except TinkerError:
            return models.SupportedModel(model_name=name, trainable=False, sampleable=False)
        return models.SupportedModel(
            model_name=name, trainable=True, sampleable=True, max_context_length=context
        )

    async def client_config(self, call: Call) -> models.ClientConfigResponse:
        """Return the settings of clients."""
        own = dict(CONFIG_FLAGS)
        # An image's base64 and numbers as JSON text take several bytes for each that clients count.
        own["fwdbwd_max_chunk_bytes_count"] = min(5_000_000, self._max_body_bytes // 12)
        return models.ClientConfigResponse.model_validate(self._wanted(own))

    async def client_dynamic_config(self, call: Call) -> models.ClientDynamicConfigResponse:
        """Return the settings of clients that may change while they run."""
        return models.ClientDynamicConfigResponse.model_validate(self._wanted(DYNAMIC_FLAGS))

    def _wanted(self, own: Mapping[str, Flag]) -> dict[str, Flag]:
        """Return flags, with those that the service's options change."""
        return {name: self._client_flags.get(name, value) for name, value in own.items()}


@attrs.frozen(eq=False)
class KeyTokens:
    """Tokens (JWT, HS256) that replace the key for a while."""

    _secret: bytes
    _clock: Callable[[], float]

    def issue(self) -> str:
        """Make a token."""
        now = int(self._clock())
        claims = {
            "sub": OWNER,
            "org_id": "tml:organization:local",
            "email": "",
            "iat": now,
            "exp": now + TOKEN_LIFE_S,
        }
        parts = [_coded(orjson.dumps(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        return ".".join([*parts, self._seal(".".join(parts))])

    def _seal(self, signed: str) -> str:
        """Sign the first two parts."""
        return _coded(hmac.digest(self._secret, signed.encode("utf-8", "replace"), "sha256"))

    def problem(self, token: str) -> str | None:
        """Return what is wrong with a token, or None."""
        signed, _, seal = token.rpartition(".")
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(signed).encode()):
            return "unknown token"
        middle = signed.partition(".")[2]
        claims = orjson.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        return None if self._clock() < claims["exp"] else "the token has expired"


def _coded(content: bytes) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@attrs.frozen(kw_only=True, eq=False)
class AccountEndpoints:
    """Serves the key, its tokens, and what was used."""

    _tokens: KeyTokens
    _checkpoints: CheckpointTable

    async def auth_token(self, call: Call) -> models.AuthTokenResponse:
        """Exchange the key for a token."""
        return models.AuthTokenResponse(jwt=self._tokens.issue())

    async def get_api_key(self, call: Call) -> models.ApiKeyInfo:
        """Describe the key."""
        details = models.ApiKeyDetails(
            org_details=models.ApiKeyOrgDetails(name=OWNER),
            user_details=models.ApiKeyUserDetails(email=OWNER),
        )
        return models.ApiKeyInfo(key_id=1, name="the key of this service", note="", details=details)

    async def delete_api_key(self, call: Call) -> NoReturn:
        """Refuse to delete the only key."""
        raise Refusal(403, "the only key of this service cannot be deleted")

    async def list_billing_usage_events(self, call: Call) -> models.BillingUsageResponse:
        """Answer that nothing costs anything."""
        bounds = []
        for name in ("starting_on", "ending_before"):
            try:
                when = parse_time(call.parameters[name])
            except (ValueError, OverflowError) as error:
                raise Refusal(400, "is no ISO 8601 time", field=(name,)) from error
            if (when.minute, when.second, when.microsecond) != (0, 0, 0):
                raise Refusal(400, "is not the beginning of an hour", field=(name,))
            bounds.append(when)
        if not timedelta(0) < bounds[1] - bounds[0] <= MOST_USAGE:
            reason = f"must lie after starting_on, by {MOST_USAGE.days} days at most"
            raise Refusal(400, reason, field=("ending_before",))
        return models.BillingUsageResponse(data=[])

    async def list_checkpoint_storage_usage(self, call: Call) -> models.CurrentCheckpointStorageUsageResponse:
        """Return the disk space of the checkpoints of each project."""
        wanted = call.parameters.get("project_id")
        items = [
            models.CurrentCheckpointStorageUsageItem(
                org_user_urn=OWNER,
                project_id=project,
                checkpoint_count=count,
                size_bytes=size_bytes,
                size_gigabytes=size_bytes / 1e9,
                estimated_monthly_cost_usd=0.0,
            )
            for project, count, size_bytes in self._checkpoints.stored()
            if wanted is None or wanted == project
        ]
        return models.CurrentCheckpointStorageUsageResponse(
            data=items, effective_rate_usd_per_gigabyte_month=0.0
        )

    async def list_audit_log(self, call: Call) -> models.AuditLogResponse:
        """Answer that no log is kept."""
        return models.AuditLogResponse(entries=[])
