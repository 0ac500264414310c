"""Why a request is not served, and how that is worded on the wire."""

from collections.abc import Mapping, Sequence

import attrs

from tinsmith_local.options import DetailStyle

#: Status -> category of the error, where it is not the client's doing.
_SERVER = range(500, 600)
#: Characters of a message; what was sent is quoted in it, and that may be 64 MB.
LONGEST = 2000


@attrs.define(eq=False)
class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a defect
    """An error answer."""

    status: int
    """HTTP status."""
    message: str
    """What is wrong and, where it helps, what to do."""
    field: tuple[str | int, ...] = attrs.field(default=(), kw_only=True)
    """Path to the field in the body, such as `("forward_input", "data", 3)`."""
    headers: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    """Further headers, such as Retry-After."""
    kind: str = attrs.field(default="value_error", kw_only=True)
    """Short word for the kind of error, shown in list-style bodies."""

    more: Mapping[str, object] = attrs.field(factory=dict, kw_only=True)
    """Further fields of the body."""

    def body(self, style: DetailStyle) -> Mapping[str, object]:
        """Word it as the contract does, or as other servers do."""
        message = self.message
        if len(message) > LONGEST:
            message = f"{message[:LONGEST]}... ({len(message)} characters)"
        text = f"{dotted(self.field)}: {message}" if self.field else message
        if style == "text":
            return {"detail": text, **self.more}
        if style == "list":
            return {"detail": [{"type": self.kind, "loc": ["body", *self.field], "msg": message}]}
        category = "server" if self.status in _SERVER else "user"
        place = {"field": dotted(self.field)} if self.field else {}
        return {"detail": text, "category": category, **place, **self.more}


def dotted(path: Sequence[str | int]) -> str:
    """Write a path as `forward_input.data[3].weights`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
