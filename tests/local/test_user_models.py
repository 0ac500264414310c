"""Models and adapters of the user on `local:`: by name, by the environment, by their path."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import tinsmith
from tinsmith import ClientConfig, InputError, TinkerError, types
from tinsmith.local.models.source import ModelFileError

from tests.guard import WAIT_S
from tests.local.models.gguf_files import llama_tensors, to_gguf, write_gguf
from tests.local.models.test_safetensors import make_directory

if TYPE_CHECKING:
    from pathlib import Path

PROMPT = types.ModelInput.from_ints([3, 4, 5, 6])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A Hugging Face directory."""
    return make_directory(tmp_path / "mine", rms_norm_eps=1e-5, rope_theta=5000.0)


def names(service: tinsmith.ServiceClient) -> list[str | None]:
    """Names of the models that a service offers."""
    return [known.model_name for known in service.get_server_capabilities().supported_models]


def test_models_by_name(model: Path, tmp_path: Path) -> None:
    """`models=` offers directories and GGUF files under the user's names, and they compute alike."""
    file = write_gguf(tmp_path / "m.gguf", to_gguf(llama_tensors()))
    with tinsmith.ServiceClient(base_url="local:", models={"a/dir": model, "file": str(file)}) as service:
        assert {"a/dir", "file", "tinsmith/tiny"} <= set(names(service))
        one, two = (
            service.create_sampling_client(base_model=name).compute_logprobs(PROMPT).result(WAIT_S)
            for name in ("a/dir", "file")
        )
    assert one[1:] == pytest.approx(two[1:], rel=1e-6)
    assert one[0] is None


def test_models_of_the_environment(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TINSMITH_MODELS offers models to every `local:` of the process; an argument wins."""
    file = write_gguf(tmp_path / "m.gguf", to_gguf(llama_tensors()))
    monkeypatch.setenv("TINSMITH_MODELS", os.pathsep.join((f"mine={model}", "", f"other={tmp_path}/nowhere")))
    with tinsmith.ServiceClient(base_url="local:", models={"other": file}) as service:
        assert {"mine", "other"} <= set(names(service))
    with (
        pytest.raises(ModelFileError, match=r"nowhere: does not exist"),
        tinsmith.ServiceClient(base_url="local:") as service,
    ):
        names(service)


def test_the_model_of_a_path(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is a base model, absolute or not, under one name; what is no model there is told at the call."""
    monkeypatch.chdir(model.parent)
    with tinsmith.ServiceClient(base_url="local:") as service:
        trainer = service.create_lora_training_client(str(model), rank=2, seed=1).result(WAIT_S)
        assert trainer.get_info().model_name == str(model)
        again = service.create_lora_training_client("./mine", rank=2, seed=1).result(WAIT_S)
        assert again.get_info().model_name == str(model)
        sampler = trainer.save_weights_and_get_sampling_client()
        assert len(sampler.compute_logprobs(PROMPT).result(WAIT_S)) == 4
        assert names(service).count(str(model)) == 1
        for path, reason in ((model / "config.json", "not a GGUF"), (model / "nothing", "does not exist")):
            with pytest.raises(TinkerError, match=reason):
                service.create_lora_training_client(str(path)).result(WAIT_S)
        with pytest.raises(TinkerError, match="unknown base model 'nobody/nothing'"):
            service.create_lora_training_client("nobody/nothing").result(WAIT_S)


def test_a_model_of_a_path_survives_a_restart(model: Path, tmp_path: Path) -> None:
    """What was saved on a model of a path is loaded by the next process, which knows no name for it."""
    address = f"local:{tmp_path / 'data'}"
    with tinsmith.ServiceClient(base_url=address) as service:
        saved = service.create_lora_training_client(str(model), rank=2, seed=1).save_state("a").result(WAIT_S)
    with tinsmith.ServiceClient(base_url=address, models={"mine": model}) as service:
        trainer = service.create_training_client_from_state(saved.path).result(WAIT_S)
        assert trainer.get_info().lora_rank == 2


def test_clients_that_share_a_directory_add_their_models(model: Path, tmp_path: Path) -> None:
    """The second client of a directory brings a model of its own; a name that means another is refused."""
    address = f"local:{tmp_path / 'data'}"
    other = make_directory(tmp_path / "other", rms_norm_eps=1e-5)
    with tinsmith.ServiceClient(base_url=address) as one:
        assert "mine" not in names(one)
        with tinsmith.ServiceClient(base_url=address, models={"mine": model}) as two:
            assert "mine" in names(two)
        with (
            pytest.raises(InputError, match="two models are called 'mine'"),
            tinsmith.ServiceClient(base_url=address, models={"mine": other}) as three,
        ):
            names(three)


def test_a_remote_server_takes_no_models(model: Path) -> None:
    """`models=` for another server is a mistake that names what to do."""
    with pytest.raises(InputError, match=r"models.*tinsmith serve --model NAME=PATH"):
        tinsmith.ServiceClient(base_url="https://example.com", api_key="tml-x", models={"mine": model})


def test_models_beside_a_config(model: Path) -> None:
    """`models=` beside `config` counts."""
    config = ClientConfig(base_url="local:")
    with tinsmith.ServiceClient(config=config, models={"mine": model}) as service:
        assert "mine" in names(service)
