"""Every decision ever, as one list: what chairs and seats decided on cases, read from the rows that hold each decision.

Each kind of row is told in the same columns, so that the database filters, orders and counts them as one list. What a
row forgets when it is overwritten (an earlier risk tier, an earlier re-attestation) is read from its history.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, F, Min, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat

from governance import clock
from governance.boards import units_of_board
from governance.models import ContractApproval
from governance.templatetags.plumbline import seat_word
from initiatives.models import Answer, Hold, Initiative, Review, StageChange, Waiver
from initiatives.models.initiative import TIERS
from initiatives.words import question

# In the order in which people look for them. Reviews by outcome and moves by basis keep the words of their rows.
KINDS = {
    Review.APPROVED: "Approved",
    Review.WITH_CONDITIONS: "Approved with conditions",
    Review.REFUSED: "Refused",
    Review.RETURNED: "Returned with questions",
    "stopped": "Stopped",
    "step back": "Stepped back",
    "reopened": "Reopened",
    "emergency": "Retired in an emergency",
    "re-attested": "Production confirmed again",
    "waiver agreed": "Waiver agreed to",
    "waiver refused": "Waiver refused",
    "exception accepted": "Accepted that it does not apply",
    "tier": "Risk tier confirmed",
    "contract": "Contract approved",
    "hold lifted": "Hold lifted",
}
GOOD = (Review.APPROVED, Review.WITH_CONDITIONS)
OUTCOMES = (*GOOD, Review.REFUSED, Review.RETURNED)
MOVES = ("stopped", "step back", "reopened", "emergency")
COLUMNS = (
    "what",
    "moment",
    "who",
    "row",
    "at_gate",
    "about",
    "said",
    "case_number",
    "case_title",
    "case_unit",
)


@dataclass(frozen=True)
class Wanted:
    """Which decisions: each of these narrows the list; what is empty or None does not."""

    gate: str = ""
    what: str = ""
    board: object | None = None
    unit: object | None = None
    since: datetime | None = None
    until: datetime | None = None
    who: str = ""
    text: str = ""


@dataclass(frozen=True)
class Decision:
    """One decision as a page shows it."""

    what: str
    moment: datetime
    who: str
    about: str
    said: str
    ref: str
    title: str
    unit: str
    link: str

    @property
    def words(self) -> str:
        """What was decided, in words."""
        return KINDS[self.what]

    @property
    def tone(self) -> str:
        """Let through, refused, or neither: as a colour beside the word."""
        return "ok" if self.what in GOOD else "bad" if self.what == Review.REFUSED else ""


def decisions(cases: QuerySet, wanted: Wanted) -> QuerySet:
    """The decisions on these cases that are wanted, newest first, each as a tuple of `COLUMNS`."""
    if wanted.unit is not None:
        cases = cases.filter(unit__path__startswith=wanted.unit.path)
    if wanted.board is not None:
        cases = cases.filter(unit__in=units_of_board(wanted.board))
    keys = cases.order_by().values("pk")
    first, *others = (_narrowed(rows, wanted) for rows in _all_kinds(keys))
    return first.union(*others, all=True).order_by("-moment", "-case_number", "what")


def told(rows, book) -> list[Decision]:
    """These rows as a page shows them; `book` words the gates and questions."""
    return [_told(dict(zip(COLUMNS, row, strict=True)), book) for row in rows]


def _told(row: dict, book) -> Decision:
    ref = Initiative.ref_of(row["case_number"])
    page = {
        "waiver agreed": "waivers/",
        "waiver refused": "waivers/",
        "contract": "contract/",
        "exception accepted": f"checklist/{row['about']}/",
    }.get(row["what"], "history/")
    return Decision(
        what=row["what"],
        moment=row["moment"],
        who=row["who"] or "",
        about=_about(row, book),
        said=row["said"],
        ref=ref,
        title=row["case_title"],
        unit=row["case_unit"],
        link=f"/reviews/{row['row']}/" if row["what"] in OUTCOMES else f"/cases/{ref}/{page}",
    )


def _about(row: dict, book) -> str:
    what, about = row["what"], row["about"]
    if what in OUTCOMES:
        return book.gates[row["at_gate"]].title if row["at_gate"] in book.gates else row["at_gate"]
    if what in ("waiver agreed", "waiver refused", "exception accepted"):
        return question(book, about)
    if what == "tier":
        return TIERS.get(about, about)
    if what == "contract":
        number, seat = about.split(" ", 1)
        return f"version {number}, {seat_word(seat).lower()}"
    return ""


def _narrowed(rows: QuerySet, wanted: Wanted) -> QuerySet:
    if wanted.gate:
        rows = rows.filter(at_gate=wanted.gate)
    if wanted.what:
        rows = rows.filter(what=wanted.what)
    if wanted.since:
        rows = rows.filter(moment__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(moment__lt=wanted.until)
    if wanted.who:
        rows = rows.filter(who__icontains=wanted.who)
    for word in wanted.text.split()[:8]:
        number = word.upper().removeprefix("AI-")
        found = Q(said__icontains=word) | Q(case_title__icontains=word)
        if number.isascii() and number.isdecimal() and len(number) < 10:
            found |= Q(case_number=int(number))
        rows = rows.filter(found)
    return rows.order_by().values_list(*COLUMNS)


def _columns(rows: QuerySet, *, what, moment: str, who: str, case: str, at_gate=None, about=None, said=None):
    """The rows in the columns of every decision; `case` is the path to the case, "" on the case itself."""
    word = Value("", output_field=CharField())
    return rows.annotate(
        what=Cast(what, CharField()),
        moment=F(moment),
        who=Cast(F(who), CharField()),
        row=F("pk"),
        at_gate=Cast(at_gate or word, CharField()),
        about=Cast(about or word, CharField()),
        said=Cast(said or word, TextField()),
        case_number=F(f"{case}number"),
        case_title=F(f"{case}title"),
        case_unit=F(f"{case}unit__name"),
    )


def _all_kinds(cases: QuerySet) -> Iterator[QuerySet]:
    on_case = {"case": "initiative__"}
    yield _columns(
        Review.objects.filter(initiative__in=cases, outcome__in=OUTCOMES),
        what=F("outcome"),
        moment="ended_at",
        who="ended_by__full_name",
        at_gate=F("gate"),
        said=F("reason"),
        **on_case,
    )
    yield _columns(
        StageChange.objects.filter(initiative__in=cases, basis__in=MOVES),
        what=F("basis"),
        moment="at",
        who="by__full_name",
        said=F("reason"),
        **on_case,
    )
    for seat in ("chair", "risk"):
        yield _columns(
            Waiver.objects.filter(initiative__in=cases, **{f"{seat}__isnull": False}),
            what=Value("waiver agreed"),
            moment=f"{seat}_at",
            who=f"{seat}__full_name",
            about=F("key"),
            said=F("reason"),
            **on_case,
        )
    yield _columns(
        Waiver.objects.filter(initiative__in=cases, refused_by__isnull=False),
        what=Value("waiver refused"),
        moment="refused_at",
        who="refused_by__full_name",
        about=F("key"),
        said=F("reason"),
        **on_case,
    )
    yield _columns(
        ContractApproval.objects.filter(version__contract__initiative__in=cases),
        what=Value("contract"),
        moment="at",
        who="person__full_name",
        about=Concat(Cast("version__number", CharField()), Value(" "), F("seat"), output_field=CharField()),
        case="version__contract__initiative__",
    )
    yield _columns(
        Hold.objects.filter(initiative__in=cases, lifted_by__isnull=False),
        what=Value("hold lifted"),
        moment="lifted_at",
        who="lifted_by__full_name",
        said=F("lift_reason"),
        **on_case,
    )
    yield _first_said(Initiative, "id", cases, "tier", "tier_confirmed_at", "tier")
    yield _first_said(Initiative, "id", cases, "re-attested", "reattested_at", None)
    yield _first_said(Answer, "initiative", cases, "exception accepted", "accepted_at", "requirement")


def _first_said(model, case: str, cases: QuerySet, what: str, moment: str, about: str | None) -> QuerySet:
    """Decisions that a later one overwrites in the row itself: the first row of the history that says each of them."""
    history = model.history.model.objects.filter(**{f"{case}__in": cases, f"{moment}__isnull": False})
    first = history.order_by().values("id", moment).annotate(first=Min("history_id")).values("first")
    of_case = Initiative.objects.filter(pk=OuterRef(case))
    return (
        model.history.model.objects.filter(history_id__in=first)
        .order_by()
        .annotate(
            what=Value(what, output_field=CharField()),
            moment=F(moment),
            who=Cast(F("history_user_name"), CharField()),
            row=F("history_id"),
            at_gate=Value("", output_field=CharField()),
            about=Cast(F(about), CharField()) if about else Value("", output_field=CharField()),
            said=Value("", output_field=TextField()),
            case_number=Subquery(of_case.values("number")),
            case_title=Subquery(of_case.values("title")),
            case_unit=Subquery(of_case.values("unit__name")),
        )
    )


def day_begins(day) -> datetime | None:
    """The first moment of a day that may be left open."""
    return clock.midnight_before(day) if day else None


def day_ends(day) -> datetime | None:
    """The first moment after a day that may be left open."""
    return clock.midnight_after(day) if day else None
