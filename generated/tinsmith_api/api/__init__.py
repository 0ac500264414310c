# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""The operations, by noun."""
