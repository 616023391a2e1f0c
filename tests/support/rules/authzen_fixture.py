"""Entities and clauses of the certification scenario of the OpenID AuthZEN working group for its API 1.0."""

from governance.contracts.clauses import Terms, Test
from initiatives.contracts.documents.actions import Written

ALICE, BOB = {"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}
READ, WRITE = {"name": "read"}, {"name": "write"}
FIRST, SECOND = {"type": "record", "id": "record-1"}, {"type": "record", "id": "record-2"}
ARCHIVED = SECOND | {"properties": {"status": "archived"}}
ADMIN = BOB | {"properties": {"role": "admin"}}


def may(action: str, resource: str = "record", *, audience=(), tests=()) -> Written:
    """A clause: the audience may do this on its own, under these conditions."""
    return Written(
        "autonomy", terms=Terms(action=action, resource=resource, audience=audience, tests=tuple(tests))
    )


def equals(of: str, name: str, value) -> Test:
    """The condition that an attribute has this value."""
    return Test(of, name, "equals", value)


# Alice may write, but not to archived records. A prohibition would also deny a request that states no status, so two
# clauses permit: a stated status that is not archived, and record-1, about which the scenario asks without a status.
ALICE_WRITES = [
    may("write", audience=("user:alice",), tests=[Test("resource", "status", "differs", "archived")]),
    may("write", audience=("user:alice",), tests=[equals("resource", "id", "record-1")]),
]
# What every contract has to speak of.
ALWAYS = [
    Written("human_approval", terms=Terms(action="hand_over", approvers=("owner",), minutes=60)),
    *(
        Written("edge_policy", terms=Terms(failure=failure, then="refuse"))
        for failure in (
            "source_unavailable",
            "sources_conflict",
            "low_confidence",
            "unexpected_input",
            "personal_data",
            "model_unavailable",
        )
    ),
    Written("record_owner"),
]
EVERYBODY = Written("audience", terms=Terms(audience=("user:alice", "user:bob")))
