"""The rows of adoption around a person's inbox, read in one query for all its producers."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, Subquery, Value

from adoption.adoption_seat import OPERATING, SEAT, TREATING
from adoption.models import (
    BehaviourReport,
    Deadline,
    Incident,
    IncidentDraft,
    Meeting,
    PostMortem,
    ProblemReport,
    SealedSource,
    Survey,
)
from adoption.models.lessons import LESSONS_READ
from governance.database.batch_read import Batch, Given, Rows
from governance.database.request_memo import once
from governance.vocabulary import WRITTEN_OBLIGATIONS, BoardRole, Role, Stage
from initiatives.inbox.rows.inbox_queries import INITIATIVE
from initiatives.inbox.rows.person_rows import Look
from initiatives.models import Dependant, Initiative, Obligation, RequirementFinding

MEETING_DAYS = 3  # so long before a meeting its pack waits to be read

_orphaned = (
    Obligation.objects.open()
    .filter(kind__in=WRITTEN_OBLIGATIONS)
    .filter(Q(responsible__isnull=True) | Q(responsible__is_active=False))
)
_of_people = {"initiative": INITIATIVE, "responsible": ("id", "full_name", "is_active")}
_of_initiative = {"initiative": INITIATIVE, "initiative__unit": ("id", "name", "code", "path")}
_running = Rows(
    Incident.objects.unfinished(),
    "initiative",
    joined={"initiative": INITIATIVE},
    only=("id", "initiative_id", "severity", "title", "state", "opened_at", "reopened_at", "lead_id"),
)
_severe = (
    Incident.objects.unfinished().filter(severity=1, initiative=OuterRef("initiative")).order_by("opened_at")
)
_depending = Dependant.objects.filter(Exists(_severe), ended_at__isnull=True).annotate(
    incident=Subquery(_severe.values("title")[:1]),
    incident_key=Subquery(_severe.values("pk")[:1]),
    incident_at=Subquery(_severe.values("opened_at")[:1]),
)
_unread = RequirementFinding.objects.current().filter(initiative=OuterRef("pk"), requirement=LESSONS_READ)

_ROWS = Batch(
    of_initiatives=Rows(_orphaned, "initiative", joined=_of_people, keys="answered"),
    of_units=Rows(_orphaned, "initiative__unit", joined=_of_people, keys="chaired"),
    meetings=Rows(
        Meeting.objects.filter(
            Q(state=Meeting.HELD)
            | Q(state=Meeting.PLANNED, held_on__gte=Given("today"), held_on__lte=Given("soon"))
        ),
        "board",
        joined={"board": ("id", "name")},
        keys="boards",
    ),
    in_review=Rows(
        PostMortem.objects.filter(state=PostMortem.IN_REVIEW),
        "initiative__unit",
        joined={
            "initiative": INITIATIVE,
            "obligation": ("id", "responsible_id", "due"),
            "handed_in_by": ("id", "full_name"),
        },
        without=PostMortem.TEXTS,
        keys="adopting",
    ),
    incidents=replace(_running, keys="operated"),
    led=replace(_running, by="lead", keys="person"),
    severe=replace(_running, rows=_running.rows.filter(severity=1), by="initiative__unit", keys="seated"),
    clocks=Rows(
        Deadline.objects.filter(met_at__isnull=True),
        "incident__initiative",
        joined={"incident": ("id", "initiative_id", "title"), "incident__initiative": INITIATIVE},
        keys="operated",
    ),
    depending=Rows(_depending, "executive", joined={"initiative": INITIATIVE}, keys="person"),
    stated=Rows(
        _depending.filter(executive__isnull=True),
        "stated_by",
        joined={"initiative": INITIATIVE},
        keys="person",
    ),
    behaviour=Rows(
        BehaviourReport.objects.waiting(), "initiative__unit", joined=_of_initiative, keys="judged"
    ),
    problems=Rows(ProblemReport.objects.waiting(), "initiative", joined=_of_initiative, keys="treated"),
    drafts=Rows(IncidentDraft.objects.waiting(), "initiative", joined=_of_initiative, keys="operated"),
    lessons=Rows(
        Initiative.objects.filter(Exists(_unread), stage__in=(Stage.PROTOTYPE, Stage.MVP)).annotate(
            asked_since=ArraySubquery(_unread.order_by("since").values("since"))
        ),
        "pk",
        only=INITIATIVE,
        keys="owned",
    ),
    surveys=Rows(
        Survey.objects.filter(state=Survey.OPEN, closes__lt=Given("today")),
        "initiative",
        joined={"initiative": INITIATIVE},
        only=("id", "initiative_id", "title", "closes"),
        keys="asking",
    ),
    asked_for=Rows(
        SealedSource.objects.filter(untold=1).annotate(every=Value(1)), "every", only=("id",), keys="every"
    ),
)


def rows_of(look: Look) -> dict[str, list]:
    """Return the rows of adoption around the person, by table of this module. A running look keeps them."""
    return once(("adoption inbox", look.person.pk), lambda: _read(look))


def _read(look: Look) -> dict[str, list]:
    return _ROWS.ask(
        {
            "every": [1],
            "person": [look.person.pk],
            "owned": _working(look, [Role.OWNER]),
            "answered": _working(look, [Role.OWNER, Role.SPONSOR]),
            "treated": _working(look, TREATING),
            "operated": _working(look, OPERATING),
            "asking": look.working_as(Role.OWNER),
            "seated": list(look.seats_by_unit),
            "chaired": look.units_with([BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR]),
            "judged": look.units_with([BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR, SEAT]),
            "adopting": look.units_with([SEAT]),
            "boards": [member.board_id for member in look.memberships],
        },
        today=look.today,
        soon=look.today + timedelta(days=MEETING_DAYS),
    )


def _working(look: Look, roles: Iterable[str]) -> list[int]:
    """Return the keys of initiatives where the person has a role or acts as owner. Ended initiatives count."""
    held = {row.initiative_id for row in look.roles if row.accepted_at and row.role in roles}
    return [*held | {initiative.pk for initiative in look.standing_in}]
