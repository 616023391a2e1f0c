"""What waits for a person about signals, incidents, clocks and what users reported.

One of severity 1 stands on the desk of everybody on the board and of who depends on the case until it is closed.
"""

from collections.abc import Iterator

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from adoption.adoption_seat import SEAT
from adoption.incidents.permissions import TREATING
from adoption.models import Deadline, Incident, IncidentDraft, ProblemReport, SealedSource, Signal
from adoption.models.signals import WEAPONISED
from adoption.signals import permissions as signal_permissions
from adoption.signals.actions import is_of
from governance.database.batch_read import Batch, Rows
from governance.models import User
from governance.notices.desk import Line
from governance.permission_result import ended
from governance.vocabulary import BoardRole
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.facts import case_rows
from initiatives.models import Dependant, Initiative
from initiatives.worklist.person_worklist import Look, look_of
from initiatives.worklist.worklist_queries import CASE

WORKING = (*TREATING, "technical_lead")
_long = ("words", "figures", "answer", "ended_why")

_severe_upstream = (
    Incident.objects.unfinished().filter(severity=1, initiative=OuterRef("initiative")).order_by("opened_at")
)

_ROWS = Batch(
    signals=Rows(
        Signal.objects.standing().filter(kind=WEAPONISED, answered_at__isnull=True),
        "initiative__unit",
        joined={"initiative": CASE},
        without=_long,
        keys="answering",
    ),
    problems=Rows(
        ProblemReport.objects.filter(state="waiting"),
        "initiative",
        joined={"initiative": CASE},
        without=("output", "answer"),
        keys="treating",
    ),
    drafts=Rows(
        IncidentDraft.objects.filter(state="waiting"),
        "initiative",
        joined={"initiative": CASE},
        keys="working",
    ),
    incidents=Rows(
        Incident.objects.unfinished(),
        "initiative",
        joined={"initiative": CASE},
        without=("words",),
        keys="working",
    ),
    led=Rows(
        Incident.objects.unfinished(), "lead", joined={"initiative": CASE}, without=("words",), keys="person"
    ),
    severe=Rows(
        Incident.objects.unfinished().filter(severity=1),
        "initiative__unit",
        joined={"initiative": CASE},
        without=("words",),
        keys="seated",
    ),
    upstream=Rows(
        Dependant.objects.filter(ended_at__isnull=True)
        .annotate(
            told=Coalesce("executive", "stated_by"), incident=Subquery(_severe_upstream.values("title")[:1])
        )
        .filter(incident__isnull=False),
        "told",
        joined={"initiative": CASE},
        keys="person",
    ),
    deadlines=Rows(
        Deadline.objects.filter(met_at__isnull=True),
        "incident__initiative",
        joined={"incident": ("id", "title", "initiative_id")},
        keys="working",
    ),
    asked=Rows(
        SealedSource.objects.filter(untold=1, signal__isnull=False),
        "untold",
        joined={"signal": ("id", "group")},
        keys="untold",
    ),
)

# What puts nothing on a desk that was not there, or takes nothing away.
QUIET = {
    EntryKind.INCIDENT_LINE_WRITTEN,
    EntryKind.INCIDENT_AMENDED,
    EntryKind.EDGE_CLAUSE_TAKEN_OVER,
    EntryKind.MONITORING_PROMISED,
    EntryKind.ALERTS_MAPPED,
    EntryKind.ALERT_MAPPING_ENDED,
    EntryKind.REPORTING_DUTIES_LAID_OUT,
}


def lines(person: User) -> list[Line]:
    """Signals for the board, incidents and clocks that run, problems and drafts to treat, questions for one's name."""
    look = look_of(person)
    held: dict[int, tuple[Initiative, set[str]]] = {case.pk: (case, {"owner"}) for case in look.standing_in}
    for row in look.roles:
        if row.accepted_at:
            held.setdefault(row.initiative_id, (row.initiative, set()))[1].add(row.role)
    rows = _ROWS.ask(
        {
            "answering": look.units_with([BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR, SEAT]),
            "treating": [pk for pk, (_, roles) in held.items() if roles & set(TREATING)],
            "working": [pk for pk, (_, roles) in held.items() if roles & set(WORKING)],
            "person": [person.pk],
            "seated": list(look.seats_by_unit),
            "untold": [1],
        }
    )
    running = {row.pk: row for row in [*rows["incidents"], *rows["led"], *rows["severe"]]}
    told = {row.initiative_id for row in running.values()}
    return [
        *_to_answer(look, rows["signals"]),
        *(_incident(row, person) for row in running.values()),
        *(_upstream(row) for row in rows["upstream"] if row.initiative_id not in told),
        *(_clock(row, held[row.incident.initiative_id][0]) for row in rows["deadlines"]),
        *(_problem(row) for row in rows["problems"]),
        *(_draft(row) for row in rows["drafts"]),
        *_asked(rows["asked"], person),
    ]


def _to_answer(look: Look, signals: list[Signal]) -> Iterator[Line]:
    for row in signals:
        if row.initiative.unit_id in look.units:
            row.initiative.unit = look.units[row.initiative.unit_id]
    if signals:
        case_rows.read_together([row.initiative for row in signals])
    for row in signals:
        if signal_permissions.may_answer(row.initiative, look.person):
            yield Line(
                "answer",
                f"Used against people: {row.initiative.title}",
                reverse("signal", args=[row.pk]),
                "Answer for the board",
                why=f"{row.group}. Until the board answers, the test of adoption fails.",
                ref=row.initiative.ref,
            )


def _incident(row: Incident, person: User) -> Line:
    who = "You lead it." if row.lead_id == person.pk else "" if row.lead_id else "Nobody leads it yet."
    return Line(
        "see",
        f"Incident: {row.title}",
        reverse("incident", args=[row.pk]),
        "Open it",
        why=f"Severity {row.severity}, {row.state}. {who}".strip(),
        ref=row.initiative.ref,
    )


def _upstream(row: Dependant) -> Line:
    """An incident of severity 1 of a case that the person's work depends on, which they may not be able to open."""
    case = row.initiative
    return Line(
        "see",
        f"{row.who} depends on {case.title}",
        reverse("dependant", args=[row.pk]) if row.executive_id else case.get_absolute_url(),
        "See what was agreed",
        why=f"Incident of severity 1: {ended(row.incident)} Bearable without it: {row.outage}.",
        ref=case.ref,
    )


def _clock(row: Deadline, case: Initiative) -> Line:
    return Line(
        "settle",
        f"{row.words}: {row.incident.title}",
        reverse("deadline", args=[row.pk]),
        "Say that it was reported",
        why=f"Source: {row.source}. A template, no legal advice.",
        ref=case.ref,
        due=row.due,
    )


def _problem(row: ProblemReport) -> Line:
    return Line(
        "answer",
        f"A user reported a problem: {row.initiative.title}",
        reverse("problem", args=[row.pk]),
        "Read it",
        why=row.what[:160],
        ref=row.initiative.ref,
    )


def _draft(row: IncidentDraft) -> Line:
    return Line(
        "answer",
        f"The monitoring reports what may be an incident: {row.initiative.title}",
        reverse("incident-draft", args=[row.pk]),
        "Confirm or dismiss it",
        why=row.title,
        ref=row.initiative.ref,
    )


def _asked(sources: list[SealedSource], person: User) -> Iterator[Line]:
    for row in sources:
        row.sealed = bytes.fromhex(row.sealed.removeprefix("\\x"))  # as JSON has it
        if is_of(row, person):
            yield Line(
                "see",
                "Somebody asked who wrote a behaviour report of yours",
                reverse("signals-mine"),
                "Read who and why",
                why=row.signal.group,
            )
