"""What an operation answers, before it becomes HTTP."""

from collections.abc import Mapping

import attrs
import orjson
from starlette.responses import Response


@attrs.frozen(eq=False)
class Answer:
    """One answer."""

    body: Mapping[str, object] | bytes | None = attrs.field(default=None, repr=False)
    """Object to encode, bytes that are encoded already, or nothing."""
    status: int = 200
    """HTTP status; 204 for nothing."""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    """Further headers."""
    content_type: str = "application/json"
    """What the bytes are."""

    def response(self) -> Response:
        """Make it HTTP."""
        if self.body is None:
            return Response(status_code=self.status, headers=self.headers)
        content = self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)
        return Response(content, self.status, self.headers, self.content_type)


def nothing() -> Answer:
    """Answer 204."""
    return Answer(status=204)
