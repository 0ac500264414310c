"""Print what the built wheel needs at run time (base and `local`), one requirement a line.

The wheelhouse is downloaded from this list, so that the wheel test needs no network.
"""

import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

if __name__ == "__main__":
    for requirement in sorted({*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["local"]}):
        print(requirement)
