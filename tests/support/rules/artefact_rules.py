"""The plain rulebook with kinds that are held to their form, and kinds that are never uploaded."""

from tests.support.rules.plain_rulebook import plain_text

DETAILED = ("test_report", "log_sample", "user_research", "decision_record")
REGISTERED = ("attestation", "contract_clause", "drill_record", "telemetry", "system_record")
# The form of each kind, filled in truthfully.
GIVEN = {
    "test_report": {
        "data_set": "Letters of May, version 2",
        "n": "240",
        "metric": "accuracy",
        "figure": "0.91",
        "threshold": "0.85",
        "side": "at_least",
        "tested": "quality",
    },
    "log_sample": {},
    "user_research": {
        "n": "24",
        "starts_on": "2026-03-02",
        "ends_on": "2026-03-13",
        "method": "interviews",
        "tested": "use",
    },
    "decision_record": {
        "approver": "Ada Moreau",
        "decided_on": "2026-03-03",
        "place": "Retail board, item 4",
    },
}
LOG = (
    b"time,user,prompt,answer,model\n2026-03-02T09:14:00Z,u-17,What is owed?,Nothing is owed.,m-4\n"
    b"2026-03-02T09:16:00Z,u-18,Who signs?,The branch signs.,m-4\n"
)


def _listed(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def with_forms(details: tuple[str, ...] = DETAILED, registers: tuple[str, ...] = REGISTERED) -> str:
    """The text of a later version in which these kinds have a form, and those come from registers."""
    text = plain_text().replace('version = "0.9"', 'version = "2026.7"')
    carries = f"[evidence_carries]\ndetails = {_listed(details)}\nregisters = {_listed(registers)}\n"
    return text.replace("[evidence_carries]\n", carries)
