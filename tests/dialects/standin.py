"""A small server with the habits of one kind of real server, written from what was seen of them.

It trains one number a model, so that whatever is applied twice, not at all or out of order ends in another
weight, and keeps a ledger of what it applied. It must not know the client.
"""

from __future__ import annotations

import gzip
import io
import itertools
import tarfile
from typing import TYPE_CHECKING, Any, Literal

import attrs
import orjson
from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
from tinsmith.core.codec.encode import encode_result, to_wire
from tinsmith.core.codec.proto_requests import decode_training_request
from tinsmith.core.codec.wire import CONTENT_TYPES
from tinsmith.core.errors import InputError
from tinsmith.core.retry import Fault
from tinsmith.core.values import ForwardRequest
from tinsmith.io.http.messages import Answer, Faulted

if TYPE_CHECKING:
    from tinsmith.io.http.messages import Seen

TRAINING = frozenset(
    {"forward", "forward_backward", "optim_step", "save_weights", "save_weights_for_sampler", "load_weights"}
)


@attrs.frozen(kw_only=True)
class Habits:
    """What one kind of server does where others do something else."""

    reads: Literal["json", "protobuf", "both"] = "json"
    """How batches are written; results of batches and samples too, where it is protobuf alone."""
    refuses_encoding: int = 415
    """Status for a batch in the other form; 500 has a bare text."""
    flags: dict[str, Any] = attrs.field(factory=dict)
    """Answer of client/config."""
    session_id: str = "s1"
    """What a session is called."""
    made: int = 200
    """Status of a new session."""
    accepted: int = 200
    """Status of a promise."""
    promise: Literal["skyrl", "hatchery", "plain"] = "plain"
    """What stands in a promise beside its id."""
    repeats: Literal["same", "applied", "applied, same promise", "refused on the poll"] = "same"
    """What becomes of a request that comes again under its number."""
    failed: Literal["status", "request_failed"] = "status"
    """How a promise tells that it failed: by its status, or by 200 with a type."""
    first_logprob: bool = True
    """Whether prompt logprobs have an entry for the first token."""
    sampler_promise: bool = False
    """Whether a sampling session comes as a promise."""
    bare_ids: bool = False
    """Whether checkpoint ids are names alone, and archives have their root under an empty name."""
    kinds: tuple[str, str] = ("weights", "sampler_weights")
    """What stands between model and name in the paths of training and sampler weights; empty for nothing."""
    dates: Literal["text", "number", "null"] = "text"
    """How lists write times."""
    load_first: bool = False
    """Whether weights are loaded only by the first request of a model."""
    mean: bool = False
    """Whether the gradient is a mean over the weights."""


SKYRL_0_3 = Habits(
    refuses_encoding=500,
    flags={"pjwt_auth_enabled": False},
    session_id="session_faa92868",
    promise="skyrl",
    repeats="applied",
    first_logprob=False,
    bare_ids=True,
    kinds=("weights", ""),
)
SKYRL_0_4 = attrs.evolve(SKYRL_0_3, reads="protobuf", refuses_encoding=415, repeats="same", load_first=True)
TUFT = Habits(
    reads="protobuf",
    flags={"pjwt_auth_enabled": False, "parallel_fwdbwd_chunks": False},
    session_id="6f3c2b1e-8a54-4c3f-9a77-b0c2a1f8d9e0",
    made=201,
    accepted=202,
    repeats="refused on the poll",
)
HATCHERY = Habits(
    refuses_encoding=500,
    flags={"max_pipelined_requests": 64, "default_poll_interval_ms": 100},
    promise="hatchery",
    repeats="applied, same promise",
    failed="request_failed",
    sampler_promise=True,
    kinds=("checkpoints", "checkpoints"),
    dates="null",
    mean=True,
)
NUMBERS = Habits(dates="number")
"""A server that nobody knows, of the protocol as it is, with dates as numbers."""
BOTH = Habits(reads="both")
"""A server that nobody knows and that reads both forms."""


@attrs.define
class Model:
    """One number that is trained."""

    weight: float = 0.0
    gradient: float = 0.0
    requests: int = 0
    """Training requests that were applied, load and save among them."""
    expected: int = 1
    """The number that comes next, where order is enforced."""


class StandIn:
    """One server with its habits, its models and its ledger."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.models: dict[str, Model] = {}
        """By their ids."""
        self.saved: dict[str, float] = {}
        """Weights by path."""
        self.ledger: list[tuple[str, str, int]] = []
        """What was applied: model, operation, number."""
        self.log: list[tuple[str, str, int | None]] = []
        """Every request: method, operation, number."""
        self.lose: list[str] = []
        """Operations whose next answer is lost after it was applied."""
        self._promises: dict[str, tuple[int, dict[str, Any], str]] = {}
        self._numbered: dict[tuple[str, int], str] = {}
        self._ids = itertools.count(1)

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer one request, or lose what it answered."""
        operation = seen.path.removeprefix("api/v1/")
        try:
            answer = self._serve(seen, operation)
        except _Refusal as refusal:
            answer = refusal.answer
        if operation in self.lose and seen.body != b"{}":
            self.lose.remove(operation)
            raise Faulted(Fault.RESET, "connection reset by peer")
        return answer

    def _serve(self, seen: Seen, operation: str) -> Answer:
        if seen.method == "GET":
            self.log.append((seen.method, operation, None))
            return self._listed(seen, operation)
        operation, body = self._read(seen, operation)
        self.log.append((seen.method, operation, body.get("seq_id")))
        if operation in TRAINING:
            return self._train(operation, body)
        answers = {
            "create_model": self._make,
            "create_sampling_session": self._open_sampler,
            "asample": self._sample,
            "retrieve_future": self._retrieve,
            "unload_model": self._unload,
        }
        if operation in answers:
            return answers[operation](body)
        return self._told(operation)

    def _told(self, operation: str) -> Answer:
        """Answer what asks for no work."""
        session = {"type": operation, "session_id": self.habits.session_id}
        known = {
            "client/config": self.habits.flags,
            "session_heartbeat": {"type": operation},
            "weights_info": {"base_model": "m", "is_lora": True, "lora_rank": 4},
        }
        if operation == "create_session":
            return _json(session, self.habits.made)
        if operation not in known:
            raise _refused(404, "Not Found")
        return _json(known[operation])

    def _open_sampler(self, body: dict[str, Any]) -> Answer:
        made = {"sampling_session_id": f"sampling-{next(self._ids)}"}
        if self.habits.sampler_promise:
            return self._promised("create_sampling_session", made)
        return _json(made, self.habits.made)

    def _unload(self, body: dict[str, Any]) -> Answer:
        self.models.pop(body["model_id"], None)
        return self._promised("unload_model", {"model_id": body["model_id"]})

    def _read(self, seen: Seen, operation: str) -> tuple[str, dict[str, Any]]:
        """Read a body in the one form that is read."""
        is_protobuf = seen.headers.get("content-type", "").startswith(CONTENT_TYPES["protobuf"])
        if operation in ("forward", "forward_backward"):
            if self.habits.reads != "both" and is_protobuf != (self.habits.reads == "protobuf"):
                if self.habits.refuses_encoding == 500:
                    raise _Refusal(Answer(500, {"content-type": "text/plain"}, b"Internal Server Error"))
                raise _refused(415, f"forward_backward is read as {self.habits.reads}")
            if operation == "forward" and is_protobuf:
                raise _refused(404, "Not Found")
        if not is_protobuf:
            body = orjson.loads(seen.body or b"{}")
            if operation in TRAINING and "model_id" not in body:
                problem = {"type": "missing", "loc": ["body", "model_id"], "msg": "Field required"}
                raise _refused(422, [problem])
            return operation, body
        try:
            found = decode_training_request(seen.body)
        except InputError as error:
            raise _refused(422, str(error)) from error
        return ("forward" if isinstance(found, ForwardRequest) else operation), dict(to_wire(found))

    def _make(self, body: dict[str, Any]) -> Answer:
        model_id = f"model_{next(self._ids):08x}"
        self.models[model_id] = Model()
        made = {"model_id": model_id, "base_model": body["base_model"]}
        if self.habits.promise == "skyrl":
            return self._promised("create_model", made, {**made, "status": "created"})
        return self._promised("create_model", made)

    def _train(self, operation: str, body: dict[str, Any]) -> Answer:
        habits, model_id, number = self.habits, body["model_id"], body["seq_id"]
        model = self.models.get(model_id)
        if model is None:
            raise _refused(404, "Model not found")
        before = self._numbered.get((model_id, number))
        if before is not None and habits.repeats == "same":
            return self._promise(before, operation)
        if habits.repeats == "refused on the poll" and number != model.expected:
            text = f"Sequence conflict: expected {model.expected}, got {number}."
            return self._failing(operation, 409, text)
        if operation == "load_weights" and habits.load_first and model.requests:
            return self._failing(operation, 400, f"LoadWeights is not permitted with seq_id {number}")
        result = self._apply(operation, body, model)
        model.requests += 1
        model.expected = number + 1
        self.ledger.append((model_id, operation, number))
        if before is not None and habits.repeats == "applied, same promise":
            return self._promise(before, operation)
        answer = self._promised(operation, result)
        self._numbered[model_id, number] = orjson.loads(answer.body)["request_id"]
        return answer

    def _apply(self, operation: str, body: dict[str, Any], model: Model) -> dict[str, Any]:
        """Do the work; a gradient depends on the weight, so that order and repetition tell."""
        if operation in ("forward", "forward_backward"):
            data = body[f"{operation}_input"]["data"]
            lengths = [_length(datum["model_input"]) for datum in data]
            gradient = sum(lengths) * (1.0 + model.weight)
            if operation == "forward_backward":
                model.gradient += gradient / sum(lengths) if self.habits.mean else gradient
            outputs = [{"logprobs": _tensor([-0.5] * length)} for length in lengths]
            return {"loss_fn_output_type": "scalar", "loss_fn_outputs": outputs, "metrics": {}}
        if operation == "optim_step":
            model.weight -= body["adam_params"]["learning_rate"] * model.gradient
            model.gradient = 0.0
            return {"metrics": {"weight": model.weight}}
        if operation == "load_weights":
            if body["path"] not in self.saved:
                raise _refused(404, f"Checkpoint not found: {body['path']}")
            model.weight = self.saved[body["path"]]
            return {"path": None, "type": None}
        kind = self.habits.kinds[operation == "save_weights_for_sampler"]
        name = body.get("path") or f"ss{body['seq_id']}"
        path = "/".join(part for part in (f"tinker://{body['model_id']}", kind, name) if part)
        if path in self.saved:
            raise _refused(409, f"Checkpoint {name!r} already exists for model {body['model_id']!r}")
        self.saved[path] = model.weight
        return {"path": path, "type": None}

    def _sample(self, body: dict[str, Any]) -> Answer:
        told: list[float | None] = [None, *[-1.0] * (_length(body["prompt"]) - 1)]
        drawn = [{"stop_reason": "length", "tokens": [7], "logprobs": [-0.5]}] * body["num_samples"]
        wanted = told if self.habits.first_logprob else told[1:]
        return self._promised("asample", {"sequences": drawn, "prompt_logprobs": wanted})

    def _listed(self, seen: Seen, operation: str) -> Answer:
        parts = operation.split("/")
        if operation == "get_server_capabilities":
            return _json({"supported_models": [{"model_name": "m"}]})
        if parts[0] != "training_runs":
            raise _refused(404, "Not Found")
        run = f"tinker://{parts[1]}/"
        if parts[-1] == "checkpoints":
            paths = [path for path in self.saved if path.startswith(run)]
            return _json({"checkpoints": [self._row(path.removeprefix(run)) for path in paths]})
        if parts[-1] == "file":
            return Answer(200, {"content-type": "application/octet-stream"}, self._archive())
        if parts[-1] != "archive" or len(parts) != (5 if self.habits.bare_ids else 6):
            raise _refused(404, "Not Found")
        return Answer(302, {"location": f"/api/v1/training_runs/{parts[1]}/file"}, b"")

    def _row(self, path: str) -> dict[str, Any]:
        times = {"text": "2026-11-30T10:00:00", "number": 1796032800.5, "null": None}
        kind = "training" if path.startswith(f"{self.habits.kinds[0]}/") else "sampler"
        name = path.rpartition("/")[2]
        known = "weights" if kind == "training" else "sampler_weights"
        return {
            "checkpoint_id": name if self.habits.bare_ids else f"{known}/{name}",
            "checkpoint_type": kind,
            "time": times[self.habits.dates],
            "tinker_path": f"tinker://run/{known}/{name}",
        }

    def _archive(self) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            root = tarfile.TarInfo("" if self.habits.bare_ids else ".")
            root.type, root.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(root)
            member = tarfile.TarInfo("adapter_model.safetensors")
            member.size = 7
            tar.addfile(member, io.BytesIO(b"weights"))
        return gzip.compress(buffer.getvalue())

    def _failing(self, operation: str, status: int, text: str) -> Answer:
        answer = self._promised(operation, {})
        request_id = orjson.loads(answer.body)["request_id"]
        failure = {"detail": f"Failed to retrieve future: {text}"}
        if self.habits.failed == "request_failed":
            status, failure = 200, {"type": "request_failed", "error": text, "category": "user_error"}
        self._promises[request_id] = (status, failure, operation)
        return answer

    def _promised(self, operation: str, result: dict[str, Any], told: dict[str, Any] | None = None) -> Answer:
        number = next(self._ids)
        request_id = {"skyrl": str(number), "hatchery": f"fut_{number:08x}"}.get(
            self.habits.promise, f"8d3f-{number}"
        )
        self._promises[request_id] = (200, result, operation)
        return self._promise(request_id, operation, told)

    def _promise(self, request_id: str, operation: str, told: dict[str, Any] | None = None) -> Answer:
        beside: dict[str, dict[str, Any]] = {
            "skyrl": {"future_id": request_id, "status": "pending"},
            "hatchery": {"future_id": request_id, "operation": operation, "status": "pending"},
            "plain": {},
        }
        fields = beside[self.habits.promise] if told is None else told
        return _json({"request_id": request_id, **fields}, self.habits.accepted)

    def _retrieve(self, body: dict[str, Any]) -> Answer:
        request_id = body["request_id"]
        if request_id not in self._promises:
            raise _refused(404, "Future not found")
        status, result, operation = self._promises[request_id]
        if status == 200 and self.habits.reads == "protobuf" and operation in _BINARY:
            value = _BINARY[operation](orjson.dumps(result))
            return Answer(200, {"content-type": CONTENT_TYPES["protobuf"]}, encode_result(value, "protobuf"))
        return _json(result, status)


_BINARY: dict[str, Any] = {
    "forward": decode_forward_backward,
    "forward_backward": decode_forward_backward,
    "asample": decode_sample,
}


class _Refusal(Exception):  # noqa: N818  # an answer on its way out
    """A request that is refused."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def _refused(status: int, detail: object) -> _Refusal:
    return _Refusal(_json({"detail": detail}, status))


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status, {"content-type": "application/json", "server": "uvicorn"}, orjson.dumps(value))


def _tensor(numbers: list[float]) -> dict[str, Any]:
    return {"data": numbers, "dtype": "float32", "shape": [len(numbers)]}


def _length(model_input: dict[str, Any]) -> int:
    return sum(len(chunk["tokens"]) for chunk in model_input["chunks"])
