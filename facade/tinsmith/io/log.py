"""The log of this package: silent unless the program, or TINKER_LOG, turns it on.

It configures nothing at import. No header and no body is ever logged.
"""

from __future__ import annotations

import logging

from tinsmith.core.errors import InputError

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_logger = logging.getLogger("tinsmith")
_logger.addHandler(logging.NullHandler())


def log_to_stderr(level: str | None) -> None:
    """Show records of this package from `level` on; None leaves logging to the program."""
    if level is None:
        return
    if level.lower() not in _LEVELS:
        raise InputError(f"is none of {', '.join(_LEVELS)}", field="log_level")
    _logger.setLevel(_LEVELS[level.lower()])
    if not any(type(handler) is logging.StreamHandler for handler in _logger.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        _logger.addHandler(handler)
