"""The words of the pages with their meanings: the glossary, and hints beside words.

docs/glossary.md has the same rows in its first table (tests/unit/repository/test_words.py).
"""

TERMS = {
    "initiative": "one AI undertaking with a reference, such as AI-0042, that is never used again",
    "stage": "proposed, prototype, MVP, production, stopped or retired. A stage is never a percentage",
    "approved stage": "the stage that a recorded decision gave the initiative, or that an import reports",
    "supported stage": (
        "the highest stage that current evidence supports today, computed and not set by anyone"
    ),
    "not supported": (
        "the approved stage is above the supported stage. The initiative keeps its approved stage"
    ),
    "gate": "the conditions for a stage: its criteria, the seats that sign, the quorum",
    "criterion": "what the board signs for, met when its requirements are met",
    "requirement": (
        "what the owner answers, met by an answer and current evidence, at the level that the gate asks"
    ),
    "evidence": "a file or a link that shows an answer, with kind, result and the day it was observed on",
    "level": "how well an answer is supported: stated, documented, verified or measured",
    "verification": (
        "a person outside the team opened the evidence and confirms that it shows the answer, where and what"
    ),
    "current": "evidence that is not too old to count, or a sign-off whose contents have not changed",
    "expired": "evidence that is too old to count. Newer evidence replaces it",
    "stale": (
        "a sign-off that no longer counts because something it covers has changed. The page shows what "
        "changed"
    ),
    "not yet": "the answer that this does not exist yet. The requirement is not met",
    "not applicable": "an answer that counts only once the seat concerned has accepted it",
    "not reported": "the source of an import has no answer, and no one has answered here",
    "waiver": (
        "an agreement of chair and risk seat not to ask a requirement until a day. The requirement is "
        "still not met"
    ),
    "accepted risk": (
        "a risk that the risk seat accepted until a day, and reviews. After the day or a missed review it "
        "is a gap"
    ),
    "review": "one attempt at one gate, by the board",
    "seat": "a membership in a board for one matter, whose holder is the reviewer of that matter",
    "sign-off": "one seat's signed statement: approve, approve with a condition, object or recuse",
    "quorum": "how many seats must approve",
    "blocker": "something that prevents a decision",
    "condition": "what someone must do by a day, set with a decision. An overdue condition blocks decisions",
    "hold": "a reason why an initiative must not move now, while it can still be stopped",
    "obligation": "what one person has to give by a day, such as a post-mortem after stopping",
    "gap": (
        "something known to be missing, with an owner and a day. Evidence closes it, or its owner accepts it"
    ),
    "contract": "what a running system may do, as sentences that seats approved",
    "scope": "the limits of an initiative: users, places, data, end",
    "kill switch": "denies every request of the systems of an initiative",
    "transfer": "one step on the path of the data, with its region and vendor",
    "measurement": "one figure of a period, for a measure that was declared before",
    "survey": "a few questions to the people who work with an initiative, answered anonymously",
    "behaviour report": "how people use a system: adopted, worked around, weaponised or ignored",
    "audit log": "every act with who, when and why. Every change to it can be detected",
    "checkpoint": (
        "the signed head of the audit log. A copy kept elsewhere shows whether any earlier entry was changed"
    ),
    "witness": (
        "another organisation that signs a checkpoint after it checked that no earlier entry was changed or removed"
    ),
    "inbox": "your tasks (To do), with reason and dates, and your notifications (To know)",
    "activity": "the acts on one initiative, newest first",
    "insights": "the portfolio by name and reason, for executives",
}


def anchor(term: str) -> str:
    """Return the anchor of the term on the glossary page."""
    return term.replace(" ", "-")
