"""Mistakes that the client can see: one clear error before anything is sent, and the client goes on."""

# ruff: noqa: E501 - tables with one row a case

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tinsmith
from tinsmith import types
from tinsmith.core.errors import AuthenticationError, InputError, TinkerError
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.e2e.bench import Bench, datum, outcome, policy_datum, works
from tests.guard import WAIT_S

Train = Callable[[tinsmith.TrainingClient], object]
Sample = Callable[[tinsmith.SamplingClient], object]

PROMPT = types.ModelInput.from_ints([104, 105])
LENGTH = 15


def batch(bad: Any, loss: Any = "cross_entropy") -> Train:
    """Train on a good datum and a bad one."""
    good = datum() if loss == "cross_entropy" else policy_datum()
    return lambda client: client.forward_backward([good, bad], loss)


def number(at: int, value: float) -> list[float]:
    """Return ones with one other number among them."""
    return [value if index == at else 1.0 for index in range(LENGTH)]


def tokens(ids: Any) -> types.Datum:
    """Make a datum over these token ids."""
    return types.Datum(model_input=types.ModelInput.from_ints(ids), loss_fn_inputs=datum().loss_fn_inputs)


TRAINING: list[tuple[str, Train, int | None, str | None, str]] = [
    ("empty data", lambda c: c.forward_backward([], "cross_entropy"), None, "data", "No data provided"),
    ("empty data for forward", lambda c: c.forward([], "cross_entropy"), None, "data", "No data provided"),
    ("targets too short", batch(datum(target_tokens=[1, 2])), 1, "target_tokens", "length 2, but model_input has 15"),
    ("targets too long", batch(datum(target_tokens=[1] * 16)), 1, "target_tokens", "length 16, but model_input has 15"),
    ("weights too short", batch(datum(weights=[1.0])), 1, "weights", "length 1, but model_input has 15"),
    ("NaN in a list", batch(datum(weights=number(3, float("nan")))), 1, "weights", "element 3 is nan"),
    ("infinity in a list", batch(policy_datum(advantages=number(4, float("inf"))), "ppo"), 1, "advantages", "element 4 is inf"),
    ("NaN in an array", batch(datum(weights=np.array(number(5, np.nan), np.float32))), 1, "weights", "element 5 is nan"),
    ("infinity in an array", batch(policy_datum(logprobs=np.array(number(6, -np.inf))), "importance_sampling"), 1, "logprobs", "element 6 is -inf"),
    ("targets of floats", batch(datum(target_tokens=np.ones(LENGTH))), 1, "target_tokens", "must be int64"),
    ("weights of whole numbers", batch(datum(weights=types.TensorData([1] * LENGTH, "int64"))), 1, "weights", "must be float32"),
    ("a shape that does not fit", batch(datum(weights=types.TensorData([1.0] * LENGTH, "float32", [3]))), 1, "weights", "shape"),
    ("a negative token", batch(tokens([5, -1, *range(13)])), 1, "model_input", "whole numbers >= 0"),
    ("a fraction as token", batch(tokens([1.5] * LENGTH)), 1, "model_input", "whole numbers >= 0"),
    ("no targets", batch(types.Datum(model_input=PROMPT, loss_fn_inputs={})), 1, "target_tokens", "is missing"),
    ("no advantages", batch(datum(), "ppo"), 1, "logprobs", "is missing"),
    ("no datum", batch({"model_input": PROMPT}), 1, None, "is a dict, not a Datum"),
    ("no loss", batch(datum(), ""), None, "loss_fn", "must be the name of a loss"),
    ("infinite setting", lambda c: c.forward_backward([policy_datum()], "ppo", {"clip_low_threshold": float("inf")}), None, "loss_fn_config.clip_low_threshold", "finite"),
    ("negative learning rate", lambda c: c.optim_step(types.AdamParams(learning_rate=-1e-4)), None, "learning_rate", ">= 0"),
    ("learning rate NaN", lambda c: c.optim_step(types.AdamParams(learning_rate=float("nan"))), None, "learning_rate", "finite number"),
    ("beta of 1", lambda c: c.optim_step(types.AdamParams(beta1=1.0)), None, "beta1", "in [0, 1)"),
    ("parameters as a dict", lambda c: c.optim_step({"learning_rate": 1}), None, "adam_params", "must be AdamParams"),
    ("a checkpoint's name with a slash", lambda c: c.save_state("a/b"), None, "name", "no checkpoint name"),
    ("more seconds than a number holds", lambda c: c.save_state("a", ttl_seconds=2**70), None, "ttl_seconds", "from 3600 to 315360000"),
    ("a target of 70 bits", batch(datum(target_tokens=[2**70] * LENGTH)), 1, "loss_fn_inputs.target_tokens.data", "64-bit"),
    ("no time to live", lambda c: c.save_state("a", ttl_seconds=0), None, "ttl_seconds", "from 3600"),
    ("a time to live below the API's minimum", lambda c: c.save_state("a", ttl_seconds=60), None, "ttl_seconds", "from 3600 to 315360000, not 60"),
    ("the same for a sampler", lambda c: c.save_weights_for_sampler("a", ttl_seconds=60), None, "ttl_seconds", "from 3600"),
    ("a file for a checkpoint", lambda c: c.load_state("/etc/passwd"), None, "path", "Invalid tinker path"),
    ("a path with dots", lambda c: c.load_state("tinker://a/../b"), None, "path", "Invalid tinker path"),
    ("a path that ends a line", lambda c: c.load_state_with_optimizer("tinker://a/weights/b\r\nx: y"), None, "path", "Invalid tinker path"),
    ("a custom loss that is none", lambda c: c.forward_backward_custom([datum()], "mse"), None, "loss_fn", "not a function"),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "index", "field", "words"), [row[1:] for row in TRAINING], ids=[row[0] for row in TRAINING]
)
def test_a_training_call(bench: Bench, call: Train, index: int | None, field: str | None, words: str) -> None:
    """The error names datum and field, nothing was sent, and the line has no gap behind it."""
    client = bench.training()
    before = bench.sent()
    with pytest.raises(InputError) as caught:
        outcome(call(client))
    assert (caught.value.datum, caught.value.field, caught.value.applied) == (index, field, "no")
    assert words in str(caught.value)
    assert bench.sent() == before
    works(client)
    assert bench.ledger(client) == [(1, "forward_backward"), (2, "optim_step")]
    assert bench.sent() == [*before, "forward_backward", "optim_step"]


def params(**given: Any) -> Sample:
    """Sample with these parameters."""
    return lambda client: client.sample(PROMPT, 1, types.SamplingParams(**{"max_tokens": 1, **given}))


ONE = types.SamplingParams(max_tokens=1)
SAMPLING: list[tuple[str, Sample, str, str]] = [
    ("empty prompt", lambda c: c.sample(types.ModelInput.empty(), 1, ONE), "prompt", "is empty"),
    ("a list as prompt", lambda c: c.sample([1, 2], 1, ONE), "prompt", "is a list, not a ModelInput"),  # type: ignore[arg-type]
    ("no samples", lambda c: c.sample(PROMPT, 0, ONE), "num_samples", ">= 1"),
    ("negative likeliest", lambda c: c.sample(PROMPT, 1, ONE, topk_prompt_logprobs=-1), "topk_prompt_logprobs", ">= 0"),
    ("parameters as a dict", lambda c: c.sample(PROMPT, 1, {"max_tokens": 1}), "sampling_params", "must be SamplingParams"),  # type: ignore[arg-type]
    ("no tokens", params(max_tokens=0), "max_tokens", "> 0"),
    ("half a token", params(max_tokens=1.5), "max_tokens", "whole number"),
    ("negative temperature", params(temperature=-0.1), "temperature", ">= 0"),
    ("temperature NaN", params(temperature=float("nan")), "temperature", "finite"),
    ("top_p of 0", params(top_p=0), "top_p", "in (0, 1]"),
    ("top_k of 0", params(top_k=0), "top_k", "-1 or above 0"),
    ("negative token", lambda c: c.sample(types.ModelInput.from_ints([1, -1]), 1, ONE), "prompt", "whole numbers >= 0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "field", "words"), [row[1:] for row in SAMPLING], ids=[row[0] for row in SAMPLING]
)
def test_a_sample(bench: Bench, call: Sample, field: str, words: str) -> None:
    """The error names the field, nothing was sent, and the sampler goes on."""
    client = bench.sampling()
    before = bench.sent()
    with pytest.raises(InputError) as caught:
        outcome(call(client))
    assert caught.value.field == field
    assert words in str(caught.value)
    assert bench.sent() == before
    assert len(client.sample(PROMPT, 1, ONE).result(timeout=WAIT_S).sequences[0].tokens) == 1


Ask = Callable[[tinsmith.ServiceClient], object]
GARBLED = "tinker:/run/weights/a"
SERVICE: list[tuple[str, Ask, str, str]] = [
    ("both names of a sampler", lambda s: s.create_sampling_client("tinker://a/weights/b", "tinsmith/tiny"), "model_path", "exactly one"),
    ("neither name of a sampler", lambda s: s.create_sampling_client(), "model_path", "exactly one"),
    ("a malformed path to sample from", lambda s: s.create_sampling_client(GARBLED), "model_path", "Invalid tinker path"),
    ("a malformed path to train from", lambda s: s.create_training_client_from_state(GARBLED), "path", "Invalid tinker path"),
    ("a malformed path to describe", lambda s: s.create_rest_client().get_weights_info_by_tinker_path(GARBLED), "tinker_path", "Invalid tinker path"),
    ("a malformed path to delete", lambda s: s.create_rest_client().delete_checkpoint_from_tinker_path("tinker://a/other/b"), "path", "Invalid tinker path"),
    ("rank 0", lambda s: s.create_lora_training_client("tinsmith/tiny", rank=0), "rank", ">= 1"),
    ("a seed of 70 bits", lambda s: s.create_lora_training_client("tinsmith/tiny", rank=2, seed=2**70), "seed", "64 bits"),
    ("metadata that is no JSON", lambda s: s.create_lora_training_client("tinsmith/tiny", rank=2, user_metadata={"a": {1}}), "user_metadata.a", "JSON"),  # type: ignore[dict-item]
    ("a rank of text", lambda s: s.create_lora_training_client("tinsmith/tiny", rank="eight"), "rank", "whole number"),  # type: ignore[arg-type]
    ("nothing to train", lambda s: s.create_lora_training_client("tinsmith/tiny", 2, None, False, False, False), "lora_config", "at least one"),
    ("no connections", lambda s: s.create_sampling_client(base_model="tinsmith/tiny", retry_config=tinsmith.RetryConfig(max_connections=0)), "max_connections", "above 0"),
    ("negative connections", lambda s: tinsmith.RetryConfig(max_connections=-1), "max_connections", "above 0"),
    ("an unknown image format", lambda s: types.ImageChunk(b"GIF89a", "gif"), "format", "takes png and jpeg"),
    ("a file that is no image", lambda s: types.ImageChunk.from_path(__file__), "format", "neither PNG nor JPEG"),
    ("an unreadable file", lambda s: types.ImageChunk.from_path(Path(__file__).parent), "data", "cannot read the image"),
    ("a missing file", lambda s: types.ImageChunk.from_path("/nowhere/a.png"), "data", "cannot read the image"),
    ("no base64", lambda s: types.ImageChunk.from_base64("???", "png"), "data", "base64"),
    ("the length of an image without expected_tokens", lambda s: types.ModelInput.empty().append(types.ImageChunk(b"x", "png")).length, "expected_tokens", "unknown until"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "field", "words"), [row[1:] for row in SERVICE], ids=[row[0] for row in SERVICE]
)
def test_another_call(bench: Bench, call: Ask, field: str, words: str) -> None:
    """The error names the field, nothing was sent, and the client goes on."""
    bench.service.get_server_capabilities()
    before = bench.sent()
    with pytest.raises(InputError) as caught:
        outcome(call(bench.service))
    assert caught.value.field == field
    assert words in str(caught.value)
    assert bench.sent() == before
    assert bench.service.get_server_capabilities().supported_models


KEYS: list[tuple[str, str | None, str]] = [
    ("missing", None, "pass api_key=, set TINKER_API_KEY"),
    ("empty", "", "pass api_key=, set TINKER_API_KEY"),
    ("another service's", "sk-proj-123", "require_key_prefix=False"),
    ("two lines", "tml-a\r\nx: y", "X-API-Key"),
]


@pytest.mark.parametrize(("key", "words"), [row[1:] for row in KEYS], ids=[row[0] for row in KEYS])
def test_a_key_that_cannot_be_right(key: str | None, words: str) -> None:
    """It is refused when the client is made, and not shown."""
    with pytest.raises(TinkerError) as caught:
        tinsmith.ServiceClient(base_url="http://127.0.0.1:9", api_key=key)
    assert words in str(caught.value)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("key", ["tml-wrong", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "any"])
def test_a_wrong_key(tmp_path: Path, key: str) -> None:
    """Only the server can know: 401, one error, and a client with the right key works."""
    with serving(ServeOptions(data_dir=tmp_path)) as (address, _):
        settings: Any = {"base_url": address.base_url, "require_key_prefix": False}
        with (
            tinsmith.ServiceClient(api_key=key, **settings) as wrong,
            tinsmith.ServiceClient(api_key=address.token, **settings) as right,
        ):
            for call in (wrong.get_server_capabilities, wrong.create_rest_client().list_sessions().result):
                with pytest.raises(AuthenticationError, match=r"key|token"):
                    call()
            with pytest.raises(AuthenticationError):
                wrong.create_lora_training_client("tinsmith/tiny", rank=2).result()
            works(right.create_lora_training_client("tinsmith/tiny", rank=2))
