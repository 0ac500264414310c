"""Keys, cost and audit: a service with one user and no bill answers honestly and briefly."""

import base64
import hmac
from datetime import timedelta

import orjson
from tinsmith_api.conversion import parse_time

from tinsmith_local.service import Service

from .answer import Answer
from .call import Call
from .refusal import Refusal
from .runs import OWNER

#: Life of a token that stands for the key.
TOKEN_LIFE_S = 3600

#: The longest stretch of one question for what was used.
MOST_USAGE = timedelta(days=14)


def _coded(content: bytes) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


async def auth_token(service: Service, call: Call) -> Answer:
    """Exchange the key for a token."""
    del call
    now = int(service.clock())
    head = _coded(orjson.dumps({"alg": "HS256", "typ": "JWT"}))
    claims = {
        "sub": OWNER,
        "org_id": "tml:organization:local",
        "email": "",
        "iat": now,
        "exp": now + TOKEN_LIFE_S,
    }
    signed = f"{head}.{_coded(orjson.dumps(claims))}"
    return Answer({"jwt": f"{signed}.{_coded(hmac.digest(service.secret, signed.encode(), 'sha256'))}"})


def token_problem(service: Service, token: str) -> str | None:
    """Return what is wrong with a token, or None."""
    signed, _, seal = token.rpartition(".")
    expected = _coded(hmac.digest(service.secret, signed.encode("utf-8", "replace"), "sha256"))
    if not hmac.compare_digest(seal.encode("utf-8", "replace"), expected.encode()):
        return "unknown token"
    middle = signed.partition(".")[2]
    claims = orjson.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return None if service.clock() < claims["exp"] else "the token has expired"


async def get_api_key(service: Service, call: Call) -> Answer:
    """Describe the key."""
    del service, call
    return Answer(
        {
            "key_id": 1,
            "name": "the key of this service",
            "note": "",
            "details": {"org_details": {"name": "local"}, "user_details": {"email": OWNER}},
        }
    )


async def delete_api_key(service: Service, call: Call) -> Answer:
    """Refuse to take away the only key."""
    del service, call
    raise Refusal(403, "the only key of this service cannot be deleted")


async def list_billing_usage_events(service: Service, call: Call) -> Answer:
    """Say that nothing costs anything."""
    del service
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
    return Answer({"data": [], "sessions": {}, "cost_data_through": None})


async def list_checkpoint_storage_usage(service: Service, call: Call) -> Answer:
    """Say how much the checkpoints of each project take."""
    wanted = call.parameters.get("project_id")
    items = [
        {
            "org_user_urn": OWNER,
            "project_id": project,
            "checkpoint_count": count,
            "size_bytes": size_bytes,
            "size_gigabytes": size_bytes / 1e9,
            "estimated_monthly_cost_usd": 0.0,
        }
        for project, count, size_bytes in service.checkpoints.stored()
        if wanted is None or wanted == project
    ]
    return Answer({"data": items, "effective_rate_usd_per_gigabyte_month": 0.0})


async def list_audit_log(service: Service, call: Call) -> Answer:
    """Say that no log is kept."""
    del service, call
    return Answer({"entries": []})


async def create_custom_loss(service: Service, call: Call) -> Answer:
    """Refuse: custom losses run at the client here."""
    del service, call
    raise Refusal(400, "losses are not compiled here; use forward_backward_custom", field=("graph",))
