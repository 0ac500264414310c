"""The check of a release finds what is wrong with its metadata."""

from __future__ import annotations

from email.message import Message

from tests.release.check import PROJECT, wrong_metadata


def described(*, text: str = "# Tinsmith\n[a page](https://tinsmith.example/a)", **headers: str) -> Message:
    """Return metadata as they should be, but for the headers given."""
    message = Message()
    named = {
        "Name": "tinsmith",
        "Version": "0.1.0",
        "Summary": PROJECT["description"],
        "License-Expression": "Apache-2.0",
        "License-File": "LICENSE",
        "Requires-Python": PROJECT["requires-python"],
        "Description-Content-Type": "text/markdown",
    }
    for name, value in (named | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        message[name] = value
    for classifier in PROJECT["classifiers"]:
        message["Classifier"] = classifier
    for extra in PROJECT["optional-dependencies"]:
        message["Provides-Extra"] = extra
    for name, url in PROJECT["urls"].items():
        message["Project-URL"] = f"{name}, {url}"
    message.set_payload(text)
    return message


def test_good_metadata_have_no_finding() -> None:
    """What pyproject.toml says, and README.md with absolute links, is right."""
    assert list(wrong_metadata(described())) == []


def test_each_planted_fault_is_found() -> None:
    """A wrong header, a missing URL, a link into the checkout and another text are findings."""
    (licence,) = wrong_metadata(described(License_Expression="MIT"))
    assert licence == "License-Expression: 'MIT', not 'Apache-2.0'"
    lacking = described()
    del lacking["Project-URL"]
    assert [finding.split(":")[0] for finding in wrong_metadata(lacking)] == ["Project-URL"]
    (link,) = wrong_metadata(described(text="# Tinsmith\n[the licence](LICENSE)"))
    assert "LICENSE" in link
    assert list(wrong_metadata(described(text="UNKNOWN"))) == ["the long description is not README.md"]
