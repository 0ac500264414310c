"""Save, load and resume in the official style, with and without the optimizer's state."""

import sys

import tinker
from tinker import types
from tinker.types import Datum, ModelInput


def losses(training_client: tinker.TrainingClient, data: list[Datum]) -> float:
    return float(training_client.forward(data, "cross_entropy").result().metrics["loss:sum"])


def main() -> None:
    service_client = tinker.ServiceClient()
    training_client = service_client.create_lora_training_client(base_model=sys.argv[1], rank=8)
    tokens = [1, 2, 3, 4, 5, 6]
    data = [
        Datum(
            model_input=ModelInput.from_ints(tokens[:-1]),
            loss_fn_inputs={"target_tokens": tokens[1:], "weights": [1.0] * 5},
        )
    ]
    for _ in range(2):
        training_client.forward_backward(data, "cross_entropy")
        training_client.optim_step(types.AdamParams(learning_rate=5e-3)).result()
    reached = losses(training_client, data)

    save_result = training_client.save_state(name="step-2").result()
    parsed = types.ParsedCheckpointTinkerPath.from_tinker_path(save_result.path)
    assert parsed.checkpoint_type == "training"
    assert parsed.training_run_id == training_client.model_id

    resumed = service_client.create_training_client_from_state(save_result.path)
    assert abs(losses(resumed, data) - reached) < 1e-4
    with_optimizer = service_client.create_training_client_from_state_with_optimizer(save_result.path)
    for client in (training_client, with_optimizer):
        client.forward_backward(data, "cross_entropy")
        client.optim_step(types.AdamParams(learning_rate=5e-3)).result()
    assert abs(losses(training_client, data) - losses(with_optimizer, data)) < 1e-4

    sampler_path = training_client.save_weights_for_sampler(name="final").result().path
    sampling_client = service_client.create_sampling_client(model_path=sampler_path)
    logprobs = sampling_client.compute_logprobs(ModelInput.from_ints(tokens)).result()
    assert logprobs[0] is None
    assert len(logprobs) == len(tokens)
    assert training_client.get_info().model_data.model_name == sys.argv[1]
    print("resumed at", reached)


if __name__ == "__main__":
    main()
