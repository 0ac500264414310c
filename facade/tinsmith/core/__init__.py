"""Decisions without I/O: values, limits, bytes, verdicts.

No asyncio, no httpx, no clock; the environment is read in `config` alone.
"""

__version__ = "0.1.0"
"""The version of the distribution. It stands at the bottom, because requests carry it."""
