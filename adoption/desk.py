"""What waits for a person about post-mortems: to be written, to be confirmed."""

from django.db.models import Q
from django.urls import reverse

from adoption import permissions
from adoption.models import PostMortem
from governance.boards import seats_held
from governance.desk import Line
from governance.models import User
from initiatives.models import Obligation


def to_write(person: User) -> list[Line]:
    """The post-mortems this person owes, or may write where whoever owes them is gone."""
    gone = Q(debtor__isnull=True) | Q(debtor__is_active=False)
    rows = (
        Obligation.objects.unsettled()
        .filter(Q(debtor=person) | gone, kind__in=permissions.WRITTEN)
        .exclude(post_mortem__state=PostMortem.PUBLISHED)
        .select_related("initiative__unit", "debtor", "post_mortem")
    )
    mine = [debt for debt in rows if debt.debtor_id == person.pk]
    orphaned = [debt for debt in rows if debt.debtor is None or not debt.debtor.is_active]
    lines = [_writing(debt, "You owe it") for debt in mine]
    lines += [
        _writing(debt, f"{debt.debtor or 'Nobody'} owes it and is gone")
        for debt in orphaned
        if permissions.may_start(debt, person)
    ]
    return lines


def _writing(debt: Obligation, why: str) -> Line:
    draft = getattr(debt, "post_mortem", None)
    link = reverse("post-mortem", args=[draft.pk]) if draft else reverse("post-mortem-start", args=[debt.pk])
    return Line(
        "write",
        f"{debt.text}: {debt.initiative.title}",
        link,
        "Go on writing" if draft else "Write",
        why=f"{why}; while it is overdue, the owner's other reviews wait.",
        ref=debt.initiative.ref,
        due=debt.due,
    )


def to_confirm(person: User) -> list[Line]:
    """Published post-mortems that wait for the seat this person holds."""
    if not any(member.seat == permissions.SEAT for member in seats_held(person)):
        return []
    rows = PostMortem.objects.filter(state=PostMortem.PUBLISHED).select_related(
        "initiative__unit", "obligation", "published_by"
    )
    return [
        Line(
            "confirm",
            f"Post-mortem: {row.initiative.title}",
            reverse("post-mortem-confirm", args=[row.pk]),
            "Read and confirm",
            why=f"{row.published_by} published it; your seat confirms it or sends it back.",
            ref=row.initiative.ref,
            due=row.obligation.due,
        )
        for row in rows
        if permissions.may_confirm(row, person)
    ]


def lines(person: User) -> list[Line]:
    """Both, for the desk."""
    return to_write(person) + to_confirm(person)
