"""The log of this package: silent unless the program, or TINKER_LOG, turns it on.

It configures nothing at import. No header and no body is ever logged.
"""

from __future__ import annotations

import logging
import sys
import warnings

from tinsmith.core.errors import InputError, ServerWarning

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_logger = logging.getLogger("tinsmith")
_logger.addHandler(logging.NullHandler())


def warn_on_stderr(message: str, *args: object) -> None:
    """Log a warning that nobody may miss: on stderr where the program has configured no logging."""
    _logger.warning(message, *args)
    is_heard = any(
        not isinstance(handler, logging.NullHandler)
        for handler in (*_logger.handlers, *logging.getLogger().handlers)
    )
    if not is_heard:
        sys.stderr.write(f"tinsmith: {message % args}\n")


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


def warn_visibly(text: str) -> None:
    """Warn of a server where nobody configured logging too; where warnings are errors, the log has it."""
    try:
        warnings.warn(ServerWarning(text), stacklevel=2)
    except ServerWarning:
        _logger.warning("%s", text)
