"""Last step of codegen.sh: turns the generator's output into the package that is checked in.

Adds the header lines, the table of operations, the models, the resources, the contract as JSON
(`openapi.json` as it is, `contract.json` as a validator sees it) and the typing marker, and copies
openapi/runtime into the package.
"""

from __future__ import annotations

import json
import shutil
from itertools import chain
from pathlib import Path

import contract_models
from contract_document import Json, Operation, operations, protobuf_forms, reference_name, resolve
from contract_overlay import narrow
from contract_resources import Resources, is_in_order, public_names
from contract_types import templates
from contract_validation import for_validation

HEADER = "# Written by codegen.sh from openapi/tinker.yaml. Do not edit.\n"
RUNTIME = Path(__file__).resolve().parents[2] / "openapi" / "runtime"
"""What the generated modules stand on, written by hand."""

TABLE = '''"""The operations of the contract, as data."""

from typing import Final, NamedTuple


class Operation(NamedTuple):
    """One operation."""

    id: str
    """The operation id, which is also the name of its module."""
    tag: str
    """The noun that it belongs to, which is also the name of the package that holds its module."""
    method: str
    """The HTTP method, in capitals."""
    path: str
    """The path below the server's root, with its parameters in braces."""
    request: str | None
    """The model of the request's body."""
    response: str | None
    """The model of a success's body; for a promise that of the promise."""
    result: str | None
    """The model of the final result, for a promise."""
    request_type: str | None
    """What a promise is called in headers and telemetry."""
    in_order: bool
    """Whether it is sent in the order of training: it has a `model_id` and a `seq_id`."""
    methods: tuple[str, ...]
    """The methods of the resources that send it; empty if only the clients do."""
    protobuf: tuple[str, ...]
    """Which of request and result have a binary form."""
    official: str | None
    """Resource and method of the official client's lower level that send it."""


OPERATIONS: Final[dict[str, Operation]] = {
'''

PACKAGE = """A client of the training API that stands alone: README.md shows how to use it.

`api` has a module for each operation, `models` the values they take and give, `promises` waits for results,
`operations` lists all operations as data, and `contract.json` is the contract itself. What is named here is
loaded when it is used.
"""

SECRETS = '''
SECRET_FIELDS: Final[frozenset[str]] = frozenset({fields})
"""The fields of bodies that hold secrets; the contract marks them."""

SECRET_HEADERS: Final[frozenset[str]] = frozenset({headers})
"""The headers of requests and answers that hold secrets, in lower case."""
'''


def table_of(document: Json, published: Json) -> str:
    """Return the source of operations.py; what was narrowed away is read from the published document."""
    binary = {op.id: protobuf_forms(op) for op in operations(published)}
    rows = []
    for op in operations(document):
        body = op.node.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        success = next(answer for status, answer in op.node["responses"].items() if status[0] in "23")
        answer = success.get("content", {}).get("application/json", {}).get("schema")
        fields = (
            op.id,
            op.node.get("tags", ["default"])[0],  # the generator's own word for no tag
            op.method.upper(),
            op.path,
            reference_name(body),
            reference_name(answer),
            op.node.get("x-tinker-result"),
            op.node.get("x-tinker-request-type"),
            is_in_order(document, op),
            public_names(op),
            tuple(binary[op.id]),
            op.node.get("x-tinker-official"),
        )
        rows.append(f"    {op.id!r}: Operation({', '.join(map(repr, fields))}),\n")
    return (
        TABLE
        + "".join(rows)
        + "}\n"
        + SECRETS.format(
            fields=contract_models.Models(document).secret_fields(), headers=secret_headers(published)
        )
    )


def secret_headers(document: Json) -> list[str]:
    """Return the names of headers that nobody may see, of requests and answers, in lower case."""
    found = set()
    for op in operations(document):
        given = [resolve(document, each) for each in [*op.shared_parameters, *op.node.get("parameters", [])]]
        answers = (resolve(document, each).get("headers", {}) for each in op.node["responses"].values())
        headers = {each["name"]: each for each in given if each["in"] == "header"}
        for name, node in chain(headers.items(), *(each.items() for each in answers)):
            whole = resolve(document, node)
            if any(map(contract_models.is_secret, (whole, resolve(document, whole.get("schema", {}))))):
                found.add(name.lower())
    return sorted(found)


def copy_runtime(package: Path, *, promises: bool) -> None:
    """Put the modules written by hand in place of the generator's own client, errors and names.

    Waiting for promises is left out where the document has none.
    """
    for name in ("client.py", "errors.py"):
        (package / name).unlink()
    for source in sorted(RUNTIME.glob("*.py")):
        shutil.copy(source, package / source.name)
    names = [("AuthenticatedClient", ".client"), ("Client", ".client")]
    if promises:
        names += [("wait", ".promises"), ("wait_async", ".promises")]
    else:
        (package / "promises.py").unlink()
    lazy = templates().get_template("lazy_init.py.jinja")
    text = lazy.render(words=PACKAGE, names=names, package="__name__")
    (package / "__init__.py").write_text(text, encoding="utf-8")


def has_promises(document: Json) -> bool:
    """Tell whether an operation of a document is a promise."""
    return any("x-tinker-result" in op.node for op in operations(document))


def readme_of(document: Json) -> str:
    """Return the text of README.md."""
    by_noun: dict[str, list[Operation]] = {tag["name"]: [] for tag in document.get("tags", [])}
    for op in operations(document):
        by_noun.setdefault(op.node["tags"][0], []).append(op)
    template = templates().get_template("package_readme.md.jinja")
    facts = {"info": document["info"], "by_noun": by_noun, "promises": has_promises(document)}
    return f"{template.render(facts)}\n"


def finish(completed: Json, published: Json, package: Path) -> None:
    """Finish the package in place; `completed` is the published document with words for everything."""
    document = narrow(completed)
    contract_models.write(document, package)
    copy_runtime(package, promises=has_promises(document))
    (package / "operations.py").write_text(table_of(document, published), encoding="utf-8")
    Resources(document).write(package)
    for module in sorted(package.rglob("*.py")):
        runtime = (RUNTIME / module.name).exists() and module.parent == package
        origin = f"openapi/runtime/{module.name}" if runtime else "openapi/tinker.yaml"
        header = f"# Written by codegen.sh from {origin}. Do not edit.\n"
        module.write_text(header + module.read_text(encoding="utf-8").lstrip("\n"), encoding="utf-8")
    for name, content in (("openapi.json", published), ("contract.json", for_validation(document))):
        (package / name).write_text(_as_json(content), encoding="utf-8")
    (package / "README.md").write_text(readme_of(document), encoding="utf-8")
    (package / "py.typed").write_text(HEADER, encoding="utf-8")


def _as_json(document: Json) -> str:
    """Write a document with a line for each path, which keeps diffs readable."""
    marked = {"x-generated": HEADER.removeprefix("# ").strip(), **document}
    text = json.dumps(marked, ensure_ascii=False, separators=(",", ":"))
    text = text.replace('","openapi":', '",\n"openapi":', 1).replace(',"paths":{', ',\n"paths":{', 1)
    return text.replace(',"/api/', ',\n"/api/').replace(',"components":{', ',\n"components":{', 1) + "\n"
