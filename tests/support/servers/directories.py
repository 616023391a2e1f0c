"""A directory of the company as it sends SCIM: its key, its requests, and what Entra ID and Okta are known to send."""

import json
from datetime import timedelta

from django.test import Client

from governance import clock
from initiatives.portfolio.provisioning import actions

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Sender:
    """A directory that has a key."""

    def __init__(self, admin, name="Entra ID", provider=None):
        ends = clock.now() + timedelta(days=90)
        self.row, token = actions.add_directory(name=name, expires_at=ends, provider=provider, by=admin)
        self.token, self.client = token.text, Client()

    def send(self, method: str, path: str, body=None, **headers):
        """The response to a request below /scim/v2/."""
        return self.client.generic(
            method,
            f"/scim/v2/{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/scim+json",
            HTTP_AUTHORIZATION=f"Bearer {self.token}",
            **headers,
        )

    def makes(self, user_name: str, /, **more) -> dict:
        """The account that it makes of a name, as it is answered."""
        answer = self.send("POST", "Users", {"schemas": [USER], "userName": user_name, **more})
        assert answer.status_code == 201, answer.content
        return answer.json()

    def patches(self, path: str, *operations: dict, **headers):
        """The response to a PATCH with these operations."""
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)
