"""The reports of the portfolio: questions that boards ask again and again. Each is a filter over initiatives.

A filter is handed initiatives that `filters.with_supported_stage` has annotated.
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance import clock
from governance.models import Rulebook
from governance.vocabulary import RUNNING_STAGES, ObligationKind, Role, Stage
from governance.vocabulary.phrases import phrase
from initiatives.contributions import Report
from initiatives.lifecycle.facts import stage_expiry
from initiatives.models import Continuation, FundingDecision, Obligation, RoleAssignment
from initiatives.portfolio.initiative_list.filters import WITHDRAWN

EXPIRING_DAYS = 30
PILOTS = "permanent-pilots"
ENDING = "ending-stages"


def larger_prototypes(initiatives: QuerySet) -> QuerySet:
    """Return the MVPs whose evidence supports a prototype."""
    return initiatives.filter(stage=Stage.MVP, supported=Stage.PROTOTYPE)


def past_time() -> Q:
    """Return the condition of an MVP past its time for a decision and not continued."""
    rulebook = Rulebook.objects.in_force()
    days = rulebook.parsed.stages[Stage.MVP].max_days_before_review if rulebook else None
    if not days:
        return Q(pk__in=[])
    going_on = Continuation.objects.filter(
        initiative=OuterRef("pk"), at__gte=OuterRef("since"), until__gte=clock.today()
    )
    return Q(stage=Stage.MVP, since__lt=clock.now() - timedelta(days=days)) & ~Q(Exists(going_on))


def permanent_pilots(initiatives: QuerySet) -> QuerySet:
    """Return the MVPs past their time for a decision and not continued."""
    return initiatives.filter(past_time())


def ending_stages(initiatives: QuerySet) -> QuerySet:
    """Return the initiatives whose stage ends soon or has ended. Each needs a decision."""
    rulebook = Rulebook.objects.in_force()
    return (
        stage_expiry.soon(initiatives, stage_expiry.moments(rulebook.parsed).get)
        if rulebook
        else initiatives.none()
    )


def above_support() -> QuerySet:
    """Return funding for a stage that evidence did not support on that day (S1-38)."""
    return FundingDecision.objects.current().exclude(label="")


def funded_above_support(initiatives: QuerySet) -> QuerySet:
    """Return initiatives funded for a stage that evidence did not support on that day."""
    return initiatives.filter(pk__in=above_support().values("initiative"))


def expiring(initiatives: QuerySet) -> QuerySet:
    """Return the initiatives with evidence that expires within 30 days."""
    last = clock.today() + timedelta(days=EXPIRING_DAYS)
    return initiatives.filter(stage__in=RUNNING_STAGES, next_expiry_on__lte=last)


def lapsed_production(initiatives: QuerySet) -> QuerySet:
    """Return the initiatives in production that evidence no longer supports."""
    return initiatives.filter(stage=Stage.PRODUCTION, unsupported_stages__gt=0)


def overdue_post_mortems(initiatives: QuerySet) -> QuerySet:
    """Return initiatives, also closed, whose post-mortem or retrospective is overdue."""
    open_obligations = Obligation.objects.overdue_on(clock.today()).filter(
        initiative=OuterRef("pk"), kind__in=["post_mortem", "retrospective"]
    )
    return initiatives.filter(Exists(open_obligations))


def to_be_shown(initiatives: QuerySet) -> QuerySet:
    """Return the imported initiatives with an owner's day for their missing evidence."""
    said = Obligation.objects.open().filter(initiative=OuterRef("pk"), kind=ObligationKind.SHOWN_BY)
    return initiatives.filter(Exists(said))


def shown_late(initiatives: QuerySet) -> QuerySet:
    """Return the imported initiatives past their owner's day for missing evidence."""
    said = Obligation.objects.overdue_on(clock.today()).filter(kind=ObligationKind.SHOWN_BY)
    return initiatives.filter(Exists(said.filter(initiative=OuterRef("pk"))))


def vacant_owners(initiatives: QuerySet) -> QuerySet:
    """Return the running initiatives that had an accepted owner and have none now."""
    owners = RoleAssignment.objects.filter(initiative=OuterRef("pk"), role=Role.OWNER)
    return initiatives.filter(
        Exists(owners.filter(accepted_at__isnull=False)), ~Exists(owners.in_force()), stage__in=RUNNING_STAGES
    )


def withdrawn(initiatives: QuerySet) -> QuerySet:
    """Return the ideas registered by mistake or joined to another initiative."""
    return initiatives.filter(withdrawn_at__isnull=False)


REPORTS = [
    Report(
        "larger-prototypes",
        "Larger prototypes",
        phrase("Initiatives that are approved as MVP, with evidence that supports only a prototype."),
        larger_prototypes,
    ),
    Report(
        PILOTS,
        "Permanent pilots",
        phrase("MVPs past the time limit of the rulebook without a decision, and the scale tests they fail."),
        permanent_pilots,
    ),
    Report(
        ENDING,
        phrase("Stages that end"),
        phrase(
            "Prototypes and MVPs whose time-box review is due soon or overdue, and production whose next "
            "acceptance is due soon or overdue."
        ),
        ending_stages,
    ),
    Report(
        "funded-above-support",
        phrase("Funding ahead of evidence"),
        phrase("Funding decisions for a stage that the evidence did not support on that day."),
        funded_above_support,
    ),
    Report(
        "to-be-shown",
        phrase("Imported, evidence planned"),
        phrase("Imported initiatives with a planned date for the missing evidence."),
        to_be_shown,
    ),
    Report(
        "shown-late",
        phrase("Imported, evidence late"),
        phrase("Imported initiatives whose planned date for the missing evidence has passed."),
        shown_late,
    ),
    Report(
        "expiring", phrase("Expiring in 30 days"), phrase("Evidence that expires within 30 days."), expiring
    ),
    Report(
        "lapsed-production",
        "Lapsed production",
        phrase(
            "Initiatives that are approved as production, with evidence that supports only a lower stage."
        ),
        lapsed_production,
    ),
    Report(
        "overdue-post-mortems",
        "Overdue post-mortems",
        phrase("Closed or live initiatives with an overdue post-mortem or retrospective."),
        overdue_post_mortems,
    ),
    Report(
        "vacant-owners",
        phrase("Initiatives that had an accepted owner and have none now."),
        phrase("An owner had accepted, but the role is vacant now."),
        vacant_owners,
    ),
    Report(
        WITHDRAWN,
        phrase("Registered by mistake"),
        phrase("Withdrawn ideas. Other lists do not show withdrawn ideas."),
        withdrawn,
    ),
]
