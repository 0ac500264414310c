"""Decisions without I/O: values, checks, encoding, request order, retries, the meaning of answers.

No asyncio, no httpx, no clock; the environment is read in `config` alone.
"""

__version__ = "0.1.0"
"""The version of the distribution. It is in the lowest layer, because requests carry it."""
