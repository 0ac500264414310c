"""Owns the one error that bad numbers in a request raise; must not know who sent them."""


class DivergedError(ValueError):
    """The numbers that a model gives have left the finite ones: nothing is wrong with the input."""


class ExampleError(ValueError):
    """A datum or a prompt that the engine cannot compute; names its place and its field."""

    def __init__(self, message: str, *, index: int | None = None, field: str | None = None) -> None:
        place = "".join([f"datum {index}: " if index is not None else "", f"{field}: " if field else ""])
        super().__init__(place + message)
        self.index = index
        self.field = field
