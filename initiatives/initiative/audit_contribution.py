"""What initiatives contribute to audit: which acts are decisions, which are readings, who held which role."""

from governance.audit.rights_report import Held, as_known, first_words
from governance.vocabulary import Role
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import Initiative, RoleAssignment

DECISIONS = [
    EntryKind.APPROVAL_ANSWERED,
    EntryKind.SIGNED_OFF,
    EntryKind.SIGN_OFF_WITHDRAWN,
    EntryKind.REVIEW_APPROVED,
    EntryKind.REVIEW_APPROVED_WITH_CONDITIONS,
    EntryKind.REVIEW_REFUSED,
    EntryKind.REVIEW_RETURNED,
    EntryKind.STAGE_CHANGED,
    EntryKind.CONTRACT_APPROVED,
    EntryKind.CONTRACT_OBJECTED,
    EntryKind.CONTRACT_OBJECTION_WITHDRAWN,
    EntryKind.CONTRACT_IN_FORCE,
    EntryKind.RISK_TIER_CONFIRMED,
    EntryKind.NOT_APPLICABLE_ACCEPTED,
    EntryKind.WAIVER_AGREED,
    EntryKind.WAIVER_REFUSED,
    EntryKind.BODY_TERM_SIGNED,
    EntryKind.BODY_TERM_REFUSED,
    EntryKind.INTERACTIONS_ERASED,
    EntryKind.HOLD_LIFTED,
    EntryKind.OBLIGATION_EXCUSED,
    EntryKind.CONTINUED,
    EntryKind.RULEBOOK_PUBLISHED,
]
READINGS = [
    EntryKind.EVIDENCE_OPENED,
    EntryKind.ATTACHMENT_OPENED,
    EntryKind.INTERACTION_OPENED,
    EntryKind.PAST_READ,
]


def roles_held(moment, people: dict, person=None) -> list[Held]:
    """Roles on initiatives that were accepted and had not ended at `moment`; granted by whoever proposed them.

    Accepting and ending count from the moment they are recorded, so the rows of that moment say it all.
    """
    only = {"person_id": person.pk} if person is not None else {}
    rows = [
        row
        for row in as_known(RoleAssignment, moment, **only)
        if row.accepted_at is not None and row.ended_at is None and people[row.person_id].is_active
    ]
    added = first_words(RoleAssignment, rows)
    initiatives = Initiative.objects.in_bulk({row.initiative_id for row in rows})
    return [
        Held(
            kind="role",
            person_id=row.person_id,
            person=people[row.person_id].full_name,
            what=Role.word(row.role),
            where=f"{initiatives[row.initiative_id].ref} {initiatives[row.initiative_id].title}",
            link=initiatives[row.initiative_id].get_absolute_url(),
            since=row.accepted_at,
            until=row.ended_at,
            granted_by=added.get(row.id, ("", ""))[0],
            reason=added.get(row.id, ("", ""))[1],
        )
        for row in rows
    ]
