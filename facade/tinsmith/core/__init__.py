"""Decisions without I/O: values, limits, bytes, verdicts.

No asyncio, no httpx, no clock; the environment is read in `config` alone.
"""
