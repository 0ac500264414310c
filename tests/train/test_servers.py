"""Runs on servers behind a socket, also on those that behave like others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
import tinsmith
from tinsmith import train
from tinsmith_local.options import Imitation, ServeOptions
from tinsmith_local.serve import serving

from tests.train.conftest import curve

if TYPE_CHECKING:
    from pathlib import Path

    from tinsmith_local.options import Wire


def test_a_model_that_is_not_offered(tmp_path: Path, config: train.RunConfig) -> None:
    """The error names those that are."""
    with serving(ServeOptions(data_dir=tmp_path / "data")) as (address, _):
        config = attrs.evolve(config, base_url=address.base_url, model="./no-body")
        folder = train.RunFolder.new(tmp_path / "run", config)
        with (
            tinsmith.ServiceClient(base_url=folder.base_url, api_key=address.token) as service,
            pytest.raises(tinsmith.InputError, match=r"does not offer '\./no-body', but .*tinsmith/tiny"),
        ):
            train.prepare(service, folder)


@pytest.mark.parametrize(
    ("words", "wire"),
    [
        ([], "both"),
        (["load-first-only", "two-segment-paths", "making-425"], "json"),
        (["arrival-order", "no-deduplication", "try-again"], "both"),
    ],
)
def test_a_run_on_a_server(tmp_path: Path, config: train.RunConfig, words: list[str], wire: Wire) -> None:
    """It stops and continues with the same curve as on `local:`; the checkpoint's labels say the step."""
    expected = train.RunFolder.new(tmp_path / "local", config)
    with tinsmith.ServiceClient(base_url="local:") as service:
        train.prepare(service, expected).train()
    options = ServeOptions(data_dir=tmp_path / "data", imitate=Imitation.parse(words), wire=wire)
    with serving(options) as (address, _):
        config = attrs.evolve(config, base_url=address.base_url)
        folder = train.RunFolder.new(tmp_path / "run", config)
        answers = iter([False] * 3 + [True])
        for stop in (lambda: next(answers), lambda: False):
            with tinsmith.ServiceClient(base_url=folder.base_url, api_key=address.token) as service:
                result = train.prepare(service, folder).train(stop=stop)
                saved = folder.last_checkpoint()
                assert saved is not None
                run = saved.path.removeprefix("tinker://").partition("/")[0]
                listed = service.create_rest_client().list_checkpoints(run).result().checkpoints
            labels = {each.tinker_path: each.user_metadata for each in listed}[saved.path] or {}
            assert labels["step"] == str(saved.step)
            folder = train.RunFolder.open(folder.path)
    assert result.finished
    assert curve(folder) == curve(expected)
