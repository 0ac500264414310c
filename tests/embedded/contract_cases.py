"""What the two fuzz runs share: the contract bound to a late app, and the check of one case."""

import copy
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from tinsmith.contract.bodies import parameters_of, smallest_body
from tinsmith.contract.document import Operation, shipped
from tinsmith_local.app.contract import Contract, document

from tests.embedded.app.caller import TEXT, Caller, datum

if TYPE_CHECKING:
    Case = schemathesis.Case[Any]

ROOT = Path(__file__).parents[2]
#: Stands in schemathesis.toml too.
TOKEN = "tml-fuzz"


class LateApp:
    """The app of a service that is started when the tests run, not when they are collected."""

    caller: Caller
    names: dict[str, Any]
    """What exists now, by the names that fields and parameters give it."""
    statuses: dict[str, set[int]]
    """The statuses that each operation has answered."""
    tried: set[str]
    """Operations whose smallest request was sent."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass everything on, and keep by operation what was answered."""
        op = shipped().operation_of(scope["method"], scope["path"])

        async def counted(message: Any) -> None:
            if op is not None and message["type"] == "http.response.start":
                self.statuses.setdefault(op.id, set()).add(message["status"])
            await send(message)

        await self.caller.service.app(scope, receive, counted)

    def start(self, directory: Path) -> None:
        """Start a service whose waits are short."""
        self.statuses, self.names, self.tried = {}, {}, set()
        self.caller = Caller.on(directory, token=TOKEN, hold_s=0.01, gap_wait_s=0.01)
        self.caller.use_key(TOKEN)

    def renew(self, op: Operation) -> None:
        """Make one of each kind of thing; cases of earlier operations may have ended what there was."""
        made = self.caller
        session = made.session()
        model = made.model(session)
        kind = "external_weights" if op.id == "get_external_weights_urls" else "sampler_weights"
        saved = made.ok("save_weights", model_id=model, path="a")["request_id"]
        path = made.result(saved)["path"]
        sampled = made.done("save_weights_for_sampler", model_id=model, path="a")["path"]
        made.done("save_weights_external", model_id=model, path="a")
        if op.id == "unpublish_checkpoint":
            made.send("POST", f"training_runs/{model}/checkpoints/{kind}/a/publish")
        number = {"session_id": session, "sampling_session_seq_id": 0}
        sampler = made.ok("create_sampling_session", **number, model_path=sampled)["sampling_session_id"]
        batch = {"data": [datum()], "loss_fn": "cross_entropy"}
        self.names = {
            "session_id": session,
            "model_id": model,
            "training_run_id": model,
            "sampler_id": sampler,
            "sampling_session_id": sampler,
            "base_model": "tinsmith/tiny",
            "model_path": path if op.id == "load_weights" else sampled,
            "path": path if op.id == "load_weights" else "b",
            "tinker_path": path,
            "source_path": path,
            "checkpoint_kind": kind,
            "checkpoint_name": "a",
            "request_id": saved,
            "target": {"sampling_session_id": sampler},
            "forward_input": batch,
            "forward_backward_input": batch,
            "prompt": {"chunks": [{"type": "encoded_text", "tokens": list(TEXT)}]},
            "model_seq_id": 7,
            "sampling_session_seq_id": 7,
            "seq_id": 0,
            "timeout": 0,
        }


APP = LateApp()
REFUSED = {
    "delete_api_key": "the service has one key alone",
    "create_custom_loss": "losses are not compiled here",
}
"""Operations that the embedded service has and never serves, with the reason."""


def served_here(*, text_only: bool) -> dict[str, Any]:
    """Return the contract as this server's; with `text_only` every chunk is text."""
    found = copy.deepcopy(document())
    found["servers"] = [{"url": "/"}]
    if text_only:
        found["components"]["schemas"]["ModelInputChunk"] = {"$ref": "#/components/schemas/EncodedTextChunk"}
    return found


def each_operation(
    make: Callable[[], Callable[..., None]], *, text_only: bool = False, **generation: Any
) -> dict[str, Any]:
    """Return one test for each operation; parallel runs tell tests apart by their names."""
    config = SchemathesisConfig.from_path(ROOT / "schemathesis.toml")
    config.projects.default.generation.update(**generation)
    schema = schemathesis.openapi.from_dict(served_here(text_only=text_only), config=config)
    schema.app = APP
    found: dict[str, Any] = {}
    for operation_id in Contract().ids():
        test = make()
        test.__name__ = test.__qualname__ = f"test_{operation_id}"
        found[test.__name__] = schema.include(operation_id=operation_id).parametrize()(test)
    return found


def hold_to_the_contract(case: "Case") -> None:
    """Send a case and make all checks; half of those with valid data speak of things that exist.

    The first of these is the smallest request that the contract takes, and must be served.
    """
    op = shipped().operations[case.operation.definition.raw["operationId"]]
    valid = case.meta is not None and case.meta.generation.mode.is_positive
    is_first = valid and op.id not in APP.tried
    if is_first:
        APP.renew(op)
        APP.tried.add(op.id)
        case.path_parameters = parameters_of(shipped(), op, APP.names, "path")
        case.query = parameters_of(shipped(), op, APP.names, "query")
        if op.takes_body:
            case.body = smallest_body(shipped(), op, APP.names)
    elif valid and zlib.crc32(repr((case.body, case.path_parameters)).encode()) % 2 == 0:
        for holder in (case.body, case.path_parameters):
            if isinstance(holder, dict):
                there = {
                    key: APP.names[key] for key in holder if key in APP.names and holder[key] is not None
                }
                holder.update(there)
    answer = case.call_and_validate()
    if is_first and op.id not in REFUSED:
        assert answer.status_code < 400, (op.id, answer.status_code, answer.text)
