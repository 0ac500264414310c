"""A custom loss in the official style, with torch."""

import sys

import tinker
import torch
from tinker import types


def squared(data: list[types.Datum], logprobs: list[torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    flat = torch.cat(logprobs)
    loss = (flat**2).sum()
    return loss, {"squared": loss.item()}


def main() -> None:
    training_client = tinker.ServiceClient().create_lora_training_client(sys.argv[1], rank=4)
    data = [
        types.Datum(
            model_input=types.ModelInput.from_ints([1, 2, 3]),
            loss_fn_inputs={"target_tokens": torch.tensor([2, 3, 4]), "weights": torch.ones(3)},
        )
    ]
    values = []
    for _ in range(3):
        result = training_client.forward_backward_custom(data, squared).result()
        training_client.optim_step(types.AdamParams(learning_rate=1e-2)).result()
        values.append(result.metrics["squared"])
    assert values[-1] < values[0]
    print("squared", values[0], "->", values[-1])


if __name__ == "__main__":
    main()
