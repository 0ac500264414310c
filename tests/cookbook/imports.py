"""Import every module of tinker-cookbook, and print what came of it as JSON: {module: null or the error}.

It runs in the cookbook's environment, with the official client or with ours. A module that needs a package
which is not there fails alike with both.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path

import tinker_cookbook


def modules() -> list[str]:
    """Return every module by its file; those that do something when they are imported are left out."""
    root = Path(next(iter(tinker_cookbook.__path__)))
    paths = (path.relative_to(root.parent).with_suffix("").parts for path in root.rglob("*.py"))
    return sorted(".".join(parts).removesuffix(".__init__") for parts in paths if parts[-1] != "__main__")


def main() -> None:
    """Import them all."""
    warnings.simplefilter("ignore")
    outcomes: dict[str, str | None] = {}
    for dotted in modules():
        try:
            importlib.import_module(dotted)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module does, the two must do alike
            outcomes[dotted] = f"{type(error).__name__}: {error}"
        else:
            outcomes[dotted] = None
    sys.stdout.write(f"\n{json.dumps(outcomes)}\n")


if __name__ == "__main__":
    main()
