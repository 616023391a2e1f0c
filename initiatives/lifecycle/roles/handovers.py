"""Acts on handovers: proposed to successors in one act, taken by each in person.

Initiatives are locked in the order of their keys. The holder keeps all of it until a successor accepts.
"""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.identity.proofs.ceremony import Proof
from governance.models import User
from governance.notifications.notify import notify
from governance.people import cooling_off
from governance.permission_result import Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act, lock, rewrite_supported_stage
from initiatives.lifecycle.reminders.telling import tell_outside
from initiatives.lifecycle.roles import handover_queries
from initiatives.lifecycle.roles import permissions as role_permissions
from initiatives.lifecycle.roles.actions import accept_row, acceptance_words, create_role, decline_row
from initiatives.models import Handover, Initiative


def propose_handover(
    *, person: User, chosen: dict[Initiative, User], reason: str, by: User
) -> list[Handover]:
    """Ask successors to take over from `person`, as them or an admin.

    An earlier unanswered successor is no longer asked. Raises ValidationError at `reason` or `initiative-<key>`, and
    Refused for other people.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason. The successors read the reason."})
    if not chosen:
        raise ValidationError("Name a successor for at least one initiative.")
    with act("propose handover", by=by, reason=reason):
        role_permissions.may_hand_over(person, by).or_refuse()
        wanted = {initiative.pk: successor for initiative, successor in chosen.items()}
        initiatives = {pk: lock(pk) for pk in sorted(wanted)}
        parts = {part.initiative.pk: part for part in handover_queries.parts_of(person, wanted)}
        _check(person, wanted, parts, initiatives)
        rows = [
            _propose(initiatives[pk], parts[pk], person, successor, reason.strip(), by)
            for pk, successor in sorted(wanted.items())
        ]
        entries.record(
            EntryKind.HANDOVER,
            person=person.full_name,
            person_id=person.pk,
            initiatives=[
                {
                    "initiative": row.initiative.ref,
                    "successor": row.successor.full_name,
                    "what": parts[pk].what,
                }
                for pk, row in zip(sorted(wanted), rows, strict=True)
            ],
        )
        for successor in {row.successor_id: row.successor for row in rows}.values():
            _ask(successor, person, [row for row in rows if row.successor_id == successor.pk])
    return rows


def _check(person, wanted, parts, initiatives) -> None:
    wrong = {}
    for pk, successor in wanted.items():
        if pk not in parts:
            wrong[f"initiative-{pk}"] = (
                f"{person} no longer has a role on {initiatives[pk].ref}. Leave this empty."
            )
        elif successor.pk == person.pk:
            wrong[f"initiative-{pk}"] = f"{person} is the person who leaves. Choose someone else."
        elif not successor.is_active:
            wrong[f"initiative-{pk}"] = f"{successor} is no longer active. Choose someone else."
    if wrong:
        raise ValidationError(wrong)


def _propose(initiative, part, person, successor, reason, by) -> Handover:
    if part.waiting is not None:
        _end(part.waiting, "Someone else is asked", by)
    row = Handover(
        initiative=initiative,
        person=person,
        successor=successor,
        proposed_by=by,
        proposed_at=clock.now(),
        reason=reason,
    )
    row.save()
    for role in part.roles:
        if not initiative.roles.open().filter(role=role.role, person=successor).exists():
            create_role(initiative, role.role, successor, by, handover=row)
    entries.record(
        EntryKind.HANDOVER_PROPOSED,
        initiative=initiative,
        person=person.full_name,
        successor=successor.full_name,
        successor_id=successor.pk,
        what=part.what,
    )
    return row


def accept_handovers(
    *, handovers: list[Handover], proofs: Mapping[int, Proof] | None = None, by: User
) -> list[Handover]:
    """Take over the proposed roles with their words, conditions and gaps, in person.

    `proofs` has the signature of each by the key of the handover.
    """
    with act("accept handover", by=by, reason="Took over"):
        cooling_off.may_lift(by).or_refuse()
        rows = []
        for row in sorted(handovers, key=lambda one: (one.initiative_id, one.pk)):
            proof = (proofs or {}).get(row.pk)
            with act("accept handover", by=by, initiative=row.initiative_id, proof=proof) as initiative:
                rows.append(_accept(initiative, _answerable(row, by)))
                rewrite_supported_stage(initiative)
    return rows


def _accept(initiative: Initiative, row: Handover) -> Handover:
    part = next(iter(handover_queries.parts_of(row.person, [initiative.pk])), None)
    proposals = list(_proposals(row))
    for assignment in proposals:
        accept_row(initiative, assignment, acceptance_words(initiative, assignment.role))
    for thing in [*part.conditions, *part.gaps] if part else ():
        thing.owner = row.successor
        if hasattr(thing, "owner_accepted_at"):
            thing.owner_accepted_at = clock.now()
        thing.save()
    row.accepted_at = clock.now()
    row.save()
    took = handover_queries.passes(proposals, part.conditions if part else (), part.gaps if part else ())
    entries.record(
        EntryKind.HANDOVER_ACCEPTED,
        initiative=initiative,
        person=row.person.full_name,
        what=took or "no role remained",
    )
    tell_outside(
        initiative,
        row.proposed_by,
        "handover answered",
        f"handover:{row.pk}",
        f"{row.successor} took over from {row.person}",
        link=reverse("handover", args=[row.person_id]),
    )
    return row


def decline_handovers(*, handovers: list[Handover], reason: str = "", by: User) -> list[Handover]:
    """Decline to take over, in person. The holder keeps everything, and the asker is notified."""
    with act("decline handover", by=by, reason=reason or "Declined to take over"):
        rows = []
        for handover in sorted(handovers, key=lambda one: (one.initiative_id, one.pk)):
            lock(handover.initiative_id)
            row = _answerable(handover, by)
            _end(row, reason.strip() or "Declined", by)
            rows.append(row)
            tell_outside(
                row.initiative,
                row.proposed_by,
                "handover answered",
                f"handover:{row.pk}",
                f"{by} does not take over from {row.person}",
                text=reason.strip() or "Ask someone else.",
                link=reverse("handover", args=[row.person_id]),
            )
    return rows


def withdraw_handover(*, handover: Handover, by: User) -> Handover:
    """Withdraw a handover, as the person who hands over, or an admin."""
    with act("withdraw handover", by=by, initiative=handover.initiative_id, reason="Withdrawn"):
        row = _waiting(handover)
        role_permissions.may_hand_over(row.person, by).or_refuse()
        _end(row, "Withdrawn", by)
    return row


def _proposals(row: Handover):
    """Return the unanswered roles that were proposed as part of the handover."""
    return row.roles.waiting().select_related("person").order_by("role")


def _waiting(handover: Handover) -> Handover:
    row = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("initiative", "person", "successor", "proposed_by")
        .get(pk=handover.pk)
    )
    if row.accepted_at or row.ended_at:
        raise Conflict("This handover was already answered or withdrawn.", "", reverse("handovers"))
    return row


def _answerable(handover: Handover, by: User) -> Handover:
    row = _waiting(handover)
    if row.successor_id != by.pk or not by.is_active:
        no(
            phrase("Only {} can answer this.", row.successor),
            phrase("Ask {} to answer, or propose someone else.", row.successor),
        ).or_refuse()
    return row


def _end(row: Handover, reason: str, by: User) -> None:
    """End a waiting handover, with the roles that were proposed as part of it."""
    declined = by.pk == row.successor_id
    for assignment in _proposals(row):
        decline_row(row.initiative, assignment, reason, withdrawn=not declined)
    row.ended_at, row.ended_reason = clock.now(), reason
    row.save()
    kind = EntryKind.HANDOVER_DECLINED if declined else EntryKind.HANDOVER_WITHDRAWN
    entries.record(
        kind, initiative=row.initiative, person=row.person.full_name, successor=row.successor.full_name
    )


def _ask(successor: User, person: User, rows: list[Handover]) -> None:
    count = len(rows)
    notify(
        successor,
        "handover",
        f"handover:{rows[0].pk}",
        subject=f"You are asked to take over from {person}: {count} initiative{'' if count == 1 else 's'}",
        text=f"{rows[0].reason} The handover takes effect after you have accepted it. You can decline any "
        "of the initiatives.",
        link=reverse("handovers"),
    )
