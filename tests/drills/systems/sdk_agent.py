"""An agent of the official SDK, in its own environment. It reads a plan as JSON and prints what came back.

The plan has the address of the server, and by token the calls of its agent: the name of a tool and its arguments.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError


async def agent(address: str, token: str, mode: str, calls: list) -> dict:
    """Return the revision, the tools and the results of one agent."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as web:
        transport = streamable_http_client(address, http_client=web)
        async with Client(transport, mode=mode) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            results = [await called(client, name, arguments) for name, arguments in calls]
            return {"revision": client.session.protocol_version, "tools": tools, "results": results}


async def called(client: Client, name: str, arguments: dict) -> dict:
    """Return whether a call was refused, and the words."""
    try:
        found = await client.call_tool(name, arguments)
    except MCPError as error:
        return {"refused": True, "words": error.error.message}
    return {"refused": bool(found.is_error), "words": found.content[0].text[:300]}


async def main() -> None:
    """Run the agents of the plan, one after the other."""
    plan = json.load(sys.stdin)
    print(json.dumps([await agent(plan["address"], **one) for one in plan["agents"]]))


asyncio.run(main())
