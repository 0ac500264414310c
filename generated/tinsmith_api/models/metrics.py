# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Metrics."""

from __future__ import annotations

Metrics = dict[str, float]
"""Numbers by name. A name ends in `:` and a reduction, `mean`, `sum`, `min`, `max`, `slack`, `unique`,
`hash2` or `hash_unordered`, which says how the values of several requests are merged. Some servers
send names without one.
"""
