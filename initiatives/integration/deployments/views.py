"""The page of what an initiative runs: components, scopes, changes and dependants."""

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.models import Rulebook
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.plumbline import day, stage_word
from governance.transparency_log import as_of
from governance.vocabulary import EARLY_STAGES, RUNNING_STAGES, STAGE_RANK
from governance.web.middleware import on_any_day
from initiatives.contracts.documents import control_mapping
from initiatives.contracts.documents.control_forms import DecisionForm
from initiatives.integration.components import actions as components_actions
from initiatives.integration.components.evaluations.presentation import shown
from initiatives.integration.components.findings import end_of
from initiatives.integration.components.forms import ComponentForm
from initiatives.integration.components.queries import seen_by
from initiatives.integration.residency.unknown_regions import say_strange
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.changes import actions as change_actions
from initiatives.lifecycle.changes.forms import ChangeForm, CompleteForm
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, page_of
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    STRUCK_OUT,
    PageStep,
    RowAct,
    on_initiative,
    with_buttons,
)
from initiatives.lifecycle.initiative_pages import banners
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.lifecycle.scope.forms import PlannedScopeForm
from initiatives.models import ArchitectureDecision, ChangeRecord, Initiative


@on_any_day(initiative_lookup.initiative_on_any_day)
def deployments(request, ref):
    """Show components, architecture decisions, scopes, changes and dependants."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "deployments")
    rows = initiative.deployments.select_related("version__vendor").order_by(
        "version__layer", "part", "-runs_from"
    )
    changes = initiative.changes.select_related("approver", "recorded_by").order_by("-effective_at", "-id")
    evaluations = initiative.model_evaluations.select_related(
        "deployment__version", "declared_by", "result_by", "withdrawn_by"
    )
    context |= {
        "title": _("Versions and scope"),
        "banners": [*context["banners"], *banners.runs_without(initiative, context["judged"])],
        "deployments": [(one, end_of(one.version)) for one in rows],
        "decisions": list(
            initiative.architecture_decisions.select_related("by", "withdrawn_by").order_by(
                "-decided_on", "-id"
            )
        ),
        "scopes": sorted(initiative_rows.rows(initiative, "scopes"), key=lambda row: -row.number),
        "page": page_of(request, changes, 15),
        "evaluations": [] if as_of.current() else shown(evaluations.order_by("-declared_on", "-pk")),
        "may_evaluate": context["may"].collaborate,
        "too_early": initiative.stage in EARLY_STAGES,
        "dependants": with_buttons(
            initiative.dependants.filter(ended_at__isnull=True).select_related("executive"), request.user
        ),
    }
    return render(request, "initiatives/deployments/deployments.html", context)


NAMED = ("layer", "name", "vendor", "region", "listed", "replaces")  # what a link to the form can say


INITIATIVE_ACTS["record-version"] = PageStep(
    may=initiative_permissions.may_change_what_runs,
    act=components_actions.record_component,
    then=lambda request, made: say_strange(request, [made.region]),
    form=ComponentForm,
    given=lambda initiative, request: {
        "initial": {name: request.GET.get(name, "") for name in NAMED},
        "initiative": initiative,
        "listed": seen_by(request.user),
    },
    page="deployments",
    title=gettext_lazy("Record a version"),
    lede=gettext_lazy(
        "Evidence that names the earlier version no longer counts. Evidence that names the new version "
        "counts."
    ),
    verb=gettext_lazy("Record the version"),
    another=gettext_lazy("Record the version and add another"),
    done=gettext_lazy("The version is recorded."),
)


def _scope_form(initiative: Initiative, request: SignedInRequest) -> dict:
    rank = STAGE_RANK.get(initiative.stage, 0)
    next_stage = RUNNING_STAGES[rank + 1] if rank + 1 < len(RUNNING_STAGES) else ""
    return {"initiative": initiative, "next_stage": next_stage, "next_word": stage_word(next_stage)}


INITIATIVE_ACTS["record-scope"] = PageStep(
    may=initiative_permissions.may_change_what_runs,
    act=scope_actions.record_scope,
    form=PlannedScopeForm,
    given=_scope_form,
    page="deployments",
    title=gettext_lazy("Record the scope"),
    lede=gettext_lazy("If the new scope is wider, evidence for the narrower scope no longer counts."),
    verb=gettext_lazy("Record the scope"),
    done=gettext_lazy("The scope is recorded."),
)


INITIATIVE_ACTS["report-change"] = PageStep(
    may=initiative_permissions.may_change_what_runs,
    act=change_actions.report_change,
    form=ChangeForm,
    given=lambda initiative, request: {"rulebook": Rulebook.objects.current().parsed},
    page="deployments",
    title=gettext_lazy("Report a change"),
    lede=gettext_lazy(
        "Report a change that is not a new version. For example, a source moved, contract terms changed, "
        "or a workflow was redesigned."
    ),
    verb=gettext_lazy("Record the change"),
    done=gettext_lazy("The change is recorded."),
)


ROW_ACTS["changes/complete"] = RowAct(
    rows=ChangeRecord.objects.select_related("initiative__unit"),
    may=on_initiative(initiative_permissions.may_change_what_runs),
    act=change_actions.complete_change,
    noun="change",
    page="deployments",
    form=CompleteForm,
    given=lambda row, request: {"initial": {"approver": row.approver, "rollback": row.rollback}},
    title=gettext_lazy("Complete the change"),
    lede=lambda row: row.what,
    verb=gettext_lazy("Save"),
    done=gettext_lazy("The change is complete."),
)


INITIATIVE_ACTS["record-decision"] = PageStep(
    may=initiative_permissions.may_change_what_runs,
    act=control_mapping.record_architecture_decision,
    form=DecisionForm,
    page="deployments",
    title=gettext_lazy("Record an architecture decision"),
    lede=gettext_lazy("The board sees whether a decision was made before the contract came into force."),
    verb=gettext_lazy("Record the decision"),
    done=gettext_lazy("The decision is recorded."),
)


ROW_ACTS["architecture/withdraw"] = RowAct(
    rows=ArchitectureDecision.objects.select_related("initiative__unit"),
    may=on_initiative(initiative_permissions.may_change_what_runs),
    act=control_mapping.withdraw_architecture_decision,
    noun="decision",
    page="deployments",
    title=gettext_lazy("Withdraw an architecture decision"),
    lede=lambda row: f"{row.title}, decided on {day(row.decided_on)}.",
    happens=(STRUCK_OUT,),
    verb=gettext_lazy("Withdraw the decision"),
    done=gettext_lazy("The decision is withdrawn."),
)
