"""Runs, checkpoints and sessions over the REST client, in the official style."""

import sys

import tinker
from tinker.lib.public_interfaces.rest_client import RestClient
from tinker.lib.public_interfaces.training_client import TrainingClient


def main() -> None:
    service_client = tinker.ServiceClient(user_metadata={"who": "listing"})
    training_client = service_client.create_lora_training_client(sys.argv[1], rank=4)
    assert isinstance(training_client, TrainingClient)
    paths = [training_client.save_state(name).result().path for name in ("one", "two")]
    rest_client = service_client.create_rest_client()
    assert isinstance(rest_client, RestClient)

    run = rest_client.get_training_run(training_client.model_id).result()
    assert isinstance(run, tinker.TrainingRun)
    assert (run.base_model, run.is_lora, run.lora_rank) == (sys.argv[1], True, 4)
    assert rest_client.get_training_run_by_tinker_path(paths[0]).result() == run
    runs = rest_client.list_training_runs(limit=10).result()
    assert runs.cursor.total_count == 1
    assert [item.training_run_id for item in runs.training_runs] == [run.training_run_id]

    listed = rest_client.list_checkpoints(training_client.model_id).result().checkpoints
    assert sorted(item.tinker_path for item in listed) == sorted(paths)
    rest_client.publish_checkpoint_from_tinker_path(paths[0]).result()
    mine = rest_client.list_user_checkpoints(limit=5, offset=0).result()
    assert {item.tinker_path: item.public for item in mine.checkpoints} == {paths[0]: True, paths[1]: False}
    assert rest_client.get_weights_info_by_tinker_path(paths[0]).result().lora_rank == 4
    rest_client.delete_checkpoint_from_tinker_path(paths[1]).result()
    assert len(rest_client.list_user_checkpoints().result().checkpoints) == 1

    (session_id,) = rest_client.list_sessions().result().sessions
    session = rest_client.get_session(session_id).result()
    assert session.training_run_ids == [training_client.model_id]
    try:
        rest_client.get_training_run("nobody:train:0").result()
    except tinker.NotFoundError as error:
        assert isinstance(error, tinker.APIStatusError)
        assert error.status_code == 404
    else:
        raise AssertionError("a run that does not exist was found")
    print("listed", len(listed), "checkpoints")


if __name__ == "__main__":
    main()
