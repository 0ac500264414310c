"""What the two fuzz runs share: the contract bound to a late app, and the check of one case."""

import copy
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from tinsmith.local.app.contract import Contract, document

from tests.local.app.caller import Caller

if TYPE_CHECKING:
    Case = schemathesis.Case[Any]

ROOT = Path(__file__).parents[2]
#: Stands in schemathesis.toml too.
TOKEN = "tml-fuzz"


class LateApp:
    """The app of a service that is started when the tests run, not when they are collected."""

    caller: Caller
    names: dict[str, str]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass everything on."""
        await self.caller.running.app(scope, receive, send)

    def start(self, directory: Path) -> None:
        """Start a service whose waits are short, with one of each kind of thing in it."""
        waits = {"hold_s": 0.01, "gap_wait_s": 0.01}
        made = Caller.on(directory, **waits)
        session = made.session()
        model = made.model(session)
        path = made.done("save_weights", model_id=model, seq_id=1, path="a")["path"]
        number = {"session_id": session, "sampling_session_seq_id": 0}
        sampler = made.ok("create_sampling_session", **number, model_path=path)["sampling_session_id"]
        made.close()
        self.caller = Caller.on(directory, token=TOKEN, **waits)
        self.names = {
            "session_id": session,
            "model_id": model,
            "training_run_id": model,
            "sampler_id": sampler,
            "sampling_session_id": sampler,
            "base_model": "tinsmith/tiny",
            "model_path": path,
            "tinker_path": path,
            "source_path": path,
            "checkpoint_kind": "weights",
            "checkpoint_name": "a",
        }


APP = LateApp()


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
    """Send a case and make all checks; half of those with valid data speak of things that exist."""
    valid = case.meta is not None and case.meta.generation.mode.is_positive
    if valid and zlib.crc32(repr((case.body, case.path_parameters)).encode()) % 2 == 0:
        for holder in (case.body, case.path_parameters):
            if isinstance(holder, dict):
                there = {
                    key: APP.names[key] for key in holder if key in APP.names and holder[key] is not None
                }
                holder.update(there)
    case.call_and_validate()
