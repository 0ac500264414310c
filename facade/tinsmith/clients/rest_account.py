"""The part of RestClient that reads what a user is, did and owes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith.clients.rest_calls import RestCalls
from tinsmith.clients.whoami import WhoamiResponse, who

if TYPE_CHECKING:
    from tinsmith.io.future import APIFuture


class AccountCalls(RestCalls):
    """The account behind the key."""

    def whoami(self) -> APIFuture[WhoamiResponse]:
        """Tell to whom the key belongs, as far as the server says: fields that it leaves out are None.

        `APIResponseValidationError` if its token cannot be read.
        """
        return self._link.run(who(self._link))
