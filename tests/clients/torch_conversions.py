"""Run by test_real_torch.py in an environment that has torch: tensors in, tensors out, for each dtype."""

from __future__ import annotations

import torch
from tinsmith import types

TABLE = [
    (torch.float32, "float32", torch.float32),
    (torch.float64, "float32", torch.float32),
    (torch.float16, "float32", torch.float32),
    (torch.bfloat16, "float32", torch.float32),
    (torch.int64, "int64", torch.int64),
    (torch.int32, "int64", torch.int64),
    (torch.uint8, "int64", torch.int64),
    (torch.bool, "int64", torch.int64),
]


def main() -> None:
    """Convert every dtype and shape there and back."""
    for given, dtype, back in TABLE:
        for shape in [(4,), (2, 2), (1, 2, 2), ()]:
            tensor = torch.ones(shape).to(given)
            data = types.TensorData.from_torch(tensor)
            assert (data.dtype, data.shape) == (dtype, list(shape)), (given, shape)
            again = data.to_torch()
            assert (again.dtype, tuple(again.shape)) == (back, shape), (given, shape)
            assert torch.equal(again, tensor.to(back))
            assert data.tolist() == tensor.to(back).tolist()
    grown = torch.ones(6, requires_grad=True)[::2]
    assert types.TensorData.from_torch(grown).tolist() == [1.0, 1.0, 1.0]
    kept = types.TensorData.from_torch(given := torch.zeros(2))
    given += 1
    assert kept.tolist() == [0.0, 0.0]
    kept.to_torch().add_(5)
    assert kept.tolist() == [0.0, 0.0]
    dense = torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])
    for sparse in (
        types.TensorData.from_torch_sparse(dense),
        types.TensorData.from_torch(dense.to_sparse_csr()),
    ):
        assert (sparse.is_sparse, sparse.data, sparse.shape) == (True, [2.0, 1.0, 3.0], [2, 3])
        assert torch.equal(sparse.to_torch(), dense)
    padded = torch.tensor([[-1, 5, -1], [7, -1, -1]])
    sparse = types.TensorData.from_torch_sparse(padded, pad_value=-1)
    assert torch.equal(sparse.to_torch(pad_value=-1), padded)
    assert sparse.data == [5, 7]
    datum = types.Datum(
        model_input=types.ModelInput.from_ints(torch.tensor([1, 2]).tolist()),
        loss_fn_inputs={
            "target_tokens": torch.tensor([2, 3], dtype=torch.int32),
            "weights": torch.tensor([True, False]),
            "mask": torch.tensor([True, False]),
        },
    )
    found = {name: tensor.dtype for name, tensor in datum.loss_fn_inputs.items()}
    assert found == {"target_tokens": "int64", "weights": "float32", "mask": "int64"}
    print("converted", len(TABLE) * 4)


if __name__ == "__main__":
    main()
