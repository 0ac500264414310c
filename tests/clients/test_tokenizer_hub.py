"""Where a tokenizer's files are looked for: folders, the hub's cache, the hub; and what counts as absent."""

from __future__ import annotations

import json
import pickle
import re
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from tinsmith import InputError, TinkerError, load_tokenizer
from tinsmith.clients import tokenizer as loader
from tinsmith.core.tokenizer_files import FILES, TokenizerId
from tinsmith_local.models.tiny import tiny_tokenizer_json

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = {
    "tokenizer.json": tiny_tokenizer_json(),
    "tokenizer_config.json": json.dumps({"eos_token": "<|im_end|>", "model_max_length": 64}).encode(),
    "chat_template.jinja": "Zürich {{ strftime_now('%Y') }}".encode(),
    "special_tokens_map.json": b'{"pad_token": "<|pad|>"}',
    "additional_chat_templates/tool_use.jinja": b"T",
}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests loaded."""
    monkeypatch.setattr(loader, "_cache", {})


def folder_of(place: Path, *names: str) -> Path:
    """Write files of a tokenizer into a folder."""
    for name in names:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT[name])
    return place


class Hub:
    """A hub and its cache on this machine."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache / "models--acme--chat"
        self.has: dict[str, bytes] = dict(CONTENT)
        self.asked: list[tuple[str, str | None]] = []
        self.down: Exception | None = None

    def cached(self, *names: str, absent: tuple[str, ...] = ()) -> None:
        """Put files into the cache, and the hub's word that others do not exist."""
        folder_of(self.cache / "snapshots" / COMMIT, *names)
        (self.cache / "refs").mkdir(exist_ok=True)
        (self.cache / "refs" / "main").write_text(COMMIT)
        for name in absent:
            path = self.cache / ".no_exist" / COMMIT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def download(self, repo: str, name: str, *, revision: str | None = None) -> str:
        """Stand in for hf_hub_download."""
        self.asked.append((name, revision))
        if self.down is not None:
            raise self.down
        if name not in self.has:
            raise EntryNotFoundError(f"404: {repo} has no {name}")
        path = self.cache / "snapshots" / COMMIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.has[name])
        return str(path)

    def list_repo_tree(self, _: str, folder: str, *, revision: str | None = None) -> Any:
        """Stand in for the method of HfApi; as there, errors come with the first entry."""
        names = [name for name in self.has if name.startswith(folder)]
        if not names:
            raise EntryNotFoundError(f"404: {folder}")
        for name in names:
            yield SimpleNamespace(path=name)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """Put a hub and an empty cache in the place of the real ones."""
    made = Hub(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", made.download)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: made)
    return made


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    """Templates and maps beside the config, in UTF-8; the clock is there, in a copy too."""
    made = load_tokenizer(str(folder_of(tmp_path, *CONTENT)))
    assert (made.eos_token, made.pad_token, made.model_max_length) == ("<|im_end|>", "<|pad|>", 64)
    for one in (made, pickle.loads(pickle.dumps(made))):
        text = one.apply_chat_template([], tokenize=False)
        assert re.fullmatch(r"Zürich \d{4}", text)
    assert made.apply_chat_template([], tools=[{}], tokenize=False) == "T"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("/no/such", "there is no folder /no/such"),
        ("~/no-such-folder", "there is no folder /.*/no-such-folder"),
        ("./no/such", "there is no folder no/such"),
        ("a/b/c", "there is no folder a/b/c"),
        ("C:\\models\\x", "there is no folder"),
        ("no such name", "neither a folder here nor the name of a repository"),
        ("", "has no tokenizer.json"),
    ],
)
def test_a_path_that_is_not_there(
    name: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an error of ours, and the path is named as it was understood."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=problem):
        load_tokenizer(name)


def test_a_home_folder_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the user's; a file is not the folder that holds it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder_of(tmp_path / "tok", "tokenizer.json")
    assert len(load_tokenizer("~/tok")) == 260
    with pytest.raises(InputError, match=r"tokenizer\.json is a file; pass the folder"):
        load_tokenizer(str(tmp_path / "tok" / "tokenizer.json"))


def test_only_what_is_not_there_counts_as_absent(tmp_path: Path) -> None:
    """A file that cannot be read is an error that names it: without it the tokenizer would be another one."""
    (folder_of(tmp_path, "tokenizer.json") / "tokenizer_config.json").mkdir()
    with pytest.raises(TinkerError, match=r"tokenizer_config\.json cannot be read"):
        load_tokenizer(str(tmp_path))
    (tmp_path / "tokenizer_config.json").rmdir()
    (tmp_path / "tokenizer_config.json").symlink_to(tmp_path / "gone")
    with pytest.raises(TinkerError, match=r"tokenizer_config\.json cannot be read"):
        load_tokenizer(str(tmp_path))


def test_a_whole_cache_asks_nobody(there: Hub) -> None:
    """What the hub once said not to have stays absent; further templates lie beside."""
    there.cached(*CONTENT, absent=("added_tokens.json",))
    made = load_tokenizer("acme/chat")
    assert made.apply_chat_template([], tools=[{}], tokenize=False) == "T"
    assert there.asked == []
    there.cached(absent=FILES)
    for name in CONTENT:
        (there.cache / "snapshots" / COMMIT / name).unlink()
    loader._cache.clear()
    with pytest.raises(InputError, match=r"acme/chat has no tokenizer\.json"):
        load_tokenizer("acme/chat")


def test_half_a_cache_is_completed_at_its_own_commit(there: Hub) -> None:
    """Other programs leave `tokenizer.json` alone there; a newer commit may have another one."""
    there.cached("tokenizer.json")
    made = load_tokenizer("acme/chat")
    assert (made.eos_token, made.pad_token) == ("<|im_end|>", "<|pad|>")
    assert made.apply_chat_template([], tools=[{}], tokenize=False) == "T"
    assert {revision for _, revision in there.asked} == {COMMIT}
    assert "tokenizer.json" not in [name for name, _ in there.asked]


def test_an_empty_cache_is_filled_from_the_revision_asked_for(there: Hub) -> None:
    """What the hub does not have is absent."""
    there.has = {"tokenizer.json": CONTENT["tokenizer.json"]}
    assert len(load_tokenizer("acme/chat", revision="v1")) == 260
    assert {revision for _, revision in there.asked} == {"v1"}


@pytest.mark.parametrize(
    "error", [LocalEntryNotFoundError("no network"), ConnectionError("x"), PermissionError("y")]
)
def test_half_a_cache_that_cannot_be_completed_is_refused(there: Hub, error: Exception) -> None:
    """Not taken for a tokenizer without special tokens and template; the error says what is missing."""
    there.cached("tokenizer.json")
    there.down = error
    with pytest.raises(
        TinkerError, match=r"a part of the tokenizer 'acme/chat' \(tokenizer\.json\).*could not be"
    ) as told:
        load_tokenizer("acme/chat")
    assert "tokenizer_config.json" in str(told.value)
    assert told.value.__cause__ is error


def test_nothing_here_and_no_hub(there: Hub) -> None:
    """The error names the three places."""
    there.down = LocalEntryNotFoundError("no network")
    with pytest.raises(
        TinkerError, match="neither a directory here, nor in the hub's cache, nor could it be"
    ):
        load_tokenizer("acme/chat")


def test_offline_the_cache_is_what_there_is(there: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """With both files it is taken as whole, without the config it is refused, and the variable is named."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    there.cached("tokenizer.json", "tokenizer_config.json", "additional_chat_templates/tool_use.jinja")
    assert load_tokenizer("acme/chat").eos_token == "<|im_end|>"
    assert there.asked == []
    found = loader.hub_files(TokenizerId("acme/chat"))
    assert sorted(found) == [
        "additional_chat_templates/tool_use.jinja",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    (there.cache / "snapshots" / COMMIT / "tokenizer_config.json").unlink()
    there.down = LocalEntryNotFoundError("offline")
    with pytest.raises(TinkerError, match="HF_HUB_OFFLINE is set"):
        loader.hub_files(TokenizerId("acme/chat"))


def test_without_the_hubs_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(TinkerError, match="hub"):
        load_tokenizer("acme/chat")


def test_transformers_errors_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises names the tokenizer."""

    class AutoTokenizer:
        @staticmethod
        def from_pretrained(name: str, **_: object) -> object:
            raise OSError(f"{name} does not appear to have a file")

    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(AutoTokenizer=AutoTokenizer))
    with pytest.raises(TinkerError, match="transformers cannot load the tokenizer '/no/such'"):
        load_tokenizer("/no/such", backend="transformers")
