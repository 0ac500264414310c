# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FutureAnswer."""

from __future__ import annotations

from typing import Any

FutureAnswer = dict[str, Any]
"""An answer to `retrieve_future`, told apart in this order: `type` is `try_again` (TryAgainResponse);
there is a key `error` (RequestFailedResponse); `status` is `complete_metadata`
(CompleteMetadataResponse); else the result that `x-tinker-result` of the original operation names.
Results carry no reliable tag: who asks knows what was asked for, so that a client reads this as a
plain object first.
"""
