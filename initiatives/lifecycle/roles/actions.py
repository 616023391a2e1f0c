"""Acts on roles, in force once accepted (docs/domain.md, invariant 6)."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.gates.requirement_state import ACCEPTED_IN_PERSON
from governance.identity.proofs.ceremony import Proof
from governance.models import ContractVersion, Rulebook, User
from governance.people import cooling_off
from governance.permission_result import Conflict, no
from governance.vocabulary import Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.evidence.actions import create_evidence
from initiatives.lifecycle.holds.actions import close_system_hold, complete_row, open_system_hold
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.reminders import telling
from initiatives.lifecycle.roles import permissions as role_permissions
from initiatives.models import Answer, Initiative, RoleAssignment, Verification

TRIGGER_OF_ROLE = {"owner": "owner", "support_owner": "support_owner", "record_owner": "record_owner"}

ROLE_DUTIES = {  # what each role does, as its people read it
    "owner": "owns the outcome and is responsible for it",
    "deputy": "stands in for the owner",
    "support_owner": "is responsible for running the system",
    "technical_lead": "is responsible for the running components, and records their changes",
    "data_steward": "is responsible for definitions and sources",
    "sponsor": "takes over while the initiative has no owner",
    "record_owner": "owns the change log and the audit trail",
}


def acceptance_words(initiative: Initiative, role: str) -> str:
    """Return the words that a person accepts with a role, as the page shows them."""
    duties = {
        "owner": "I own the outcome of this initiative, answer for it, and take on the obligations that it leaves.",
        "support_owner": "I answer for its operation, in the hours and with the promises written in its answers.",
        "record_owner": "I own its change log and its audit trail.",
        "technical_lead": "I answer for what runs, and record its changes.",
        "data_steward": "I answer for the definitions and sources it uses.",
        "sponsor": "I sponsor it, and step in while it has no owner.",
        "deputy": "I stand in for the owner.",
    }
    return f"{Role(role).label} of {initiative.ref}, {initiative.title}: {duties[role]}"


def acceptance_facts(assignment: RoleAssignment, holder: int | None) -> dict:
    """Return the facts of the signature on an acceptance. `holder` is the key of the present holder."""
    initiative = assignment.initiative
    return {
        "ref": initiative.ref,
        "stage": initiative.stage,
        "tier": initiative.tier,
        "proposal": assignment.pk,
        "role": assignment.role,
        "accepted": acceptance_words(initiative, assignment.role),
        "proposed by": assignment.proposed_by_id,
        "in place of": holder,
    }


def create_role(
    initiative: Initiative, role: str, person: User, by: User, *, accepted: bool = False, handover=None
) -> RoleAssignment:
    """Create the row of a proposal inside the running act. A person who proposes themselves accepts.

    While the person must wait (`cooling_off.may_lift`), they are asked instead, and accept later. `handover` is the
    handover that the proposal is part of and answered with.
    """
    assignment = RoleAssignment(
        initiative=initiative,
        role=role,
        person=person,
        proposed_by=by,
        proposed_at=clock.now(),
        handover=handover,
    )
    assignment.save()
    entries.record(
        EntryKind.ROLE_PROPOSED,
        initiative=initiative,
        role=role,
        person=person.full_name,
        person_id=person.pk,
    )
    if accepted and cooling_off.may_lift(person):
        accept_row(initiative, assignment, acceptance_words(initiative, role))
    else:
        _rewrite_for_verifier(initiative, person)
    return assignment


def _rewrite_for_verifier(initiative: Initiative, person: User) -> None:
    """Rewrite the supported stage if the person, new or gone, verified evidence here."""
    if Verification.objects.filter(evidence__initiative=initiative, verifier=person).exists():
        rewrite_supported_stage(initiative)


def propose_role(*, initiative: Initiative, role: str, person: User, by: User) -> RoleAssignment:
    """Propose a person for a role: `propose_roles` for one."""
    return propose_roles(initiative=initiative, people={role: person}, by=by)[0]


def propose_roles(*, initiative: Initiative, people: dict[str, User], by: User) -> list[RoleAssignment]:
    """Propose a person for each role, all or none. A person who proposes themselves accepts.

    Raises ValidationError that names the role whose person cannot be asked, or Refused.
    """
    with act("propose role", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_propose_role(initiative, by).or_refuse()
        made = []
        for role, person in people.items():
            if role not in Role:
                raise ValidationError({"role": "Choose one of the roles listed."})
            if not person.is_active:
                raise ValidationError({role: phrase("{} is no longer active. Choose someone else.", person)})
            if initiative.roles.open().filter(role=role, person=person).exists():
                raise ValidationError(
                    {role: phrase("{} already has this role, or has been asked for it.", person)}
                )
            made.append(create_role(initiative, role, person, by, accepted=person == by))
        if by in people.values():
            rewrite_supported_stage(initiative)
    return made


def accept_role(
    *, assignment: RoleAssignment, words: str = "", by: User, proof: Proof | None = None
) -> RoleAssignment:
    """Accept a role in person. It ends an earlier holder's role and voids what depended on them.

    `proof` is the signature inside another act.
    """
    with act("accept role", by=by, initiative=assignment.initiative_id, proof=proof) as initiative:
        assignment = RoleAssignment.objects.get(pk=assignment.pk)
        role_permissions.may_accept_role(assignment, by).or_refuse()
        if initiative.closed and not initiative.obligations.open().exists():
            no(
                phrase("This initiative is {}, so its roles can no longer change.", initiative.stage)
            ).or_refuse()
        if assignment.accepted_at or assignment.declined_at or assignment.ended_at:
            raise Conflict("This proposal was already answered, or it has ended.")
        accept_row(initiative, assignment, words.strip() or acceptance_words(initiative, assignment.role))
        rewrite_supported_stage(initiative)
    return assignment


def accept_roles(
    *, assignments: list[RoleAssignment], proofs: Mapping[int, Proof], by: User
) -> list[RoleAssignment]:
    """Accept several roles, all or none, each with its proof (by role key).

    Raises Refused and Conflict if one of them can no longer be accepted.
    """
    with act("accept roles", by=by):
        return [
            accept_role(assignment=row, by=by, proof=proofs.get(row.pk))
            for row in sorted(assignments, key=lambda row: (row.initiative_id, row.pk))
        ]


def reaccept_role(*, assignment: RoleAssignment, words: str = "", by: User) -> RoleAssignment:
    """Accept a held role again for a fresh attestation. The rulebook asks it half-yearly or quarterly."""
    with act("accept role again", by=by, initiative=assignment.initiative_id) as initiative:
        assignment = RoleAssignment.objects.get(pk=assignment.pk)
        role_permissions.may_accept_role(assignment, by).or_refuse()
        if not assignment.accepted_at or assignment.ended_at:
            no("Only a current role can be accepted again.").or_refuse()
        entries.record(EntryKind.ROLE_ACCEPTED_AGAIN, initiative=initiative, role=assignment.role)
        _attest(initiative, assignment, words.strip() or assignment.accepted_words)
        rewrite_supported_stage(initiative)
    return assignment


def accept_row(initiative: Initiative, assignment: RoleAssignment, words: str) -> None:
    """Accept a proposal inside the running act of its person. It ends the role of the earlier holder."""
    role, person = assignment.role, assignment.person
    previous = roles_and_seats.accepted(initiative, role)
    if previous is not None:
        _end(initiative, previous, f"{person.full_name} accepted the role")
    assignment.accepted_at, assignment.accepted_words = clock.now(), words
    assignment.save()
    entries.record(EntryKind.ROLE_ACCEPTED, initiative=initiative, role=role, words=words)
    earlier = initiative.roles.filter(role=role, accepted_at__isnull=False).exclude(pk=assignment.pk).exists()
    if role in TRIGGER_OF_ROLE and earlier:
        before = previous.person.full_name if previous else "no one"
        pull(
            initiative,
            [TRIGGER_OF_ROLE[role]],
            f"{Role(role).label}: {before} -> {person.full_name}",
            by=person,
        )
    _attest(initiative, assignment, words)
    if role == Role.OWNER:
        close_system_hold(initiative, "owner_vacant", f"{person.full_name} accepted ownership")
        for obligation in initiative.obligations.open().filter(kind="vacancy"):
            complete_row(obligation, by=person, note=f"{person.full_name} accepted ownership")
        if previous is not None:
            _end_proposals_of(initiative, previous.person, person)
    if role == Role.RECORD_OWNER:
        close_system_hold(initiative, "record_owner_vacant", f"{person.full_name} accepted the audit log")
    _tell_accepted(initiative, assignment, previous)


def _tell_accepted(
    initiative: Initiative, assignment: RoleAssignment, previous: RoleAssignment | None
) -> None:
    """Notify the owner, and the earlier holder. One who handed over has the answer to the handover."""
    person = assignment.person
    _tell_owner(initiative, assignment, f"{person} is its {_name(assignment)} now", "accepted")
    if previous is not None and assignment.handover_id is None:
        _tell_former(initiative, previous, f"{person} accepted the role {_name(assignment)} in your place")


def _name(assignment: RoleAssignment) -> str:
    return assignment.get_role_display().lower()


def _tell_owner(initiative: Initiative, assignment: RoleAssignment, words: str, period: str) -> None:
    """Notify the owner that the person of a role accepted it, declined it or laid it down."""
    owner = roles_and_seats.accepted(initiative, Role.OWNER)
    if owner is not None:
        link = reverse("people", args=[initiative.ref])
        telling.tell(
            initiative,
            [owner.person],
            "role answered",
            f"role:{assignment.pk}",
            words,
            but=assignment.person,
            period=period,
            text=assignment.ended_reason,
            link=link,
        )


def _tell_former(initiative: Initiative, assignment: RoleAssignment, words: str) -> None:
    """Notify who held a role that someone else ended it. They need not be able to open the initiative any longer."""
    telling.tell_outside(
        initiative, assignment.person, "role answered", f"role:{assignment.pk}", words, period="ended"
    )


def _end_proposals_of(initiative: Initiative, before: User, owner: User) -> None:
    """End the unanswered proposals of the owner before, except those to the new owner."""
    waiting = initiative.roles.waiting().filter(proposed_by=before)
    for row in waiting.exclude(person=owner).select_related("person"):
        decline_row(initiative, row, f"{owner.full_name} owns the initiative now", withdrawn=True)


def _attest(initiative: Initiative, assignment: RoleAssignment, words: str) -> None:
    """Write an acceptance's attestation, for requirements that need it."""
    keys = [key for key, role in ACCEPTED_IN_PERSON.items() if role == assignment.role]
    if assignment.role == Role.RECORD_OWNER:
        keys = ["gov.record_owner"]
    known = Rulebook.objects.current().parsed.requirements
    keys = [key for key in keys if key in known]
    if not keys:
        return
    for key in keys:
        if Answer.objects.filter(initiative=initiative, requirement=key).exists():
            continue
        Answer(
            initiative=initiative,
            requirement=key,
            kind="answered",
            text=f"{assignment.person.full_name}. {words}",
            by=assignment.person,
            at=clock.now(),
        ).save()
    create_evidence(
        initiative,
        kind="attestation",
        title=f"{assignment.get_role_display()} accepted by {assignment.person.full_name}",
        note=words,
        observed_on=clock.today(),
        covers=keys,
        acceptance=assignment,
        by=assignment.person,
    )


def decline_role(*, assignment: RoleAssignment, reason: str = "", by: User) -> RoleAssignment:
    """Decline a proposal in person."""
    with act("decline role", by=by, initiative=assignment.initiative_id, reason=reason) as initiative:
        assignment = RoleAssignment.objects.get(pk=assignment.pk)
        role_permissions.may_answer_role(assignment, by).or_refuse()
        if assignment.accepted_at or assignment.declined_at or assignment.ended_at:
            raise Conflict("This proposal was already answered, or it has ended.")
        decline_row(initiative, assignment, reason.strip())
    return assignment


def decline_row(initiative: Initiative, assignment: RoleAssignment, reason: str, *, withdrawn=False) -> None:
    """End an unanswered proposal inside the act: declined or withdrawn."""
    if withdrawn:
        _end(initiative, assignment, reason)
    else:
        assignment.declined_at, assignment.ended_reason = clock.now(), reason
        assignment.save()
        entries.record(EntryKind.ROLE_DECLINED, initiative=initiative, role=assignment.role)
        words = f"{assignment.person} declined the role {_name(assignment)}"
        _tell_owner(initiative, assignment, words, "declined")
    _rewrite_for_verifier(initiative, assignment.person)


def revoke_role(*, assignment: RoleAssignment, reason: str, by: User) -> RoleAssignment:
    """Revoke a role or withdraw a proposal, as its person or a proposer."""
    if not reason.strip():
        raise ValidationError({"reason": "Explain why the role ends."})
    with act("revoke role", by=by, initiative=assignment.initiative_id, reason=reason) as initiative:
        assignment = RoleAssignment.objects.get(pk=assignment.pk)
        if assignment.person_id != by.pk:
            initiative_permissions.may_propose_role(initiative, by).or_refuse()
        if assignment.ended_at or assignment.declined_at:
            raise Conflict("This role has already ended.")
        _end(initiative, assignment, reason.strip())
        leave_vacancy(initiative, assignment)
        if assignment.person_id == by.pk:
            words = f"{by} laid down the role {_name(assignment)}"
            _tell_owner(initiative, assignment, words, "ended")
        else:
            _tell_former(initiative, assignment, f"your role {_name(assignment)} ended")
        rewrite_supported_stage(initiative)
    return assignment


def _end(initiative: Initiative, assignment: RoleAssignment, reason: str) -> None:
    assignment.ended_at, assignment.ended_reason = clock.now(), reason
    assignment.save()
    entries.record(
        EntryKind.ROLE_ENDED, initiative=initiative, role=assignment.role, person=assignment.person.full_name
    )


def leave_vacancy(initiative: Initiative, assignment: RoleAssignment) -> None:
    """Void evidence after the end of a role. Open a hold if an owner or audit trail owner is missing."""
    role, person = assignment.role, assignment.person
    if not assignment.accepted_at or initiative.closed:
        return
    if role in TRIGGER_OF_ROLE:
        pull(initiative, [TRIGGER_OF_ROLE[role]], f"{Role(role).label}: {person.full_name} left", by=None)
    if role == Role.OWNER and initiative.stage in (Stage.MVP, Stage.PRODUCTION):
        open_system_hold(
            initiative,
            "owner_vacant",
            f"{person.full_name} no longer owns the initiative, and no one else has accepted.",
        )
    if role == Role.RECORD_OWNER:
        ask_record_owner(
            initiative, f"{person.full_name} is named in the contract and no longer owns the audit trail."
        )


def owner_keeps_records(initiative: Initiative, tier: str | None = None) -> bool:
    """Return True if this tier, by default the confirmed tier, needs no other owner of the records."""
    tier = initiative.tier if tier is None else tier
    return not Rulebook.objects.current().parsed.asks("gov.record_owner", tier)


def follow_tier(initiative: Initiative) -> None:
    """Ask for an audit trail owner, or stop, in the act that confirmed a tier."""
    tier = initiative.tier
    if owner_keeps_records(initiative):
        close_system_hold(initiative, "record_owner_vacant", f"At {tier} risk the owner owns the audit trail")
    ask_record_owner(
        initiative,
        f"An initiative with {tier} risk needs an audit trail owner. Someone must accept this role.",
    )


def ask_record_owner(initiative: Initiative, why: str) -> None:
    """Open a hold if a contract is in force without its audit trail owner."""
    if initiative.contract_id is None or owner_keeps_records(initiative):
        return
    in_force = initiative.contract.versions.filter(state=ContractVersion.IN_FORCE)
    if in_force.exists() and not initiative.roles.in_force().filter(role=Role.RECORD_OWNER).exists():
        open_system_hold(initiative, "record_owner_vacant", why)
