"""Values: conversions, conveniences, lengths, ranges, equality, pickles."""

from __future__ import annotations

import ast
import base64
import inspect
import io
import pickle
import sys
import textwrap
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import attrs
import numpy as np
import pytest
from tinsmith.core import values
from tinsmith.core.arguments import check_optimizer, check_step
from tinsmith.core.codec.protobuf import to_bytes
from tinsmith.core.errors import InputError, MissingExtraError
from tinsmith.core.values import (
    AdamParams,
    Datum,
    EncodedTextChunk,
    ImageAssetPointerChunk,
    ImageChunk,
    LoraConfig,
    ModelInput,
    SamplingParams,
    TensorData,
    UnknownChunk,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES: list[str] = vars(values)["__all__"]
PNG = b"\x89PNG\r\n\x1a\n rest"
JPEG = b"\xff\xd8\xff rest"


def test_every_name_loads_and_unknown_ones_do_not() -> None:
    """The lazy namespace holds what it lists."""
    assert sorted(NAMES) == dir(values)
    for name in NAMES:
        assert getattr(values, name) is not None
    with pytest.raises(AttributeError, match="Nonsense"):
        getattr(values, "Nonsense")  # noqa: B009


def test_every_value_is_frozen_and_documents_its_fields() -> None:
    """No value can be changed, and each public field has its explanation below it."""
    for name in NAMES:
        cls = getattr(values, name)
        if not (isinstance(cls, type) and attrs.has(cls)):
            continue
        assert cls.__setattr__ is not object.__setattr__, name
        documented = _documented(cls)
        missing = [
            f.name for f in attrs.fields(cls) if not f.name.startswith("_") and f.name not in documented
        ]
        assert not missing, (name, missing)


def _documented(cls: type) -> set[str]:
    """Find the fields of a class and its bases that a string follows."""
    found: set[str] = set()
    for base in cls.__mro__[:-1]:
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in pairwise(body.body):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                assert isinstance(field.target, ast.Name)
                found.add(field.target.id)
    return found


@pytest.mark.parametrize(
    ("array", "dtype", "shape"),
    [
        (np.arange(6, dtype=np.int32).reshape(2, 3), "int64", [2, 3]),
        (np.arange(3, dtype=np.float64), "float32", [3]),
        (np.array([[1], [2]], np.float32), "float32", [2, 1]),
        (np.array(7), "int64", []),
        (np.zeros(0, np.float16), "float32", [0]),
    ],
)
def test_arrays_become_tensors_and_come_back(array: Any, dtype: str, shape: list[int]) -> None:
    """Floats become float32, signed integers int64, and the shape is kept."""
    tensor = TensorData.from_numpy(array)
    assert (tensor.dtype, tensor.shape, len(tensor)) == (dtype, shape, array.size)
    back = tensor.to_numpy()
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, array.astype(dtype))
    assert tensor.tolist() == array.astype(dtype).tolist()
    assert tensor.data == array.astype(dtype).reshape(-1).tolist()
    assert tensor.data is tensor.data, "the list is kept from the second reading on"


@pytest.mark.parametrize(
    "array", [np.zeros(2, np.uint8), np.zeros(2, bool), np.zeros(2, complex), np.array(["a"])]
)
def test_other_dtypes_are_refused(array: Any) -> None:
    """Unsigned, boolean and everything else has no place in the API."""
    with pytest.raises(InputError, match="cannot be sent"):
        TensorData.from_numpy(array)


def test_a_buffer_may_be_reused_after_the_call() -> None:
    """The value holds a copy, and that copy is read-only."""
    buffer = np.ones(3, np.float32)
    tensor = TensorData.from_numpy(buffer)
    buffer[:] = 9
    assert tensor.data == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        tensor.raw[0] = 5


def test_a_list_stays_a_list() -> None:
    """It is copied, and not converted until an array is asked for."""
    numbers = [1, 2.5]
    tensor = TensorData(numbers, "float32")
    assert tensor.raw == numbers
    assert tensor.raw is not numbers
    assert tensor.data is tensor.raw
    assert tensor.tolist() == [1, 2.5]
    assert tensor.to_numpy().dtype == np.float32
    assert TensorData((1, 2), "int64").data == [1, 2]
    assert TensorData(range(3), "int64", (3, 1)).tolist() == [[0], [1], [2]]


def test_a_tensor_from_a_deep_array_takes_its_shape() -> None:
    """The constructor keeps a shape that nobody stated, unless it is the plain one."""
    assert TensorData(np.zeros((2, 2)), "float32").shape == [2, 2]
    assert TensorData(np.zeros(2), "float32").shape is None
    with pytest.raises(InputError, match="bfloat16"):
        TensorData([1], "bfloat16")  # type: ignore[arg-type]


def test_tensors_compare_by_content() -> None:
    """An array and a list with the same numbers are the same tensor; tensors do not hash."""
    one, two = TensorData(np.arange(2), "int64", [2]), TensorData([0, 1], "int64", [2])
    assert one == two
    assert one != TensorData([0, 1], "float32", [2])
    assert one != [0, 1]
    assert "[0, 1]" in repr(one)
    assert "..." in repr(TensorData([0] * 9, "int64"))
    with pytest.raises(TypeError):
        hash(one)


class _Torch(ModuleType):
    """The few torch names that conversions use, over numpy."""

    class Tensor:
        __module__ = "torch"

        def __init__(self, array: Any) -> None:
            self.array = array
            self.shape = array.shape
            self.layout = "torch.strided"

        def detach(self) -> Any:
            return self

        cpu = detach

        def is_floating_point(self) -> bool:
            return bool(self.array.dtype.kind == "f")

        def float(self) -> Any:
            return _Torch.Tensor(self.array.astype(np.float32))

        def long(self) -> Any:
            return _Torch.Tensor(self.array.astype(np.int64))

        def to_sparse_csr(self) -> Any:
            sparse = _Torch.Tensor(self.array)
            sparse.layout = "torch.sparse_csr"
            return sparse

        def values(self) -> Any:
            return _Torch.Tensor(self.array[self.array != 0])

        def crow_indices(self) -> Any:
            return _Torch.Tensor(np.concatenate([[0], np.cumsum((self.array != 0).sum(axis=1))]))

        def col_indices(self) -> Any:
            return _Torch.Tensor(np.nonzero(self.array)[1])

        def numpy(self) -> Any:
            return self.array

    def from_numpy(self, array: Any) -> Any:
        return _Torch.Tensor(array)


def test_torch_tensors_are_taken_and_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Floating tensors become float32, all others int64; without torch the error names the extra."""
    monkeypatch.setitem(sys.modules, "torch", _Torch("torch"))
    mask = _Torch.Tensor(np.array([True, False]))
    half = _Torch.Tensor(np.array([[0.5]], np.float16))
    assert TensorData.from_torch(mask) == TensorData([1, 0], "int64", [2])
    tensor = TensorData.from_torch(half)
    assert (tensor.dtype, tensor.shape) == ("float32", [1, 1])
    assert tensor.to_torch().numpy().tolist() == [[0.5]]
    datum = Datum({"weights": mask}, ModelInput.empty())
    assert datum.loss_fn_inputs["weights"] == TensorData([1.0, 0.0], "float32", [2])
    dense = np.array([[0.0, 2.0], [3.0, 0.0]])
    sparse = TensorData.from_torch_sparse(cast("Any", _Torch.Tensor(dense)))
    assert (sparse.data, sparse.is_sparse, sparse.tolist()) == ([2.0, 3.0], True, dense.tolist())
    padded = np.array([[-1, 2], [3, -1]])
    sparse = TensorData.from_torch_sparse(cast("Any", _Torch.Tensor(padded)), pad_value=-1)
    assert (sparse.data, sparse.dtype, sparse.tolist()) == ([2, 3], "int64", [[0, 2], [3, 0]])
    assert sparse.tolist(pad_value=-1) == sparse.to_torch(pad_value=-1).numpy().tolist() == padded.tolist()
    with pytest.raises(InputError, match="two dimensions"):
        TensorData.from_torch_sparse(cast("Any", mask), pad_value=-1)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"tinsmith\[torch\]"):
        tensor.to_torch()


def test_a_datum_converts_what_it_is_given() -> None:
    """Arrays by their dtype, flat lists by their name; integer masks become the floats the API documents."""
    datum = Datum(
        loss_fn_inputs={
            "target_tokens": [1, 2],
            "weights": np.array([0, 1]),
            "mine": np.array([[1], [2]]),
            "given": TensorData([1], "int64"),
        },
        model_input=ModelInput.from_ints([5, 6]),
    )
    inputs = datum.loss_fn_inputs
    assert inputs["target_tokens"] == TensorData([1, 2], "int64", [2])
    assert (inputs["weights"].dtype, inputs["weights"].data) == ("float32", [0.0, 1.0])
    assert (inputs["mine"].dtype, inputs["mine"].shape) == ("int64", [2, 1])
    assert pickle.loads(pickle.dumps(datum)) == datum


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("mine", [1.0], "nothing of its dtype"),
        ("weights", [[1.0]], "nested lists"),
        ("weights", (1.0,), "a tuple cannot"),
        ("weights", ModelInput.empty(), "a ModelInput cannot"),
        ("weights", np.zeros(1, np.uint8), "uint8"),
    ],
)
def test_what_is_no_tensor_is_named(name: str, value: Any, problem: str) -> None:
    """The error names the input and what is wrong with it."""
    with pytest.raises(InputError, match=problem) as caught:
        Datum({name: value}, ModelInput.empty())
    assert caught.value.field == name


def test_a_model_input_grows_by_copies() -> None:
    """from_ints, append, append_int, empty, to_ints and length."""
    start = ModelInput.from_ints([1, 2])
    longer = start.append_int(3).append(ImageChunk(PNG, "png", 4))
    assert (start.length, longer.length) == (2, 7)
    assert start.append_int(3).to_ints() == [1, 2, 3]
    assert ModelInput.empty().to_ints() == []
    assert ModelInput.from_ints(np.array([1, 2])) == start  # type: ignore[arg-type]
    with pytest.raises(InputError, match="chunk 2 is 'image'"):
        longer.to_ints()


@pytest.mark.parametrize(
    ("chunk", "length"),
    [
        (EncodedTextChunk([1, 2]), 2),
        (ImageChunk(PNG, "png", 3), 3),
        (ImageAssetPointerChunk("jpeg", "a", 4), 4),
        (UnknownChunk({"type": "dmel", "expected_tokens": 5}), 5),
        (ImageChunk(PNG, "png"), None),
        (ImageAssetPointerChunk("jpeg", "a"), None),
        (UnknownChunk({"dmel": "x"}), None),
    ],
)
def test_a_chunk_knows_its_length_or_says_what_is_missing(chunk: Any, length: int | None) -> None:
    """Images have a length only with expected_tokens."""
    if length is not None:
        assert chunk.length == length
        return
    with pytest.raises(InputError, match="expected_tokens"):
        _ = chunk.length


def test_an_image_comes_from_anywhere(tmp_path: Path) -> None:
    """Bytes, base64 text, a file, or a PIL image."""
    (tmp_path / "a.bin").write_bytes(JPEG)
    text = base64.b64encode(PNG).decode()
    assert ImageChunk(text, "png").data == PNG
    assert ImageChunk.from_base64(text, "png", 2) == ImageChunk(PNG, "png", 2)
    assert ImageChunk(bytearray(PNG), "png").data == PNG
    assert ImageChunk.from_path(tmp_path / "a.bin") == ImageChunk(JPEG, "jpeg")
    assert repr(ImageChunk(PNG, "png")).count("rest") == 0
    pil = pytest.importorskip("PIL.Image")
    chunk = ImageChunk.from_pil(pil.new("RGB", (3, 2)), "jpeg", 9)
    assert pil.open(io.BytesIO(chunk.data)).size == (3, 2)
    assert (chunk.format, chunk.expected_tokens) == ("jpeg", 9)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: ImageChunk("not base64!", "png"), "base64"),
        (lambda path: ImageChunk(PNG, "gif"), "gif"),
        (lambda path: ImageChunk.from_path(path / "none.png"), "none.png"),
        (lambda path: ImageChunk.from_path(path), "cannot read"),
        (lambda path: ImageChunk.from_path(Path(__file__)), "neither PNG nor JPEG"),
        (lambda path: ImageChunk.from_pil(cast("Any", "x.png")), r"tinsmith\[images\]"),
    ],
)
def test_a_bad_image_is_refused(make: Any, problem: str, tmp_path: Path) -> None:
    """Unknown format, bad base64, unreadable file: each says which."""
    with pytest.raises((InputError, MissingExtraError), match=problem):
        make(tmp_path)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: AdamParams(learning_rate=-1e-4), "learning_rate"),
        (lambda: AdamParams(learning_rate=float("nan")), "learning_rate"),
        (lambda: AdamParams(learning_rate=cast("Any", "abc")), "learning_rate"),
        (lambda: AdamParams(learning_rate=True), "learning_rate"),
        (lambda: AdamParams(beta1=1.0), "beta1"),
        (lambda: AdamParams(beta2=-0.1), "beta2"),
        (lambda: AdamParams(eps=0.0), "eps"),
        (lambda: AdamParams(weight_decay=-1.0), "weight_decay"),
        (lambda: AdamParams(grad_clip_norm=float("inf")), "grad_clip_norm"),
        (lambda: LoraConfig(rank=0), "rank"),
        (lambda: LoraConfig(rank=cast("Any", 1.5)), "rank"),
        (lambda: LoraConfig(rank=True), "rank"),
        (lambda: LoraConfig(8, None, False, False, False), "lora_config"),
        (lambda: SamplingParams(max_tokens=0), "max_tokens"),
        (lambda: SamplingParams(temperature=-0.1), "temperature"),
        (lambda: SamplingParams(top_p=0.0), "top_p"),
        (lambda: SamplingParams(top_p=1.1), "top_p"),
        (lambda: SamplingParams(top_k=0), "top_k"),
        (lambda: SamplingParams(top_k=-2), "top_k"),
        (lambda: SamplingParams(seed=cast("Any", 1.5)), "seed"),
        (lambda: SamplingParams(seed=2**63), "seed"),
    ],
)
def test_parameters_out_of_range_are_refused(make: Any, field: str) -> None:
    """The error names the parameter."""
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.field == field


NUMBERS = [
    (AdamParams, "learning_rate", np.float32(1e-4), float),
    (AdamParams, "beta1", np.float64(0.5), float),
    (AdamParams, "beta2", np.float16(0.5), float),
    (AdamParams, "eps", np.float32(1e-8), float),
    (AdamParams, "weight_decay", np.int64(0), int),
    (AdamParams, "grad_clip_norm", np.int64(5), int),
    (LoraConfig, "rank", np.int64(5), int),
    (LoraConfig, "seed", np.uint8(5), int),
    (SamplingParams, "max_tokens", np.int32(5), int),
    (SamplingParams, "seed", np.int64(5), int),
    (SamplingParams, "temperature", np.float32(0.5), float),
    (SamplingParams, "top_k", np.int64(5), int),
    (SamplingParams, "top_p", np.float64(0.5), float),
]
NO_NUMBERS: list[Any] = [
    True,
    np.bool_(True),
    float("nan"),
    float("inf"),
    np.float32("nan"),
    np.float64("-inf"),
    "nan",
    "inf",
    "abc",
    "",
    b"1",
    [1],
    np.array([1.0]),
    1j,
    10**400,
]


@pytest.mark.parametrize(("cls", "field", "given", "kind"), NUMBERS)
def test_scalars_of_numpy_become_python_numbers(cls: Any, field: str, given: Any, kind: type) -> None:
    """A number of another library is taken for what it is, and kept as Python's own."""
    kept = getattr(cls(**{"rank": 1, field: given} if cls is LoraConfig else {field: given}), field)
    assert type(kept) is kind
    assert kept == given


@pytest.mark.parametrize("given", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize(("cls", "field"), [row[:2] for row in NUMBERS])
def test_what_is_no_finite_number_is_refused(cls: Any, field: str, given: Any) -> None:
    """Truth values, NaN, infinities, texts and arrays raise an error that names the field."""
    with pytest.raises(InputError, match="must be") as caught:
        cls(**{"rank": 1, field: given} if cls is LoraConfig else {field: given})
    assert caught.value.field == field


SPARSE: list[tuple[Any, str, str]] = [
    (lambda: TensorData([1], "int64", [1, 2], [0, 1]), "sparse_crow_indices", "crow and col"),
    (lambda: TensorData([1], "int64", [1, 2], None, [0]), "sparse_crow_indices", "crow and col"),
    (lambda: TensorData([1], "int64", None, [0, 1], [0]), "shape", "two dimensions"),
    (lambda: TensorData([1], "int64", [2], [0, 1], [0]), "shape", "two dimensions"),
]


@pytest.mark.parametrize(("make", "field", "problem"), SPARSE)
def test_a_sparse_tensor_is_whole(make: Any, field: str, problem: str) -> None:
    """Both kinds of indices and a shape of two dimensions belong to it."""
    with pytest.raises(InputError, match=problem) as caught:
        make()
    assert caught.value.field == field


def test_a_sparse_tensor_is_filled_when_somebody_asks() -> None:
    """What is stored is kept, and zeros appear in the dense array alone; arrays are copied and frozen."""
    rows, columns = np.array([0, 2, 2, 3], np.int32), np.array([0, 2, 1])
    sparse = TensorData(np.array([1.0, 2.0, 3.0]), "float32", [3, 3], rows, columns)
    rows[:] = 9
    dense = [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.0, 3.0, 0.0]]
    assert sparse.is_sparse
    assert (len(sparse), sparse.data, sparse.tolist()) == (3, [1.0, 2.0, 3.0], dense)
    assert sparse.sparse_crow_indices.dtype == np.int64
    assert not sparse.sparse_col_indices.flags.writeable
    assert "sparse" in repr(sparse)
    assert sparse == TensorData([1.0, 2.0, 3.0], "float32", [3, 3], [0, 2, 2, 3], [0, 2, 1])
    assert sparse != TensorData([1.0, 2.0, 3.0], "float32", [3, 3], [0, 2, 2, 3], [0, 1, 1])
    assert sparse != TensorData([1.0, 2.0], "float32", [3, 3], [0, 2, 2, 2], [0, 2])
    assert sparse != TensorData(np.array(dense), "float32")


def test_a_decoder_may_give_its_array_away() -> None:
    """What is frozen already is kept without a copy."""
    numbers = np.array([1, 2], np.int64)
    numbers.setflags(write=False)
    tensor = TensorData.of_frozen(numbers, "int64", [2])
    assert tensor.raw is numbers
    assert tensor.to_numpy() is numbers


def test_numbers_are_converted_once() -> None:
    """The array is the same at each call, and read-only; a list that is read once is not kept."""
    for given, shape in (([1.0, 2.0], None), ([1.0, 2.0], [2, 1]), (np.ones((2, 3), np.float32), None)):
        tensor = TensorData(given, "float32", shape)
        array = tensor.to_numpy()
        assert tensor.to_numpy() is array
        assert not array.flags.writeable
    first = tensor.data
    assert tensor.data is not first, "whoever reads once holds no second copy"
    assert tensor.data is tensor.data == first
    sparse = TensorData([1.0], "float32", [1, 2], [0, 1], [0])
    assert sparse.to_numpy(pad_value=3).tolist() == [[1.0, 3.0]]
    assert sparse.to_numpy().tolist() == [[1.0, 0.0]]


def test_optimizers_and_their_steps_are_checked() -> None:
    """Known kinds are classes, unknown ones mappings with a type; all else is named."""
    for good in (values.AdamOptimizerConfig(), values.DimuonOptimizerConfig(), {"type": "new"}):
        check_optimizer(good)
    for step in (AdamParams(), values.DimuonParams(0.1), {"type": "new"}):
        check_step(step)
    for check, field in ((check_optimizer, "optimizer"), (check_step, "adam_params")):
        for bad in (1e-4, {}, {"type": ""}, {"type": 3}, "adamw"):
            with pytest.raises(InputError, match="must be") as caught:
                check(bad)
            assert caught.value.field == field


def test_a_search_and_a_span_check_themselves() -> None:
    """A page of a search, its users, and the stretch of a span have ranges."""
    assert values.SessionSearchRequest(limit=200).owner == values.OwnSearchOwner()
    assert values.UserSearchOwner(["u"]).type == "user"
    assert values.PromptProvenanceSpan(sequence_id="s", length=2).offset == 0
    for make, field in (
        (lambda: values.SessionSearchRequest(limit=201), "limit"),
        (lambda: values.UserSearchOwner([]), "owner_urns"),
        (lambda: values.UserSearchOwner(["u"] * 11), "owner_urns"),
        (lambda: values.PromptProvenanceSpan(sequence_id="s", length=-1), "length"),
        (lambda: values.SampledProvenanceSpan(sequence_id="s", offset=-1, length=1), "offset"),
    ):
        with pytest.raises(InputError) as caught:
            make()
        assert caught.value.field == field


def test_a_flag_is_true_or_false() -> None:
    """A number where a truth value is meant is a slip of arguments."""
    with pytest.raises(InputError, match="true or false") as caught:
        LoraConfig(8, train_mlp=cast("Any", 1))
    assert caught.value.field == "train_mlp"


def test_parameters_have_the_documented_defaults() -> None:
    """What an empty constructor means."""
    assert attrs.astuple(AdamParams()) == (1e-4, 0.9, 0.95, 1e-12, 0.0, 0.0)
    assert attrs.astuple(LoraConfig(32)) == (32, None, True, True, True)
    assert attrs.astuple(SamplingParams()) == (None, None, None, 1, -1, 1)


def test_numbers_that_are_none_are_named_when_an_array_is_made() -> None:
    """A list is kept as it is; what cannot become an array of the stated dtype is an error of ours."""
    wrong: list[Any] = [["a"], [[1], [1, 2]], [{}]]
    for data in wrong:
        with pytest.raises(InputError, match="field 'data': holds what is no number of float32"):
            TensorData(data, "float32").to_numpy()
    with pytest.raises(InputError, match="field 'data'"):
        TensorData([2**70], "int64").to_numpy()
    assert np.isinf(TensorData([1e300], "float32").to_numpy()).all()
    with pytest.raises(InputError, match=r"field 'shape': .*cannot be filled"):
        TensorData([1.0], "float32", [1, 2**62], [0, 1], [0]).to_numpy()


def test_fractions_of_whole_numbers_are_refused_and_not_cut() -> None:
    """The error says which number it is: at once for an array, for a list when it becomes one."""
    given = [1, 2.5, 3]
    made: list[Callable[[], object]] = [
        lambda: TensorData(np.array(given), "int64"),
        lambda: TensorData(np.array([[1, 2.5], [3, 4]], np.float32), "int64"),
        lambda: TensorData(given, "int64").to_numpy(),
        lambda: TensorData(given, "int64", [3, 1]).tolist(),
        lambda: to_bytes(given, "<i8"),
        lambda: to_bytes(np.array(given), "<i4"),
    ]
    for make in made:
        with pytest.raises(InputError, match=r"must be a whole number, not .*2\.5") as caught:
            make()
        assert caught.value.field == "data[1]"
    with pytest.raises(InputError, match="whole number") as caught:
        TensorData([1.0], "float32", [1, 1], np.array([0, 0.5]), [0])
    assert caught.value.field == "sparse_crow_indices[1]"
    assert TensorData([1, 2.0], "int64").to_numpy().tolist() == [1, 2]
    assert TensorData(np.array([1, 2.0]), "int64").data == [1, 2]
    assert TensorData([1.5], "int64") != TensorData([1], "int64")
    assert to_bytes([1, 2.0], "<i4") == to_bytes([1, 2], "<i4") == b"\x01\0\0\0\x02\0\0\0"


def test_provenance_covers_what_it_annotates() -> None:
    """Spans that leave a position out, or go beyond the end, are refused; others come with a copy."""
    datum = Datum({"target_tokens": [2, 3], "weights": [1.0, 1.0]}, ModelInput.from_ints([1, 2]))
    prompt: values.ProvenanceSpans = [values.PromptProvenanceSpan("s", length=2)]
    sampled: values.ProvenanceSpans = [
        values.PromptProvenanceSpan("s", offset=1, length=1),
        values.SampledProvenanceSpan("s", length=1),
    ]
    known = datum.with_provenance(model_input=prompt, loss_fn_inputs=sampled)
    assert (known.model_input_spans, known.loss_fn_input_spans) == (prompt, sampled)
    assert datum.model_input_spans is None
    with pytest.raises(InputError, match=r"model_input.*cover 1 positions, there are 2"):
        datum.with_provenance(sampled[:1], sampled)
    with pytest.raises(InputError, match=r"loss_fn_inputs.*cover 1 positions, there are 2"):
        datum.with_provenance(prompt, sampled[:1])
    for inputs in ({}, {"target_tokens": np.array([[1, 2], [3, 4]])}):
        assert Datum(inputs, ModelInput.from_ints([1, 2])).with_provenance(prompt, []) is not None
