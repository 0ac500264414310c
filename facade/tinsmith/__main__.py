"""`python -m tinsmith`: the same as the `tinsmith` command."""

from tinsmith.cli import main

main()
