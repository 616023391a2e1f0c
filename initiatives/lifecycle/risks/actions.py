"""Acts on accepted risks: review, end, and turn into gaps."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef

from governance import clock
from governance.audit_log import entries
from governance.models import Rulebook, User
from governance.permission_result import Answer, Conflict, all_of, ended, no, yes
from governance.vocabulary import CLOSED_STAGES, Role, Seat
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import AcceptedRisk, Gap, Initiative
from initiatives.models.reviews import ConsentState

SYSTEM = "accepted risk job"


def may_review(risk: AcceptedRisk, person: User) -> Answer:
    """Allow a risk seat, not on a team nor the requester, to review or end it."""
    return all_of(
        _asked_by_another(risk, person),
        initiative_permissions.may_accept_exception(risk.initiative, [Seat.RISK_COMPLIANCE], person),
    )


def _asked_by_another(risk: AcceptedRisk, person: User) -> Answer:
    if risk.requested_by_id in accounts_of(person):
        return no(
            phrase("You asked to accept the risk “{}”, so you cannot review it.", risk.title),
            "Ask another holder of the risk seat.",
        )
    return yes()


def review(*, risk: AcceptedRisk, looked_at: str, by: User) -> AcceptedRisk:
    """Record that the risk is still acceptable, and what was checked. The next review counts from today.

    Raises Refused, ValidationError, and Conflict if the acceptance no longer counts.
    """
    with act("review accepted risk", by=by, initiative=risk.initiative_id) as initiative:
        risk = _running(risk, initiative)
        may_review(risk, by).or_refuse()
        if not looked_at.strip():
            raise ValidationError({"looked_at": "Describe what you checked."})
        risk.reviewed_by, risk.reviewed_at, risk.reviewed_words = by, clock.now(), looked_at.strip()
        risk.save()
        entries.record(
            EntryKind.ACCEPTED_RISK_REVIEWED,
            initiative=initiative,
            risk=risk.title,
            looked_at=risk.reviewed_words,
        )
    return risk


def end(*, risk: AcceptedRisk, reason: str, by: User) -> AcceptedRisk:
    """End an acceptance as no longer acceptable. The risk becomes a gap at once.

    Raises Refused, ValidationError, and Conflict if the acceptance no longer counts.
    """
    with act("end accepted risk", by=by, initiative=risk.initiative_id, reason=reason) as initiative:
        risk = _running(risk, initiative)
        may_review(risk, by).or_refuse()
        if not reason.strip():
            raise ValidationError({"reason": "Explain why the risk is no longer acceptable."})
        _end(risk, initiative, reason.strip(), by)
        _open_gap(risk, initiative)
    return risk


def continue_by(later: AcceptedRisk, initiative: Initiative, by: User) -> None:
    """End the acceptance that a later one extends, inside the later one's act."""
    earlier = later.extends
    if earlier is None:
        return
    if earlier.ended_at is None:
        _end(earlier, initiative, f"The risk is accepted again until {later.until:%-d %B %Y}.", by)
    gap = Gap.objects.filter(ended_risk=earlier, closed_at__isnull=True).first()
    if gap is not None:
        gap.closed_at, gap.closed_by, gap.accepted_again = clock.now(), by, later
        gap.save()
        entries.record(EntryKind.GAP_CLOSED, initiative=initiative, text=gap.text, accepted_again=later.pk)


def open_gaps() -> list[Gap]:
    """Open the owner's gap for each acceptance past its day or review. Returns gaps. Ended initiatives get none."""
    later = AcceptedRisk.objects.granted().filter(extends=OuterRef("pk"))
    found = (
        AcceptedRisk.objects.granted()
        .filter(~Exists(later), gap__isnull=True, initiative__withdrawn_at__isnull=True)
        .exclude(initiative__stage__in=CLOSED_STAGES)
        .order_by("initiative_id", "pk")
    )
    opened = []
    for row in [row for row in found if row.state == ConsentState.PAST]:
        with act("end accepted risk", system=SYSTEM, initiative=row.initiative_id) as initiative:
            risk = found.filter(pk=row.pk).first()
            if risk is None or risk.state != ConsentState.PAST:
                continue
            if risk.ended_at is None:
                _tell_end(risk, initiative, why_ended(risk))
            opened.append(_open_gap(risk, initiative))
    return opened


def why_ended(risk: AcceptedRisk) -> str:
    """Return a sentence on why an acceptance no longer counts."""
    if risk.ended_at is not None:
        return ended(risk.ended_reason)
    if risk.review_by is not None:
        return f"No one reviewed the risk by {risk.review_by:%-d %B %Y}."
    return f"The last day of the acceptance was {risk.until:%-d %B %Y}."


def _running(risk: AcceptedRisk, initiative: Initiative) -> AcceptedRisk:
    """Return the row, read again. Raises Conflict if it is not accepted now."""
    risk = AcceptedRisk.objects.select_related("requested_by").get(pk=risk.pk)
    risk.initiative = initiative
    if risk.state == ConsentState.ASKED:
        raise Conflict(phrase("The risk “{}” is not accepted yet.", risk.title), "First answer the request.")
    if risk.state != ConsentState.RUNNING:
        raise Conflict(
            phrase("The acceptance of the risk “{}” has ended.", risk.title),
            "If the risk still exists, ask the team to request the acceptance again.",
        )
    return risk


def end_all(initiative: Initiative, why: str, *, by: User) -> None:
    """End each acceptance, and refuse each request, inside the act that reopens the initiative."""
    for risk in initiative.accepted_risks.live():
        if risk.state == ConsentState.RUNNING:
            _end(risk, initiative, why, by)
        elif risk.state == ConsentState.ASKED:
            risk.refused_by, risk.refused_at, risk.refused_reason = by, clock.now(), why
            risk.save()
            entries.record(
                EntryKind.RISK_ACCEPTANCE_REFUSED, initiative=initiative, risk=risk.title, reason=why
            )


def _end(risk: AcceptedRisk, initiative: Initiative, reason: str, by: User) -> None:
    risk.ended_by, risk.ended_at, risk.ended_reason = by, clock.now(), reason
    risk.save()
    _tell_end(risk, initiative, reason)


def _tell_end(risk: AcceptedRisk, initiative: Initiative, reason: str) -> None:
    entries.record(EntryKind.ACCEPTED_RISK_ENDED, initiative=initiative, risk=risk.title, reason=reason)


def _open_gap(risk: AcceptedRisk, initiative: Initiative) -> Gap:
    """Write the gap of an ended acceptance, for the owner, else for the requester."""
    owner = roles_and_seats.accepted(initiative, Role.OWNER)
    days = Rulebook.objects.current().parsed.freshness.grace_days
    gap = Gap(
        initiative=initiative,
        text=f"The risk “{risk.title}” is no longer accepted. {why_ended(risk)}",
        owner=owner.person if owner else risk.requested_by,
        due=clock.today() + timedelta(days=days),
        opened_at=clock.now(),
        ended_risk=risk,
    )
    gap.save()
    entries.record(
        EntryKind.GAP_OPENED,
        initiative=initiative,
        text=gap.text,
        owner=gap.owner.full_name,
        due=gap.due,
        downstream=gap.downstream,
    )
    return gap
