# Written by codegen.sh from openapi/tinker_wire.proto. Do not edit.
"""The messages of the binary form, compiled; empty here, so that only their users load protobuf."""
