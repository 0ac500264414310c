"""Owns the one error that bad numbers in a request raise; must not know who sent them."""


class ExampleError(ValueError):
    """A datum or a prompt that the engine cannot compute; names its place and its field."""

    def __init__(self, message: str, *, index: int | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.index = index
        self.field = field
