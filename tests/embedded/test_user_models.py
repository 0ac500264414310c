"""Models and adapters of the user on `local:`: by name, by the environment, by their path."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tinsmith
from tinsmith import ClientConfig, InputError, TinkerError, types
from tinsmith_local.models.source import ModelFileError
from tinsmith_local.models.tensor_file import TensorFile
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.embedded.models.conftest import GOLDEN
from tests.embedded.models.gguf_files import llama_tensors, to_gguf, write_gguf
from tests.embedded.models.test_safetensors import make_directory
from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
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


@pytest.fixture(params=["local:", "serve"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tinsmith.ServiceClient]:
    """A client of the embedded service, in this process and behind a socket."""
    if request.param == "local:":
        with tinsmith.ServiceClient(base_url="local:") as client:
            yield client
        return
    with (
        serving(ServeOptions(data_dir=tmp_path / "served")) as (address, _),
        tinsmith.ServiceClient(base_url=address.base_url, api_key=address.token) as client,
    ):
        yield client


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_an_adapter_of_peft(service: tinsmith.ServiceClient, family: str) -> None:
    """Given by its directory, it computes what peft computed, and is trained on."""
    folder = GOLDEN / "peft" / family
    trainer = service.create_training_client_from_state(
        f"file:{folder / 'by_peft'}", base_model=str(folder / "base")
    )
    expected = TensorFile(folder / "expected.safetensors")
    tokens, logits = expected.get("tokens")[0], expected.get("by_peft")[0].astype(np.float64)
    sampler = trainer.save_weights_and_get_sampling_client()
    prompt = types.ModelInput.from_ints([int(token) for token in tokens])
    ours = sampler.compute_logprobs(prompt).result(WAIT_S)
    theirs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    assert ours[1:] == pytest.approx([theirs[at, token] for at, token in enumerate(tokens[1:])], abs=1e-4)
    assert trainer.get_info().model_name == str(folder / "base")
    datum = types.Datum(
        model_input=types.ModelInput.from_ints([1, 2, 3]),
        loss_fn_inputs={"target_tokens": [2, 3, 4], "weights": [1.0, 1.0, 1.0]},
    )
    trainer.forward_backward([datum], "cross_entropy").result(WAIT_S)
    trainer.optim_step(types.AdamParams(learning_rate=1e-2)).result(WAIT_S)


def test_a_downloaded_checkpoint_goes_on(service: tinsmith.ServiceClient, tmp_path: Path) -> None:
    """A folder that was downloaded is restored with its optimizer; a changed folder is read anew."""
    datum = types.Datum(
        model_input=types.ModelInput.from_ints([1, 2, 3]),
        loss_fn_inputs={"target_tokens": [2, 3, 4], "weights": [1.0, 1.0, 1.0]},
    )
    first = service.create_lora_training_client("tinsmith/tiny", rank=2, seed=1)

    def step(trainer: tinsmith.TrainingClient) -> float:
        loss = trainer.forward_backward([datum], "cross_entropy").result(WAIT_S).metrics["loss:sum"]
        trainer.optim_step(types.AdamParams(learning_rate=1e-2)).result(WAIT_S)
        return float(loss)

    step(first)
    saved = first.save_state("one").result(WAIT_S)
    folder = tmp_path / "a b"
    service.create_rest_client().download_checkpoint(saved.path, folder).result(WAIT_S)
    losses = [step(first), step(first)]
    for address in (f"file:{folder}", folder.as_uri()):
        again = service.create_training_client_from_state_with_optimizer(address)
        assert [step(again), step(again)] == losses
    later = first.save_state("two").result(WAIT_S)
    service.create_rest_client().download_checkpoint(later.path, folder, overwrite=True).result(WAIT_S)
    anew = service.create_training_client_from_state_with_optimizer(f"file:{folder}")
    assert step(anew) == step(first)


def test_an_adapter_that_cannot_be_taken(service: tinsmith.ServiceClient, tmp_path: Path) -> None:
    """No directory, no base model, an unknown one, and a method that changes the base are told by name."""
    folder = tmp_path / "adapter"
    with pytest.raises(tinsmith.BadRequestError, match=r"adapter_config\.json: is missing"):
        service.create_training_client_from_state(f"file:{folder}").result(WAIT_S)
    shutil.copytree(GOLDEN / "peft" / "llama" / "by_peft", folder)
    with pytest.raises(tinsmith.BadRequestError, match="names no base model; pass base_model="):
        service.create_training_client_from_state(f"file:{folder}").result(WAIT_S)
    settings = json.loads((folder / "adapter_config.json").read_text())
    for change, reason in (
        ({"base_model_name_or_path": "org/unknown"}, "is for .*org/unknown.*, which is not here"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights is 'pissa'"),
    ):
        (folder / "adapter_config.json").write_text(json.dumps({**settings, **change}))
        with pytest.raises(tinsmith.BadRequestError, match=reason):
            service.create_training_client_from_state(f"file:{folder}").result(WAIT_S)
    with pytest.raises(InputError, match="names no directory"):
        service.create_training_client_from_state("file:")


def test_another_machine_reads_no_directory() -> None:
    """`file:` for a server elsewhere is refused before anything is sent."""
    with (
        tinsmith.ServiceClient(base_url="https://example.com", api_key="tml-x") as service,
        pytest.raises(InputError, match="file: names a directory of this machine"),
    ):
        service.create_training_client_from_state("file:/a")
