"""Agents of the official MCP SDK: `MCP_PYTHON=path/to/python python -m tests.drills.systems.agent_attempts`.

The interpreter has the package `mcp` in an environment of its own. Agents of an owner, a board member and an outsider
read and draft what they may, in the revisions with and without a handshake. Then they try to sign, verify, decide,
widen their scope and read what their person may not see. Each attempt must be refused, and nothing may change.

A change in adoption/agents or governance/api_tokens asks for it.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.drills.company import place

CLIENT = Path(__file__).with_name("sdk_agent.py")
KEY = "proto.scope"
UNKNOWN = (
    *("sign_review", "sign", "verify_evidence", "verify", "decide_review", "open_review", "move_stage"),
    *("accept_role", "approve_contract", "waive_requirement", "confirm_tier", "accept_not_applicable"),
    *("save_answer", "add_evidence", "make_token", "end_hold"),
)


def main() -> None:
    """Print what was allowed and refused; exit code 1 if an attempt succeeded."""
    python = os.environ.get("MCP_PYTHON")
    if not python:
        print("skipped: MCP_PYTHON names no interpreter. Install mcp in an environment of its own.")
        return
    with place.database():
        sys.exit(1 if tried(python) else 0)


def tried(python: str) -> int:
    """Run the agents against a local server; how much went wrong."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    from governance.models import Entry
    from initiatives.models import AnswerDraft

    class Quiet(WSGIRequestHandler):
        """Nothing is printed for each request."""

        def log_message(self, *_):
            """Print nothing."""

    agents = world()
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, connections_override={})
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/mcp"
    before = Entry.objects.acts().exclude(kind="refused").count()
    wrong, refused = 0, 0
    for name, may, agent in agents:
        plan = {"address": address, "agents": [agent | {"mode": mode} for mode in ("auto", "legacy")]}
        done = subprocess.run(
            [python, str(CLIENT)], input=json.dumps(plan), capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stderr[-4000:])
            return 1
        for found in json.loads(done.stdout):
            print(f"{name}, revision {found['revision']}, tools: {', '.join(found['tools']) or 'none'}")
            for (tool, _), result in zip(agent["calls"], found["results"], strict=True):
                good = result["refused"] != may
                wrong, refused = wrong + (not good), refused + (result["refused"] and not may)
                print(f"  {'as it must be' if good else 'WRONG'}: {tool}: {result['words'][:150]!r}")
    server.shutdown()
    after = Entry.objects.acts().exclude(kind="refused").count()
    print(f"{refused} attempts refused, {wrong} wrong, {after - before} acts recorded,", end=" ")
    print(f"{AnswerDraft.objects.count()} drafts that wait for their person")
    return wrong + (after != before)


def world() -> list[tuple[str, bool, dict]]:
    """Some people with their agents: a name, whether its calls are allowed, and token and calls."""
    from governance import clock
    from governance.models.sign_in import DRAFT
    from initiatives.lifecycle.reviews import actions as review_actions
    from tests.support import factories

    cast = factories.make_cast()
    mine, other = factories.make_initiative(cast, "Mine"), factories.make_mvp(cast)
    review_actions.open_review(initiative=other, by=cast.owner)
    answer = {"initiative": mine.ref, "requirement": KEY, "text": "Only calls of the pilot team."}
    offer = {
        "initiative": mine.ref,
        "requirement": KEY,
        "kind": "document",
        "title": "Scope note of the pilot",
        "link": "https://wiki.example.org/scope",
        "observed_on": clock.today().isoformat(),
    }

    def token(person, *scopes, **fields) -> str:
        text = factories.make_token(person, scopes=list(scopes), **fields)[1].text
        from django.test import Client

        Client().get("/api/v1/tasks", HTTP_AUTHORIZATION=f"Bearer {text}")  # its first use is recorded
        return text

    allowed = [
        ("list_initiatives", {}),
        ("read_initiative", {"ref": mine.ref}),
        ("list_requirements", {"ref": mine.ref, "open": True}),
        ("list_tasks", {}),
        ("draft_answer", answer),
        ("offer_evidence", offer),
    ]
    return [
        ("owner", True, {"token": token(cast.owner, DRAFT), "calls": allowed}),
        (
            "owner who tries to act",
            False,
            {"token": token(cast.owner, DRAFT), "calls": [(name, {"ref": other.ref}) for name in UNKNOWN]},
        ),
        (
            "owner whose token only reads",
            False,
            {"token": token(cast.owner), "calls": [("draft_answer", answer), ("offer_evidence", offer)]},
        ),
        (
            "service",
            False,
            {
                "token": token(cast.owner, "read:registers", kind="service"),
                "calls": [*allowed, ("list_tasks", {"initiative": mine.ref})],
            },
        ),
        (
            "board member",
            False,
            {
                "token": token(cast.seat_risk, DRAFT),
                "calls": [("draft_answer", answer), ("offer_evidence", offer)],
            },
        ),
        (
            "outsider",
            False,
            {
                "token": token(cast.outsider, DRAFT),
                "calls": [
                    ("read_initiative", {"ref": mine.ref}),
                    ("read_initiative", {"ref": f"{mine.ref}/decisions"}),
                    ("read_initiative", {"ref": mine.ref, "as_of": clock.today().isoformat()}),
                    ("list_requirements", {"ref": other.ref}),
                    ("list_tasks", {"initiative": other.ref}),
                    ("draft_answer", answer),
                    ("offer_evidence", offer),
                ],
            },
        ),
    ]


if __name__ == "__main__":
    main()
