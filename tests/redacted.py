"""What recorded traffic must not hold: paths of the machine that recorded it, and credentials."""

ROOTS = ("home", "root", "tmp", "work")
"""Folders at the top of machines that record."""


def traces(text: str, *words: str) -> list[str]:
    """Return which of the paths, the key's header and prefix, and `words` stand in a text."""
    wanted = ["x-api-key", "tml-", *(f"/{root}/" for root in ROOTS), *words]
    return [word for word in wanted if word in text.lower()]
