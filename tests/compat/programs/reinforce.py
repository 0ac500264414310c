"""An asynchronous RL loop in the official style: sample a group, centre the rewards, importance_sampling."""

import asyncio
import sys

import tinker
from tinker.types import LossFnType
from tinker.types.tensor_data import TensorData

LOSS: LossFnType = "importance_sampling"
PROMPT = "say a: "


def reward(text: str) -> float:
    return text.count("a") / max(len(text), 1)


async def rollouts(
    sampling_client: tinker.SamplingClient, prompt: tinker.ModelInput, tokenizer: object
) -> list[tinker.Datum]:
    params = tinker.SamplingParams(max_tokens=6, temperature=1.0)
    answer = await sampling_client.sample_async(prompt=prompt, num_samples=4, sampling_params=params)
    rewards = [reward(tokenizer.decode(s.tokens)) for s in answer.sequences]  # type: ignore[attr-defined]
    mean = sum(rewards) / len(rewards)
    data = []
    for sequence, value in zip(answer.sequences, rewards, strict=True):
        assert sequence.logprobs is not None
        observed = prompt.length - 1
        tokens = prompt.to_ints() + list(sequence.tokens)
        data.append(
            tinker.Datum(
                model_input=tinker.ModelInput.from_ints(tokens[:-1]),
                loss_fn_inputs={
                    "target_tokens": TensorData(data=tokens[1:], dtype="int64", shape=[len(tokens) - 1]),
                    "logprobs": TensorData(
                        data=[0.0] * observed + list(sequence.logprobs), dtype="float32", shape=None
                    ),
                    "advantages": TensorData(
                        data=[0.0] * observed + [value - mean] * len(sequence.tokens), dtype="float32"
                    ),
                },
            )
        )
    return data


async def main() -> None:
    service_client = tinker.ServiceClient(user_metadata={"program": "reinforce"})
    training_client = await service_client.create_lora_training_client_async(sys.argv[1], rank=4, seed=1)
    tokenizer = training_client.get_tokenizer()
    prompt = tinker.ModelInput.from_ints(tokenizer.encode(PROMPT))
    for _ in range(2):
        sampling_client = await training_client.save_weights_and_get_sampling_client_async()
        groups = await asyncio.gather(*[rollouts(sampling_client, prompt, tokenizer) for _ in range(3)])
        data = [datum for group in groups for datum in group]
        fwd_bwd_future = await training_client.forward_backward_async(data, loss_fn=LOSS)
        optim_step_future = await training_client.optim_step_async(tinker.AdamParams(learning_rate=1e-3))
        fwd_bwd_result = await fwd_bwd_future.result_async()
        optim_result = await optim_step_future
        assert len(fwd_bwd_result.loss_fn_outputs) == len(data)
        assert "loss:sum" in fwd_bwd_result.metrics
        assert isinstance(optim_result, tinker.types.OptimStepResponse)
    print("trained on", len(data), "rollouts")


if __name__ == "__main__":
    asyncio.run(main())
