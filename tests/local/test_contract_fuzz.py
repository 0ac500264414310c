"""schemathesis: every operation of the contract, all checks, against the app; no failure and no 500."""

import copy
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from tinsmith.local.app.contract import document

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


APP = LateApp()


@pytest.fixture(scope="module", autouse=True)
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A service whose waits are short, with a session, a model, a checkpoint and a sampler in it."""
    waits = {"hold_s": 0.01, "gap_wait_s": 0.01}
    made = Caller.on(tmp_path_factory.mktemp("fuzz"), **waits)
    session = made.session()
    model = made.model(session)
    path = made.done("save_weights", model_id=model, seq_id=1, path="a")["path"]
    number = {"session_id": session, "sampling_session_seq_id": 0}
    sampler = made.ok("create_sampling_session", **number, model_path=path)["sampling_session_id"]
    directory = made.service.options.data_dir
    made.close()
    APP.caller = Caller.on(directory, token=TOKEN, **waits)
    APP.names = {
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
    yield
    APP.caller.close()


def served_here(*, text_only: bool = False) -> dict[str, Any]:
    """Return the contract as this server's; with `text_only` every chunk is text.

    schemathesis cannot always negate a union inside an array, and then ends with an error of its own. The
    short run, which repeats itself exactly, has the union; the long one, which does not, has text.
    """
    found = copy.deepcopy(document())
    found["servers"] = [{"url": "/"}]
    if text_only:
        found["components"]["schemas"]["ModelInputChunk"] = {"$ref": "#/components/schemas/EncodedTextChunk"}
    return found


def contract(*, text_only: bool = False, **generation: Any) -> schemathesis.BaseSchema:
    """Read the contract and bind it to the app."""
    config = SchemathesisConfig.from_path(ROOT / "schemathesis.toml")
    config.projects.default.generation.update(**generation)
    schema = schemathesis.openapi.from_dict(served_here(text_only=text_only), config=config)
    schema.app = APP
    return schema


def name_what_is_there(case: "Case") -> None:
    """Put the names of existing things into valid data, so that it gets further than 404."""
    for holder in (case.body, case.path_parameters):
        if isinstance(holder, dict):
            holder.update(
                {key: APP.names[key] for key in holder if key in APP.names and holder[key] is not None}
            )


def some(case: "Case") -> bool:
    """Pick half of the cases with valid data, the same ones in every run."""
    valid = case.meta is not None and case.meta.generation.mode.is_positive
    return valid and zlib.crc32(repr((case.body, case.path_parameters)).encode()) % 2 == 0


@contract().parametrize()
def test_every_operation_keeps_the_contract(case: "Case") -> None:
    """Valid data is served or refused for a reason, invalid data is refused, answers fit their schema."""
    if some(case):
        name_what_is_there(case)
    case.call_and_validate()


@pytest.mark.long
@pytest.mark.timeout(3600)
@contract(text_only=True, max_examples=200, deterministic=False).parametrize()
def test_every_operation_keeps_the_contract_for_long(case: "Case") -> None:
    """Many examples: `make fuzz`."""
    if some(case):
        name_what_is_there(case)
    case.call_and_validate()
