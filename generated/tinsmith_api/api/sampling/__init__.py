# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""The operations of one noun of the API."""
