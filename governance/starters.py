"""Contracts to begin with, for five initiatives that most organisations have. Pure data, in words to be changed.

Each is whole and sound as it stands: what it may do alone is small and reversible, whatever leaves the house or costs
money waits for a person, and for each of the six failures there is a clause. What is specific to a house (its groups,
amounts, hours, and where data may go) is for the owner to change.
"""

from dataclasses import dataclass, replace

from governance.clauses import ASK, FAILURES, REFUSE, SHORTEST_RETENTION, Terms, Test

WORKDAYS = (1, 2, 3, 4, 5)
HOUR, DAY = 60, 24 * 60


@dataclass(frozen=True)
class Begun:
    """One clause to begin with."""

    kind: str
    terms: Terms


@dataclass(frozen=True)
class Starter:
    """A contract to begin with: what for, the words it uses as (kind, key, words), and its clauses in order."""

    key: str
    title: str
    about: str
    vocabulary: tuple[tuple[str, str, str], ...]
    clauses: tuple[Begun, ...]

    @property
    def words(self) -> dict[str, str]:
        """The words by key."""
        return {key: words for _, key, words in self.vocabulary}


def alone(action: str, resource: str, **bounds) -> Begun:
    """What it may do on its own."""
    return Begun("autonomy", Terms(action=action, resource=resource, **bounds))


def asked(action: str, resource: str, approvers: tuple[str, ...], minutes: int, **bounds) -> Begun:
    """What it may do once a person approved it."""
    terms = Terms(action=action, resource=resource, approvers=approvers, minutes=minutes, **bounds)
    return Begun("human_approval", terms)


def failures(unsure: Terms, *refused: str, asked_when: tuple[str, ...]) -> tuple[Begun, ...]:
    """Clauses for each failure: in these a person is asked about the act of `unsure`, and the acts `refused` are not
    done; in all others it does nothing.
    """
    found = []
    for failure in FAILURES:
        if failure in asked_when:
            found.append(replace(unsure, failure=failure, then=ASK))
            found += [Terms(failure=failure, then=REFUSE, action=action) for action in refused]
        else:
            found.append(Terms(failure=failure, then=REFUSE))
    return tuple(Begun("edge_policy", terms) for terms in found)


def framed(audience: str, days: int = SHORTEST_RETENTION) -> tuple[Begun, ...]:
    """What every contract says of its record, its people and its keeping."""
    return (
        Begun("record_owner", Terms()),
        Begun("audience", Terms(audience=(audience,))),
        Begun("retention", Terms(days=days)),
    )


SUMMARISE = Starter(
    "summarise",
    "Summarise",
    "It reads notes or documents and writes a short text that a colleague works with.",
    (
        ("action", "write_summary", "write summaries"),
        ("action", "share_summary", "share summaries outside the team"),
        ("resource", "account_notes", "account notes"),
        ("audience", "account_team", "the account team"),
    ),
    (
        alone("write_summary", "account_notes", most=50),
        asked("share_summary", "account_notes", ("support_owner", "owner"), 8 * HOUR, most=1),
        *failures(
            Terms(
                action="write_summary",
                resource="account_notes",
                approvers=("data_steward", "support_owner"),
                minutes=8 * HOUR,
            ),
            "share_summary",
            asked_when=("sources_conflict", "low_confidence"),
        ),
        *framed("account_team"),
    ),
)

TRIAGE = Starter(
    "triage",
    "Triage",
    "It reads what comes in, sorts it by topic and urgency, and hands it to whoever deals with it.",
    (
        ("action", "sort_request", "note topic and urgency"),
        ("action", "route_request", "choose the team"),
        ("action", "close_request", "close the file"),
        ("resource", "incoming_request", "incoming requests"),
        ("audience", "service_desk", "the service desk"),
    ),
    (
        alone("sort_request", "incoming_request", most=100),
        alone(
            "route_request",
            "incoming_request",
            most=100,
            tests=(Test("resource", "urgency", "one_of", ("low", "normal")),),
        ),
        asked(
            "route_request",
            "incoming_request",
            ("support_owner", "deputy"),
            HOUR // 2,
            tests=(Test("resource", "urgency", "equals", "high"),),
        ),
        asked("close_request", "incoming_request", ("support_owner", "owner"), 4 * HOUR, most=1),
        *failures(
            Terms(
                action="route_request",
                resource="incoming_request",
                approvers=("support_owner", "deputy"),
                minutes=HOUR,
            ),
            "sort_request",
            "close_request",
            asked_when=("low_confidence", "unexpected_input"),
        ),
        *framed("service_desk"),
    ),
)

MATCH = Starter(
    "match",
    "Match",
    "It finds what belongs together, such as invoices and orders, and books what fits.",
    (
        ("action", "propose_match", "propose matches"),
        ("action", "book_match", "book matches"),
        ("resource", "supplier_invoice", "supplier invoices"),
        ("audience", "accounts_payable", "accounts payable"),
    ),
    (
        alone("propose_match", "supplier_invoice", most=200),
        alone(
            "book_match",
            "supplier_invoice",
            weekdays=WORKDAYS,
            from_minute=7 * HOUR,
            until_minute=19 * HOUR,
            up_to=500_00,
            currency="EUR",
            most=1,
            tests=(Test("resource", "match", "equals", "exact"),),
        ),
        asked(
            "book_match",
            "supplier_invoice",
            ("deputy", "owner"),
            DAY,
            up_to=500_00,
            currency="EUR",
            most=1,
            tests=(Test("resource", "match", "differs", "exact"),),
        ),
        asked(
            "book_match",
            "supplier_invoice",
            ("deputy", "owner"),
            DAY,
            over=500_00,
            up_to=10_000_00,
            currency="EUR",
            most=1,
        ),
        asked(
            "book_match",
            "supplier_invoice",
            ("deputy", "owner", "sponsor"),
            2 * DAY,
            over=10_000_00,
            up_to=100_000_00,
            currency="EUR",
            most=1,
            four_eyes=True,
        ),
        *failures(
            Terms(
                action="propose_match",
                resource="supplier_invoice",
                approvers=("data_steward", "deputy"),
                minutes=DAY,
            ),
            "book_match",
            asked_when=("sources_conflict",),
        ),
        *framed("accounts_payable", days=3650),
    ),
)

SEARCH = Starter(
    "search",
    "Search",
    "It finds passages in the house's own documents and answers from them, with their source.",
    (
        ("action", "look_up", "look things up"),
        ("action", "quote", "quote passages"),
        ("action", "export_passages", "export passages"),
        ("resource", "approved_document", "approved documents"),
        ("audience", "employees", "employees of the unit"),
    ),
    (
        alone("look_up", "approved_document", most=20),
        alone(
            "quote",
            "approved_document",
            most=20,
            tests=(Test("resource", "classification", "one_of", ("public", "internal")),),
        ),
        asked(
            "quote",
            "approved_document",
            ("data_steward", "owner"),
            8 * HOUR,
            most=1,
            tests=(Test("resource", "classification", "equals", "confidential"),),
        ),
        asked("export_passages", "approved_document", ("data_steward", "owner"), DAY, most=20),
        *failures(
            Terms(
                action="quote",
                resource="approved_document",
                approvers=("data_steward", "support_owner"),
                minutes=8 * HOUR,
            ),
            "look_up",
            "export_passages",
            asked_when=("sources_conflict", "low_confidence"),
        ),
        *framed("employees"),
    ),
)

DRAFT_AND_SEND = Starter(
    "draft-and-send",
    "Draft and send",
    "It drafts replies to people outside the house, and sends one once a person has read it.",
    (
        ("action", "draft_reply", "draft replies"),
        ("action", "send_reply", "send replies"),
        ("action", "offer_refund", "offer refunds"),
        ("resource", "customer_enquiry", "customer enquiries"),
        ("audience", "customer_service", "customer service"),
    ),
    (
        alone("draft_reply", "customer_enquiry", most=50),
        asked(
            "send_reply",
            "customer_enquiry",
            ("support_owner", "deputy"),
            4 * HOUR,
            weekdays=(*WORKDAYS, 6),
            from_minute=8 * HOUR,
            until_minute=20 * HOUR,
            most=1,
        ),
        asked(
            "offer_refund",
            "customer_enquiry",
            ("support_owner", "owner"),
            8 * HOUR,
            up_to=100_00,
            currency="EUR",
            most=1,
        ),
        asked(
            "offer_refund",
            "customer_enquiry",
            ("deputy", "owner", "sponsor"),
            DAY,
            over=100_00,
            up_to=1_000_00,
            currency="EUR",
            most=1,
            four_eyes=True,
        ),
        *failures(
            Terms(
                action="draft_reply",
                resource="customer_enquiry",
                approvers=("support_owner", "deputy"),
                minutes=4 * HOUR,
            ),
            "send_reply",
            "offer_refund",
            asked_when=("sources_conflict", "low_confidence"),
        ),
        *framed("customer_service"),
    ),
)

STARTERS = {one.key: one for one in (SUMMARISE, TRIAGE, MATCH, SEARCH, DRAFT_AND_SEND)}
