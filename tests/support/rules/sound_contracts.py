"""Five contracts as a business would sign them, in which nothing is missing and nothing contradicts anything."""

from datetime import date

from governance.contracts.cedar_policies import Rule
from governance.contracts.clauses import FAILURES, Terms, Test

ON = date(2026, 3, 10)
REQUIRED = ("autonomy", "human_approval", "edge_policy", "record_owner")
ROLES = {
    "owner": "Ada",
    "deputy": "Bea",
    "support_owner": "Cy",
    "technical_lead": "Di",
    "data_steward": "Eli",
    "sponsor": "Flo",
    "record_owner": "Ravi",
}
OFFICE = {"weekdays": (1, 2, 3, 4, 5), "from_minute": 8 * 60, "until_minute": 18 * 60}


def numbered(*said):
    """Rules from (kind, terms as keywords), numbered from 1."""
    return [Rule(number, kind, Terms(**terms)) for number, (kind, terms) in enumerate(said, 1)]


def autonomy(action, **terms):
    return "autonomy", {"action": action, **terms}


def approval(action, *approvers, minutes=120, **terms):
    return "human_approval", {
        "action": action,
        "approvers": approvers or ("owner",),
        "minutes": minutes,
        **terms,
    }


def edge(failure, then="refuse", **terms):
    return "edge_policy", {"failure": failure, "then": then, **terms}


def asked(failure, *approvers, minutes=60, **terms):
    return edge(failure, "ask", approvers=approvers, minutes=minutes, **terms)


def refused(*failures):
    return [edge(failure) for failure in failures]


def audience(*names):
    return "audience", {"audience": names}


OWNED = ("record_owner", {})
KEPT = ("retention", {"days": 1095})

SUMMARISE = numbered(
    autonomy("summarise", resource="meeting", **OFFICE),
    autonomy("summarise", resource="letter", tests=(Test("resource", "status", "equals", "closed"),)),
    approval(
        "summarise",
        "owner",
        "deputy",
        resource="letter",
        tests=(Test("resource", "status", "equals", "open"),),
    ),
    approval("publish", "owner", "deputy", minutes=24 * 60),
    asked("low_confidence", "owner", "deputy"),
    *refused(
        "source_unavailable", "sources_conflict", "unexpected_input", "personal_data", "model_unavailable"
    ),
    OWNED,
    audience("secretariat", "board_office"),
    KEPT,
)
TRIAGE = numbered(
    autonomy("assign", resource="ticket", most=20),
    approval(
        "assign",
        "support_owner",
        "owner",
        resource="ticket",
        tests=(Test("resource", "urgent", "equals", True),),
    ),
    autonomy("close", tests=(Test("resource", "kind", "one_of", ("spam", "duplicate")),)),
    approval("close", "support_owner", minutes=480, tests=(Test("resource", "age_days", "at_least", 90),)),
    approval("escalate", "support_owner", "owner", minutes=15, from_minute=22 * 60, until_minute=6 * 60),
    autonomy("escalate", from_minute=6 * 60, until_minute=22 * 60),
    asked("low_confidence", "support_owner", minutes=30),
    asked("sources_conflict", "support_owner", minutes=30),
    *refused("source_unavailable", "unexpected_input", "personal_data", "model_unavailable"),
    OWNED,
    audience("service_desk"),
    ("residency", {"regions": ("CH", "EU")}),
)
MATCH = numbered(
    autonomy("match", resource="invoice", up_to=50_000, currency="EUR"),
    approval(
        "match", "owner", "technical_lead", resource="invoice", over=50_000, up_to=500_000, currency="EUR"
    ),
    approval(
        "match",
        "owner",
        "sponsor",
        resource="invoice",
        over=500_000,
        currency="EUR",
        four_eyes=True,
        minutes=2880,
    ),
    approval("match", "owner", resource="invoice", over=0, currency="CHF"),
    approval("reject", "owner", "deputy"),
    asked("sources_conflict", "owner", "sponsor"),
    *refused(
        "source_unavailable", "low_confidence", "unexpected_input", "personal_data", "model_unavailable"
    ),
    OWNED,
    audience("accounts_payable", "user:audit-robot"),
    KEPT,
)
SEARCH = numbered(
    autonomy("search", resource="archive", audience=("legal", "claims")),
    autonomy("search", resource="intranet"),
    approval("export", "data_steward", resource="archive", most=100),
    approval("export", "data_steward", "owner", resource="intranet"),
    asked("personal_data", "data_steward", action="export"),
    edge("personal_data", action="search"),
    *refused(
        "source_unavailable", "sources_conflict", "low_confidence", "unexpected_input", "model_unavailable"
    ),
    OWNED,
    audience("legal", "claims", "staff"),
    ("residency", {"regions": ("EU",)}),
    KEPT,
)
DRAFT_AND_SEND = numbered(
    autonomy("draft", resource="reply", audience=("customer_care",)),
    autonomy(
        "send",
        resource="reply",
        audience=("customer_care",),
        tests=(Test("resource", "standard", "equals", True),),
        **OFFICE,
    ),
    approval(
        "send",
        "owner",
        "support_owner",
        resource="reply",
        audience=("customer_care",),
        minutes=240,
        tests=(Test("resource", "standard", "equals", False),),
    ),
    approval("refund", "owner", "support_owner", audience=("customer_care",), up_to=20_000, currency="EUR"),
    approval(
        "refund",
        "owner",
        "sponsor",
        audience=("customer_care",),
        over=20_000,
        up_to=100_000,
        currency="EUR",
        four_eyes=True,
        holds_until=date(2027, 12, 31),
    ),
    edge("low_confidence", action="refund"),
    asked("low_confidence", "owner"),
    asked("source_unavailable", "owner", "sponsor"),
    *refused("sources_conflict", "unexpected_input", "personal_data", "model_unavailable"),
    OWNED,
    KEPT,
)
SOUND = {
    "summarise": SUMMARISE,
    "triage": TRIAGE,
    "match": MATCH,
    "search": SEARCH,
    "draft and send": DRAFT_AND_SEND,
}
assert set(FAILURES) == {rule.terms.failure for rule in MATCH if rule.kind == "edge_policy"}
