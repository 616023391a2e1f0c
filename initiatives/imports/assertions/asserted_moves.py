"""Which move two lists of one publisher assert of a system: what the older said beside what the newer says."""

from governance.vocabulary import CLOSED_STAGES, STAGE_RANK, Stage

SAME, PROMOTED, SKIPPED, STOPPED, RETIRED = "same", "promoted", "skipped", "stopped", "retired"
DEMOTED, REACTIVATED, UNCLASSIFIABLE = "demoted", "reactivated", "unclassifiable"
MOVES = {
    SAME: "Same stage",
    PROMOTED: "Promoted",
    SKIPPED: "Promoted, a stage left out",
    STOPPED: "Stopped",
    RETIRED: "Retired",
    DEMOTED: "Demoted",
    REACTIVATED: "Reactivated",
    UNCLASSIFIABLE: "Cannot be classified",
}
BY_ID, BY_LINE, BY_NAME, BY_PERSON, OTHER = "id", "line", "name", "person", "other"
PAIRED_BY = {
    BY_ID: "Its id at the source",
    BY_LINE: "The same line, to the last letter",
    BY_NAME: "Its name alone: a proposal",
    BY_PERSON: "Its name, confirmed by a person",
    OTHER: "A person said that it is another system",
}


def asserted_move(before: str, after: str) -> str:
    """The move from the stage that the older list asserted to that of the newer; one of `MOVES`.

    A stage that either did not report, or whose words are not known here, and a change between stopped and retired,
    which no move leads to, cannot be classified.
    """
    if before not in Stage or after not in Stage:
        return UNCLASSIFIABLE
    if before == after:
        return SAME
    if before in CLOSED_STAGES:
        return UNCLASSIFIABLE if after in CLOSED_STAGES else REACTIVATED
    if after in CLOSED_STAGES:
        return STOPPED if after == Stage.STOPPED else RETIRED
    up = STAGE_RANK[after] - STAGE_RANK[before]
    return DEMOTED if up < 0 else PROMOTED if up == 1 else SKIPPED
