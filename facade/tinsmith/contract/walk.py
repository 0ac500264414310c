"""Walks through a server as a training run does, makes what it needs, and deletes what it made.

Each step sends what the contract allows and goes on with what came back; where something did not come, the
steps that need it are left out. What the answers are worth is judged afterwards, from the traffic alone.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from tinsmith.contract import bodies
from tinsmith.contract.bodies import OTHER_TOKENS, TOKENS, parameters_of, smallest_body, unknown_ids
from tinsmith.contract.exchange import UNKNOWN, WRONG_KEY
from tinsmith.contract.probe import greet
from tinsmith.contract.recorder import SilentError
from tinsmith.contract.traffic import WAITS, field_of, outcome, text_of
from tinsmith.core import __version__

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tinsmith.contract.document import Json
    from tinsmith.contract.exchange import Exchange
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
        self._base_model = base_model
        self._session: str | None = None
        self._is_open = False
        self._model: str | None = None
        self._models: list[str] = []
        self._number = 1
        self._checkpoints: dict[str, str] = {}
        self._weights: str | None = None
        self._sampler_weights: str | None = None
        self._sampler: str | None = None
        self._promise: str | None = None
        self._encodings: list[Encoding] = []

    async def run(self) -> None:
        """Take all steps; what was made is deleted in the end whatever happens."""
        await greet(self._recorder)
        beats = asyncio.create_task(self._keep_alive())
        limit_s: float | None = None
        try:
            await self._ask_about_the_service()
            await self._open_session()
            await self._make_model()
            await self._train()
            await self._save()
            await self._load()
            await self._sample()
            await self._list()
            await self._change_checkpoints()
            await self._come_too_early()
            await self._ask_about_the_account()
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
        session = [f"session {self._session}"] if self._is_open else []
        return (*self._checkpoints, *(f"model {model}" for model in self._models), *session)

    @property
    def untried(self) -> dict[str, str]:
        """Return why operations were not tried."""
        if self._silence:
            return dict.fromkeys(self._contract.operations, self._silence)
        lacks = (
            (self._session, "there is no session", {"session_id"}),
            (self._base_model, "no base model is offered; --base-model names one", {"base_model"}),
            (self._model, "there is no model", {"model_id", "training_run_id"}),
            (self._weights, "nothing was saved", {"path", "tinker_path", "source_path"}),
            (self._sampler, "there is no sampler", {"sampling_session_id", "sampler_id"}),
            (self._sampler_weights, "nothing was saved for a sampler", {"checkpoint_kind"}),
            (self._promise, "there is no promise", {"request_id", "target"}),
        )
        return {
            op.id: reason
            for op in self._contract.operations.values()
            for thing, reason, names in reversed(lacks)  # the first that is missing is the reason
            if thing is None and not names.isdisjoint(self._contract.names_of(op))
        }

    async def _call(self, operation: str, body: Json = None, **more: Any) -> Exchange:
        return await self._recorder.call(operation, body, **more)

    async def _result(self, operation: str, body: Json, *, step: str) -> Json:
        """Send a request and poll its promise; returns the result, None where there is none."""
        return await self._fulfil(await self._call(operation, body, step=step))

    async def _keep_alive(self) -> None:
        """Keep the session alive while promises are waited for."""
        with suppress(SilentError):
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                if self._session is not None:
                    await self._call("session_heartbeat", self._heartbeat(), step="heartbeat")

    def _heartbeat(self) -> dict[str, Json]:
        return {"session_id": self._session, "type": "session_heartbeat"}

    async def _ask_about_the_service(self) -> None:
        await self._call("healthz", step="service")
        offered = await self._call("get_server_capabilities", step="service")
        if self._base_model is None:
            models = field_of(offered.answer, "supported_models")
            names = [field_of(model, "model_name") for model in (models if isinstance(models, list) else ())]
            self._base_model = next((name for name in names if isinstance(name, str)), None)
        version = {"sdk_version": __version__}
        await self._call("client_config", version, step="service")
        await self._call("client_dynamic_config", version, step="service")
        await self._call("auth_token", {}, step="service")
        await self._call("get_api_key", step="service")
        await self._call("delete_api_key", step=WRONG_KEY)  # with its own key it would end the check
        if self._base_model is not None:
            await self._call("get_tokenizer", query={"base_model": self._base_model}, step="service")

    async def _open_session(self) -> None:
        opened = await self._call("create_session", bodies.session(), step="session")
        self._session = _text(opened, "session_id")
        if self._session is None:
            return
        self._is_open = True
        path = {"session_id": self._session}
        await self._call("session_heartbeat", self._heartbeat(), step="session")
        await self._call("get_session", path=path, step="session")
        await self._call("list_sessions", query={"limit": 20, "offset": 0}, step="session")
        await self._call("search_sessions", {"session_id": self._session, "limit": 5}, step="session")
        await self._call("set_session_project", {"project_id": self._name}, path=path, step="session")
        await self._call("telemetry", bodies.telemetry(self._session), step="session")
        loss = self._contract.operations["create_custom_loss"]
        await self._result(loss.id, smallest_body(self._contract, loss, path), step="custom loss")

    async def _make_model(self) -> None:
        if self._session is None or self._base_model is None:
            return
        body = bodies.model(self._session, 0, self._base_model)
        result = await self._result("create_model", body, step="model")
        again = await self._result("create_model", body, step=AGAIN)
        self._model = self._own_model(result)
        self._own_model(again)
        if self._model is None:
            return
        for model, step in ((self._model, "model"), (unknown_ids()["model_id"], UNKNOWN)):
            await self._call("get_info", {"model_id": model, "type": "get_info"}, step=step)

    def _own_model(self, result: Json) -> str | None:
        """Note a model to be unloaded in the end."""
        found = field_of(result, "model_id")
        if not isinstance(found, str):
            return None
        if found not in self._models:
            self._models.append(found)
        return found

    async def _train(self) -> None:
        if self._model is None:
            return
        for encoding in bodies.ENCODINGS:
            for operation in bodies.BATCHES:
                sent = await self._batch(operation, encoding)
                if sent.status // 100 == 2:
                    self._encodings.append(encoding)
                    await self._fulfil(sent, also_announced=True)
                elif encoding == "protobuf":
                    break
        if self._encodings:
            await self._repeat_a_batch(self._encodings[-1])
        body = {"model_id": self._model, "adam_params": {"learning_rate": 1e-4}, "type": "optim_step"}
        await self._numbered("optim_step", body, step="training")

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
        if encoding == "protobuf":
            body: Json = bodies.protobuf_batch(operation, str(self._model), chosen, tokens)
            sent = await self._call("forward_backward", body, step=f"{step}, protobuf")
        else:
            body = bodies.batch(operation, str(self._model), chosen, tokens)
            sent = await self._call(operation, body, step=step)
        if number is None and sent.status // 100 == 2:
            self._number += 1
        return sent

    async def _repeat_a_batch(self, encoding: Encoding) -> None:
        first = await self._batch("forward_backward", encoding, step="a number")
        number = self._number - 1
        again = await self._batch("forward_backward", encoding, step=AGAIN, number=number)
        other = await self._batch(
            "forward_backward", encoding, step=OTHER, number=number, tokens=OTHER_TOKENS
        )
        for sent in (first, again, other):
            await self._fulfil(sent)

    async def _numbered(self, operation: str, body: dict[str, Json], *, step: str) -> Json:
        """Send a training request with the next number; returns its result."""
        sent = await self._call(operation, {**body, "seq_id": self._number}, step=step)
        if sent.status // 100 == 2:
            self._number += 1
        return await self._fulfil(sent)

    async def _save(self) -> None:
        if self._model is None:
            return
        self._weights = await self._save_as("save_weights")
        self._sampler_weights = await self._save_as("save_weights_for_sampler")
        unnamed = {"model_id": self._model, "sampling_session_seq_id": 0, "type": "save_weights_for_sampler"}
        live = await self._numbered("save_weights_for_sampler", unnamed, step="save without a name")
        self._sampler = text_of(live, "sampling_session_id")
        await self._save_as("save_weights_external")

    async def _save_as(self, operation: str) -> str | None:
        """Save a checkpoint by the name of this check; returns its path."""
        body = {"model_id": self._model, "path": self._name, "type": operation}
        path = field_of(await self._numbered(operation, body, step="save"), "path")
        if not isinstance(path, str):
            return None
        self._checkpoints[path] = self._contract.saves[operation]
        return path

    async def _load(self) -> None:
        if self._weights is None:
            return
        loaded = {"path": self._weights, "optimizer": True, "type": "load_weights"}
        await self._numbered("load_weights", {**loaded, "model_id": self._model}, step="load")
        made = {**loaded, "session_id": self._session, "model_seq_id": 1}
        second = self._own_model(await self._result("load_weights", made, step="create by loading"))
        if second is None:  # then into a model that has done nothing yet
            body = bodies.model(self._session, 2, self._base_model)
            second = self._own_model(await self._result("create_model", body, step="model"))
            if second is not None:
                body = {**loaded, "model_id": second, "seq_id": 1}
                await self._result("load_weights", body, step="load first")
        await self._call("weights_info", {"tinker_path": self._weights}, step="load")
        await self._call("weights_info", {"tinker_path": unknown_ids()["tinker_path"]}, step=UNKNOWN)
        copy = {"source_path": self._weights, "session_id": self._session, "model_seq_id": 3}
        path = _text(await self._call("copy_weights", copy, step="load"), "tinker_path")
        if path is not None:
            self._checkpoints[path] = self._contract.saves["save_weights"]

    async def _sample(self) -> None:
        if self._session is None:
            return
        body: dict[str, Json] = {
            "session_id": self._session,
            "sampling_session_seq_id": 1,
            "type": "create_sampling_session",
        }
        if self._sampler_weights is not None:
            saved = {**body, "model_path": self._sampler_weights}
            opened = await self._open_sampler(saved)
            await self._open_sampler(saved, step=AGAIN)
            self._sampler = opened or self._sampler
        if self._base_model is not None:
            number: dict[str, Json] = {"sampling_session_seq_id": 2, "base_model": self._base_model}
            self._sampler = await self._open_sampler({**body, **number}) or self._sampler
        if self._sampler is None:
            return
        await self._call("get_sampler", path={"sampler_id": self._sampler}, step="sampler")
        joined = {"sampling_session_id": self._sampler, "type": "join_sampling_session"}
        await self._call("join_sampling_session", joined, step="sampler")
        await self._draw()

    async def _open_sampler(self, body: dict[str, Json], *, step: str = "sampler") -> str | None:
        opened = await self._call("create_sampling_session", body, step=step)
        found = _text(opened, "sampling_session_id")
        if found is None and _text(opened, "request_id") is not None:
            found = text_of(await self._fulfil(opened), "sampling_session_id")
        return found

    async def _draw(self) -> None:
        first = await self._call("asample", bodies.sample(self._sampler, 0), step="sample")
        await self._fulfil(first, also_announced=True)
        again = await self._call("asample", bodies.sample(self._sampler, 0), step=AGAIN)
        other = await self._call("asample", bodies.sample(self._sampler, 0, OTHER_TOKENS), step=OTHER)
        for sent in (again, other):
            await self._fulfil(sent)
        sent = await self._call("asample", bodies.sample(self._sampler, 1), step="sample")
        await self._fulfil(sent, accept="application/x-protobuf, application/json")
        target = {"sampling_session_id": self._sampler}
        await self._call("retrieve_futures", {"target": target, "timeout": 0}, step="poll of many")
        long = bodies.sample(self._sampler, 2, most=LONG_SAMPLE_TOKENS)
        doomed = await self._call("asample", long, step="sample to cancel")
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
        await self._call("list_training_runs", query={"limit": 20, "offset": 0}, step="list")
        await self._call("list_user_checkpoints", query={"limit": 100, "offset": 0}, step="list")
        if self._session is not None:
            await self._call("export_session_trace", path={"session_id": self._session}, step="list")
        if self._model is None:
            return
        for operation in ("get_training_run", "list_checkpoints"):
            path = {"training_run_id": self._model}
            found = await self._call(operation, path=path, step="list")
            if found.status in (400, 404) and ":" in self._model:
                await self._call(operation, path=path, step="list, colons escaped", escape=True)
            await self._call(operation, path={"training_run_id": unknown_ids()["model_id"]}, step=UNKNOWN)

    async def _change_checkpoints(self) -> None:
        if self._model is None or self._sampler_weights is None:
            return
        run = {"training_run_id": self._model}
        kept = {**run, "checkpoint_kind": "sampler_weights", "checkpoint_name": self._name}
        await self._on_a_checkpoint("set_checkpoint_ttl", kept, {"ttl_seconds": TTL_S})
        await self._on_a_checkpoint("publish_checkpoint", kept)
        await self._call("list_checkpoints", path=run, step="as it was set")
        await self._on_a_checkpoint("set_checkpoint_ttl", kept, {"ttl_seconds": None})
        await self._on_a_checkpoint("unpublish_checkpoint", kept)
        await self._call("list_checkpoints", path=run, step="as it was set")
        await self._on_a_checkpoint("get_checkpoint_archive_url", kept)
        external = {**kept, "checkpoint_kind": "external_weights"}
        await self._on_a_checkpoint("get_external_weights_urls", external)

    async def _on_a_checkpoint(self, operation: str, path: Mapping[str, str], body: Json = None) -> Exchange:
        """Address a checkpoint; where that path is not known, by the shorter one that some servers have."""
        found = await self._call(operation, body, path=path, step="checkpoint")
        if found.status in (400, 404, 405) and self._contract.operations[operation].aliases:
            short = await self._call(operation, body, path=path, step="checkpoint, shorter path", alias=True)
            found = short if short.status < 400 else found
        return found

    async def _come_too_early(self) -> None:
        if self._model is None or not self._encodings:
            return
        encoding = self._encodings[-1]
        early = await self._batch("forward_backward", encoding, step="too early", number=self._number + 1)
        if early.status // 100 != 2:
            return
        body = {"request_id": _text(early, "request_id")}
        await self._call("retrieve_future", body, step="too early", timeout_s=EARLY_POLL_S)
        late = await self._batch("forward_backward", encoding, step="the number that was missing")
        self._number += 1
        for sent in (late, early):
            await self._fulfil(sent)

    async def _ask_about_the_account(self) -> None:
        find, exchanges = self._contract.operation_of, self._recorder.exchanges
        asked = [find(each.method, each.path) for each in exchanges]
        for op in self._contract.operations.values():
            if op.method == "GET" and "{" not in op.path and op not in asked:
                query = parameters_of(self._contract, op, {}, "query")
                await self._call(op.id, query=query, step="account")

    async def _load_what_is_not_there(self) -> None:
        """Ask for a checkpoint that does not exist, last of all: it ends a model on some servers."""
        if self._model is None or self._weights is None:
            return
        path = self._weights.replace(self._name, unknown_ids()["checkpoint_name"])
        body = {"model_id": self._model, "path": path, "optimizer": False, "type": "load_weights"}
        await self._result("load_weights", {**body, "seq_id": self._number}, step=UNKNOWN)

    async def _clean_up(self) -> None:
        """Delete what was made, and look that it is gone; where a step fails, the others are taken."""
        self._recorder.ask_once_more()
        steps: list[Callable[[], Awaitable[object]]]
        steps = [partial(self._delete, path) for path in self._checkpoints]
        if self._model is not None:
            run = {"training_run_id": self._model}
            steps.append(partial(self._call, "list_checkpoints", path=run, step="what is left"))
        steps += [partial(self._unload, model) for model in self._models]
        if self._session is not None:
            steps.append(partial(self._finish, {"session_id": self._session}))
        for step in steps:
            with suppress(Exception):  # whatever it is: what the step was to delete is left behind
                await step()

    async def _delete(self, path: str) -> None:
        run, _, rest = path.removeprefix("tinker://").partition("/")
        kind, _, name = rest.rpartition("/")
        if kind not in self._contract.checkpoint_kinds:  # some servers have paths without it
            kind = self._checkpoints[path]
        named = {"training_run_id": run, "checkpoint_kind": kind, "checkpoint_name": name}
        if (await self._on_a_checkpoint("delete_checkpoint", named)).status // 100 == 2:
            del self._checkpoints[path]

    async def _unload(self, model: str) -> None:
        await self._result("unload_model", {"model_id": model, "type": "unload_model"}, step="end")
        self._models.remove(model)

    async def _finish(self, path: Mapping[str, str]) -> None:
        reason = smallest_body(self._contract, self._contract.operations["finish_session"], {})
        await self._call("finish_session", reason, path=path, step="end")
        self._is_open = False

    async def _fulfil(
        self, sent: Exchange, *, accept: str | None = None, also_announced: bool = False
    ) -> Json:
        """Poll a promise to its end, within the patience; returns its result, None where there is none."""
        promise = _text(sent, "request_id")
        op = self._contract.operation_of(sent.method, sent.path)
        if promise is None or op is None:
            return None
        self._promise = promise
        headers = {} if op.request_type is None else {"X-Tinker-Request-Type": op.request_type}
        if accept is not None:
            headers["Accept"] = accept
        body: dict[str, Json] = {"request_id": promise}
        loop = asyncio.get_running_loop()
        ends_s, number = loop.time() + self._patience_s, 0
        while (rest_s := ends_s - loop.time()) > 0:
            headers["X-Tinker-Request-Iteration"] = str(number)
            told = await self._call("retrieve_future", body, step="poll", headers=headers, timeout_s=rest_s)
            number += 1
            if told.status == 0 or (told.status >= 400 and told.status not in WAITS):
                return None
            if told.status // 100 == 2 and outcome(told.answer) != "pending":
                if also_announced:
                    both = {**body, "allow_metadata_only": True}
                    await self._call("retrieve_future", both, step="poll again", headers=headers)
                return told.answer if outcome(told.answer) == "done" else None
            await asyncio.sleep(PAUSE_S)
        return None


def _text(exchange: Exchange, name: str) -> str | None:
    """Return a text of a success's answer; None where there is none."""
    found = field_of(exchange.answer, name) if exchange.status // 100 == 2 else None
    return str(found) if isinstance(found, str | int) else None
