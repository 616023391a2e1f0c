"""Reads over rows of lists, for whoever may read them."""

from dataclasses import dataclass

from django.db.models import Case, CharField, Count, F, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from governance.models import User
from initiatives.access.visibility import visible_to
from initiatives.imports.assertions.asserted_moves import BY_NAME, MOVES, OTHER, SAME
from initiatives.imports.assertions.practices import DEPLOYED, HIGH_IMPACT, IMPACT, STAGE, bare
from initiatives.models import ImportBatch, ImportRow
from initiatives.models.imports import OWN_SHEET

STATES = {
    "open": "Not decided",
    "proposed": "Perhaps the same system",
    "taken": "Newer claim taken",
    "left": "Claim left as it was",
    "same": "Nothing to decide",
}
WHICH = "which"  # several initiatives have the name: before somebody says which, no move is told
MOVE_WORDS = {**MOVES, WHICH: "Which system is to be said"}


@dataclass(frozen=True)
class Wanted:
    """What is asked of the moves; empty fields ask for nothing."""

    batch: int | None = None
    move: str = ""
    state: str = ""
    organisation: str = ""
    text: str = ""


def rows_read_by(person: User) -> QuerySet[ImportRow]:
    """Rows of confirmed lists that the person may read: what others publish, but for cases that are confidential;
    of one's own lists, the cases that the person may open.
    """
    rows = ImportRow.objects.filter(done_at__isnull=False, batch__in=ImportBatch.objects.current())
    if person.is_admin or person.is_auditor:
        return rows
    told = Q(batch__own=False) & (Q(initiative__isnull=True) | Q(initiative__confidential=False))
    return rows.filter(told | Q(initiative__in=visible_to(person).order_by().values("pk")))


def moves(person: User, wanted: Wanted) -> QuerySet[ImportRow]:
    """Rows that speak of a system which an older list named, with `state` of `STATES` and `told` of `MOVE_WORDS`."""
    rows = (
        rows_read_by(person)
        .exclude(paired_by__in=("", OTHER))
        .annotate(
            state=Case(
                When(paired_by=BY_NAME, decision="triage", then=Value("proposed")),
                When(decision="triage", then=Value("open")),
                When(decision__in=("taken", "left"), then=F("decision")),
                default=Value("same"),
                output_field=CharField(),
            ),
            told=Case(When(move="", then=Value(WHICH)), default=F("move"), output_field=CharField()),
            organisation=KeyTextTransform("organisation", "mapped"),
            title=KeyTextTransform("title", "mapped"),
        )
    )
    if wanted.batch:
        rows = rows.filter(batch=wanted.batch)
    if wanted.move:
        rows = rows.filter(told=wanted.move)
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.organisation:
        rows = rows.filter(organisation__icontains=wanted.organisation)
    if wanted.text:
        rows = rows.filter(title__icontains=wanted.text)
    return rows.select_related("batch", "initiative").order_by("-batch_id", "line")


def tally(rows: QuerySet) -> list[dict]:
    """By move, how many stand in each state, in the order of `MOVE_WORDS` and `STATES`."""
    found: dict[tuple[str, str], int] = {}
    for told, state, count in rows.order_by().values_list("told", "state").annotate(n=Count("pk")):
        found[told, state] = count
    return [
        {
            "move": move,
            "words": words,
            "counts": [(state, found.get((move, state), 0)) for state in STATES],
            "total": sum(found.get((move, state), 0) for state in STATES),
        }
        for move, words in MOVE_WORDS.items()
        if move == SAME or any(found.get((move, state)) for state in STATES) or move in MOVES
    ]


def lists() -> QuerySet[ImportBatch]:
    """Confirmed lists, newest first, each once; sheets of one's own assert nothing of others and are none."""
    confirmed = ImportBatch.objects.current().filter(confirmed_at__isnull=False, repeats=None)
    return confirmed.exclude(source=OWN_SHEET).order_by("-id")


def _answer(question: str):
    return Coalesce(KeyTextTransform(question, "raw"), Value(""), output_field=TextField())


def answers_counted(rows: QuerySet, question: str) -> list[tuple[str, int]]:
    """The different answers to a question as they stand, each with how many rows give it, most first."""
    counted = rows.order_by().annotate(answer=_answer(question)).values_list("answer").annotate(n=Count("pk"))
    return sorted(counted, key=lambda pair: (-pair[1], pair[0]))


def answering(rows: QuerySet, question: str, answers: list[str]) -> QuerySet:
    """Those rows that give one of these answers, letter for letter."""
    kept = rows.annotate(answer=_answer(question)).filter(answer__in=answers)
    return rows.filter(pk__in=kept.order_by().values("pk"))


def deployed_high_impact(rows: QuerySet) -> QuerySet:
    """Those rows of the inventory of 2025 that tell of a deployed system its source calls high-impact."""
    for column, wanted in ((STAGE, DEPLOYED), (IMPACT, HIGH_IMPACT)):
        written = [one for one, _ in answers_counted(rows, column) if bare(one) == wanted]
        rows = answering(rows, column, written)
    return rows
