"""The page for those who write programs: the read API, and the tools of agents."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adoption.agents.agent_tools import TOOLS
from adoption.read_api.api import MOST, RATE, document
from governance.sign_in.sessions import open_to_all

AGENT_SETTINGS = """{"mcpServers": {"plumbline": {
  "url": "%s/mcp",
  "headers": {"Authorization": "Bearer $PLUMBLINE_TOKEN"}}}}"""


@open_to_all
@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """List the endpoints with their parameters, out of the OpenAPI document, and the tools."""
    found = document()
    endpoints = [
        {
            "address": address,
            "summary": operation["summary"],
            "scope": operation["x-scope"],
            "days": operation["x-days"],
            "parameters": [
                {"name": one["name"], "where": one["in"], "words": one.get("description", "")}
                for one in operation["parameters"]
                if one["name"] not in ("as_of", "cursor", "limit")
            ],
        }
        for address, methods in found["paths"].items()
        for operation in methods.values()
    ]
    context = {
        "nav": "help",
        "endpoints": endpoints,
        "tools": TOOLS.values(),
        "agent_settings": AGENT_SETTINGS % settings.ADDRESS,
        "address": settings.ADDRESS,
        "most": MOST,
        "rate": RATE,
    }
    return render(request, "adoption/agents/reference.html", context)
