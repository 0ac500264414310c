"""Malformed requests: each one clear 4xx that names the field, and the next correct request works."""

# ruff: noqa: E501 - tables with one row a case

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.app.caller import Caller, datum

Change = Callable[[dict[str, Any]], object]
Open = Callable[..., Caller]


def body() -> dict[str, Any]:
    """Return a correct forward_backward body of two datums, without its model."""
    data = [datum(b"first one"), datum(b"second one")]
    return {"seq_id": 1, "forward_backward_input": {"data": data, "loss_fn": "cross_entropy"}}


def second(given: dict[str, Any]) -> dict[str, Any]:
    """Return the second datum."""
    found: dict[str, Any] = given["forward_backward_input"]["data"][1]
    return found


def tensor(given: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a tensor of the second datum."""
    found: dict[str, Any] = second(given)["loss_fn_inputs"][name]
    return found


AT = "forward_backward_input.data[1]"
BATCH: list[tuple[str, Change, int, str]] = [
    ("empty data", lambda b: b["forward_backward_input"].update(data=[]), 400, "forward_backward_input.data"),
    ("no data", lambda b: b["forward_backward_input"].pop("data"), 422, "forward_backward_input.data"),
    ("short targets", lambda b: tensor(b, "target_tokens").update(data=[1], shape=[1]), 400, f"{AT}.loss_fn_inputs.target_tokens"),
    ("no targets", lambda b: second(b)["loss_fn_inputs"].pop("target_tokens"), 400, f"{AT}.loss_fn_inputs.target_tokens"),
    ("no weights", lambda b: second(b)["loss_fn_inputs"].pop("weights"), 400, f"{AT}.loss_fn_inputs.weights"),
    ("short weights", lambda b: tensor(b, "weights").update(data=[1.0], shape=[1]), 400, f"{AT}.loss_fn_inputs.weights"),
    ("too large a float", lambda b: tensor(b, "weights")["data"].__setitem__(3, 1e39), 400, f"{AT}.loss_fn_inputs.weights.data[3]"),
    ("wrong dtype", lambda b: tensor(b, "weights").update(dtype="int64"), 400, f"{AT}.loss_fn_inputs.weights.dtype"),
    ("unknown dtype", lambda b: tensor(b, "weights").update(dtype="float16"), 422, f"{AT}.loss_fn_inputs.weights.dtype"),
    ("a fraction as token", lambda b: tensor(b, "target_tokens")["data"].__setitem__(0, 1.5), 400, f"{AT}.loss_fn_inputs.target_tokens.data[0]"),
    ("a text as number", lambda b: tensor(b, "weights")["data"].__setitem__(0, "1"), 422, f"{AT}.loss_fn_inputs.weights.data[0]"),
    ("a shape that does not fit", lambda b: tensor(b, "weights").update(shape=[2, 2]), 400, f"{AT}.loss_fn_inputs.weights.shape"),
    ("a negative shape", lambda b: tensor(b, "weights").update(shape=[-9, -1]), 400, f"{AT}.loss_fn_inputs.weights.shape"),
    ("a huge shape", lambda b: tensor(b, "weights").update(shape=[2**62, 4]), 400, f"{AT}.loss_fn_inputs.weights.shape"),
    ("a token outside", lambda b: second(b)["model_input"]["chunks"][0]["tokens"].__setitem__(2, 260), 400, f"{AT}.model_input.chunks[0].tokens[2]"),
    ("a negative token", lambda b: second(b)["model_input"]["chunks"][0]["tokens"].__setitem__(2, -1), 400, f"{AT}.model_input.chunks[0].tokens[2]"),
    ("a target outside", lambda b: tensor(b, "target_tokens")["data"].__setitem__(0, 260), 400, f"{AT}.loss_fn_inputs.target_tokens"),
    ("a number of 70 bits", lambda b: tensor(b, "target_tokens")["data"].__setitem__(0, 2**70), 400, f"{AT}.loss_fn_inputs.target_tokens.data[0]"),
    ("no chunks", lambda b: second(b)["model_input"].update(chunks=[]), 400, f"{AT}.model_input"),
    ("a chunk of no kind", lambda b: second(b)["model_input"].update(chunks=[{"foo": 1}]), 422, f"{AT}.model_input.chunks[0]"),
    ("audio", lambda b: second(b)["model_input"].update(chunks=[{"dmel": "AA=="}]), 400, f"{AT}.model_input.chunks[0]"),
    ("longer than the context", lambda b: second(b)["model_input"].update(chunks=[{"tokens": [1] * 5000}]), 400, f"{AT}.model_input"),
    ("an unknown loss", lambda b: b["forward_backward_input"].update(loss_fn="kl"), 400, "forward_backward_input.loss_fn"),
    ("a loss not offered", lambda b: b["forward_backward_input"].update(loss_fn="custom"), 400, "forward_backward_input.loss_fn"),
    ("an unknown setting", lambda b: b["forward_backward_input"].update(loss_fn_config={"x": 1}), 400, "forward_backward_input.loss_fn_config"),
    ("a setting as text", lambda b: b["forward_backward_input"].update(loss_fn_config={"x": "y"}), 400, "forward_backward_input.loss_fn_config.x"),
    ("an unknown field", lambda b: b.update(more=1), 422, "more"),
    ("seq_id 0", lambda b: b.update(seq_id=0), 422, "seq_id"),
    ("seq_id beyond 64 bits", lambda b: b.update(seq_id=2**80), 422, "seq_id"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "field"), [row[1:] for row in BATCH], ids=[row[0] for row in BATCH]
)
def test_a_bad_batch_names_its_field(caller: Caller, change: Change, status: int, field: str) -> None:
    """The answer names datum and field, nothing is applied, and the corrected request works."""
    model = caller.model()
    given = body()
    change(given)
    answer = caller.post("forward_backward", model_id=model, **given)
    assert answer.status_code == status, answer.text
    assert answer.json().get("field", "") == field
    assert "metrics" in caller.done("forward_backward", model_id=model, **body())
    assert caller.ledger(model) == [1]


def sample_body() -> dict[str, Any]:
    """Return a correct sample request on the base model."""
    return {
        "base_model": "tinsmith/tiny",
        "prompt": {"chunks": [{"tokens": [104, 105]}]},
        "sampling_params": {"max_tokens": 2, "seed": 1},
    }


SAMPLES: list[tuple[str, Change, int, str]] = [
    ("unknown base model", lambda b: b.update(base_model="nobody/knows"), 404, "base_model"),
    ("unknown checkpoint", lambda b: (b.pop("base_model"), b.update(model_path="tinker://a/weights/b")), 404, "model_path"),
    ("both", lambda b: b.update(model_path="tinker://a/weights/b"), 422, ""),
    ("neither", lambda b: b.pop("base_model"), 422, ""),
    ("sampler without number", lambda b: (b.pop("base_model"), b.update(sampling_session_id="x")), 422, "seq_id"),
    ("unknown sampler", lambda b: (b.pop("base_model"), b.update(sampling_session_id="x", seq_id=0)), 404, "sampling_session_id"),
    ("empty prompt", lambda b: b["prompt"].update(chunks=[]), 400, "prompt"),
    ("prompt beyond the context", lambda b: b["prompt"].update(chunks=[{"tokens": [1] * 4096}]), 400, "prompt"),
    ("max_tokens beyond the context", lambda b: b["sampling_params"].update(max_tokens=4095), 400, "sampling_params.max_tokens"),
    ("max_tokens 0", lambda b: b["sampling_params"].update(max_tokens=0), 422, "sampling_params.max_tokens"),
    ("negative temperature", lambda b: b["sampling_params"].update(temperature=-1), 422, "sampling_params.temperature"),
    ("too many samples", lambda b: b.update(num_samples=10**6), 400, "num_samples"),
    ("top_p above 1", lambda b: b["sampling_params"].update(top_p=1.5), 422, "sampling_params.top_p"),
    ("a stop token outside", lambda b: b["sampling_params"].update(stop=[999]), 400, "sampling_params.stop"),
    ("an empty stop", lambda b: b["sampling_params"].update(stop=[""]), 400, "sampling_params.stop"),
    ("a mixed stop", lambda b: b["sampling_params"].update(stop=["a", 1]), 422, "sampling_params.stop"),
    ("too many likeliest", lambda b: b.update(topk_prompt_logprobs=10**5), 400, "topk_prompt_logprobs"),
    ("a seed of 70 bits", lambda b: b["sampling_params"].update(seed=2**70), 422, "sampling_params.seed"),
    ("too many alternatives", lambda b: b.update(prompt_alt_tokens_k=10**5), 400, "prompt_alt_tokens_k"),
    ("too many likeliest drawn", lambda b: b.update(topk_sample_logprobs=10**5), 400, "topk_sample_logprobs"),
    ("targets of another length", lambda b: b.update(target_prompt_logprobs={"data": [1] * 9, "dtype": "int64"}), 400, "target_prompt_logprobs.shape"),
    ("targets of floats", lambda b: b.update(target_prompt_logprobs={"data": [1.0], "dtype": "float32"}), 400, "target_prompt_logprobs.dtype"),
    ("a last n of 70 bits", lambda b: b.update(prompt_logprobs_last_n=2**70), 422, "prompt_logprobs_last_n"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "field"), [row[1:] for row in SAMPLES], ids=[row[0] for row in SAMPLES]
)
def test_a_bad_sample_request_names_its_field(
    caller: Caller, change: Change, status: int, field: str
) -> None:
    """The answer names the field, and nothing is queued."""
    given = sample_body()
    change(given)
    answer = caller.post("asample", **given)
    assert (answer.status_code, answer.json().get("field", "")) == (status, field), answer.text
    assert caller.service.sampling.load == 0


OTHERS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("unknown model", "get_info", {"model_id": "x:train:0"}, 404, "model_id"),
    ("unknown session", "session_heartbeat", {"session_id": "x"}, 404, "session_id"),
    ("negative learning rate", "optim_step", {"model_id": "MODEL", "seq_id": 1, "adam_params": {"learning_rate": -1}}, 422, "adam_params.learning_rate"),
    ("infinite learning rate", "optim_step", {"model_id": "MODEL", "seq_id": 1, "adam_params": {"learning_rate": 10**400}}, 400, ""),
    ("another optimizer", "optim_step", {"model_id": "MODEL", "seq_id": 1, "optimizer_params": {"type": "dimuon", "learning_rate": 0.1}}, 400, "optimizer_params"),
    ("beta of 1", "optim_step", {"model_id": "MODEL", "seq_id": 1, "adam_params": {"beta1": 1}}, 422, "adam_params.beta1"),
    ("a name with a slash", "save_weights", {"model_id": "MODEL", "seq_id": 1, "path": "../up"}, 422, "path"),
    ("a name of dots", "save_weights", {"model_id": "MODEL", "seq_id": 1, "path": ".."}, 422, "path"),
    ("a TTL of a minute", "save_weights", {"model_id": "MODEL", "seq_id": 1, "path": "a", "ttl_seconds": 60}, 422, "ttl_seconds"),
    ("no such checkpoint", "load_weights", {"model_id": "MODEL", "seq_id": 1, "path": "tinker://x/weights/a", "optimizer": False}, 404, "path"),
    ("no tinker path", "load_weights", {"model_id": "MODEL", "seq_id": 1, "path": "/etc/passwd", "optimizer": False}, 422, "path"),
    ("unknown promise", "retrieve_future", {"request_id": "x"}, 404, "request_id"),
    ("rank 0", "create_model", {"session_id": "SESSION", "model_seq_id": 9, "base_model": "tinsmith/tiny", "lora_config": {"rank": 0}}, 422, "lora_config.rank"),
    ("a huge rank", "create_model", {"session_id": "SESSION", "model_seq_id": 9, "base_model": "tinsmith/tiny", "lora_config": {"rank": 10**9}}, 400, "lora_config.rank"),
    ("nothing to train", "create_model", {"session_id": "SESSION", "model_seq_id": 9, "base_model": "tinsmith/tiny", "lora_config": {"rank": 1, "train_mlp": False, "train_attn": False, "train_unembed": False}}, 422, "lora_config"),
    ("unknown base model", "create_model", {"session_id": "SESSION", "model_seq_id": 9, "base_model": "x", "lora_config": {"rank": 1}}, 404, "base_model"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "given", "status", "field"), [row[1:] for row in OTHERS], ids=[row[0] for row in OTHERS]
)
def test_other_bad_requests_name_their_field(
    caller: Caller, operation: str, given: dict[str, Any], status: int, field: str
) -> None:
    """Each is one clear refusal, and the next correct request works."""
    session = caller.session()
    model = caller.model(session)
    names = {"MODEL": model, "SESSION": session}
    filled = {
        key: names.get(value, value) if isinstance(value, str) else value for key, value in given.items()
    }
    answer = caller.post(operation, **filled)
    assert (answer.status_code, answer.json().get("field", "")) == (status, field), answer.text
    caller.forward_backward(model, 1)


RAW: list[tuple[str, bytes, dict[str, str], int]] = [
    ("no JSON", b"{", {}, 400),
    ("NaN", b'{"a": NaN}', {}, 400),
    ("no UTF-8", b'{"a": "\xff"}', {}, 400),
    ("a lone surrogate", b'{"model_id": "\\ud800"}', {}, 400),
    ("empty", b"", {}, 400),
    ("a list", b"[]", {}, 422),
    ("nested deeply", b"[" * 900 + b"]" * 900, {}, 422),
    ("nested too deeply", b"[" * 5000 + b"]" * 5000, {}, 400),
    ("a form", b"a=b", {"content-type": "application/x-www-form-urlencoded"}, 415),
    ("compressed", b"{}", {"content-encoding": "gzip"}, 415),
]


@pytest.mark.parametrize(
    ("content", "headers", "status"), [row[1:] for row in RAW], ids=[row[0] for row in RAW]
)
def test_bodies_that_are_none(caller: Caller, content: bytes, headers: dict[str, str], status: int) -> None:
    """What is no body of the contract is refused before anything is looked up."""
    sent = {"content-type": "application/json", **headers}
    answer = caller.send("POST", "get_info", content=content, headers=sent)
    assert answer.status_code == status, answer.text
    assert answer.json()["category"] == "user"


def test_a_body_beyond_the_cap_is_413(open_caller: Open) -> None:
    """The cap holds whether the length is announced or not."""
    caller = open_caller(max_body_bytes=1000)
    headers = {"content-type": "application/json"}
    announced = caller.send("POST", "get_info", content=b" " * 1001, headers=headers)

    async def pieces() -> Any:
        for _ in range(11):
            yield b" " * 100

    streamed = caller.send("POST", "get_info", content=pieces(), headers=headers)
    assert (announced.status_code, streamed.status_code) == (413, 413)


def test_headers_beyond_the_cap_are_431(caller: Caller) -> None:
    """A header block has its bound."""
    answer = caller.send("GET", "healthz", headers={"x-long": "a" * (33 << 10)})
    assert answer.status_code == 431


def test_a_repeated_name_is_refused_unless_overwritten(caller: Caller) -> None:
    """A checkpoint's name is taken once; overwrite replaces it."""
    model = caller.model()
    caller.done("save_weights", model_id=model, seq_id=1, path="a")
    answer = caller.post("save_weights", model_id=model, seq_id=2, path="a")
    assert (answer.status_code, answer.json()["field"]) == (400, "path")
    caller.forward_backward(model, 2)
    caller.optim_step(model, 3, learning_rate=0.1)
    caller.done("save_weights", model_id=model, seq_id=4, path="a", overwrite=True)
    assert len(caller.send("GET", f"training_runs/{model}/checkpoints").json()["checkpoints"]) == 1


def test_a_checkpoint_of_another_shape_is_refused(caller: Caller) -> None:
    """The refusal names what differs."""
    session = caller.session()
    one, other = caller.model(session, 0, rank=2), caller.model(session, 1, rank=3)
    saved = caller.done("save_weights", model_id=one, seq_id=1, path="a")["path"]
    answer = caller.post("load_weights", model_id=other, seq_id=1, path=saved, optimizer=False)
    assert (answer.status_code, "rank 2" in answer.json()["detail"]) == (400, True)


def test_a_damaged_checkpoint_names_its_file(caller: Caller) -> None:
    """A corrupt file is the promise's failure, in words; the model goes on."""
    model = caller.model()
    saved = caller.done("save_weights", model_id=model, seq_id=1, path="a")["path"]
    found = caller.service.checkpoints.find(saved)
    assert found is not None
    (caller.service.files.root / found.directory / "adapter_model.safetensors").write_bytes(b"nonsense")
    failed = caller.done("load_weights", model_id=model, seq_id=2, path=saved, optimizer=False)
    assert failed["category"] == "user"
    assert "adapter_model.safetensors" in failed["error"]
    assert "metrics" in caller.forward_backward(model, 3)


def test_unknown_routes_and_methods_have_the_usual_error_body(caller: Caller) -> None:
    """404 and 405 come as JSON, 405 with the methods that are allowed."""
    assert caller.send("GET", "nothing").json()["category"] == "user"
    answer = caller.send("PUT", "create_session")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    path = "training_runs/a:train:0/checkpoints/weights/a/publish"
    assert sorted(caller.send("GET", path).headers["allow"].split(", ")) == ["DELETE", "POST"]


def test_a_long_name_is_not_repeated(caller: Caller) -> None:
    """An answer stays small, whatever the body holds."""
    for given in ({"a" * 100_000: 1}, {"model_id": "a" * 100_000}, {"model_id": ["a" * 100_000]}):
        assert len(caller.post("get_info", **given).content) < 5000
