"""The request that a page for people who are signed in is given, as the type checker knows it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from governance.models import User


class SignedInRequest(HttpRequest):
    """A request that the middleware `SignedInOnly` let through to a page that is not `open_to_all`."""

    user: "User"
