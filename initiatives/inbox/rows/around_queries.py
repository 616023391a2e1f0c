"""The rows of an inbox around the boards, units and initiatives of a person, in one query (`inbox_queries`)."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Window
from django.db.models.functions import Coalesce, JSONObject, RowNumber

from governance.database.batch_read import Batch, Given, Rows
from governance.models import (
    ClauseComment,
    ContractApproval,
    ContractVersion,
    Membership,
)
from governance.people.boards import away
from governance.vocabulary import CLOSED_STAGES, RUNNING_STAGES, BoardRole, ReviewOutcome, Role, Stage, Tier
from initiatives import models
from initiatives.inbox.rows.inbox_queries import INITIATIVE, NAME, kept_since, owned
from initiatives.integration.resilience.drill_findings import UNDRILLED
from initiatives.lifecycle.access.signers import Consents, Speaks
from initiatives.lifecycle.evidence.verification import second_looks
from initiatives.lifecycle.facts import stage_expiry
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.models import Initiative, RoleAssignment, SignOff

_now = Given("now")
_later_scopes = models.ScopeVersion.objects.filter(
    Q(starts_at__isnull=True) | Q(starts_at__gt=OuterRef("tier_confirmed_at")),
    ~Q(number=Coalesce(OuterRef("tier_scope"), 0)),
    initiative=OuterRef("pk"),
    ended_at__isnull=True,
)
# Ideas and prototypes that their owner left, where no one else is asked. A later stage has a hold.
_left = (
    Initiative.objects.live()
    .filter(
        Exists(owned),
        ~Exists(RoleAssignment.objects.open().filter(initiative=OuterRef("pk"), role=Role.OWNER)),
        stage__in=(Stage.PROPOSED, Stage.PROTOTYPE),
    )
    .exclude(basis="import")
    .annotate(left_at=Subquery(owned.order_by("-ended_at").values("ended_at")[:1]))
)
# A chair works through ends oldest first; one line says how many more there are.
MOST_ENDING = 20
_against = models.RequirementFinding.objects.current().filter(
    initiative=OuterRef("initiative"), hold=OuterRef("kind"), since__lte=_now
)
_current_holds = (
    models.Hold.objects.open()
    .filter(initiative__stage__in=RUNNING_STAGES, initiative__withdrawn_at__isnull=True)
    .annotate(against=ArraySubquery(_against.order_by().values("requirement").distinct()))
)
_risks = (
    models.AcceptedRisk.objects.live()
    .filter(initiative__withdrawn_at__isnull=True)
    .exclude(initiative__stage__in=CLOSED_STAGES)
)
_lapsed = models.Obligation.objects.open().filter(kind="step_back", due__lt=Given("today"))
_stewards = RoleAssignment.objects.open().filter(initiative=OuterRef("initiative"), role=Role.DATA_STEWARD)
_signed = ContractApproval.objects.filter(
    Consents("version__contract__initiative", "person", "seat", "at", _now),
    version=OuterRef("pk"),
    digest=OuterRef("digest"),
).order_by("pk")
_objecting = ClauseComment.objects.objections().filter(contract=OuterRef("contract")).order_by("pk")
# Pipelines whose results can be measured. The keys of the others were entered by a person.
_pipelines = models.Pipeline.objects.current().filter(
    keys=[], initiative__stage__in=RUNNING_STAGES, initiative__withdrawn_at__isnull=True
)
_bars_to_confirm = (
    models.PipelineBar.objects.current()
    .filter(Q(confirmed_until__isnull=True) | Q(confirmed_until__lte=_now), pipeline=OuterRef("pk"))
    .order_by("pk")
)
_ending = (
    stage_expiry.soon(Initiative.objects.all(), Given)
    .annotate(
        continued=ArraySubquery(stage_expiry.going_on().values("until")),
        accepted_roles=ArraySubquery(
            stage_expiry.acceptances(Given("accepted_from"))
            .filter(initiative=OuterRef("pk"))
            .values("acceptance__role")
        ),
        in_all=Window(Count("pk"), partition_by="unit"),
        place=Window(RowNumber(), partition_by="unit", order_by=("since", "pk")),
    )
    .filter(place__lte=MOST_ENDING)
)
_covers = models.Coverage.objects.filter(evidence=OuterRef("pk")).order_by("pk")
_verifiers = models.Verification.objects.filter(
    evidence=OuterRef("evidence"),
    requirement=OuterRef("requirement"),
    answer_version=OuterRef("answer_version"),
).order_by()
_answers = models.ApprovalAnswer.objects.filter(request=OuterRef("pk")).order_by()
_lent_answers = _answers.filter(
    Speaks("request__initiative", "person", "on_behalf_of", "role", "at", _now), on_behalf_of__isnull=False
)

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
        joined={"person": NAME},
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
        models.Waiver.objects.unanswered().annotate(
            **{
                f"{part.column}_counts": Consents(
                    "initiative", part.column, part.seats, f"{part.column}_at", _now
                )
                for part in WAIVERS.parts
            }
        ),
        "initiative__unit",
        joined={"initiative": INITIATIVE, "requested_by": NAME},
        keys="waived",
    ),
    accepted_risks=Rows(
        _risks,
        "initiative__unit",
        joined={"initiative": INITIATIVE, "requested_by": NAME, "risk": NAME},
        keys="risky",
    ),
    own_accepted_risks=Rows(
        _risks.filter(risk_at__isnull=False), "initiative", joined={"initiative": INITIATIVE}, keys="owned"
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
        joined={"author": NAME},
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
    # A tier that is proposed, or that was confirmed for another purpose or before a scope that is planned or in force;
    # which of these scopes it covers all the same, `Initiative.scopes_without_tier` says.
    tiers=Rows(
        Initiative.objects.live()
        .filter(
            ~Q(proposed_tier=F("tier")) | Exists(_later_scopes) | Q(purpose_changed_at__isnull=False),
            ~Q(proposed_tier=""),
            stage__in=RUNNING_STAGES,
        )
        .annotate(tier_proposed_at=kept_since(Initiative, "proposed_tier")),
        "unit",
        only=(
            *INITIATIVE,
            "confidential",
            "problem",
            "tier_confirmed_at",
            "tier_scope",
            "tier_purpose",
            "purpose_changed_at",
        ),
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
        joined={"initiative": INITIATIVE, "by": NAME},
        without=("text",),
        keys="seated",
    ),
    alone=Rows(
        models.StandaloneDeclaration.objects.filter(
            Q(accepted_at__isnull=True) | Q(initiative__tier=Tier.HIGH, second_at__isnull=True),
            ended_at__isnull=True,
            initiative__stage__in=RUNNING_STAGES,
            initiative__withdrawn_at__isnull=True,
        ),
        "initiative__unit",
        joined={"initiative": INITIATIVE, "declared_by": NAME},
        without=("reason",),
        keys="seated",
    ),
    pipelines=Rows(
        _pipelines.filter(
            Q(confirmed_until__isnull=True) | Q(confirmed_until__lte=_now) | Exists(_bars_to_confirm)
        ).annotate(
            to_confirm=ArraySubquery(
                _bars_to_confirm.values(row=JSONObject(pk="pk", requirement="requirement", at="at"))
            )
        ),
        "initiative__unit",
        joined={"initiative": INITIATIVE, "by": NAME},
        only=("id", "initiative_id", "name", "at", "by_id", "confirmed_until"),
        keys="seated",
    ),
    without_bar=Rows(
        _pipelines.filter(~Exists(models.PipelineBar.objects.current().filter(pipeline=OuterRef("pk")))),
        "initiative",
        only=("id", "initiative_id", "name", "at"),
        keys="recorded",
    ),
    left=Rows(_left, "unit", only=INITIATIVE, keys="chaired"),
    left_to_sponsor=Rows(_left, "pk", only=INITIATIVE, keys="sponsored"),
    ending=Rows(_ending, "unit", only=INITIATIVE, keys="ended"),
    found_models=Rows(
        models.FoundModel.objects.waiting(),
        "unit",
        only=("id", "unit_id", "name", "found_at"),
        keys="chaired",
    ),
    models_to_record=Rows(
        models.FoundModel.objects.to_record().annotate(
            recorded=ArraySubquery(
                models.Deployment.objects.filter(initiative=OuterRef("initiative")).values(
                    row=JSONObject(name="version__name", version="version__version")
                )
            )
        ),
        "initiative",
        only=("id", "initiative_id", "key", "name", "answered_at"),
        keys="recorded",
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
        joined={"pressed_by": NAME},
        keys="initiatives",
    ),
    conflicts=Rows(
        models.DefinitionConflict.objects.open().annotate(
            one_term=F("one__term__name"), other_term=F("other__term__name"), steward=Exists(_stewards)
        ),
        "initiative",
        only=("id", "initiative_id", "found_at"),
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
    scopes=Rows(
        models.ScopeVersion.objects.all(),
        "initiative",
        joined={"initiative": ("id", "tier_confirmed_at", "tier_scope")},
        keys="owned",
    ),
    second_looks=Rows(
        second_looks.waiting().annotate(
            drawn_at=F("drawn__drawn_at"), verifiers=ArraySubquery(_verifiers.values("verifier"))
        ),
        "evidence__initiative__unit",
        joined={
            "evidence": ("id", "title", "author_id", "initiative_id"),
            "evidence__initiative": INITIATIVE,
        },
        only=("id", "requirement", "evidence_id"),
        keys="seated",
    ),
    changes=Rows(
        models.ChangeRecord.objects.filter(Q(approver__isnull=True) | Q(rollback=""), ~Q(layer="")),
        "initiative",
        without=("triggers",),
        keys="recorded",
    ),
    ending_waivers=Rows(
        models.Waiver.objects.granted().filter(until__gte=Given("today")),
        "initiative",
        joined={"initiative": INITIATIVE, "requested_by": NAME},
        keys="owned",
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
    drills=Rows(
        models.Drill.objects.current().filter(link__ended_at__isnull=True),
        "initiative",
        joined={"link": ("id", "system_id"), "link__system": ("id", "name")},
        without=("expected", "happened"),
        keys="recorded",
    ),
    first_drills=Rows(
        models.RequirementFinding.objects.current()
        .filter(source__endswith=UNDRILLED, since__gt=_now)
        .order_by("since", "pk"),
        "initiative",
        only=("id", "initiative_id", "source", "fix", "since"),
        keys="recorded",
    ),
    log_findings=Rows(
        models.RequirementFinding.objects.current()
        .filter(source__startswith="interactions:", since__lte=_now)
        .order_by("since", "pk"),
        "initiative",
        only=("id", "initiative_id", "source", "words", "fix", "since"),
        keys="recorded",
    ),
    approvals=Rows(
        models.ApprovalRequest.objects.waiting_at(_now)
        .in_words()
        .annotate(
            amount=F("arguments__action__properties__amount"),
            currency=F("arguments__action__properties__currency"),
            answered=ArraySubquery(_answers.values("person")),
            spoken_for=ArraySubquery(_lent_answers.values("on_behalf_of")),
        ),
        "initiative",
        joined={"key": ("id", "system")},
        without=("arguments", "clauses", "why"),
        keys="initiatives",
    ),
    accepted_again=Rows(
        stage_expiry.acceptances(Given("accepted_from")).annotate(role=F("acceptance__role")),
        "initiative",
        without=("note", "link"),
        keys="renewed",
    ),
)

_roles = RoleAssignment.objects.open().filter(
    initiative=OuterRef("initiative"), accepted_at__isnull=False, person__is_active=True
)
# The evidence in use that may count from one of the days `began`, `first` the earliest of them. A file counts from the
# first day on which its content was seen, which is not after its own. `people` are those of its initiative by role.
AGEING = Batch(
    items=Rows(
        models.Evidence.objects.filter(
            Q(observed_on=Given("began", "ANY({}::date[])"))
            | ~Q(sha256="") & Q(observed_on__gte=Given("first")),
            withdrawn_at__isnull=True,
            superseded_by__isnull=True,
        ).annotate(
            covers=ArraySubquery(_covers.values("requirement")),
            people=ArraySubquery(_roles.order_by("-pk").values(row=JSONObject(role="role", person="person"))),
        ),
        "initiative",
        only=("id", "initiative_id", "kind", "title", "observed_on", "generated", "details"),
    )
)
