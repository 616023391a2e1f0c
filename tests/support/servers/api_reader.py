"""A program that reads the API with a token of a person."""

import json
from collections.abc import Iterator

from django.test import Client

from governance.models import User
from tests.support import factories


class Reader:
    """The token of a person, and requests with it. `headers` go with each."""

    def __init__(self, person: User, **token):
        self.person = person
        self.row, made = factories.make_token(person, **token)
        self.text = made.text
        self.client = Client(raise_request_exception=False)

    def get(self, address: str, query: dict | None = None, **headers):
        """The answer to a GET below /api/v1/."""
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.text}"} | headers
        return self.client.get(f"/api/v1/{address}", query or {}, **headers)

    def read(self, address: str, **query) -> dict:
        """The body of an answer that is there."""
        answer = self.get(address, query)
        assert answer.status_code == 200, (address, query, answer.status_code, answer.content[:500])
        return json.loads(answer.content)

    def rows(self, address: str, **query) -> Iterator[dict]:
        """All rows of a list, page by page."""
        cursor = ""
        while cursor is not None:
            found = self.read(address, **query, **({"cursor": cursor} if cursor else {}))
            yield from found["data"]
            cursor = found["next"]
