"""Mistakes that only the service can see: one 4xx that names datum and field, and the same client goes on."""

# ruff: noqa: E501 - tables with one row a case

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tinsmith
from tinsmith import types
from tinsmith.core.errors import APIStatusError, InputError, RequestFailedError, TinkerError
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.e2e.bench import TEXT, Bench, datum, outcome, policy_datum, works
from tests.embedded.models.gguf_files import llama_tensors, to_gguf, write_gguf
from tests.guard import WAIT_S

Train = Callable[[tinsmith.TrainingClient], object]
Sample = Callable[[tinsmith.SamplingClient], object]

ONE = types.SamplingParams(max_tokens=1)
AT = "data[1]"


def over(*chunks: Any, length: int) -> types.Datum:
    """Make a datum over chunks, with as many targets as they have positions."""
    inputs = {"target_tokens": [1] * length, "weights": [1.0] * length}
    return types.Datum(model_input=types.ModelInput(list(chunks)), loss_fn_inputs=inputs)


def picture(kind: str = "PNG") -> bytes:
    """Draw an image that takes two positions."""
    from PIL import Image

    drawn = io.BytesIO()
    Image.new("RGB", (16, 8), "teal").save(drawn, kind)
    return drawn.getvalue()


def batch(bad: types.Datum, loss: Any = "cross_entropy", settings: Any = None) -> Train:
    """Train on a good datum and a bad one."""
    good = datum() if loss == "cross_entropy" else policy_datum()
    return lambda client: client.forward_backward([good, bad], loss, settings)


def text(*ids: int) -> types.EncodedTextChunk:
    """Make a text chunk."""
    return types.EncodedTextChunk(list(ids))


TRAINING: list[tuple[str, Train, tuple[str, ...]]] = [
    ("a token outside the vocabulary", batch(over(text(5, 260), length=2)), (f"{AT}.model_input.chunks[0].tokens[1]", "260")),
    ("a target outside the vocabulary", batch(datum(target_tokens=[10**6] * 15)), (f"{AT}.loss_fn_inputs.target_tokens", "1000000")),
    ("a target below the vocabulary", batch(datum(target_tokens=[-1] * 15)), (f"{AT}.loss_fn_inputs.target_tokens",)),
    ("longer than the context", batch(over(text(*[1] * 5000), length=5000)), (f"{AT}.model_input", "4096")),
    ("no weights", batch(types.Datum(model_input=types.ModelInput.from_ints([1]), loss_fn_inputs={"target_tokens": [1]})), (f"{AT}.loss_fn_inputs.weights",)),
    ("targets of another width than the weights", batch(datum(target_tokens=np.ones((15, 2), np.int64))), (AT, "weights")),
    ("a loss not offered", batch(policy_datum(), "stable_reinforce"), ("loss_fn", "stable_reinforce")),
    ("a setting not known", batch(policy_datum(), "ppo", {"clip": 0.2}), ("loss_fn_config", "clip")),
    ("an image of another length", batch(over(types.ImageChunk(picture(), "png", 3), length=3)), (f"{AT}.model_input.chunks[0]", "3")),
    ("a damaged image", batch(over(types.ImageChunk(picture()[:40], "png", 2), length=2)), (f"{AT}.model_input.chunks[0]",)),
    ("a JPEG that is a PNG", batch(over(types.ImageChunk(picture(), "jpeg", 2), length=2)), (f"{AT}.model_input.chunks[0]",)),
    ("an image outside the data directory", batch(over(types.ImageAssetPointerChunk("png", "../../etc/passwd", 2), length=2)), (f"{AT}.model_input.chunks[0]",)),
    ("a chunk of another modality", batch(over(types.UnknownChunk({"type": "dmel", "dmel": "AA==", "expected_tokens": 2}), length=2)), (f"{AT}.model_input.chunks[0]",)),
    ("no such checkpoint", lambda c: c.load_state("tinker://nobody/weights/a"), ("path", "tinker://nobody/weights/a")),
    ("a path of no kind", lambda c: c.load_state("tinker://a/b/c"), ("path",)),
]  # fmt: skip


@pytest.mark.parametrize(("call", "words"), [row[1:] for row in TRAINING], ids=[row[0] for row in TRAINING])
def test_a_training_call(bench: Bench, call: Train, words: tuple[str, ...]) -> None:
    """The answer is one 4xx that says where, nothing was applied, and the next step takes number 1."""
    client = bench.training()
    with pytest.raises(APIStatusError) as caught:
        outcome(call(client))
    assert 400 <= caught.value.status_code < 500
    assert caught.value.applied == "no"
    for word in words:
        assert word in str(caught.value)
    works(client)
    assert bench.ledger(client) == [(1, "forward_backward"), (2, "optim_step")]


def prompt(*ids: int, **given: Any) -> Sample:
    """Sample behind these tokens."""
    asked = types.SamplingParams(**{"max_tokens": 1, **given})
    return lambda client: client.sample(types.ModelInput.from_ints(list(ids)), 1, asked)


SAMPLING: list[tuple[str, Sample, tuple[str, ...]]] = [
    ("a token outside the vocabulary", prompt(1, 260), ("prompt.chunks[0].tokens[1]", "260")),
    ("a prompt of the whole context", prompt(*[1] * 4096), ("prompt", "4096")),
    ("more tokens than the context", prompt(1, max_tokens=4096), ("max_tokens", "4096")),
    ("a stop token outside the vocabulary", prompt(1, stop=[260]), ("stop", "260")),
    ("too many samples", lambda c: c.sample(types.ModelInput.from_ints([1]), 10**6, ONE), ("num_samples",)),
    ("too many likeliest tokens", lambda c: c.sample(types.ModelInput.from_ints([1]), 1, ONE, True, 10**6), ("topk_prompt_logprobs",)),
    ("an image of another length", lambda c: c.sample(types.ModelInput([types.ImageChunk(picture(), "png", 9)]), 1, ONE), ("prompt.chunks[0]",)),
]  # fmt: skip


@pytest.mark.parametrize(("call", "words"), [row[1:] for row in SAMPLING], ids=[row[0] for row in SAMPLING])
def test_a_sample(bench: Bench, call: Sample, words: tuple[str, ...]) -> None:
    """The answer is one 4xx that names the field, and the sampler goes on."""
    client = bench.sampling()
    with pytest.raises(APIStatusError) as caught:
        outcome(call(client))
    assert 400 <= caught.value.status_code < 500
    for word in words:
        assert word in str(caught.value)
    assert len(client.compute_logprobs(types.ModelInput.from_ints([1, 2])).result(timeout=WAIT_S)) == 2


Ask = Callable[[tinsmith.ServiceClient], object]
SERVICE: list[tuple[str, Ask, str]] = [
    ("an unknown base model to train", lambda s: s.create_lora_training_client("nobody/knows"), "nobody/knows"),
    ("an unknown base model to sample", lambda s: s.create_sampling_client(base_model="nobody/knows"), "nobody/knows"),
    ("an unknown checkpoint to sample", lambda s: s.create_sampling_client("tinker://nobody/sampler_weights/a"), "tinker://nobody"),
    ("an unknown checkpoint to train", lambda s: s.create_training_client_from_state("tinker://nobody/weights/a"), "tinker://nobody"),
    ("a rank beyond reason", lambda s: s.create_lora_training_client("tinsmith/tiny", rank=10**6), "lora_config.rank"),
    ("an unknown run", lambda s: s.create_rest_client().get_training_run("nobody"), "nobody"),
    ("an unknown checkpoint to delete", lambda s: s.create_rest_client().delete_checkpoint("nobody", "weights/a"), "nobody"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "word"), [row[1:] for row in SERVICE], ids=[row[0] for row in SERVICE])
def test_another_call(bench: Bench, call: Ask, word: str) -> None:
    """The answer is one 4xx that names what was asked for, and the client goes on."""
    with pytest.raises(APIStatusError) as caught:
        outcome(call(bench.service))
    assert 400 <= caught.value.status_code < 500
    assert word in str(caught.value)
    works(bench.training())


LOSSES: list[tuple[str, Any, str]] = [
    ("no gradient", lambda data, logprobs: (0.0, {}, [None]), "No gradient"),
    ("a gradient of the wrong shape", lambda data, logprobs: (0.0, {}, [np.ones(3)]), "has shape (3,)"),
    ("too few gradients", lambda data, logprobs: (0.0, {}, []), "one array a datum"),
    ("a gradient that is not finite", lambda data, logprobs: (0.0, {}, [logprobs[0] * np.nan]), "NaN"),
    ("nothing", lambda data, logprobs: None, "must return"),
    ("an error", lambda data, logprobs: 1 / 0, "division by zero"),
]


@pytest.mark.parametrize(("loss", "words"), [row[1:] for row in LOSSES], ids=[row[0] for row in LOSSES])
def test_a_custom_loss(bench: Bench, loss: Any, words: str) -> None:
    """What the function gives is refused here; its forward pass changed nothing, and the line has no gap."""
    client = bench.training()
    with pytest.raises((InputError, ZeroDivisionError), match=r".*") as caught:
        client.forward_backward_custom([datum()], loss, backend="numpy").result(timeout=WAIT_S)
    assert words in str(caught.value)
    works(client)
    assert bench.ledger(client) == [(1, "forward"), (2, "forward_backward"), (3, "optim_step")]


def test_a_model_that_is_none_any_more(tmp_path: Path) -> None:
    """A file that breaks after the start is named with the reason, to train and to sample; others go on."""
    models = {name: tmp_path / f"{name}.gguf" for name in ("halved", "noise", "gone")}
    for path in models.values():
        write_gguf(path, to_gguf(llama_tensors()))
    options = ServeOptions(data_dir=tmp_path / "data", models=models)
    with (
        serving(options) as (address, _),
        tinsmith.ServiceClient(base_url=address.base_url, api_key=address.token) as service,
    ):
        models["halved"].write_bytes(models["halved"].read_bytes()[:1000])
        models["noise"].write_text("hello")
        models["gone"].unlink()
        for name, path in models.items():
            for call in (
                lambda name=name: service.create_lora_training_client(name, rank=2),
                lambda name=name: service.create_sampling_client(base_model=name).compute_logprobs(
                    types.ModelInput.from_ints([1])
                ),
            ):
                with pytest.raises(TinkerError) as caught:
                    outcome(call())
                if isinstance(caught.value, RequestFailedError):
                    assert caught.value.category == "user"
                else:
                    assert isinstance(caught.value, APIStatusError), caught.value
                    assert 400 <= caught.value.status_code < 500
                assert str(path) in str(caught.value)
        works(service.create_lora_training_client("tinsmith/tiny", rank=2))


def test_an_image_for_a_model_of_text(tmp_path: Path) -> None:
    """The refusal names datum and chunk."""
    base = Path(__file__).parents[1] / "embedded/models/golden/peft/llama/base"
    options = ServeOptions(data_dir=tmp_path, models={"text/only": base})
    with (
        serving(options) as (address, _),
        tinsmith.ServiceClient(base_url=address.base_url, api_key=address.token) as service,
    ):
        client = service.create_lora_training_client("text/only", rank=2)
        seen = over(text(1), types.ImageChunk(picture(), "png", 2), length=3)
        with pytest.raises(APIStatusError, match=r"data\[0\]\.model_input\.chunks\[1\]"):
            client.forward_backward([seen], "cross_entropy").result(timeout=WAIT_S)
        client.forward_backward([over(text(1, 2), length=2)], "cross_entropy").result(timeout=WAIT_S)


def wire(**changes: Any) -> dict[str, Any]:
    """Return a correct forward_backward body of one datum, with some inputs of it replaced."""
    length = len(TEXT) - 1
    inputs = {
        "target_tokens": {"data": list(TEXT[1:]), "dtype": "int64", "shape": [length]},
        "weights": {"data": [1.0] * length, "dtype": "float32", "shape": [length]},
        **changes,
    }
    one = {"model_input": {"chunks": [{"tokens": list(TEXT[:-1])}]}, "loss_fn_inputs": inputs}
    return {"forward_backward_input": {"data": [one], "loss_fn": "cross_entropy"}}


RAW: list[tuple[str, str, dict[str, Any] | bytes, str]] = [
    ("no data", "forward_backward", {"forward_backward_input": {"data": [], "loss_fn": "cross_entropy"}}, "forward_backward_input.data"),
    ("short targets", "forward_backward", wire(target_tokens={"data": [1], "dtype": "int64"}), "forward_backward_input.data[0].loss_fn_inputs.target_tokens"),
    ("a wrong dtype", "forward_backward", wire(weights={"data": [1] * 15, "dtype": "int64"}), "forward_backward_input.data[0].loss_fn_inputs.weights.dtype"),
    ("an infinite number", "forward_backward", wire(weights={"data": [1e300] * 15, "dtype": "float32"}), "forward_backward_input.data[0].loss_fn_inputs.weights.data[0]"),
    ("NaN", "forward_backward", b'{"model_id": "MODEL", "seq_id": 1, "x": NaN}', ""),
    ("an unknown loss", "forward_backward", {"forward_backward_input": {"data": [], "loss_fn": "mse"}}, "forward_backward_input.loss_fn"),
    ("a negative rate", "optim_step", {"adam_params": {"learning_rate": -1}}, "adam_params.learning_rate"),
    ("a file as checkpoint", "load_weights", {"path": "/etc/passwd", "optimizer": False}, "path"),
    ("a name with a slash", "save_weights", {"path": "../up"}, "path"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "body", "field"), [row[1:] for row in RAW], ids=[row[0] for row in RAW]
)
def test_what_another_client_would_send(
    tmp_path: Path, operation: str, body: dict[str, Any] | bytes, field: str
) -> None:
    """The service does not rely on our checks: a 4xx that names the field, and the line goes on."""
    options = ServeOptions(data_dir=tmp_path)
    with (
        serving(options) as (address, running),
        tinsmith.ServiceClient(base_url=address.base_url, api_key=address.token) as service,
    ):
        client = service.create_lora_training_client("tinsmith/tiny", rank=2)
        content: Any = {"content": body} if isinstance(body, bytes) else None
        answer = httpx.post(
            f"{address.base_url}/api/v1/{operation}",
            headers={"x-api-key": address.token, "content-type": "application/json"},
            trust_env=False,
            **(content or {"json": {"model_id": client.model_id, "seq_id": 1, **dict(body)}}),  # type: ignore[arg-type]
        )
        assert 400 <= answer.status_code < 500
        assert answer.json().get("field", "") == field
        assert answer.json()["category"] == "user"
        works(client)
        assert len(running.promise_table.ledger(client.model_id)) == 2
