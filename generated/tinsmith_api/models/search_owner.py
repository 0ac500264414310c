# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SearchOwner."""

from __future__ import annotations

from .accessible_search_owner import AccessibleSearchOwner
from .own_search_owner import OwnSearchOwner
from .user_search_owner import UserSearchOwner

SearchOwner = OwnSearchOwner | AccessibleSearchOwner | UserSearchOwner
"""Whose sessions are searched, told apart by `type`."""
