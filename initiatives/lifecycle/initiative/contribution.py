"""The part of initiatives in audit, retention and erasure.

It has the acts that decide, roles held, ends of initiatives, and named evidence.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Func, IntegerField, Q, Sum
from prometheus_client import Metric

from governance import clock
from governance.audit.rights_report import Held, as_known, first_words
from governance.contributions import InitiativeEnd, NamedEvidence
from governance.operations.metrics import gauge
from governance.vocabulary import CLOSED_STAGES, RUNNING_STAGES, Role
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Contribution
from initiatives.lifecycle.initiative.act import lock, rewrite_supported_stage
from initiatives.models import (
    Evidence,
    Initiative,
    Obligation,
    RoleAssignment,
    SignOff,
    SupportedStagePeriod,
)

SOON = timedelta(days=30)  # in which evidence that expires is counted


def roles_held(moment, people: dict, person=None) -> list[Held]:
    """Return the roles on initiatives that were accepted and not ended at `moment`.

    The person who proposed a role is its grantor. The rows of that moment suffice, because accepting and ending count
    from their recording.
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


def ends(refs: list[str] | None) -> list[InitiativeEnd]:
    """Return these initiatives, or all, with their end: stopped, retired, withdrawn."""
    initiatives = Initiative.objects.all()
    if refs is not None:
        initiatives = initiatives.filter(number__in=[int(ref[3:]) for ref in refs if ref[3:].isdecimal()])
    return [
        InitiativeEnd(
            initiative.ref,
            initiative.title,
            initiative.since if initiative.stage in CLOSED_STAGES else initiative.withdrawn_at,
        )
        for initiative in initiatives.only("number", "title", "stage", "since", "withdrawn_at").iterator()
    ]


def evidence_named(keys: list[int]) -> list[NamedEvidence]:
    """Return these items and others with the same file, which is stored once."""
    named = Evidence.objects.filter(pk__in=keys)
    files = [name for name in named.values_list("file", flat=True) if name]
    rows = named | Evidence.objects.filter(file__in=files)
    return [
        NamedEvidence(
            table=Evidence._meta.db_table,
            key=str(row.pk),
            initiative_ref=row.initiative.ref,
            values={
                "title": "erased",
                "note": "",
                "details": {},
                "file": "",
                "file_name": "",
                "sha256": "",
                "link": "",
                "missing_since": (row.missing_since or clock.now()).isoformat(),
            },
            terms=tuple(term for term in (row.title, row.file_name, row.sha256) if _names_it(term)),
            cited=SignOff.objects.filter(covered_evidence__contains=[row.pk]).exists(),
        )
        for row in rows.select_related("initiative").order_by("pk")
    ]


def _names_it(term: str) -> bool:
    """Return True if a search for a title or file name finds no ordinary words."""
    return len(term) >= 12 or len(term.split()) > 1


def after_erasure(refs: set[str]) -> None:
    """Rewrite the supported stage of initiatives that lost evidence."""
    for ref in sorted(refs):
        rewrite_supported_stage(lock(Initiative.objects.get(number=int(ref[3:]))))


class GapSum(Func):
    """The number of gaps of a span, over all layers."""

    template = "(SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(%(expressions)s))"
    output_field = IntegerField()


def figures() -> Iterator[Metric]:
    """Yield the figures of initiatives for /metrics. The number of queries is constant."""
    running = Initiative.objects.live().filter(stage__in=RUNNING_STAGES)
    stages = dict(running.order_by().values_list("stage").annotate(n=Count("pk")))
    words = "Initiatives by approved stage, without those that were stopped, retired or withdrawn."
    yield gauge("initiatives", words, {stage: stages.get(stage, 0) for stage in RUNNING_STAGES}, "stage")
    periods = SupportedStagePeriod.objects.covering(clock.now()).filter(initiative__in=running)
    stages = dict(periods.order_by().values_list("supported").annotate(n=Count("pk")))
    words = "The same initiatives by supported stage."
    yield gauge(
        "initiatives_supported", words, {stage: stages.get(stage, 0) for stage in RUNNING_STAGES}, "stage"
    )
    short, today = Q(unsupported_stages__gt=0), clock.today()
    found = periods.aggregate(
        short=Count("pk", filter=short),
        missing=Sum(GapSum("gaps"), filter=short, default=0),
        expiring=Count("pk", filter=Q(next_expiry_on__gt=today, next_expiry_on__lte=today + SOON)),
    )
    words = (
        "Initiatives with an approved stage that current evidence does not support, for example because "
        "evidence has expired."
    )
    yield gauge("initiatives_not_supported", words, found["short"])
    yield gauge("requirements_missing", "Requirements that these initiatives do not meet.", found["missing"])
    words = f"Initiatives with evidence that expires within {SOON.days} days."
    yield gauge("initiatives_evidence_expiring", words, found["expiring"])
    yield gauge("obligations_open", "Obligations that are not done yet.", Obligation.objects.open().count())
    overdue = Obligation.objects.overdue_on(today).count()
    yield gauge("obligations_overdue", "Obligations that are overdue.", overdue)


CONTRIBUTION = Contribution(
    figures=[figures],
    decisions={
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
        EntryKind.RISK_TIER_REFUSED,
        EntryKind.NOT_APPLICABLE_ACCEPTED,
        EntryKind.WAIVER_AGREED,
        EntryKind.WAIVER_REFUSED,
        EntryKind.RISK_ACCEPTED,
        EntryKind.RISK_ACCEPTANCE_REFUSED,
        EntryKind.ACCEPTED_RISK_ENDED,
        EntryKind.INTERACTIONS_ERASED,
        EntryKind.HOLD_LIFTED,
        EntryKind.OBLIGATION_EXCUSED,
        EntryKind.CONTINUED,
        EntryKind.RULEBOOK_PUBLISHED,
    },
    readings={
        EntryKind.EVIDENCE_OPENED,
        EntryKind.ATTACHMENT_OPENED,
        EntryKind.INTERACTION_OPENED,
        EntryKind.INTERACTIONS_HANDED_OUT,
        EntryKind.PAST_READ,
    },
    rights_held=[roles_held],
    decision_tables={
        "initiatives_acceptedrisk",
        "initiatives_approvalanswer",
        "initiatives_approvalrequest",
        "initiatives_approvaluse",
        "initiatives_condition",
        "initiatives_drawnrequirement",
        "initiatives_performancepromise",
        "initiatives_review",
        "initiatives_signoff",
        "initiatives_stagechange",
        "initiatives_waiver",
    },
    hashes_of_text={
        ("initiatives_approvalrequest", "arguments"): "arguments_digest",
        ("initiatives_signoff", "statement"): "digest",
        ("initiatives_importrow", "raw"): "raw_digest",
    },
    erased_whole={("initiatives_approvalpreview", "content")},
    initiative_ends=[ends],
    evidence_named=[evidence_named],
    after_erasure=[after_erasure],
)
