"""What waits for a person about post-mortems: to be written, to be confirmed."""

from django.db.models import F, Q
from django.urls import reverse

from adoption import permissions
from adoption.models import PostMortem
from governance.desk import Line
from governance.models import User
from governance.models.people import CHAIR, DEPUTY_CHAIR
from governance.reading import Around, Question
from initiatives import sources
from initiatives.desk_look import Look, look_of
from initiatives.desk_rows import CASE
from initiatives.models import Obligation

_owed = (
    Obligation.objects.unsettled()
    .filter(kind__in=permissions.WRITTEN)
    .exclude(post_mortem__state=PostMortem.PUBLISHED)
    .annotate(draft=F("post_mortem"))
)
_orphaned = _owed.filter(Q(debtor__isnull=True) | Q(debtor__is_active=False))
_joined = {"initiative": CASE, "debtor": ("id", "full_name", "is_active")}

_ROWS = Question(
    mine=Around(_owed, "debtor", joined=_joined, keys="person"),
    of_cases=Around(_orphaned, "initiative", joined=_joined, keys="cases"),
    of_units=Around(_orphaned, "initiative__unit", joined=_joined, keys="chaired"),
    published=Around(
        PostMortem.objects.filter(state=PostMortem.PUBLISHED),
        "initiative__unit",
        joined={
            "initiative": CASE,
            "obligation": ("id", "debtor_id", "due"),
            "published_by": ("id", "full_name"),
        },
        without=("timeline", "impact", "attribution", "no_gaps_because"),
        keys="adopting",
    ),
)


def lines(person: User) -> list[Line]:
    """The post-mortems this person owes, may write where whoever owes them is gone, or confirms in their seat."""
    look = look_of(person)
    answering = [row for row in look.roles if row.accepted_at and row.role in ("owner", "sponsor")]
    found = _ROWS.ask(
        {
            "person": [person.pk],
            "cases": {row.initiative_id for row in answering} | {case.pk for case in look.standing_in},
            "chaired": look.units_with([CHAIR, DEPUTY_CHAIR]),
            "adopting": look.units_with([permissions.SEAT]),
        }
    )
    rows = {table: [row for some in by_key.values() for row in some] for table, by_key in found.items()}
    written = [_writing(debt, "You owe it") for debt in rows["mine"]]
    written += [
        _writing(debt, f"{debt.debtor or 'Nobody'} owes it and is gone")
        for debt in _startable(look, [*rows["of_cases"], *rows["of_units"]])
    ]
    return written + [_confirming(row) for row in rows["published"] if _confirms(look, row)]


def _startable(look: Look, orphaned: list[Obligation]) -> list[Obligation]:
    """Those of these debts that the person may begin to write, once each."""
    debts = list({debt.pk: debt for debt in orphaned if debt.debtor_id != look.person.pk}.values())
    for debt in debts:
        if debt.initiative.unit_id in look.units:
            debt.initiative.unit = look.units[debt.initiative.unit_id]
    if debts:
        sources.read_together([debt.initiative for debt in debts])
    return [debt for debt in debts if permissions.may_start(debt, look.person)]


def _writing(debt: Obligation, why: str) -> Line:
    link = (
        reverse("post-mortem", args=[debt.draft])
        if debt.draft
        else reverse("post-mortem-start", args=[debt.pk])
    )
    return Line(
        "write",
        f"{debt.text}: {debt.initiative.title}",
        link,
        "Go on writing" if debt.draft else "Write",
        why=f"{why}; while it is overdue, the owner's other reviews wait.",
        ref=debt.initiative.ref,
        due=debt.due,
    )


def _confirms(look: Look, row: PostMortem) -> bool:
    """Whether the person confirms it: what `permissions.may_confirm` asks, told from the rows of a desk."""
    wrote = (row.author_id, row.published_by_id, row.obligation.debtor_id)
    return row.initiative_id not in look.party_to and look.person.pk not in wrote


def _confirming(row: PostMortem) -> Line:
    return Line(
        "confirm",
        f"Post-mortem: {row.initiative.title}",
        reverse("post-mortem-confirm", args=[row.pk]),
        "Read and confirm",
        why=f"{row.published_by} published it; your seat confirms it or sends it back.",
        ref=row.initiative.ref,
        due=row.obligation.due,
    )
