"""The index that Plumbline generates as evidence of governance: contract, impact, earlier decisions, conditions."""

from governance import clock
from governance.gates.requirement_state import GENERATED_ONLY
from governance.models import User
from governance.vocabulary import ReviewOutcome
from initiatives.lifecycle.evidence.actions import create_evidence
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Answer, Evidence, Initiative


def generate_index(*, initiative: Initiative, by: User) -> Evidence:
    """Generate the index that answers `prod.q07_governance_evidence`. It has no free text and is never uploaded."""
    with act("generate index", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        item = write_index(initiative, by)
        rewrite_supported_stage(initiative)
    return item


def write_index(initiative: Initiative, by: User) -> Evidence:
    """Write the index inside the act: contract, impact, earlier decisions, conditions."""
    key = next(iter(GENERATED_ONLY))
    text = index_text(initiative)
    answer = Answer.objects.filter(initiative=initiative, requirement=key).first()
    words = f"Generated index of {clock.today():%-d %B %Y}."
    if answer is None:
        Answer(
            initiative=initiative, requirement=key, kind="answered", text=words, by=by, at=clock.now()
        ).save()
    previous = initiative.evidence.filter(generated=True, superseded_by__isnull=True).order_by("-id").first()
    return create_evidence(
        initiative,
        kind="system_record",
        title=f"Governance index, {clock.today():%-d %B %Y}",
        observed_on=clock.today(),
        covers=[key],
        note=text,
        generated=True,
        supersedes=previous,
        by=by,
    )


def index_text(initiative: Initiative) -> str:
    """Return the text of the index in plain lines, from the current rows."""
    lines = [f"Governance index of {initiative.ref}, {initiative.title}"]
    contract = initiative.contract.in_force_at(clock.now()) if initiative.contract_id else None
    if contract is None:
        lines.append("Contract: none in force.")
    else:
        lines.append(
            f"Contract: version {contract.number}, in force since {contract.starts_at:%-d %B %Y}, "
            f"sha-256 {contract.digest}"
        )
        lines += [f"  {clause.get_kind_display()}: {clause.sentence}" for clause in contract.clauses.all()]
    impact = Evidence.objects.filter(
        initiative=initiative, coverage__requirement="gov.impact", withdrawn_at__isnull=True
    )
    lines += [
        f"Impact assessment: {item.title}, observed {item.observed_on:%-d %B %Y}, {item.fingerprint}"
        for item in impact
    ]
    if not impact:
        lines.append("Impact assessment: none.")
    lines.append(f"Risk tier: {initiative.get_tier_display() or 'not confirmed'}")
    for review in initiative.reviews.exclude(outcome=ReviewOutcome.OPEN).order_by("id"):
        lines.append(
            f"Gate {review.gate}: {review.get_outcome_display().lower()}, {review.ended_at:%-d %B %Y}"
        )
        for sign_off in review.sign_offs.latest().select_related("person"):
            lines.append(
                f"  {sign_off.get_seat_display()}: {sign_off.get_verdict_display().lower()}, "
                f"{sign_off.person}, {sign_off.digest}"
            )
        for condition in review.conditions.all():
            state = (
                f"met {condition.met_at:%-d %B %Y}"
                if condition.met_at
                else f"open, due {condition.due:%-d %B %Y}"
            )
            lines.append(f"  Condition: {condition.text} ({state})")
    return "\n".join(lines) + "\n"
