"""All decisions of chairs and seats on initiatives, as one list.

Each kind of row is read in the same columns, so that the database filters, orders and counts them as one list. A value
that a row overwrites (an earlier risk tier, an earlier re-attestation) is read from the audit log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import (
    CharField,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Concat, NullIf, Substr

from governance import clock
from governance.models import ContractApproval, Entry, User
from governance.people.boards import units_of_board
from governance.templatetags.plumbline import day, seat_word
from governance.vocabulary import ReviewOutcome, Tier
from governance.vocabulary.entry_kinds import EntryKind
from initiatives import contributions
from initiatives.lifecycle.activity.entry_wording import question
from initiatives.models import AcceptedRisk, Continuation, Hold, Initiative, Review, StageChange, Waiver

# In the order in which people look for them. Reviews by outcome and moves by basis keep the words of their rows.
KINDS = {
    ReviewOutcome.APPROVED: "Approved",
    ReviewOutcome.WITH_CONDITIONS: "Approved with conditions",
    ReviewOutcome.REFUSED: "Refused",
    ReviewOutcome.RETURNED: "Returned with questions",
    "continued": "Continued",
    "stopped": "Stopped",
    "step back": "Stepped back",
    "reopened": "Reopened",
    "emergency": "Retired in an emergency",
    "re-attested": "Production confirmed again",
    "waiver agreed": "Waiver agreed to",
    "waiver refused": "Waiver refused",
    "risk accepted": "Risk accepted",
    "risk refused": "Risk not accepted",
    "exception accepted": "Accepted as not applicable",
    "tier": "Risk tier confirmed",
    "contract": "Contract approved",
    "hold lifted": "Hold lifted",
}
GOOD = (ReviewOutcome.APPROVED, ReviewOutcome.WITH_CONDITIONS)
OUTCOMES = (*GOOD, ReviewOutcome.REFUSED, ReviewOutcome.RETURNED)
MOVES = ("stopped", "step back", "reopened", "emergency")
# What the row of an initiative or an answer says only of the last time: kind of entry, what it is called here, and
# where in the body of the entry stand what it is about and why.
IN_THE_AUDIT_LOG = (
    (EntryKind.RISK_TIER_CONFIRMED, "tier", "facts,tier", "reason"),
    (EntryKind.RE_ATTESTED, "re-attested", "", "reason"),
    (EntryKind.NOT_APPLICABLE_ACCEPTED, "exception accepted", "facts,requirement", "facts,why"),
)
COLUMNS = (
    "what",
    "moment",
    "who",
    "row",
    "at_gate",
    "about",
    "said",
    "initiative_number",
    "initiative_title",
    "initiative_unit",
)


@dataclass(frozen=True)
class Wanted:
    """The filter of decisions. A field that is empty or None does not narrow the list."""

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
    where: tuple[str, str] | None = None

    @property
    def words(self) -> str:
        """Return the kind of decision, in words."""
        return KINDS[self.what]

    @property
    def tone(self) -> str:
        """Let through, refused, or neither: as a colour beside the word."""
        return "ok" if self.what in GOOD else "bad" if self.what == ReviewOutcome.REFUSED else ""


def decisions(initiatives: QuerySet, wanted: Wanted) -> QuerySet:
    """Return the wanted decisions on these initiatives, newest first. See `COLUMNS`."""
    if wanted.unit is not None:
        initiatives = initiatives.filter(unit__path__startswith=wanted.unit.path)
    if wanted.board is not None:
        initiatives = initiatives.filter(unit__in=units_of_board(wanted.board))
    first, *others = (_narrowed(rows, wanted) for rows in _all_kinds(initiatives))
    return first.union(*others, all=True).order_by("-moment", "-initiative_number", "what")


def told(rows, rulebook) -> list[Decision]:
    """Return these rows as a page shows them. `rulebook` has the words of gates and questions."""
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    where = contributions.where_decided([row["row"] for row in found if row["what"] in OUTCOMES])
    return [_told(row, rulebook, where) for row in found]


def _told(row: dict, rulebook, where: dict) -> Decision:
    ref = Initiative.ref_of(row["initiative_number"])
    page = {
        "waiver agreed": "waivers/",
        "waiver refused": "waivers/",
        "risk accepted": "accepted-risks/",
        "risk refused": "accepted-risks/",
        "contract": "contract/",
        "exception accepted": f"requirements/{row['about']}/",
    }.get(row["what"], "activity/")
    return Decision(
        what=row["what"],
        moment=row["moment"],
        who=row["who"] or "",
        about=_about(row, rulebook),
        said=row["said"],
        ref=ref,
        title=row["initiative_title"],
        unit=row["initiative_unit"],
        link=f"/reviews/{row['row']}/" if row["what"] in OUTCOMES else f"/initiatives/{ref}/{page}",
        where=where.get(row["row"]) if row["what"] in OUTCOMES else None,
    )


def _about(row: dict, rulebook) -> str:
    what, about = row["what"], row["about"]
    if what in OUTCOMES:
        return rulebook.gates[row["at_gate"]].title if row["at_gate"] in rulebook.gates else row["at_gate"]
    if what in ("waiver agreed", "waiver refused", "exception accepted"):
        return question(rulebook, about)
    if what in ("risk accepted", "risk refused"):
        return about
    if what == "tier":
        return Tier.word(about)
    if what == "continued":
        return f"until {day(date.fromisoformat(about))}"
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
        found = Q(said__icontains=word) | Q(initiative_title__icontains=word)
        if number.isascii() and number.isdecimal() and len(number) < 10:
            found |= Q(initiative_number=int(number))
        rows = rows.filter(found)
    return rows.order_by().values_list(*COLUMNS)


def _columns(
    rows: QuerySet, *, what, moment, who, initiative="initiative__", at_gate=None, about=None, said="reason"
) -> QuerySet:
    """Return the rows in the columns of decisions. `said` is the field of the reason."""
    word = Value("", output_field=CharField())
    return rows.annotate(
        what=Cast(what, CharField()),
        moment=F(moment),
        who=Cast(F(who), CharField()),
        row=F("pk"),
        at_gate=Cast(at_gate or word, CharField()),
        about=Cast(about or word, CharField()),
        said=Cast(F(said) if said else word, TextField()),
        initiative_number=F(f"{initiative}number"),
        initiative_title=F(f"{initiative}title"),
        initiative_unit=F(f"{initiative}unit__name"),
    )


def _all_kinds(visible: QuerySet) -> Iterator[QuerySet]:
    initiatives = visible.order_by().values("pk")
    yield _columns(
        Review.objects.filter(initiative__in=initiatives, outcome__in=OUTCOMES),
        what=F("outcome"),
        moment="ended_at",
        who="ended_by__full_name",
        at_gate=F("gate"),
    )
    yield _columns(
        StageChange.objects.filter(initiative__in=initiatives, basis__in=MOVES),
        what=F("basis"),
        moment="at",
        who="by__full_name",
    )
    yield _columns(
        Continuation.objects.filter(initiative__in=initiatives),
        what=Value("continued"),
        moment="at",
        who="by__full_name",
        about=F("until"),
    )
    for seat in ("chair", "risk"):
        yield _columns(
            Waiver.objects.filter(initiative__in=initiatives, **{f"{seat}__isnull": False}),
            what=Value("waiver agreed"),
            moment=f"{seat}_at",
            who=f"{seat}__full_name",
            about=F("key"),
        )
    yield _columns(
        Waiver.objects.filter(initiative__in=initiatives, refused_by__isnull=False),
        what=Value("waiver refused"),
        moment="refused_at",
        who="refused_by__full_name",
        about=F("key"),
    )
    for what, moment, who in (
        ("risk accepted", "risk_at", "risk"),
        ("risk refused", "refused_at", "refused_by"),
    ):
        yield _columns(
            AcceptedRisk.objects.filter(initiative__in=initiatives, **{f"{who}__isnull": False}),
            what=Value(what),
            moment=moment,
            who=f"{who}__full_name",
            about=F("title"),
        )
    yield _columns(
        ContractApproval.objects.filter(version__contract__initiative__in=initiatives),
        what=Value("contract"),
        moment="at",
        who="person__full_name",
        about=Concat(Cast("version__number", CharField()), Value(" "), F("seat"), output_field=CharField()),
        said="",
        initiative="version__contract__initiative__",
    )
    yield _columns(
        Hold.objects.filter(initiative__in=initiatives, lifted_by__isnull=False),
        what=Value("hold lifted"),
        moment="lifted_at",
        who="lifted_by__full_name",
        said="lift_reason",
    )
    for kind, what, about, said in IN_THE_AUDIT_LOG:
        yield _in_the_audit_log(visible, kind, what, about, said)


class _Said(Func):
    """A text in the body of an entry, by path, or "" if erased or absent."""

    template = "coalesce(nullif(convert_from(%(expressions)s, 'UTF8'), '')::jsonb #>> '{%(path)s}', '')"
    output_field = TextField()


def _in_the_audit_log(initiatives: QuerySet, kind: str, what: str, about: str, said: str) -> QuerySet:
    """Return the decisions with entries of this kind, with columns by reference."""
    number = Cast(NullIf(Substr("initiative_ref", 4), Value("")), IntegerField())
    of_initiative = Initiative.objects.filter(number=OuterRef("initiative_number"))
    word = Value("", output_field=CharField())
    return (
        Entry.objects.acts()
        .annotate(initiative_number=number)
        .filter(kind=kind, initiative_number__in=initiatives.order_by().values("number"))
        .annotate(
            what=Value(what, output_field=CharField()),
            moment=F("at"),
            who=Subquery(User.objects.filter(pk=OuterRef("actor_id")).values("full_name")),
            row=F("pk"),
            at_gate=word,
            about=Cast(_Said("body__body", path=about), CharField()) if about else word,
            said=_Said("body__body", path=said),
            initiative_title=Subquery(of_initiative.values("title")),
            initiative_unit=Subquery(of_initiative.values("unit__name")),
        )
    )


def day_begins(day) -> datetime | None:
    """Return the first moment of a day, or None without a day."""
    return clock.midnight_before(day) if day else None


def day_ends(day) -> datetime | None:
    """Return the first moment after a day, or None without a day."""
    return clock.midnight_after(day) if day else None
