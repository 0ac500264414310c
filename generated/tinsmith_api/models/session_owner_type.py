# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from typing import Literal

SessionOwnerType = Literal["accessible", "own", "user"]

SESSION_OWNER_TYPE_VALUES: set[SessionOwnerType] = {
    "accessible",
    "own",
    "user",
}


def check_session_owner_type(value: str) -> SessionOwnerType:
    if value in SESSION_OWNER_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SESSION_OWNER_TYPE_VALUES!r}")
