"""The queries for the rows of an inbox (ADR 0020).

The first query reads rows that name the person. The second reads rows of their boards and initiatives. The third
reads rows of people that the person stands in for, and of initiatives whose evidence ages.
"""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, IntegerField, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, JSONObject, Least

from governance.database.batch_read import Batch, Given, Rows
from governance.models import (
    Delegation,
    Membership,
    Rulebook,
    Unit,
    User,
)
from governance.vocabulary import CLOSED_STAGES, RUNNING_STAGES, Role
from initiatives import models
from initiatives.integration.systems.findings import WAITING
from initiatives.models import Initiative, RoleAssignment

NAME, NAMED = ("id", "full_name"), ("id", "name")
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
    "confidential",
)


def kept_since(model, field: str) -> Subquery:
    """Return since when the row of the model has its present value of this field."""
    kept = model.history.model.objects.filter(id=OuterRef("pk"), **{field: OuterRef(field)})
    return Subquery(kept.order_by().values("id").values(first=Min("history_date")))


_now = Given("now")
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
_units = Unit.objects.filter(path__startswith=OuterRef("board__unit__path")).order_by("path")
owned = RoleAssignment.objects.filter(initiative=OuterRef("pk"), role=Role.OWNER, accepted_at__isnull=False)


_waiting_word = (
    models.RequirementFinding.objects.current()
    .filter(
        system=OuterRef("pk"),
        requirement="int.systems_owned",
        source__endswith=f":{WAITING}",
    )
    .to_answer(_now)
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
OF_PERSON = Batch(
    person=Rows(
        User.objects.annotate(
            published_rulebooks=ArraySubquery(Rulebook.objects.published().values("pk")),
            proposed_rulebooks=ArraySubquery(
                _drafts.values(
                    row=JSONObject(
                        version="version",
                        admin="admin",
                        name="admin__full_name",
                        at=kept_since(Rulebook, "admin"),
                    )
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
            open_imports=ArraySubquery(
                _imports.order_by("pk").values(
                    row=JSONObject(pk="pk", file="file_name", at="uploaded_at", source="source")
                )
            ),
            sheet_changes=ArraySubquery(
                _changes.order_by("pk").values(
                    row=JSONObject(
                        number="initiative__number",
                        title="initiative__title",
                        file="batch__file_name",
                        at="batch__uploaded_at",
                    )
                )
            ),
        ),
        "pk",
        only=("id",),
    ),
    seats=Rows(
        Membership.objects.held_at(_now)
        .filter(board__decides_from__isnull=False)
        .annotate(
            units=ArraySubquery(_units.values(row=JSONObject(id="pk", path="path", code="code", name="name")))
        ),
        "person",
        without=("starts_at", "ends_at"),
    ),
    roles=Rows(
        RoleAssignment.objects.open().filter(initiative__withdrawn_at__isnull=True),
        "person",
        joined={"initiative": INITIATIVE, "proposed_by": NAME, "person": NAME},
        without=("accepted_words", "ended_reason"),
    ),
    delegations=Rows(
        Delegation.objects.filter(ended_at__isnull=True, absence__ends_at__gt=_now).annotate(
            away=F("absence__person"),
            who=F("absence__person__full_name"),
            since=F("absence__starts_at"),
            planned=F("absence__planned_at"),
            until=F("absence__ends_at"),
            seat=F("membership__seat"),
            board=F("membership__board__name"),
        ),
        "delegate",
    ),
    program_drafts=Rows(
        models.AnswerDraft.objects.filter(token__isnull=False, initiative__withdrawn_at__isnull=True).exclude(
            initiative__stage__in=CLOSED_STAGES
        ),
        "person",
        without=("fields",),
        joined={"initiative": INITIATIVE, "token": ("id", "name")},
    ),
    handovers=Rows(models.Handover.objects.waiting().annotate(who=F("person__full_name")), "successor"),
    conditions=Rows(
        models.Condition.objects.filter(met_at__isnull=True),
        "owner",
        joined={
            "owner": NAME,
            "review": ("id", "ended_at", "initiative_id"),
            "review__initiative": INITIATIVE,
        },
    ),
    gaps=Rows(
        models.Gap.objects.filter(closed_at__isnull=True).exclude(initiative__basis="import"),
        "owner",
        joined={"owner": NAME, "initiative": INITIATIVE},
    ),
    obligations=Rows(
        models.Obligation.objects.open(),
        "responsible",
        joined={"initiative": INITIATIVE, "responsible": NAME},
    ),
    dependants=Rows(
        models.Dependant.objects.waiting().filter(
            ~Q(initiative__stage__in=CLOSED_STAGES), initiative__withdrawn_at__isnull=True
        ),
        "executive",
        joined={"initiative": INITIATIVE, "stated_by": NAME},
        without=("for_what", "process"),
    ),
    depending=Rows(
        models.Dependant.objects.filter(ended_at__isnull=True)
        .annotate(
            told=Coalesce("executive", "stated_by"),
            held=Subquery(_hold_of_initiative.values("kind")[:1]),
            held_key=Subquery(_hold_of_initiative.values("pk")[:1]),
            held_since=Subquery(_hold_of_initiative.values("opened_at")[:1]),
            lapsed=Subquery(_lapsed_of_initiative.values("due")[:1]),
            lapsed_key=Subquery(_lapsed_of_initiative.values("pk")[:1]),
        )
        .filter(Q(held__isnull=False) | Q(lapsed__isnull=False)),
        "told",
        joined={"initiative": INITIATIVE},
    ),
    stated=Rows(
        models.Evidence.objects.filter(
            details__has_any_keys=["n", "rows", "data_set"],
            withdrawn_at__isnull=True,
            superseded_by__isnull=True,
            initiative__stage__in=RUNNING_STAGES,
            initiative__withdrawn_at__isnull=True,
        ),
        "author",
        joined={"initiative": INITIATIVE},
        only=("id", "initiative_id", "kind", "title", "details", "added_at"),
    ),
    systems=Rows(
        models.System.objects.current()
        .annotate(
            waiting=Coalesce(Subquery(_waiting_word.values(n=Count("pk")), output_field=IntegerField()), 0),
            waits_since=Subquery(_waiting_word.values(first=Min(Least("since", _now)))),
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
    unowned=Rows(
        Initiative.objects.live().filter(~Exists(owned)), "registered_by", only=(*INITIATIVE, "confidential")
    ),
)
# Other tasks of people that someone stands in for.
OF_THE_AWAY = ("roles", "conditions", "obligations", "gaps")
