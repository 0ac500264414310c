"""A supervised loop in the official style: forward_backward, optim_step, then the results."""

import argparse

import numpy as np
import tinker
from tinker import types


def example(text: str, tokenizer: object) -> types.Datum:
    tokens = tokenizer.encode(text)  # type: ignore[attr-defined]
    weights = [0] * 2 + [1] * (len(tokens) - 2)
    return types.Datum(
        model_input=types.ModelInput.from_ints(tokens=tokens[:-1]),
        loss_fn_inputs=dict(weights=weights[1:], target_tokens=tokens[1:]),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-model", required=True)
    parser.add_argument("--steps", type=int, default=3)
    arguments = parser.parse_args()

    service_client = tinker.ServiceClient()
    models = [item.model_name for item in service_client.get_server_capabilities().supported_models]
    assert arguments.base_model in models
    training_client = service_client.create_lora_training_client(base_model=arguments.base_model, rank=4)
    tokenizer = training_client.get_tokenizer()
    data = [example(text, tokenizer) for text in ("banana is yellow", "grass is green")]

    losses = []
    for _ in range(arguments.steps):
        fwdbwd_future = training_client.forward_backward(data, "cross_entropy")
        optim_future = training_client.optim_step(types.AdamParams(learning_rate=1e-2))
        fwdbwd_result = fwdbwd_future.result()
        optim_future.result()
        logprobs = np.concatenate([output["logprobs"].tolist() for output in fwdbwd_result.loss_fn_outputs])
        weights = np.concatenate([datum.loss_fn_inputs["weights"].tolist() for datum in data])
        losses.append(-np.dot(logprobs, weights) / weights.sum())
    assert losses[-1] < losses[0], losses

    sampling_client = training_client.save_weights_and_get_sampling_client(name="banana")
    prompt = types.ModelInput.from_ints(tokenizer.encode("banana"))
    params = types.SamplingParams(max_tokens=5, temperature=0.0, stop=["\n"])
    result = sampling_client.sample(prompt=prompt, sampling_params=params, num_samples=2).result()
    assert len(result.sequences) == 2
    assert isinstance(tokenizer.decode(result.sequences[0].tokens), str)
    print("loss", losses[0], "->", losses[-1])


if __name__ == "__main__":
    main()
