"""An agent that speaks to the MCP server with a token of a person."""

import json

from django.test import Client

from governance.models import User
from governance.models.sign_in import DRAFT
from tests.support import factories

NEWEST = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": NEWEST,
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Agent:
    """The token of a person, and requests of the revision without a handshake."""

    def __init__(self, person: User, *, scopes=(DRAFT,), **token):
        self.person = person
        self.row, made = factories.make_token(person, scopes=list(scopes), **token)
        self.text = made.text
        self.client = Client(raise_request_exception=False)

    def post(self, body: bytes, **headers):
        """The response to a body."""
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.text}"} | headers
        return self.client.post("/mcp", body, content_type="application/json", **headers)

    def ask(self, method: str, params: dict | None = None, **headers):
        """The response to a request."""
        params = {"_meta": META} | (params or {})
        said = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        usual = {"HTTP_MCP_PROTOCOL_VERSION": NEWEST, "HTTP_MCP_METHOD": method}
        if method == "tools/call":
            usual["HTTP_MCP_NAME"] = params.get("name", "")
        return self.post(json.dumps(said).encode(), **(usual | headers))

    def call(self, tool: str, **arguments) -> dict:
        """The result of a tool that there is."""
        answer = self.ask("tools/call", {"name": tool, "arguments": arguments})
        assert answer.status_code == 200, answer.content
        return answer.json()["result"]

    def read(self, tool: str, **arguments) -> dict:
        """What a tool returned."""
        found = self.call(tool, **arguments)
        assert not found["isError"], found
        return found["structuredContent"]

    def refused(self, tool: str, **arguments) -> str:
        """The sentence with which a tool refused."""
        found = self.call(tool, **arguments)
        assert found["isError"], found
        assert "structuredContent" not in found, found
        return found["content"][0]["text"]
