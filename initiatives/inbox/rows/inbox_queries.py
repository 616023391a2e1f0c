"""The rows an inbox is made of, in two queries: what names the person, and what stands on their boards and
initiatives.

A third is asked about people for whom the person stands in, and about initiatives whose evidence ages. See ADR 0020.
"""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, JSONObject, RowNumber

from governance.database.batch_read import Batch, Given, Rows
from governance.models import (
    ClauseComment,
    ContractApproval,
    ContractVersion,
    Delegation,
    Membership,
    Notification,
    Rulebook,
    Unit,
    User,
)
from governance.people.boards import away
from governance.vocabulary import CLOSED_STAGES, RUNNING_STAGES, BoardRole, ReviewOutcome, Role, Tier
from initiatives import models
from initiatives.integration.systems.findings import WAITING
from initiatives.lifecycle.facts import stage_expiry
from initiatives.lifecycle.findings.alerts import UNTIL_READ
from initiatives.models import Initiative, RoleAssignment, SignOff

_NAME, _NAMED = ("id", "full_name"), ("id", "name")
INITIATIVE = (
    "id",
    "number",
    "title",
    "unit_id",
    "stage",
    "basis",
    "since",
    "registered_by_id",
    "registered_at",
    "tier",
    "proposed_tier",
    "reattested_at",
    "withdrawn_at",
)
# A chair works through ends oldest first; one line says how many more there are.
MOST_ENDING = 20

_now = Given("now")
_unread = Notification.objects.unread().filter(person=OuterRef("pk")).order_by().values("person")
_drafts = Rulebook.objects.filter(published_at__isnull=True, admin__isnull=False).order_by("-pk")
_imports = models.ImportBatch.objects.current().filter(confirmed_at__isnull=True, repeats__isnull=True)
# Rows of sheets that propose changes of what the person owns, and that nobody answered.
_changes = (
    models.ImportRow.objects.proposing_changes()
    .filter(
        batch__in=models.ImportBatch.objects.current(),
        initiative__withdrawn_at=None,
        initiative__roles__in=RoleAssignment.objects.filter(
            person=OuterRef(OuterRef("pk")), role=Role.OWNER, accepted_at__isnull=False, ended_at__isnull=True
        ),
    )
    .exclude(initiative__stage__in=CLOSED_STAGES)
)
# What seats answer: business terms and terms of vendors at once, all else once an owner had a week to.
_proposals = models.ProposedChange.objects.waiting()
_place = Coalesce(F("system__name"), F("vendor__name"), F("term__name"), KT("fields__name"))
_units = Unit.objects.filter(path__startswith=OuterRef("board__unit__path")).order_by("path")
_owned = RoleAssignment.objects.filter(initiative=OuterRef("pk"), role=Role.OWNER, accepted_at__isnull=False)

_waiting_word = (
    models.RequirementFinding.objects.current()
    .filter(
        system=OuterRef("pk"),
        requirement="int.systems_owned",
        source__endswith=f":{WAITING}",
        since__lte=_now,
    )
    .order_by()
    .values("system")
)

_hold_of_initiative = (
    models.Hold.objects.open()
    .filter(
        initiative=OuterRef("initiative"),
        initiative__stage__in=RUNNING_STAGES,
        initiative__withdrawn_at__isnull=True,
    )
    .order_by("opened_at", "pk")
)
_lapsed_of_initiative = (
    models.Obligation.objects.open()
    .filter(initiative=OuterRef("initiative"), kind="step_back", due__lt=Given("today"))
    .order_by("due")
)
_to_read = (
    Notification.objects.unread()
    .filter(person=OuterRef("pk"), kind__in=UNTIL_READ)
    .order_by("created_at", "pk")
)

OF_PERSON = Batch(
    person=Rows(
        User.objects.annotate(
            newest_rulebook=Subquery(Rulebook.objects.published().values("pk")[:1]),
            unread_notifications=Coalesce(
                Subquery(_unread.values(n=Count("pk")), output_field=IntegerField()), 0
            ),
            to_read=ArraySubquery(
                _to_read.values(
                    row=JSONObject(
                        pk="pk", subject="subject", text="text", ref="initiative_ref", at="created_at"
                    )
                )
            ),
            proposed_rulebooks=ArraySubquery(
                _drafts.values(row=JSONObject(version="version", admin="admin", name="admin__full_name"))
            ),
            shared_proposals=ArraySubquery(
                _proposals.order_by("pk").values(
                    row=JSONObject(pk="pk", kind="kind", by="by", who="by__full_name", at="at", place=_place)
                )
            ),
            unconfirmed_terms=ArraySubquery(
                models.VendorTerm.objects.unconfirmed()
                .order_by("pk")
                .values(
                    row=JSONObject(
                        pk="pk", vendor="vendor__name", reference="reference", who="by__full_name", at="at"
                    )
                )
            ),
            intake_invitations=ArraySubquery(
                models.IntakeRequest.objects.to_invite()
                .order_by("pk")
                .values(
                    row=JSONObject(pk="pk", unit="unit__name", at="decided_at", number="initiative__number")
                )
            ),
            open_imports=ArraySubquery(
                _imports.order_by("pk").values(
                    row=JSONObject(pk="pk", file="file_name", at="uploaded_at", source="source")
                )
            ),
            sheet_changes=ArraySubquery(
                _changes.order_by("pk").values(
                    row=JSONObject(
                        number="initiative__number", title="initiative__title", file="batch__file_name"
                    )
                )
            ),
        ),
        "pk",
        only=("id",),
    ),
    seats=Rows(
        Membership.objects.held_at(_now).annotate(
            units=ArraySubquery(_units.values(row=JSONObject(id="pk", path="path", code="code", name="name")))
        ),
        "person",
        without=("starts_at", "ends_at"),
    ),
    roles=Rows(
        RoleAssignment.objects.open().filter(initiative__withdrawn_at__isnull=True),
        "person",
        joined={"initiative": INITIATIVE, "proposed_by": _NAME, "person": _NAME},
        without=("accepted_words", "ended_reason"),
    ),
    delegations=Rows(
        Delegation.objects.filter(ended_at__isnull=True, absence__ends_at__gt=_now).annotate(
            away=F("absence__person"),
            who=F("absence__person__full_name"),
            since=F("absence__starts_at"),
            until=F("absence__ends_at"),
            seat=F("membership__seat"),
            board=F("membership__board__name"),
        ),
        "delegate",
    ),
    handovers=Rows(models.Handover.objects.waiting().annotate(who=F("person__full_name")), "successor"),
    conditions=Rows(
        models.Condition.objects.filter(met_at__isnull=True).annotate(
            initiative_title=F("review__initiative__title"), initiative_number=F("review__initiative__number")
        ),
        "owner",
        joined={"owner": _NAME},
    ),
    obligations=Rows(
        models.Obligation.objects.open(),
        "responsible",
        joined={"initiative": INITIATIVE, "responsible": _NAME},
    ),
    dependants=Rows(
        models.Dependant.objects.waiting().filter(
            ~Q(initiative__stage__in=CLOSED_STAGES), initiative__withdrawn_at__isnull=True
        ),
        "executive",
        joined={"initiative": INITIATIVE, "stated_by": _NAME},
        without=("for_what", "process"),
    ),
    depending=Rows(
        models.Dependant.objects.filter(ended_at__isnull=True)
        .annotate(
            told=Coalesce("executive", "stated_by"),
            held=Subquery(_hold_of_initiative.values("kind")[:1]),
            lapsed=Subquery(_lapsed_of_initiative.values("due")[:1]),
        )
        .filter(Q(held__isnull=False) | Q(lapsed__isnull=False)),
        "told",
        joined={"initiative": INITIATIVE},
    ),
    systems=Rows(
        models.System.objects.current()
        .annotate(
            waiting=Coalesce(Subquery(_waiting_word.values(n=Count("pk")), output_field=IntegerField()), 0)
        )
        .filter(waiting__gt=0),
        "owner",
        only=("id", "name", "owner_id"),
    ),
    accounts=Rows(
        models.ServiceAccount.objects.open()
        .filter(review_by__isnull=False, system__retired_at__isnull=True)
        .annotate(place=F("system__name")),
        "owner",
        without=("privileges", "closed_reason"),
    ),
    proposals=Rows(
        models.ProposedChange.objects.waiting().annotate(who=F("by__full_name"), place=F("system__name")),
        "system__owner",
        without=("fields",),
    ),
    account_proposals=Rows(
        models.ProposedChange.objects.waiting().annotate(who=F("by__full_name"), place=F("system__name")),
        "account__owner",
        without=("fields",),
    ),
    unowned=Rows(
        Initiative.objects.live().filter(~Exists(_owned)), "registered_by", only=(*INITIATIVE, "confidential")
    ),
)
# What else is asked of people for whom somebody stands in.
OF_THE_AWAY = ("roles", "conditions", "obligations")

_against = models.RequirementFinding.objects.current().filter(
    initiative=OuterRef("initiative"), hold=OuterRef("kind"), since__lte=_now
)
_current_holds = (
    models.Hold.objects.open()
    .filter(initiative__stage__in=RUNNING_STAGES, initiative__withdrawn_at__isnull=True)
    .annotate(against=ArraySubquery(_against.order_by().values("requirement").distinct()))
)
_lapsed = models.Obligation.objects.open().filter(kind="step_back", due__lt=Given("today"))
_stewards = RoleAssignment.objects.open().filter(initiative=OuterRef("initiative"), role=Role.DATA_STEWARD)
_signed = ContractApproval.objects.filter(version=OuterRef("pk"), digest=OuterRef("digest")).order_by("pk")
_objecting = ClauseComment.objects.objections().filter(contract=OuterRef("contract")).order_by("pk")
_answered = models.Answer.objects.filter(initiative=OuterRef("pk")).order_by()
_ending = (
    stage_expiry.soon(Initiative.objects.all(), Given)
    .annotate(
        continued=ArraySubquery(stage_expiry.going_on().values("until")),
        in_all=Window(Count("pk"), partition_by="unit"),
        place=Window(RowNumber(), partition_by="unit", order_by=("since", "pk")),
    )
    .filter(place__lte=MOST_ENDING)
)
_covers = models.Coverage.objects.filter(evidence=OuterRef("pk")).order_by("pk")
_answers = models.ApprovalAnswer.objects.filter(request=OuterRef("pk")).order_by()

# Each table is asked with the units or the initiatives that matter to it: `inbox_look.Look.current_there`.
AROUND = Batch(
    reviews=Rows(
        models.Review.objects.filter(outcome=ReviewOutcome.OPEN),
        "initiative__unit",
        joined={"initiative": INITIATIVE},
        without=("findings", "reason"),
        keys="seated",
    ),
    sign_offs=Rows(
        SignOff.objects.latest().filter(review__outcome=ReviewOutcome.OPEN),
        "review__initiative__unit",
        joined={"person": _NAME},
        only=("id", "review_id", "seat", "person_id", "verdict", "at"),
        keys="seated",
    ),
    own_reviews=Rows(
        models.Review.objects.filter(outcome=ReviewOutcome.OPEN),
        "initiative",
        joined={"initiative": INITIATIVE, "initiative__unit": ("id", "path", "code", "name")},
        without=("findings", "reason"),
        keys="initiatives",
    ),
    holds=Rows(_current_holds, "initiative__unit", joined={"initiative": INITIATIVE}, keys="seated"),
    own_holds=Rows(_current_holds, "initiative", joined={"initiative": INITIATIVE}, keys="initiatives"),
    lapsed=Rows(_lapsed, "initiative__unit", joined={"initiative": INITIATIVE}, keys="seated"),
    own_lapsed=Rows(_lapsed, "initiative", joined={"initiative": INITIATIVE}, keys="initiatives"),
    waivers=Rows(
        models.Waiver.objects.unanswered(),
        "initiative__unit",
        joined={"initiative": INITIATIVE, "requested_by": _NAME},
        keys="waived",
    ),
    contracts=Rows(
        ContractVersion.objects.filter(state=ContractVersion.IN_REVIEW).annotate(
            signed=ArraySubquery(_signed.values("seat")),
            objecting=ArraySubquery(_objecting.values("seat")),
            initiative_pk=F("contract__initiative"),
            initiative_unit=F("contract__initiative__unit"),
            initiative_title=F("contract__initiative__title"),
            initiative_number=F("contract__initiative__number"),
        ),
        "contract__initiative__unit",
        joined={"author": _NAME},
        keys="signing",
    ),
    contract_objections=Rows(
        ClauseComment.objects.objections().annotate(
            who=F("by__full_name"),
            initiative_title=F("contract__initiative__title"),
            initiative_number=F("contract__initiative__number"),
        ),
        "contract__initiative",
        keys="owned",
    ),
    tiers=Rows(
        Initiative.objects.live().filter(
            ~Q(proposed_tier=""), ~Q(proposed_tier=F("tier")), stage__in=RUNNING_STAGES
        ),
        "unit",
        only=(*INITIATIVE, "confidential"),
        keys="risky",
    ),
    exceptions=Rows(
        models.Answer.objects.filter(
            Q(accepted_at__isnull=True) | Q(initiative__tier=Tier.HIGH),
            kind="not_applicable",
            second_at__isnull=True,
            initiative__stage__in=RUNNING_STAGES,
            initiative__withdrawn_at__isnull=True,
        ),
        "initiative__unit",
        joined={"initiative": INITIATIVE, "by": _NAME},
        without=("text",),
        keys="seated",
    ),
    ending=Rows(_ending, "unit", only=INITIATIVE, keys="ended"),
    intake=Rows(
        models.IntakeRequest.objects.waiting(),
        "unit",
        joined={"unit": _NAMED},
        only=("id", "unit_id", "problem", "received_at"),
        keys="chaired",
    ),
    chairs=Rows(
        Membership.objects.held_at(_now).filter(~away(_now), seat=BoardRole.CHAIR),
        "board",
        keys="boards",
    ),
    questions=Rows(
        models.Question.objects.filter(review__outcome=ReviewOutcome.OPEN, answered_at__isnull=True).annotate(
            expires_at=F("review__expires_at"), initiative=F("review__initiative")
        ),
        "review__initiative",
        keys="owned",
    ),
    switched_off=Rows(
        models.KillSwitch.objects.filter(released_at__isnull=True),
        "initiative",
        joined={"pressed_by": _NAME},
        keys="initiatives",
    ),
    answered=Rows(
        Initiative.objects.annotate(answered=ArraySubquery(_answered.values("requirement"))),
        "pk",
        only=("id",),
        keys="initiatives",
    ),
    conflicts=Rows(
        models.DefinitionConflict.objects.open().annotate(
            one_term=F("one__term__name"), other_term=F("other__term__name"), steward=Exists(_stewards)
        ),
        "initiative",
        only=("id", "initiative_id"),
        keys="reconciled",
    ),
    spans=Rows(
        models.SupportedStagePeriod.objects.covering(_now),
        "initiative",
        without=(
            "supported",
            "unsupported_stages",
            "label",
            "governance",
            "integration",
            "adoption",
            "held",
            "profile",
            "to_verify",
        ),
        keys="initiatives",
    ),
    to_verify=Rows(
        models.SupportedStagePeriod.objects.covering(_now).filter(
            to_verify__isnull=False, initiative__withdrawn_at__isnull=True
        ),
        "initiative__unit",
        joined={"initiative": INITIATIVE},
        only=("id", "initiative_id", "to_verify"),
        keys="seated",
    ),
    changes=Rows(
        models.ChangeRecord.objects.filter(Q(approver__isnull=True) | Q(rollback=""), ~Q(layer="")),
        "initiative",
        without=("triggers",),
        keys="recorded",
    ),
    ending_components=Rows(
        models.Deployment.objects.current_at(_now)
        .filter(version__end_of_life__isnull=False)
        .order_by("version__end_of_life", "pk"),
        "initiative",
        joined={
            "version": ("id", "layer", "name", "version", "region", "end_of_life", "successor_id"),
            "version__successor": ("id", "name", "version", "region"),
        },
        keys="recorded",
    ),
    log_findings=Rows(
        models.RequirementFinding.objects.current()
        .filter(source__startswith="interactions:", since__lte=_now)
        .order_by("since", "pk"),
        "initiative",
        only=("id", "initiative_id", "source", "words", "fix"),
        keys="recorded",
    ),
    approvals=Rows(
        models.ApprovalRequest.objects.waiting_at(_now)
        .in_words()
        .annotate(
            amount=F("arguments__action__properties__amount"),
            currency=F("arguments__action__properties__currency"),
            answered=ArraySubquery(_answers.values(row=JSONObject(by="person", behalf_of="on_behalf_of"))),
        ),
        "initiative",
        joined={"key": ("id", "system")},
        without=("arguments", "clauses", "why"),
        keys="initiatives",
    ),
    accepted_again=Rows(
        models.Evidence.objects.filter(acceptance__isnull=False, acceptance__ended_at__isnull=True).annotate(
            who=F("acceptance__person"), role=F("acceptance__role")
        ),
        "initiative",
        without=("note", "link"),
        keys="renewed",
    ),
)


def ageing(initiatives: list[int]) -> QuerySet:
    """What these initiatives rest on now, each item with the requirements it `covers`; only for initiatives whose
    evidence ages.
    """
    items = models.Evidence.objects.filter(withdrawn_at__isnull=True, superseded_by__isnull=True)
    return (
        items.filter(initiative__in=initiatives)
        .annotate(covers=ArraySubquery(_covers.values("requirement")))
        .order_by("pk")
    )
