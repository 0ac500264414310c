"""Whether a value of the generated package writes all that it was read from."""

from __future__ import annotations

from typing import Any

import attrs
from tinsmith_api.conversion import parse_time, to_json


def kept(value: Any, given: Any) -> bool:
    """Tell whether a value writes all that was given, but nulls, which are absence, and forms of times."""
    written = to_json(value) if attrs.has(type(value)) else value
    if isinstance(given, dict):
        return all(part is None or kept(written.get(name), part) for name, part in given.items())
    if isinstance(given, list):
        return len(written) == len(given) and all(map(kept, written, given))
    if written != given and isinstance(written, str) and isinstance(given, str):
        return parse_time(written) == parse_time(given)
    return bool(written == given)
