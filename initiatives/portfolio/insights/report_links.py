"""The reports of the portfolio: questions that boards ask again and again. Each is a filter over initiatives.

A filter is handed initiatives that `filters.with_supported_stage` has annotated.
"""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance import clock
from governance.models import Rulebook
from governance.vocabulary import RUNNING_STAGES, ObligationKind, Role, Stage
from initiatives.contributions import Report
from initiatives.lifecycle.facts import stage_expiry
from initiatives.models import Continuation, FundingDecision, Obligation, RoleAssignment
from initiatives.portfolio.initiative_list.filters import WITHDRAWN

EXPIRING_DAYS = 30
PILOTS = "permanent-pilots"
ENDING = "ending-stages"


def larger_prototypes(initiatives: QuerySet) -> QuerySet:
    """MVPs whose evidence supports a prototype."""
    return initiatives.filter(stage=Stage.MVP, supported=Stage.PROTOTYPE)


def past_time() -> Q:
    """That an initiative is an MVP older than the rulebook lets an MVP grow without a decision."""
    rulebook = Rulebook.objects.in_force()
    days = rulebook.parsed.stages[Stage.MVP].max_days_before_review if rulebook else None
    if not days:
        return Q(pk__in=[])
    going_on = Continuation.objects.filter(
        initiative=OuterRef("pk"), at__gte=OuterRef("since"), until__gte=clock.today()
    )
    return Q(stage=Stage.MVP, since__lt=clock.now() - timedelta(days=days)) & ~Q(Exists(going_on))


def permanent_pilots(initiatives: QuerySet) -> QuerySet:
    """MVPs older than the rulebook lets an MVP grow without a decision."""
    return initiatives.filter(past_time())


def ending_stages(initiatives: QuerySet) -> QuerySet:
    """Initiatives whose stage ends soon, or has ended: to be continued or stopped, or accepted again."""
    rulebook = Rulebook.objects.in_force()
    return (
        stage_expiry.soon(initiatives, stage_expiry.moments(rulebook.parsed).get)
        if rulebook
        else initiatives.none()
    )


def above_support() -> QuerySet:
    """Funding decisions for a stage that the evidence of their initiative did not support on that day (S1-38)."""
    return FundingDecision.objects.current().exclude(label="")


def funded_above_support(initiatives: QuerySet) -> QuerySet:
    """Initiatives that were given money for a stage that their evidence did not support on that day."""
    return initiatives.filter(pk__in=above_support().values("initiative"))


def expiring(initiatives: QuerySet) -> QuerySet:
    """Initiatives with evidence that goes stale within 30 days."""
    last = clock.today() + timedelta(days=EXPIRING_DAYS)
    return initiatives.filter(stage__in=RUNNING_STAGES, next_expiry_on__lte=last)


def lapsed_production(initiatives: QuerySet) -> QuerySet:
    """Production that its evidence no longer supports."""
    return initiatives.filter(stage=Stage.PRODUCTION, unsupported_stages__gt=0)


def overdue_post_mortems(initiatives: QuerySet) -> QuerySet:
    """Initiatives, closed ones among them, whose post-mortem or retrospective is overdue."""
    open_obligations = Obligation.objects.overdue_on(clock.today()).filter(
        initiative=OuterRef("pk"), kind__in=["post_mortem", "retrospective"]
    )
    return initiatives.filter(Exists(open_obligations))


def to_be_shown(initiatives: QuerySet) -> QuerySet:
    """Imported initiatives whose owner said by when what they lack is shown."""
    said = Obligation.objects.open().filter(initiative=OuterRef("pk"), kind=ObligationKind.SHOWN_BY)
    return initiatives.filter(Exists(said))


def shown_late(initiatives: QuerySet) -> QuerySet:
    """Imported initiatives that show too little after the day that their owner said."""
    said = Obligation.objects.overdue_on(clock.today()).filter(kind=ObligationKind.SHOWN_BY)
    return initiatives.filter(Exists(said.filter(initiative=OuterRef("pk"))))


def vacant_owners(initiatives: QuerySet) -> QuerySet:
    """Running initiatives that had an accepted owner and have none now."""
    owners = RoleAssignment.objects.filter(initiative=OuterRef("pk"), role=Role.OWNER)
    return initiatives.filter(
        Exists(owners.filter(accepted_at__isnull=False)), ~Exists(owners.in_force()), stage__in=RUNNING_STAGES
    )


def withdrawn(initiatives: QuerySet) -> QuerySet:
    """Ideas that were registered by mistake or joined to another initiative."""
    return initiatives.filter(withdrawn_at__isnull=False)


REPORTS = [
    Report(
        "larger-prototypes",
        "Larger prototypes",
        "Approved as MVP; the evidence supports a prototype.",
        larger_prototypes,
    ),
    Report(
        PILOTS,
        "Permanent pilots",
        "MVPs that are older than the rulebook lets an MVP grow without a decision, and the scale tests they fail.",
        permanent_pilots,
    ),
    Report(
        ENDING,
        "Stages that end",
        "Prototypes and MVPs that await their stage time-box review, and production to be accepted again, soon or "
        "overdue.",
        ending_stages,
    ),
    Report(
        "funded-above-support",
        "Funded above supported stage",
        "Given money for a stage that the evidence did not support on the day of the decision.",
        funded_above_support,
    ),
    Report(
        "to-be-shown",
        "To be shown",
        "Imported, with a day by which the owner shows what is missing.",
        to_be_shown,
    ),
    Report(
        "shown-late", "Shown late", "Imported, and the day to show what is missing has passed.", shown_late
    ),
    Report("expiring", "Expiring in 30 days", "Evidence that expires within 30 days.", expiring),
    Report(
        "lapsed-production",
        "Lapsed production",
        "Approved as production; the evidence supports less.",
        lapsed_production,
    ),
    Report(
        "overdue-post-mortems",
        "Overdue post-mortems",
        "Closed or live, with a post-mortem or retrospective that should have been written.",
        overdue_post_mortems,
    ),
    Report("vacant-owners", "Vacant owners", "Had an owner who accepted, and has none now.", vacant_owners),
    Report(
        WITHDRAWN,
        "Registered by mistake",
        "Withdrawn ideas, kept and marked; every other list leaves them out.",
        withdrawn,
    ),
]
