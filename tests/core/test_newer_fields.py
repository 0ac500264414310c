"""What came since 0.6.3 (gspo, text settings, sparse targets, sound, spans, optimizers), in both encodings.

Mistakes are found at once, and datum and field are named.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from tinsmith import InputError
from tinsmith.core import values
from tinsmith.core.checks import check_batch, loss_settings
from tinsmith.core.codec.decode import decode_datum
from tinsmith.core.codec.encode import encode_body, encode_forward_backward, encode_optim_step
from tinsmith.core.codec.proto_requests import decode_training_request
from tinsmith.core.values import (
    AdamOptimizerConfig,
    Datum,
    DimuonOptimizerConfig,
    DimuonParams,
    DmelChunk,
    ModelInput,
    PromptProvenanceSpan,
    SampledProvenanceSpan,
    TensorData,
)

TOKENS = ModelInput.from_ints([1, 2, 3])
POLICY: dict[str, Any] = {"target_tokens": [1, 2, 3], "logprobs": [0.0] * 3, "advantages": [1.0] * 3}
GOOD = Datum(POLICY, TOKENS)
MASK = np.ones(3, np.float32)


def in_both(datum: Datum, config: Any = None) -> tuple[dict[str, Any], values.ForwardBackwardInput]:
    """Return the body as a JSON server sees it, and as a protobuf server does."""
    asked = ("forward_backward", [datum], "gspo", loss_settings(config), "m", 1)
    plain = b"".join(encode_forward_backward(*asked))  # type: ignore[arg-type]
    packed = b"".join(encode_forward_backward(*asked, encoding="protobuf"))  # type: ignore[arg-type]
    request = decode_training_request(packed)
    assert isinstance(request, values.ForwardBackwardRequest)
    return orjson.loads(plain)["forward_backward_input"], request.forward_backward_input


@pytest.mark.parametrize(
    "datum",
    [
        Datum({**POLICY, "sequence_ratio_mask": MASK}, TOKENS),
        Datum({**POLICY, "target_tokens": TensorData([1, 2], "int64", [3, 9], [0, 1, 1, 2], [0, 8])}, TOKENS),
        Datum(POLICY, ModelInput([DmelChunk(bytes([0, 1, 3]) + b"bins")])),
    ],
    ids=["gspo", "sparse", "sound"],
)
def test_both_encodings_say_the_same(datum: Datum) -> None:
    """It passes the checks, and each kind of server reads the same datum and settings."""
    config: dict[str, float | str] = {"clip_low_threshold": 0.5, "mode": "exact"}
    check_batch([datum], "gspo", config)
    plain, packed = in_both(datum, config)
    assert decode_datum(plain["data"][0], 0) == datum
    assert packed.data == [datum]
    assert plain["loss_fn_config"] == packed.loss_fn_config == config
    assert plain["loss_fn"] == packed.loss_fn == "gspo"


def test_indices_may_be_a_range() -> None:
    """As tokens may."""
    sparse: Any = TensorData([1, 2], "int64", [2, 2], range(3), range(2))
    assert sparse == TensorData([1, 2], "int64", [2, 2], [0, 1, 2], [0, 1])


def test_spans_are_sent_in_protobuf_alone() -> None:
    """JSON has no field for them; tuples do as well."""
    spans: Any = (PromptProvenanceSpan("s", length=2), SampledProvenanceSpan("s", 1, length=1))
    datum = Datum(POLICY, TOKENS, spans, [])
    check_batch([datum], "gspo")
    plain, packed = in_both(datum)
    assert plain["data"][0].keys() == {"loss_fn_inputs", "model_input"}
    assert packed.data[0].model_input_spans == list(spans)


SPAN = PromptProvenanceSpan("s", length=1)


def unchecked(**changes: Any) -> Datum:
    """Make a datum as a decoder does, which the constructor would refuse."""
    return Datum.of_owned(**{**dict(Datum(POLICY, TOKENS)), "extra": None, **changes})


@pytest.mark.parametrize(
    ("bad", "field", "problem"),
    [
        (Datum({"target_tokens": [1, 2, 3]}, TOKENS), "logprobs", "is missing; gspo needs it"),
        (Datum({**POLICY, "sequence_ratio_mask": MASK[:2]}, TOKENS), "sequence_ratio_mask", "has length 2"),
        (unchecked(model_input_spans="abc"), "model_input_spans", "list of Prompt"),
        (unchecked(loss_fn_input_spans=[SPAN, {}]), "loss_fn_input_spans", "list of Prompt"),
        (unchecked(model_input_spans=SPAN), "model_input_spans", "list of Prompt"),
        (
            Datum({**POLICY, "target_tokens": TensorData([1], "int64", [3, 2], [0, 1, 1, 1], [2])}, TOKENS),
            "target_tokens",
            "col index below 2",
        ),
        (Datum(POLICY, ModelInput([DmelChunk(b"")])), "dmel", "ends early"),
    ],
)
def test_a_wrong_datum_is_named_at_once(bad: Datum, field: str, problem: str) -> None:
    """Before anything is sent, with its index in the batch."""
    with pytest.raises(InputError, match=problem) as caught:
        check_batch([GOOD, bad], "gspo")
    assert (caught.value.datum, caught.value.field) == (1, field)


@pytest.mark.parametrize(
    ("config", "field", "problem"),
    [
        ("abc", "loss_fn_config", "must be a mapping .*not a str"),
        ([("a", 1)], "loss_fn_config", "must be a mapping .*not a list"),
        ({1: 2.0}, "loss_fn_config", "the name 1 is a int"),
        ({"a": b"x"}, "loss_fn_config.a", "finite number or text, not b'x'"),
        ({"a": float("nan")}, "loss_fn_config.a", "finite number or text, not nan"),
    ],
)
def test_a_wrong_setting_is_named_at_once(config: Any, field: str, problem: str) -> None:
    """Settings are numbers and texts by name."""
    with pytest.raises(InputError, match=problem) as caught:
        check_batch([GOOD], "gspo", config)
    assert caught.value.field == field


tensor: Any = TensorData
prompt_span: Any = PromptProvenanceSpan
sampled_span: Any = SampledProvenanceSpan
dimuon: Any = DimuonParams
dimuon_config: Any = DimuonOptimizerConfig
adam_config: Any = AdamOptimizerConfig


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: tensor([1], "int64", [None]), "shape"),
        (lambda: tensor([1], "int64", [1.5]), "shape"),
        (lambda: tensor([1], "int64", "1"), "shape"),
        (lambda: tensor([1], "int64", 1), "shape"),
        (lambda: tensor([1], "int64", [3, 1], 7, [0]), "sparse_crow_indices"),
        (lambda: tensor([1], "int64", [3, 1], [0, 1], "a"), "sparse_col_indices"),
        (lambda: prompt_span(3, length=1), "sequence_id"),
        (lambda: sampled_span("s", -1, length=1), "offset"),
        (lambda: dimuon(0.1, type="adamw"), "type"),
        (lambda: dimuon(0.1, beta1=1.0), "beta1"),
        (lambda: dimuon_config(version=0), "version"),
        (lambda: dimuon_config(type="x"), "type"),
        (lambda: adam_config(type="adam"), "type"),
    ],
)
def test_a_wrong_value_is_named_when_it_is_made(make: Any, field: str) -> None:
    """The field is named, and nothing of another library's error comes out."""
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.field == field


def test_optimizers_are_sent_as_the_api_says() -> None:
    """The kind with the model; one step of it under a name of its own."""
    for config, wire in (
        (AdamOptimizerConfig(), {"type": "adamw"}),
        (DimuonOptimizerConfig(), {"type": "dimuon", "version": 1}),
    ):
        request = values.CreateModelRequest("s", 0, "b", optimizer_config=config)
        assert orjson.loads(encode_body(request))["optimizer_config"] == wire
    step = orjson.loads(encode_optim_step(DimuonParams(0.5), "m", 1))
    assert step["optimizer_params"] == {
        "type": "dimuon",
        "learning_rate": 0.5,
        "grad_clip_norm": 0.0,
        "beta1": 0.9,
    }


def test_indices_of_a_sparse_tensor_may_be_a_range() -> None:
    """A range is as good as the list of its numbers."""
    given = TensorData([5.0, 6.0], "float32", [2, 3], range(3), range(2))
    assert given == TensorData([5.0, 6.0], "float32", [2, 3], [0, 1, 2], [0, 1])
