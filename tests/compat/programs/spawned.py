"""Worker processes that import the SDK by themselves."""

import multiprocessing
import sys

import tinker
from tinker import types


def length(tokens: list[int]) -> int:
    return int(types.ModelInput.from_ints(tokens).length)


def main() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(length, [[1, 2], [3]]) == [2, 1]
    print("spawned", tinker.__title__, len(sys.argv))


if __name__ == "__main__":
    main()
