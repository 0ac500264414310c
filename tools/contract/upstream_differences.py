"""What a program written for the official SDK finds different, and its tables in docs/migration.md.

Usage: upstream_differences.py [--check]. With --check it writes nothing and exits with 1 for a stale page.
The text around the tables is written by hand. A test holds the list against what the official SDK offers:
whatever is missing here is named by `covers`, and whatever `covers` names is missing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from tinsmith.compat.modules import OFFICIAL_VERSION

PAGE = Path(__file__).parents[2] / "docs" / "migration.md"
BEGIN = "<!-- Written by tools/contract/upstream_differences.py. Do not edit. -->"
END = "<!-- End of what is written by tools/contract/upstream_differences.py. -->"


class Difference(NamedTuple):
    """One thing that is not as in the official SDK."""

    official: str
    """What the official SDK has or does."""
    here: str
    """What there is in its place."""
    why: str = ""
    """The reason, where it does not go without saying."""
    covers: str = ""
    """What is missing for it, separated by blanks, with `*` for any text: modules, `module:name`,
    `Class.method`, `Class.method(argument)`, `Value.field`."""


BEHAVIOUR: tuple[Difference, ...] = (
    Difference(
        "`ServiceClient()` opens a session, in the constructor",
        "the session opens with the first model or sampler",
        "listing runs, or asking what a server offers, needs none",
    ),
    Difference(
        "`ServiceClient(**kwargs)` takes a misspelt argument with a warning",
        "each setting is a named, keyword-only argument; any other name is a TypeError",
        "a misspelt name is found where it is written",
    ),
    Difference(
        "the sampling methods return a plain `concurrent.futures.Future` in older releases",
        "every method returns an `APIFuture`: it is one, and can be awaited from any loop",
        "one kind of future",
    ),
    Difference(
        "`result_async(timeout)` cancels the request when the time is over",
        "only `cancel()` cancels; a later `result()` can still succeed",
        "a timeout ends your waiting, not the request",
    ),
    Difference(
        "after a rejected call every later call on that model waits for ever",
        "the call raises, and the next call is sent with its number",
        "a server that waits for a missing number would wait for ever",
    ),
    Difference(
        "an `optim_step` behind a failed chunk runs without its gradient",
        "nothing is sent behind a failed submission; a chunk that fails later gives `PartialBatchError`",
        "a step on part of a batch must not look like success",
    ),
    Difference(
        "a request whose answer was lost is sent again until an answer comes",
        "it is sent again with the same bytes and number, a limited number of times; then an error says"
        " `applied: no`, `yes` or `unknown`",
        "nothing is applied twice, nothing is lost silently",
    ),
    Difference(
        "a 4xx while polling is a bare `ValueError`", "`RequestFailedError`", "all errors are `TinkerError`s"
    ),
    Difference(
        "bad data is found by the server",
        "`InputError` (also a `ValueError`) before sending; it names the datum and the field",
        "the other requests of the loop are not disturbed",
    ),
    Difference(
        "`forward_backward([])` sends nothing and returns an empty result in older releases",
        "an `InputError`",
        "later releases refuse it too",
    ),
    Difference(
        "telemetry on unless switched off",
        "off unless `TINKER_TELEMETRY=1` or `telemetry=True`; `DO_NOT_TRACK=1` wins",
        "what your program does is your affair",
    ),
    Difference(
        "any key is sent in older releases",
        "a key starts with `tml-` (or is a JWT, `eyJ`); `require_key_prefix=False` or"
        " `TINSMITH_ANY_KEY=1` for"
        " servers with other keys",
        "a key of another service does not leave the machine",
    ),
    Difference(
        "after a 429, a sample is sent again each second, for ever",
        "it is sent again as `Retry-After` says, otherwise after a growing, random pause, for five minutes",
        "the server knows best when it has room",
    ),
    Difference(
        "a training future can wait for ever",
        "after 120 minutes without any progress the future fails; a new one can be attached to the request",
        "nothing hangs",
    ),
    Difference(
        "at the end of the process, requests in flight are dropped",
        "the process waits for them, or says on stderr how many have no answer",
    ),
    Difference(
        "archives of checkpoints are unpacked without checks",
        "links, devices and paths out of the folder are refused; the folder appears whole or not at all",
        "archives come from other people",
    ),
    Difference(
        "`get_tokenizer()` needs transformers",
        '`tinsmith.Tokenizer`, our own over `tokenizers`; `get_tokenizer(backend="transformers")` where'
        " that is"
        " wanted",
        "the base install stays small",
    ),
)
"""How the same calls behave."""

VALUES: tuple[Difference, ...] = (
    Difference(
        "values are dataclasses or pydantic models",
        "frozen attrs classes with the same fields; `dataclasses.replace` and `asdict`, `model_dump` and"
        " `model_copy` take them, and `attrs.evolve` and `attrs.asdict` do the same",
        "pydantic would check each token",
        "DmelChunk.*_dmel ImageChunk.*_data",
    ),
    Difference(
        "`dataclasses.replace(datum, ...)`",
        "works on every value; type checkers know its other name, `attrs.evolve`",
        "values are attrs classes",
    ),
    Difference(
        "`model_copy(update=...)` takes anything",
        "fields are checked as in the constructor, and a name that is no field is refused",
        "a misspelt `sed=3` is found",
    ),
    Difference(
        "`SamplingParams(foo=1)` and `SamplingParams.model_validate({'foo': 1})` are taken",
        "refused by name; answers of servers keep what is not known",
        "the same",
    ),
    Difference(
        "`model_dump(exclude_unset=True)`",
        "`exclude_defaults=True`",
        "a value does not remember which fields were given",
    ),
    Difference(
        "`SamplingParams(max_tokens=True)` and `temperature='nan'` are taken",
        "refused; other numbers may be texts or whole floats (`'1e-5'`, `16.0`), as there",
        "`True` and `nan` are mistakes here",
    ),
    Difference(
        "`SampledSequence.tokens_np`, `SampleResponse.prompt_logprobs_np` and the like",
        "`tokens`, `logprobs`, `topk_logprobs`, `prompt_logprobs`, `topk_prompt_logprobs`: lists",
        "results are kept as bytes, and become lists when they are read",
        "SampledSequence.*_np SampleResponse.*_np",
    ),
    Difference(
        "nested lists as loss inputs, where all rows are of one length",
        "an `InputError` that asks for an array; flat lists are taken",
        "a list of lists needs a Python object for each number",
    ),
    Difference(
        "`TopkLogprobs` holds two matrices",
        "a list for each position, of `(token, logprob)` pairs",
        covers="tinker.types.topk_logprobs:*",
    ),
    Difference(
        "`BillingUsageEvent.event_info` is one class of five",
        "one class, `BillingEventInfo`, with the fields of all; the five names are names of this class",
    ),
    Difference(
        "the kinds of a session's status are classes (`SessionActive`, `SessionFailed` ...)",
        "one class, `SessionStatus`, with the fields of all",
        covers="tinker.types*:Session*ed* tinker.types*:SessionActive tinker.types*:ClientSessionFinish*",
    ),
    Difference(
        "request objects of the official SDK's own calls",
        "not needed: the methods take the arguments, and `service.raw` the generated models",
        covers="tinker.types*:GetBillingUsageRequest tinker.types*:GetCurrentCheckpointStorageUsageRequest"
        " tinker.types.billing_usage_request tinker.types.current_checkpoint_storage_usage_request"
        " tinker.types*:FutureFailed tinker.types*:FutureFinished tinker.types*:CustomLossInputRank"
        " tinker.types*:OptimParamsBase tinker.types*:OptimizerConfigBase *Request.*",
    ),
)
"""Values and their fields."""

CALLS: tuple[Difference, ...] = (
    Difference("most `*_async` twins are deprecated", "each method keeps its twin"),
    Difference(
        "`create_training_client_from_state(path, base_model, ...)`",
        "`user_metadata` stays second, as in 0.6.3; `base_model=` by keyword",
    ),
    Difference(
        "`close()` needs a status and returns a future",
        "the status may be left out; it returns when all is closed, and what it returns can be awaited",
    ),
    Difference(
        "`create_custom_loss`, `LossHandle`, `PerDatumLossFn`: a loss as a graph that the server runs",
        "`forward_backward_custom`, with torch, autograd, jax or numpy on this side;"
        " `service.raw.create_custom_loss`"
        " sends a graph",
        "no server that can be tried runs them",
        "ServiceClient.create_custom_loss tinker:LossHandle tinker:PerDatumLossFn LossHandle"
        " tinker.lib.public_interfaces:LossHandle tinker.lib.public_interfaces:PerDatumLossFn"
        " tinker.lib.public_interfaces.custom_loss",
    ),
    Difference(
        "`get_sampler_handle()`, `from_sampler_handle()`: a text that opens the same sampler elsewhere",
        "`pickle` a SamplingClient, or `create_sampling_client(model_path=...)`",
        "",
        "SamplingClient.get_sampler_handle SamplingClient.from_sampler_handle",
    ),
    Difference(
        "`get_console_url()`",
        "none: the address belongs to the hosted service",
        "",
        "*.get_console_url *.get_playground_url tinker.lib.console_urls",
    ),
    Difference(
        "`RestClient.get_server_capabilities()`",
        "`ServiceClient.get_server_capabilities()`",
        "",
        "RestClient.get_server_capabilities",
    ),
    Difference(
        "the constructors of TrainingClient and SamplingClient take the holder",
        "the `create_*` methods make them",
        "they are not meant to be made by programs",
        "SamplingClient.__init__(*) TrainingClient.__init__(*)",
    ),
    Difference(
        "`default_headers_overrides=` of ServiceClient",
        "`default_headers=`: they win over our own but those of the key",
        "",
        "ServiceClient.__init__(default_headers_overrides)",
    ),
    Difference(
        "`on_queue_state_change(state, reason)` of a client may be overridden",
        "`ServiceClient.add_observer(callable)`",
        "",
        "SamplingClient.on_queue_state_change(queue_state_reason)",
    ),
    Difference(
        "`AdminClient`",
        "the same as `RestClient`, which has its methods",
    ),
    Difference(
        "`AwaitableConcurrentFuture(future)` wraps a `concurrent.futures.Future`",
        "an `APIFuture` is one, and is made by calls alone",
        "",
        "AwaitableConcurrentFuture.*",
    ),
    Difference(
        "sampling fields that this version does not know",
        "a keyword that nobody knows is a TypeError; what a server adds to answers is kept in `extra`",
    ),
)
"""Methods and arguments."""

MODULES: tuple[Difference, ...] = (
    Difference(
        "`tinker.proto`",
        "refused, with an explanation: our protobuf messages have other names",
        "two definitions of one message in a process collide",
        "tinker.proto*",
    ),
    Difference(
        "`tinker._client.AsyncTinker`",
        "the calls of its resources, each sent by `ServiceClient.raw`; no raw or streamed responses",
        "",
        "tinker._client:* tinker.resources*:*WithRawResponse tinker:APIResponse tinker:AsyncAPIResponse",
    ),
    Difference(
        "`holder.aclient(pool)` and the rest of `InternalClientHolder`",
        "`AsyncTinker` or `service.raw` for raw calls; the holder has the session, the numbers and `close()`",
        "connections are chosen for each request",
        "tinker.lib.internal_client_holder:* tinker.lib.async_tinker_provider",
    ),
    Difference(
        "modules of the SDK's own machinery: HTTP, pydantic, retries, key exchange, telemetry",
        "none; `RetryConfig`, `service.raw`, `add_observer` and `APIFuture.from_request_id` are what"
        " programs use",
        "they are private parts of the SDK",
        "tinker._base_client tinker._constants tinker._files tinker._models tinker._qs tinker._resource"
        " tinker._response tinker._streaming tinker._types:* tinker._utils* tinker._compat:*"
        " tinker.lib._auth_token_provider tinker.lib._jwt_auth tinker.lib._pydantic_conv"
        " tinker.lib.backcompat_concurrent_future tinker.lib.credentials tinker.lib.queue_state_logger"
        " tinker.lib.retryable_exception tinker.lib.sdk_method tinker.lib.session_futures_poller"
        " tinker.lib.sync_only tinker.lib.telemetry:* tinker.lib.telemetry_provider"
        " tinker.lib.retry_handler:*"
        " tinker.lib.experimental:* tinker.lib.chunked_fwdbwd_helpers:* tinker.types._tensor_container"
        " tinker.types._torch_utils tinker.lib.public_interfaces.rest_client_common"
        " tinker.lib.public_interfaces.training_client:*",
    ),
    Difference(
        "`BackcompatTrainingClientFuture`, `BackcompatSamplingClientFuture`",
        "the clients themselves: a client is the future of itself",
        "",
        "Backcompat*.*",
    ),
    Difference(
        "modules of the official command line",
        "`python -m tinker.cli` runs ours; see cli.md",
        "",
        "tinker.cli.*",
    ),
)
"""Modules and their names."""

SECTIONS: tuple[tuple[str, tuple[Difference, ...]], ...] = (
    ("The same call, another behaviour", BEHAVIOUR),
    ("Values", VALUES),
    ("Methods and arguments", CALLS),
    ("Modules", MODULES),
)
"""The tables of docs/migration.md: title, and its rows."""


def render(page: str) -> str:
    """Return the page with its tables written anew."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{PAGE.name} has no place for the tables: {BEGIN} ... {END}")
    parts = [f"{BEGIN}\n"]
    for title, rows in SECTIONS:
        parts += [f"### {title}\n", f"| official {OFFICIAL_VERSION} | here | why |", "|---|---|---|"]
        parts += [f"| {row.official} | {row.here} | {row.why} |" for row in rows]
        parts.append("")
    return "".join([before, "\n".join(parts), "\n", END, after])


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = render(page)
    if "--check" not in arguments:
        PAGE.write_text(wanted, encoding="utf-8")
    elif page != wanted:
        sys.stderr.write(f"{PAGE.name} is stale: run make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
