"""Walks through a server as a training run does, makes what it needs, and deletes what it made.

Each step sends what the contract requires, with the ids that earlier answers brought. A request that needs an
id that is missing is left out. The answers are judged afterwards, from the traffic.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from tinsmith.contract import bodies
from tinsmith.contract.bodies import OTHER_TOKENS, TOKENS, parameters_of, smallest_body, unknown_ids
from tinsmith.contract.exchange import UNKNOWN, WRONG_KEY, Exchange
from tinsmith.contract.probe import greet, ids_in
from tinsmith.contract.recorder import SilentError
from tinsmith.contract.traffic import WAITS, field_of, outcome, text_of
from tinsmith.core import __version__

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tinsmith.contract.document import Json
    from tinsmith.contract.recorder import Recorder
    from tinsmith.core.codec.wire import Encoding

TTL_S = 3600
"""Seconds of life that a checkpoint of the check is given, and has at most if it cannot be deleted."""

PAUSE_S = 0.05
"""Seconds between two polls of a server that answers at once instead of holding them."""

EARLY_POLL_S = 3.0
"""Seconds that the poll of a request that came too early may take: a server that waits for the missing number
holds it."""

LONG_SAMPLE_TOKENS = 64
"""Tokens of the sample that is cancelled: enough to be still at work."""

HEARTBEAT_S = 10.0
"""Seconds between two heartbeats, as clients send them."""

HURRY_S = 3.0
"""Seconds for deleting what was made after Ctrl-C; what is not deleted by then is named."""

PATIENCE_S = 120.0
"""Seconds that one promise may take."""

AGAIN, OTHER = "the same number again", "the same number, other content"
"""Steps that repeat a number."""

_PAGE = {"limit": 20, "offset": 0}
"""The query of lists."""

_LACKS = {
    "session_id": "there is no session",
    "base_model": "no base model is offered; --base-model names one",
    **dict.fromkeys(("model_id", "training_run_id"), "there is no model"),
    **dict.fromkeys(("path", "tinker_path", "source_path"), "nothing was saved"),
    **dict.fromkeys(("sampling_session_id", "sampler_id"), "there is no sampler"),
    "checkpoint_kind": "nothing was saved for a sampler",
    **dict.fromkeys(("request_id", "target"), "there is no promise"),
}
"""Parameters and fields that name what the walk must have made before -> why a request is left out."""

_ON_A_CHECKPOINT: tuple[tuple[str, dict[str, Json]], ...] = (
    ("set_checkpoint_ttl", {"ttl_seconds": TTL_S}),
    ("publish_checkpoint", {}),
    ("list_checkpoints", {}),
    ("set_checkpoint_ttl", {"ttl_seconds": None}),
    ("unpublish_checkpoint", {}),
    ("list_checkpoints", {}),
    ("get_checkpoint_archive_url", {}),
)
"""What is done to a checkpoint of a sampler, with the body; the lists must show it."""

_LEFT_OUT = Exchange("", "", "", "", {}, 0, {}, None, {}, None)
"""Stands for the answer to a request that was left out."""


class Walk:
    """One walk through one server."""

    def __init__(
        self, recorder: Recorder, *, base_model: str | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        self._recorder = recorder
        self._contract = recorder.contract
        self._patience_s = patience_s
        self._silence = ""
        self._name = f"contract-check-{secrets.token_hex(4)}"
        self._known: dict[str, Any] = {"sdk_version": __version__}
        """What the server has, by the names of parameters and fields."""
        if base_model is not None:
            self._known["base_model"] = base_model
        self._is_open = False
        self._models: list[str] = []
        self._number = 1
        self._checkpoints: dict[str, str] = {}
        self._encodings: list[Encoding] = []

    async def run(self) -> None:
        """Take all steps; what was made is deleted in the end whatever happens."""
        await greet(self._recorder)
        beats = asyncio.create_task(self._keep_alive())
        limit_s: float | None = None
        try:
            await self._read()
            await self._open_session()
            await self._make_model()
            await self._train()
            await self._save()
            await self._load()
            await self._open_samplers()
            await self._sample()
            await self._list()
            await self._change_checkpoints()
            await self._come_too_early()
            await self._load_what_is_not_there()
        except SilentError as silence:
            self._silence = str(silence)
        except asyncio.CancelledError:
            limit_s = HURRY_S
            raise
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    await self._clean_up()
            beats.cancel()

    @property
    def left_behind(self) -> tuple[str, ...]:
        """Return what was made and not deleted."""
        session = [f"session {self._known['session_id']}"] if self._is_open else []
        return (*self._checkpoints, *(f"model {model}" for model in self._models), *session)

    @property
    def untried(self) -> dict[str, str]:
        """Return why operations were not tried."""
        if self._silence:
            return dict.fromkeys(self._contract.operations, self._silence)
        missing = [name for name in _LACKS if name not in self._known]
        return {
            op.id: _LACKS[name]
            for op in self._contract.operations.values()
            for name in reversed(missing)  # the first that is missing is the reason
            if name in self._contract.names_of(op)
        }

    async def _call(
        self,
        operation: str,
        given: Mapping[str, Json] | None = None,
        *,
        step: str,
        at: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Exchange:
        """Send one request, unless it needs what the server does not have.

        Its body has the fields that the contract requires, and those of `given`. Its ids are those of `at`,
        and else those that are known. A training request of the model gets the next number, which is spent
        when the request is accepted.
        """
        op, known, given = self._contract.operations[operation], {**self._known, **(at or {})}, given or {}
        path, query = (parameters_of(self._contract, op, known, place) for place in ("path", "query"))
        body = smallest_body(self._contract, op, known, given) if op.takes_body else {}
        needed = {*path, *query, *body} & _LACKS.keys()
        if not needed <= known.keys() | given.keys():
            return _LEFT_OUT
        kind = self._contract.fields_of(op).get("type", {}).get("const")
        if kind is not None:  # not required everywhere, and sent by all clients
            body["type"] = kind
        spends = op.id in self._contract.in_order and "model_id" in body and "seq_id" not in body
        if spends:
            body["seq_id"] = self._number
        more.setdefault("query", query)
        sent = await self._recorder.call(
            operation, body if op.takes_body else None, step=step, path=path, **more
        )
        self._number += spends and sent.is_success
        return sent

    async def _result(self, operation: str, given: Mapping[str, Json] | None = None, *, step: str) -> Json:
        """Send a request and poll its promise; returns the result, None where there is none."""
        return await self._fulfil(await self._call(operation, given, step=step))

    async def _keep_alive(self) -> None:
        """Keep the session alive while promises are waited for."""
        with suppress(SilentError):
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                await self._call("session_heartbeat", step="heartbeat")

    async def _read(self) -> None:
        """Send all that reads and needs no id, with what the contract requires."""
        for op in self._contract.operations.values():
            if op.is_read and "{" not in op.path:
                sent = await self._call(op.id, step="read")
                for name, value in ids_in(sent.answer):
                    if name == "base_model":
                        self._known.setdefault(name, value)
        await self._call("delete_api_key", step=WRONG_KEY)  # with its own key it would end the check

    async def _open_session(self) -> None:
        opened = await self._call("create_session", bodies.SESSION, step="session")
        session = _text(opened, "session_id")
        if session is None:
            return
        self._known["session_id"] = session
        self._is_open = True
        await self._call("session_heartbeat", step="session")
        await self._call("get_session", step="session")
        await self._call("list_sessions", query=_PAGE, step="session")
        await self._call("search_sessions", {"session_id": session, "limit": 5}, step="session")
        await self._call("set_session_project", {"project_id": self._name}, step="session")
        await self._call("telemetry", bodies.TELEMETRY, step="session")
        await self._result("create_custom_loss", step="custom loss")

    async def _make_model(self) -> None:
        body = {**bodies.MODEL, "model_seq_id": 0}
        model = self._own_model(await self._result("create_model", body, step="model"))
        self._own_model(await self._result("create_model", body, step=AGAIN))
        if model is not None:
            self._known.update(model_id=model, training_run_id=model)
            await self._known_and_unknown("get_info", "model")

    async def _known_and_unknown(self, operation: str, step: str) -> Exchange:
        """Ask about what exists, and about an id that does not."""
        found = await self._call(operation, step=step)
        if found is not _LEFT_OUT:
            await self._call(operation, step=UNKNOWN, at=unknown_ids())
        return found

    def _own_model(self, result: Json) -> str | None:
        """Note a model to be unloaded in the end."""
        found = text_of(result, "model_id")
        if found is not None and found not in self._models:
            self._models.append(found)
        return found

    async def _train(self) -> None:
        if "model_id" not in self._known:
            return
        for encoding in bodies.ENCODINGS:
            for operation in bodies.BATCHES:
                sent = await self._batch(operation, encoding)
                if sent.is_success:
                    self._encodings.append(encoding)
                    await self._fulfil(sent, also_announced=True)
                elif encoding == "protobuf":
                    break
        if self._encodings:
            await self._repeat_a_batch(self._encodings[-1])
        await self._result("optim_step", {"adam_params": {"learning_rate": 1e-4}}, step="training")

    async def _batch(
        self,
        operation: bodies.Batch,
        encoding: Encoding,
        *,
        step: str = "training",
        number: int | None = None,
        tokens: tuple[int, ...] = TOKENS,
    ) -> Exchange:
        """Send a batch; its number is spent when it was accepted, and only if it is the next one."""
        chosen = self._number if number is None else number
        body = bodies.batch(operation, encoding, self._known["model_id"], chosen, tokens)
        if encoding == "protobuf":
            operation, step = "forward_backward", f"{step}, protobuf"
        sent = await self._recorder.call(operation, body, step=step)
        self._number += number is None and sent.is_success
        return sent

    async def _repeat_a_batch(self, encoding: Encoding) -> None:
        send = partial(self._batch, "forward_backward", encoding)
        first = await send(step="a number")
        number = self._number - 1
        again = await send(step=AGAIN, number=number)
        other = await send(step=OTHER, number=number, tokens=OTHER_TOKENS)
        for sent in (first, again, other):
            await self._fulfil(sent)

    async def _save(self) -> None:
        saved = await self._save_as("save_weights")
        if saved is not None:
            self._known.update(path=saved, tinker_path=saved, source_path=saved)
        saved = await self._save_as("save_weights_for_sampler")
        if saved is not None:
            kind = self._contract.saves["save_weights_for_sampler"]
            self._known.update(model_path=saved, checkpoint_kind=kind, checkpoint_name=self._name)
        unnamed = {"sampling_session_seq_id": 0}
        live = await self._result("save_weights_for_sampler", unnamed, step="save without a name")
        self._know_sampler(text_of(live, "sampling_session_id"))
        await self._save_as("save_weights_external")

    async def _save_as(self, operation: str) -> str | None:
        """Save a checkpoint by the name of this check; returns its path."""
        path = field_of(await self._result(operation, {"path": self._name}, step="save"), "path")
        if not isinstance(path, str):
            return None
        self._checkpoints[path] = self._contract.saves[operation]
        return path

    async def _load(self) -> None:
        if "path" not in self._known:
            return
        whole = {"optimizer": True}
        await self._result("load_weights", whole, step="load")
        made = await self._result("load_weights", {**whole, "model_seq_id": 1}, step="create by loading")
        if self._own_model(made) is None:  # then into a model that has done nothing yet
            body = {**bodies.MODEL, "model_seq_id": 2}
            second = self._own_model(await self._result("create_model", body, step="model"))
            if second is not None:
                first = {**whole, "model_id": second, "seq_id": 1}
                await self._result("load_weights", first, step="load first")
        await self._known_and_unknown("weights_info", "load")
        path = _text(await self._call("copy_weights", {"model_seq_id": 3}, step="load"), "tinker_path")
        if path is not None:
            self._checkpoints[path] = self._contract.saves["save_weights"]

    async def _open_samplers(self) -> None:
        if "model_path" in self._known:
            saved = {"sampling_session_seq_id": 1, "model_path": self._known["model_path"]}
            await self._open_sampler(saved)
            await self._open_sampler(saved, step=AGAIN)
        await self._open_sampler({"sampling_session_seq_id": 2})
        await self._call("get_sampler", step="sampler")
        await self._call("join_sampling_session", step="sampler")

    async def _open_sampler(self, given: Mapping[str, Json], *, step: str = "sampler") -> None:
        opened = await self._call("create_sampling_session", given, step=step)
        found = _text(opened, "sampling_session_id")
        if found is None and _text(opened, "request_id") is not None:
            found = text_of(await self._fulfil(opened), "sampling_session_id")
        self._know_sampler(found)

    def _know_sampler(self, found: str | None) -> None:
        if found is not None:
            self._known.update(sampling_session_id=found, sampler_id=found)

    async def _sample(self) -> None:
        if "sampler_id" not in self._known:
            return
        first = await self._call("asample", bodies.sample(0), step="sample")
        await self._fulfil(first, also_announced=True)
        again = await self._call("asample", bodies.sample(0), step=AGAIN)
        other = await self._call("asample", bodies.sample(0, OTHER_TOKENS), step=OTHER)
        for sent in (again, other):
            await self._fulfil(sent)
        sent = await self._call("asample", bodies.sample(1), step="sample")
        await self._fulfil(sent, accept="application/x-protobuf, application/json")
        await self._call("stream_sample", bodies.STREAM, step="stream")
        target = {"sampling_session_id": self._known["sampling_session_id"]}
        await self._call("retrieve_futures", {"target": target, "timeout": 0}, step="poll of many")
        doomed = await self._call(
            "asample", bodies.sample(2, most=LONG_SAMPLE_TOKENS), step="sample to cancel"
        )
        promise = _text(doomed, "request_id")
        if promise is not None:
            await self._call("cancel_future", {"request_id": promise}, step="cancel")
            await self._fulfil(doomed)
        # An unknown promise has an id of the form that this server gives.
        is_number = promise is not None and promise.isdecimal()
        unknown = "9" * 9 if is_number else unknown_ids()["request_id"]
        for operation in ("retrieve_future", "cancel_future"):
            await self._call(operation, {"request_id": unknown}, step=UNKNOWN)

    async def _list(self) -> None:
        await self._call("list_training_runs", query=_PAGE, step="list")
        await self._call("list_user_checkpoints", query=_PAGE, step="list")
        await self._call("export_session_trace", step="list")
        for operation in ("get_training_run", "list_checkpoints"):
            found = await self._known_and_unknown(operation, "list")
            if found.status in (400, 404) and ":" in self._known["training_run_id"]:
                await self._call(operation, step="list, colons escaped", escape=True)

    async def _change_checkpoints(self) -> None:
        for operation, given in _ON_A_CHECKPOINT:
            await self._on_a_checkpoint(operation, given)
        await self._on_a_checkpoint("get_external_weights_urls", at={"checkpoint_kind": "external_weights"})

    async def _on_a_checkpoint(
        self, operation: str, given: Mapping[str, Json] | None = None, at: Mapping[str, str] | None = None
    ) -> Exchange:
        """Address a checkpoint; where that path is not known, by the shorter one that some servers have."""
        found = await self._call(operation, given, at=at, step="checkpoint")
        if found.status in (400, 404, 405) and self._contract.operations[operation].aliases:
            short = await self._call(operation, given, at=at, step="checkpoint, shorter path", alias=True)
            found = short if short.status < 400 else found
        return found

    async def _come_too_early(self) -> None:
        if not self._encodings:
            return
        send = partial(self._batch, "forward_backward", self._encodings[-1])
        early = await send(step="too early", number=self._number + 1)
        if not early.is_success:
            return
        body = {"request_id": _text(early, "request_id")}
        await self._call("retrieve_future", body, step="too early", timeout_s=EARLY_POLL_S)
        late = await send(step="the number that was missing")
        self._number += 1
        for sent in (late, early):
            await self._fulfil(sent)

    async def _load_what_is_not_there(self) -> None:
        """Ask for a checkpoint that does not exist, last of all: it ends a model on some servers."""
        if "path" in self._known:
            path = self._known["path"].replace(self._name, unknown_ids()["checkpoint_name"])
            await self._result("load_weights", {"path": path, "optimizer": False}, step=UNKNOWN)

    async def _clean_up(self) -> None:
        """Delete what was made, and look that it is gone; where a step fails, the others are taken."""
        self._recorder.ask_once_more()
        steps: list[Callable[[], Awaitable[object]]] = [
            *(partial(self._delete, path) for path in self._checkpoints),
            partial(self._call, "list_checkpoints", step="what is left"),
            *(partial(self._unload, model) for model in self._models),
            self._finish,
        ]
        for step in steps:
            with suppress(Exception):  # whatever it is: what the step was to delete is left behind
                await step()

    async def _delete(self, path: str) -> None:
        run, _, rest = path.removeprefix("tinker://").partition("/")
        kind, _, name = rest.rpartition("/")
        if kind not in self._contract.checkpoint_kinds:  # some servers have paths without it
            kind = self._checkpoints[path]
        at = {"training_run_id": run, "checkpoint_kind": kind, "checkpoint_name": name}
        if (await self._on_a_checkpoint("delete_checkpoint", at=at)).is_success:
            del self._checkpoints[path]

    async def _unload(self, model: str) -> None:
        await self._result("unload_model", {"model_id": model}, step="end")
        self._models.remove(model)

    async def _finish(self) -> None:
        await self._call("finish_session", step="end")
        self._is_open = False

    async def _fulfil(
        self, sent: Exchange, *, accept: str | None = None, also_announced: bool = False
    ) -> Json:
        """Poll a promise to its end, within the patience; returns its result, None where there is none."""
        promise = _text(sent, "request_id")
        op = self._contract.operation_of(sent.method, sent.path)
        if promise is None or op is None:
            return None
        self._known["request_id"] = promise
        headers = {} if op.request_type is None else {"X-Tinker-Request-Type": op.request_type}
        if accept is not None:
            headers["Accept"] = accept
        body: dict[str, Json] = {"request_id": promise}
        loop = asyncio.get_running_loop()
        ends_s, number = loop.time() + self._patience_s, 0
        while (rest_s := ends_s - loop.time()) > 0:
            headers["X-Tinker-Request-Iteration"] = str(number)
            poll = await self._call("retrieve_future", body, step="poll", headers=headers, timeout_s=rest_s)
            number += 1
            if poll.status == 0 or (poll.status >= 400 and poll.status not in WAITS):
                return None
            if poll.is_success and outcome(poll.answer) != "pending":
                if also_announced:
                    both = {**body, "allow_metadata_only": True}
                    await self._call("retrieve_future", both, step="poll again", headers=headers)
                return poll.answer if outcome(poll.answer) == "done" else None
            await asyncio.sleep(PAUSE_S)
        return None


def _text(exchange: Exchange, name: str) -> str | None:
    """Return a text of a success's answer; None where there is none."""
    found = field_of(exchange.answer, name) if exchange.is_success else None
    return str(found) if isinstance(found, str | int) else None
