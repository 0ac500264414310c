"""Writes the pages of docs/reference about settings, errors, events and environment variables.

Usage: reference_pages.py [--check]. With --check it writes nothing and exits with 1 when a page is stale. All
texts are those under the fields and classes themselves, so a text is mended where the class is.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import attrs
import tinsmith
from tinsmith.clients.service import SETTINGS
from tinsmith.core import config
from tinsmith.core.field_texts import field_texts
from tinsmith.io import events
from tinsmith.train import RunConfig
from tinsmith_api import errors as generated_errors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import Enum

FOLDER = Path(__file__).parent / "reference"

HEAD = "<!-- Written by docs/reference_pages.py from {source}. Do not edit. -->\n# {title}\n\n"

UNITS = {
    "progress_timeout": "s",
    "retry_delay_base": "s",
    "retry_delay_max": "s",
    "broken_span": "times `storm_base_s`",
    "storm_polls_per_s": "polls/s",
    "budget_capacity": "retries",
    "budget_per_success": "retries",
    "budget_per_s": "retries/s",
    "ttl_seconds": "s",
}
"""Units that the end of a name does not tell."""

ENDINGS = {"_s": "s", "_bytes": "bytes", "_limit": "answers", "_tokens": "tokens"}

VARIABLES: dict[str, tuple[str, str]] = {
    "TINKER_API_KEY": ("api_key", "The key. White space around it is removed."),
    "TINKER_BASE_URL": ("base_url", "The address of the server; `local:` is the embedded service."),
    "TINKER_CREDENTIAL_CMD": ("credential_command", "A command that prints the key. It may take 30 s."),
    "TINSMITH_CREDENTIALS": (
        "",
        "The file in which `tinsmith auth login` stores keys. It is read if no other key is given. Without"
        " the variable it is `~/.tinker/credentials.json`, as in the official client.",
    ),
    "TINKER_PROJECT_ID": ("project_id", "The project of the session."),
    "TINKER_TAGS": ("tags", "Labels of the session, separated by commas."),
    "TINKER_LOG": ("log_level", "`debug` or `info`: the log goes to stderr."),
    "TINKER_TELEMETRY": ("telemetry", "`1` turns telemetry on."),
    "DO_NOT_TRACK": ("telemetry", "Anything but `0` turns telemetry off, whatever else is set."),
    "CLOUDFLARE_ACCESS_CLIENT_ID": ("default_headers", "Sent as the header `CF-Access-Client-Id`."),
    "CLOUDFLARE_ACCESS_CLIENT_SECRET": ("default_headers", "Sent as the header `CF-Access-Client-Secret`."),
    "TINSMITH_ANY_KEY": ("require_key_prefix", "`1` allows keys that do not start with `tml-`."),
    "TINSMITH_INSECURE": (
        "insecure",
        "`1` allows plain HTTP to another machine; the key is sent unencrypted.",
    ),
    "TINSMITH_MODELS": (
        "models",
        "Your own base models for `local:`, as `NAME=PATH`; several are separated as in the variable `PATH`.",
    ),
    "TINSMITH_GATEWAY_KEY": (
        "",
        "The key that clients of `tinsmith gateway` send. Without it, each start makes a random one.",
    ),
    "TINSMITH_CACHE": ("", "The folder in which `tinsmith model fetch` stores models."),
    "XDG_CACHE_HOME": (
        "",
        "The folder of all caches. Without `TINSMITH_CACHE`, models are in its folder `tinsmith`.",
    ),
    "LOCALAPPDATA": ("", "The same on Windows."),
    "HOME": ("", "The home folder, in which the file of keys is."),
    "USERPROFILE": ("", "The same on Windows, if `HOME` is not set."),
    "HTTPS_PROXY": ("", "The proxy of requests to `https://` addresses. `https_proxy` means the same."),
    "HTTP_PROXY": (
        "",
        "The proxy of requests to `http://` addresses. Only `http_proxy` is read in CGI programs.",
    ),
    "ALL_PROXY": ("", "The proxy of requests for which neither of these is set."),
    "NO_PROXY": ("", "Hosts that are reached without a proxy, separated by commas."),
    "SSL_CERT_FILE": ("", "A file of certificates to trust in place of the built-in ones."),
    "SSL_CERT_DIR": ("", "A folder of such files."),
    "HF_HUB_OFFLINE": ("", "`1`: nothing is downloaded from the Hugging Face hub; its cache is used."),
    "NO_COLOR": ("", "Turns the colours of the command line off."),
    "COLUMNS": ("", "The width of tables."),
}
"""Each environment variable -> the setting that it sets, and what it means."""


# ---- settings -------------------------------------------------------------------------------------------

PARTS = {
    "ClientConfig": "",
    "RetryConfig": "retry",
    "PollPolicy": "poll",
    "Timeouts": "timeouts",
    "ChunkLimits": "chunk_limits",
    "FlowLimits": "flow",
}
"""The classes of settings -> the field of `ClientConfig` that holds each."""

SETTINGS_INTRODUCTION = """\
A setting comes from an argument of `ServiceClient`, otherwise from an [environment variable](environment.md),
otherwise from its default. Settings that are no argument of `ServiceClient` go through a `ClientConfig`:

```python
import tinsmith
from tinsmith import ClientConfig, RetryConfig

config = ClientConfig.from_environment(base_url="local:", retry=RetryConfig(max_retries=3))
with tinsmith.ServiceClient(config=config) as service:
    print(service.config.retry.max_retries)
```

`ClientConfig.from_environment(…)` reads the variables too; `ClientConfig(…)` reads none. A value that cannot
be right raises `InputError`. There are {count} settings of a client. Units are given after the defaults.
"""


def settings() -> str:
    """Return the page of settings: each class with its fields."""
    count = sum(len(attrs.fields(getattr(config, name))) for name in PARTS) - (len(PARTS) - 1)
    text = HEAD.format(source="facade/tinsmith/core/config.py", title="Settings")
    text += SETTINGS_INTRODUCTION.format(count=count)
    for name, field in PARTS.items():
        cls: Any = getattr(config, name)
        text += f"\n## {name}\n\n{inspect.cleandoc(cls.__doc__)}"
        text += f" Given as `ClientConfig({field}={name}(…))`.\n\n" if field else "\n\n"
        text += _fields(cls, with_sources=not field)
    text += (
        f"\n## RunConfig\n\n{inspect.cleandoc(RunConfig.__doc__ or '')} It is what `tinsmith train` keeps as"
    )
    text += " `config.json` ([Training](../train.md)).\n\n" + _fields(RunConfig)
    return text


def _fields(cls: Any, *, with_sources: bool = False) -> str:
    """Return the table of a class's fields."""
    hints, texts = get_type_hints(cls), field_texts(cls)
    rows = []
    for field in attrs.fields(cls):
        default = f"{_default(field.default)} {_unit(field.name)}".strip()
        meaning = texts[field.alias] + (_sources(field.name) if with_sources else "")
        rows.append([f"`{field.alias}`<br>{_type(hints[field.name])}", default, meaning])
    return table(["setting and type", "default", "meaning"], rows)


def _sources(setting: str) -> str:
    """Return a line that names the argument of ServiceClient and the variables behind a setting."""
    found = [f"argument `{name}`" for name, field in SETTINGS.items() if field == setting]
    found += [
        f"[`{name}`](environment.md#{name.lower()})"
        for name, (field, _) in VARIABLES.items()
        if field == setting
    ]
    return f"<br>*Set by {', '.join(found)}.*" if found else ""


def _unit(name: str) -> str:
    ending = next((unit for ending, unit in ENDINGS.items() if name.endswith(ending)), "")
    return UNITS.get(name, ending)


def _type(hint: Any) -> str:
    """Return a type as a reader writes it, without the modules."""
    text = hint.__name__ if inspect.isclass(hint) and not get_args(hint) else str(hint)
    text = re.sub(r"typing\.Literal\[([^]]*)\]", lambda found: found[1].replace(", ", " | "), text)
    text = re.sub(r"(?<!['\w.-])(?:[A-Za-z_]\w*\.)+(?=[A-Z])", "", text).replace("NoneType", "None")
    text = re.sub(r"^Optional\[(.*)\]$", r"\1 | None", text)
    return f"`{text}`"


def _default(value: Any) -> str:
    if value is attrs.NOTHING:
        return "must be given"
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]  # it is a class at run time
        made = value.factory
        return "empty" if made in (dict, list, tuple) else f"`{made.__name__}()`"
    if value == ():
        return "empty"
    return f"`{value}`" if isinstance(value, str) else f"`{value!r}`"


# ---- errors ---------------------------------------------------------------------------------------------

ERRORS_INTRODUCTION = """\
Every error is a `TinkerError`, and can be pickled. A name stands indented below the class that it extends:

{tree}

All carry what is known of the request:

{facts}
[Order and exactly-once](../order.md#what-an-error-says) says what follows from `applied`,
[Retries and waiting](../retries.md) which answers
lead to which error. The [command line](../cli.md) turns each into one line on stderr and an exit code.
"""


def errors() -> str:
    """Return the page of errors: the tree, and each class with its causes and what to do."""
    classes = error_classes()
    names = {cls.__name__: cls for cls in classes}
    facts = [
        [f"`{name}`", _below(tinsmith.TinkerError)[name]]
        for name in ("request_id", "model_id", "seq_id", "attempts", "elapsed_s", "applied")
    ]
    text = HEAD.format(source="facade/tinsmith/core/errors.py and openapi/runtime/errors.py", title="Errors")
    text += ERRORS_INTRODUCTION.format(
        tree="\n".join(_tree(classes)), facts=table(["fact", "meaning"], facts)
    )
    for cls in (names[line.split("[`")[1].split("`")[0]] for line in _tree(classes)):
        meaning, applied, advice = told(cls)
        others = [base.__name__ for base in cls.__bases__]
        text += (
            f"\n## {cls.__name__}\n\n*extends {', '.join(f'`{name}`' for name in others)}*\n\n{meaning}\n\n"
        )
        own = [[f"`{name}`", about] for name, about in _below(cls).items() if cls is not tinsmith.TinkerError]
        text += f"**Applied:** {applied}\n\n**What to do:** {advice}\n"
        text += "\n" + table(["field", "meaning"], own) if own else ""
    return text


def error_classes() -> list[type[BaseException]]:
    """Return every public error and warning."""
    found = [getattr(tinsmith, name) for name in tinsmith.__all__]
    found += [one for one in vars(generated_errors).values() if one not in found]
    return [one for one in found if inspect.isclass(one) and issubclass(one, BaseException)]


def told(cls: type) -> tuple[str, str, str]:
    """Return what an error means, what `applied` is then, and what to do: the parts of its docstring."""
    document = " ".join(inspect.cleandoc(vars(cls)["__doc__"]).split())
    parts = re.fullmatch(r"(.+?) Applied: (.+?) Do: (.+)", document)
    if parts is None:
        raise SystemExit(f'the docstring of {cls.__name__} lacks a line "Applied: …" or "Do: …"')
    meaning, applied, advice = (part[0].upper() + part[1:] for part in parts.groups())
    return meaning, applied, advice


def _tree(classes: list[type[BaseException]]) -> list[str]:
    """Return the tree as a nested list, each name once, with a link to its section."""
    lines: list[str] = []

    def add(cls: type[BaseException], depth: int) -> None:
        lines.append(f"{'    ' * depth}* [`{cls.__name__}`](#{cls.__name__.lower()})")
        for one in classes:
            if one.__bases__[0] is cls:
                add(one, depth + 1)

    for root in (tinsmith.TinkerError, tinsmith.ServerWarning):
        add(root, 0)
    return lines


def _below(cls: type) -> dict[str, str]:
    """Return the texts under what a class, or its constructor, sets."""
    source = inspect.getsource(cls)
    found = re.findall(r'^ +(?:self\.)?(\w+)(?:: [^=\n]+)? = [^\n]+\n +"""([^"]+)"""', source, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


# ---- events ---------------------------------------------------------------------------------------------

EVENTS_INTRODUCTION = """\
A client reports what it does as events, and writes to the log what goes wrong.

**Observers** are functions that take an event: `ServiceClient(observer=…)`, or `service.add_observer(…)`.
They are called in the thread of the event loop, one event after the other, and must not wait. If an observer
raises an exception, that is logged, and the observer gets the next event all the same. `tinsmith.progress`
has two observers: `ProgressDisplay` and `ProgressLog`.

```python
import tinsmith

seen: list[str] = []
with tinsmith.ServiceClient(base_url="local:", observer=lambda event: seen.append(event.kind)) as service:
    trainer = service.create_lora_training_client("tinsmith/tiny", rank=2)
    trainer.optim_step(tinsmith.AdamParams()).result()
print(sorted(set(seen)))
```
"""

LOG_TEXT = """\

## The log

The logger is called `tinsmith`. It is silent unless the program configures logging, or `TINKER_LOG`
(`log_level`) is set. Neither headers nor bodies are logged, so a log never contains a key or data.

* `ERROR`: something failed inside Tinsmith that no call reports.
* `WARNING`: what a person should know, such as a long wait, a server that cannot be reached, a failed
  heartbeat, a pause for billing, an observer that raised.
* `DEBUG`: every attempt and every answer, with ids, sizes and times
  ([how to read it](../../CONTRIBUTING.md#see-a-request-on-the-wire)).
"""


def observed() -> str:
    """Return the page of events: each class with its fields."""
    text = (
        HEAD.format(source="facade/tinsmith/io/events.py", title="Events and the log") + EVENTS_INTRODUCTION
    )
    for cls in get_args(events.Event):
        hints, texts = get_type_hints(cls), field_texts(cls)
        rows = [
            [f"`{field.name}`", _type(hints[field.name]), _unit(field.name), texts[field.name]]
            for field in attrs.fields(cls)
        ]
        text += f"\n## {cls.__name__}\n\n{inspect.cleandoc(cls.__doc__)} Its `kind` is `{cls.kind!r}`.\n\n"
        text += table(["field", "type", "unit", "meaning"], rows)
    text += f"\n## QueueState\n\n{inspect.cleandoc(events.QueueState.__doc__ or '')}\n\n"
    states: Iterable[Enum] = events.QueueState
    text += table(["state", "value"], [[f"`{one.name}`", f"`{one.value}`"] for one in states])
    return text + LOG_TEXT


# ---- environment ----------------------------------------------------------------------------------------

ENVIRONMENT_INTRODUCTION = """\
An argument of the program takes precedence over a variable, and a variable over a default. A switch is on if
its value is `1`, `true`, `yes` or `on`. A client reads the variables when it is made; later changes have no
effect on it.
"""


def environment() -> str:
    """Return the page of environment variables."""
    text = HEAD.format(
        source="its own table and facade/tinsmith/core/config.py", title="Environment variables"
    )
    text += ENVIRONMENT_INTRODUCTION
    for name, (setting, meaning) in VARIABLES.items():
        text += f"\n## {name}\n\n{meaning}"
        text += f" Sets [`{setting}`](settings.md#clientconfig).\n" if setting else "\n"
    return text


# ---- all of them ----------------------------------------------------------------------------------------


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return a table; what would end a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


PAGES = {"settings.md": settings, "errors.md": errors, "events.md": observed, "environment.md": environment}


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them."""
    stale = 0
    for name, made in PAGES.items():
        path, text = FOLDER / name, made()
        if "--check" not in arguments:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.stderr.write(f"reference/{name} is not what the classes say; run make docs\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
