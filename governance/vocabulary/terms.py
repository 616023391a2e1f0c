"""Words of the pages with what they mean: the glossary that people read, and what is shown beside a word.

docs/glossary.md has the same rows in its first table (tests/unit/repository/test_words.py).
"""

TERMS = {
    "initiative": "one AI undertaking with a reference, such as AI-0042, that is never used again",
    "stage": "proposed, prototype, MVP, production, stopped or retired; never a percentage",
    "approved stage": "the stage that a recorded decision gave the initiative, or that an import says it has",
    "supported stage": "the highest stage that current evidence supports today; computed, set by nobody",
    "not supported": "the approved stage is above the supported one; nobody loses a stage by it overnight",
    "gate": "what stands before a stage: its criteria, the seats that sign, the quorum",
    "criterion": "what the board signs for; met when its requirements are met",
    "requirement": "what the owner answers; met by an answer and current evidence, at the level that the gate asks",
    "evidence": "a file or a link that shows an answer, with kind, result and the day it was observed on",
    "level": "how strongly an answer stands: stated, documented, verified or measured",
    "verification": "a person outside the team opened the evidence and says that it shows the answer, where and what",
    "current": "of evidence, that it is not too old to count; of a sign-off, that nothing it covers has changed",
    "expired": "of evidence, that it is too old to count; newer evidence takes its place",
    "stale": "of a sign-off, that something it covers has changed since; it no longer counts, and says why",
    "not yet": "an answer: we do not have this; honest, and not met",
    "not applicable": "an answer that counts only once the seat concerned has accepted it",
    "not reported": "the source of an import did not say; nobody has answered",
    "waiver": "what is not asked until a day, agreed to by chair and risk seat; it is still not shown",
    "shorter time": (
        "that what was said to systems of an initiative is kept for fewer days than 730, never under 183, signed by "
        "two until a day"
    ),
    "request of a person": (
        "that somebody asks what AI systems reported of them, or that it is erased; due a month after it came in"
    ),
    "review": "one attempt at one gate, by the board",
    "seat": "a membership in a board for one matter; its holder is the reviewer of that matter",
    "sign-off": "one seat's signed statement: approve, approve with a condition, object or recuse",
    "quorum": "how many seats must approve",
    "blocker": "something that stands in the way of a decision",
    "condition": "what somebody must do by a day, fixed at a decision; overdue, it blocks decisions",
    "hold": "a reason why an initiative must not move now; it never stops anybody from stopping it",
    "obligation": "what one person has to give by a day, such as a post-mortem after stopping",
    "gap": "something known to be missing, with an owner and a day; evidence closes it, or its owner accepts it",
    "contract": "what a running system may do, as sentences that seats approved",
    "scope": "for whom an initiative runs: users, places, data, end",
    "kill switch": "denies everything that the systems of an initiative ask",
    "transfer": "one step of the way that data take, with its region and vendor",
    "measurement": "one figure of a period, for a measure that was declared before",
    "survey": "a few questions to the people who work with an initiative, answered anonymously",
    "behaviour report": "how people take to a system: adopted, worked around, weaponised or ignored",
    "audit log": "every act with who, when and why; nobody can change it unseen",
    "checkpoint": "the signed head of the audit log; kept elsewhere, it shows whether anything before it was changed",
    "inbox": "what waits for you, why, and by when",
    "activity": "the acts on one initiative, newest first",
    "insights": "the portfolio by name and reason, for whoever leads",
}


def anchor(term: str) -> str:
    """Where the term stands on the page of the glossary."""
    return term.replace(" ", "-")
