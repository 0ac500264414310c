"""The error tree. Owns every exception class of the package; builds none from a wire answer (see `failures`).

    TinkerError
      APIError
        APIResponseValidationError      the answer is not what the contract says
        APIStatusError                  4xx and 5xx: BadRequest, Authentication, Billing,
                                        PermissionDenied, NotFound, Conflict,
                                        UnprocessableEntity, RateLimit, InternalServer
        APIConnectionError              no answer: APITimeoutError, ProgressTimeoutError
      RequestFailedError                the promise ended in failure
      InputError (ValueError)           the caller's input, found before sending: BodyTooLarge
      SessionLostError, ModelLostError, ResultLostError
      PartialBatchError, ClientPoisonedError, ClosedError, UnsafeArchiveError
      MissingExtraError (ImportError), MissingModelError
    ServerWarning (UserWarning)         what a user should know of a server before it matters

Every error carries `request_id, model_id, seq_id, attempts, elapsed_s, applied`, and pickles.
"""

from __future__ import annotations

from typing import Any, Unpack

from tinsmith_api.errors import Applied as Applied
from tinsmith_api.errors import ErrorFacts as ErrorFacts
from tinsmith_api.errors import InputError as InputError
from tinsmith_api.errors import OutcomeFacts as OutcomeFacts
from tinsmith_api.errors import RequestErrorCategory as RequestErrorCategory
from tinsmith_api.errors import RequestFailedError as RequestFailedError
from tinsmith_api.errors import TinkerError as TinkerError


class APIError(TinkerError):
    """The exchange with the server went wrong. The classes below say how.

    Applied: as the classes below say.
    Do: catch it to treat refusals and lost connections alike.
    """

    def __init__(
        self, message: str, request: object = None, *, body: object = None, **facts: Unpack[ErrorFacts]
    ) -> None:
        super().__init__(message, **facts)
        self.request = request
        self.body = body

    def _state(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state["request"] = None
        if "response" in state:
            state["response"] = None
        return state


class APIResponseValidationError(APIError):
    """An answer that is not what the contract promises: broken JSON, HTML, a missing field.

    Applied: `unknown` for a submission, and `yes` for a result that cannot be read; None for a read.
    Do: check that the address is that of the API and not that of a proxy; `tinsmith contract check` tests a
    server.
    """

    def __init__(
        self,
        response: object = None,
        body: object = None,
        *,
        message: str = "The server's answer is not valid.",
        status_code: int | None = None,
        **facts: Unpack[ErrorFacts],
    ) -> None:
        super().__init__(message, body=body, **facts)
        self.response = response
        self.status_code = status_code if status_code is not None else getattr(response, "status_code", 0)


class APIStatusError(APIError):
    """The server answered with an error status, or with a redirect that is not followed.

    Applied: `no` for a refusal of a request that was not sent before; otherwise `unknown`.
    Do: read `status_code` and the message, which quotes the server.
    """

    status_code: int = 0
    """The status; the classes of single statuses have it too."""

    def __init__(
        self,
        message: str,
        *,
        response: object = None,
        body: object = None,
        status_code: int | None = None,
        retry_after_s: float | None = None,
        **facts: Unpack[ErrorFacts],
    ) -> None:
        super().__init__(message, getattr(response, "request", None), body=body, **facts)
        self.response = response
        if status_code is None:
            status_code = getattr(response, "status_code", None)
        if status_code is not None:
            self.status_code = status_code
        self.retry_after_s = retry_after_s
        """Seconds that the server asked to wait, if it did."""


class BadRequestError(APIStatusError):
    """400: the server cannot read the request, or refuses a value in it.

    Applied: `no`; `unknown` if an earlier attempt may have arrived.
    Do: correct what the message names.
    """

    status_code: int = 400


class AuthenticationError(APIStatusError):
    """401: the key is missing or wrong.

    Applied: `no`; `unknown` if the key was refused while the result was polled for.
    Do: set TINKER_API_KEY, or TINKER_CREDENTIAL_CMD. A client with a good key fetches the result by its
    request id.
    """

    status_code: int = 401


class BillingError(APIStatusError):
    """402: the account cannot pay at the moment. Training, samples and polls wait for an hour first.

    Applied: `no` for a submission, `unknown` for a poll.
    Do: pay, and call again; `APIFuture.from_request_id` waits on for a result that was polled for.
    """

    status_code: int = 402


class PermissionDeniedError(APIStatusError):
    """403: the key is valid, but may not do this.

    Applied: `no`; `unknown` if a poll was refused.
    Do: use a key of the project or of the owner.
    """

    status_code: int = 403


class NotFoundError(APIStatusError):
    """404: no such run, checkpoint or session, or the server has no such operation.

    Applied: `no`.
    Do: check the path; docs/servers.md says what each server lacks.
    """

    status_code: int = 404


class ConflictError(APIStatusError):
    """409: the name is taken, or the number of the request is not the expected one.

    Applied: `no` if a name was taken; `unknown` if the answer proves nothing (docs/retries.md, "What a
    409 proves").
    Do: choose another name; after `unknown` load a checkpoint into a new client.
    """

    status_code: int = 409


class UnprocessableEntityError(APIStatusError):
    """422: a field of the request has a value that the server does not accept.

    Applied: `no`.
    Do: correct the field that the message names.
    """

    status_code: int = 422


class RateLimitError(APIStatusError):
    """429: too many requests, for longer than the retries last.

    Applied: `no`: the server did not accept the request.
    Do: wait `retry_after_s`, and send fewer requests at a time.
    """

    status_code: int = 429


class InternalServerError(APIStatusError):
    """500 and above: the server or a proxy failed, and the retries are used up.

    Applied: `unknown`; `no` for 501 and 505.
    Do: after `no` call again; after `unknown` load a checkpoint into a new client.
    """


class APIConnectionError(APIError):
    """No answer came: refused, reset, name not found, TLS.

    Applied: `no` if nothing was sent; otherwise `unknown`.
    Do: check the address and the network; the message says which of these it was.
    """

    def __init__(
        self, message: str = "Connection error.", *, request: object = None, **facts: Unpack[ErrorFacts]
    ) -> None:
        super().__init__(message, request, **facts)


class APITimeoutError(APIConnectionError):
    """No answer came in time (`Timeouts`), and the retries are used up.

    Applied: `no` if the server was never reached; otherwise `unknown`.
    Do: raise the limit that the message names; after `unknown` load a checkpoint into a new client.
    """

    def __init__(
        self, request: object = None, *, message: str = "Request timed out.", **facts: Unpack[ErrorFacts]
    ) -> None:
        super().__init__(message, request=request, **facts)


class ProgressTimeoutError(APIConnectionError):
    """A promise made no progress for the whole progress timeout, two hours by default.

    Applied: `unknown`: the server may still work on it.
    Do: wait on with `APIFuture.from_request_id`, or raise `progress_timeout_s`.
    """


class BodyTooLargeError(InputError):
    """A compressed body holds more than the reader allows.

    Applied: `no`.
    Do: find out who sent it: no batch is a small body that unpacks to gigabytes.
    """

    def __init__(self, limit_bytes: int, **facts: Unpack[ErrorFacts]) -> None:
        super().__init__(f"holds more than {limit_bytes} bytes", field="body", **facts)
        self.limit_bytes = limit_bytes
        """How many bytes the reader allows."""


class SessionLostError(TinkerError):
    """The server no longer knows the session.

    Applied: `unknown` for what was in flight.
    Do: make a new ServiceClient, and load from a checkpoint.
    """


class ModelLostError(TinkerError):
    """The server no longer knows the model, or counts its requests differently.

    Applied: `unknown`, unless the server's answer proves `yes` or `no`.
    Do: restore from `checkpoint` with `create_training_client_from_state_with_optimizer`; where a sample
    failed so, sample a checkpoint for training, as the message says.
    """

    def __init__(
        self,
        message: str,
        *,
        checkpoint: str | None = None,
        advice: str | None = None,
        **facts: Unpack[ErrorFacts],
    ) -> None:
        hint = f"Restore from {checkpoint}." if checkpoint else "No checkpoint was saved by this client."
        super().__init__(f"{message} {advice or hint}", **facts)
        self.checkpoint = checkpoint
        """The last checkpoint that this client saved or loaded."""


class ResultLostError(TinkerError):
    """The request was applied, but its result is lost.

    Applied: `yes`; `unknown` on a server that does not deduplicate.
    Do: go on without the result: the gradient or the step is on the server. Do not call it again.
    """


class PartialBatchError(TinkerError):
    """Some chunks of a batch were applied and some were not, or an optim_step followed such a batch.

    Applied: `unknown` for the batch; for the optim_step `no` if it was not sent, `yes` if it was applied.
    Do: after `no` call the batch again; otherwise load a checkpoint into a new client.
    """

    def __init__(
        self,
        message: str,
        *,
        chunks_applied: tuple[int, ...] = (),
        chunks_failed: tuple[int, ...] = (),
        **facts: Unpack[ErrorFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.chunks_applied = chunks_applied
        """Positions of the chunks, from 0, whose gradients are on the server."""
        self.chunks_failed = chunks_failed
        """Positions of the chunks, from 0, that failed or were never sent."""


class ClientPoisonedError(TinkerError):
    """An earlier request left the model in an unknown state, so this client sends nothing more.

    Applied: `no`: this request was not sent. `__cause__` is the error of the earlier one.
    Do: load a checkpoint into a new client.
    """


class ClosedError(TinkerError):
    """The client was closed, or the process was forked after the client was made.

    Applied: `no` if the request was not sent; `unknown` if it was in flight.
    Do: make a new ServiceClient, in the process that uses it.
    """


class UnsafeArchiveError(TinkerError):
    """A downloaded archive is damaged, or has entries that no checkpoint has; nothing of it was kept.

    Applied: None: downloading changes nothing.
    Do: download it again; if it is refused again, do not trust its source.
    """


class MissingExtraError(TinkerError, ImportError):
    """An optional dependency is not installed; the message names the extra.

    Applied: None: nothing was sent.
    Do: install the extra that the message names.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra tinsmith[{extra}]; in a checkout: pip install '.[{extra}]'")
        self.extra = extra


class MissingModelError(TinkerError):
    """A base model is known but its files are not here; the message names the command that brings them.

    Applied: None: nothing was sent.
    Do: run that command, `tinsmith model fetch`, or name a directory with `models=`.
    """


class ServerWarning(UserWarning):
    """What a user should know of a server before it matters; shown without logging being configured.

    Applied: None: it is a warning, and the call goes on.
    Do: read it once; `warnings.filterwarnings("ignore", category=tinsmith.ServerWarning)` hides it.
    """
