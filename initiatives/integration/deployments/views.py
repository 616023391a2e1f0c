"""What runs and for whom: components, scope, changes, and who depends on it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.models import Rulebook
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import EARLY_STAGES, RUNNING_STAGES, STAGE_RANK
from governance.web.middleware import on_any_day
from initiatives.contracts.documents import control_mapping
from initiatives.contracts.documents.control_forms import DecisionForm
from initiatives.contributions import contributed, parts_shown
from initiatives.integration.components import actions as components_actions
from initiatives.integration.components.findings import end_of
from initiatives.integration.components.forms import ComponentForm
from initiatives.integration.components.queries import seen_by
from initiatives.integration.deployments import preview
from initiatives.integration.residency.unknown_regions import say_strange
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.changes import actions as change_actions
from initiatives.lifecycle.changes.forms import ChangeForm, CompleteForm
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.initiative_frame import (
    ask,
    fix,
    initiative_context,
    one_act,
    page_of,
    sent,
)
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, STRUCK_OUT, RowAct, on_initiative
from initiatives.lifecycle.initiative_pages import banners
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.lifecycle.scope.forms import PlannedScopeForm
from initiatives.models import ArchitectureDecision, ChangeRecord


@on_any_day(initiative_lookup.initiative_on_any_day)
def deployments(request, ref):
    """Components with their versions, decisions on architecture, scopes, changes, dependants."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "deployments")
    rows = initiative.deployments.select_related("version__vendor").order_by(
        "version__layer", "part", "-runs_from"
    )
    changes = initiative.changes.select_related("approver", "recorded_by").order_by("-effective_at", "-id")
    context |= {
        "title": _("Versions and scope"),
        "banners": [*context["banners"], *banners.enforced_elsewhere(initiative, context["now"])],
        "deployments": [(one, end_of(one.version)) for one in rows],
        "decisions": list(
            initiative.architecture_decisions.select_related("by", "withdrawn_by").order_by(
                "-decided_on", "-id"
            )
        ),
        "scopes": sorted(initiative_rows.rows(initiative, "scopes"), key=lambda row: -row.number),
        "page": page_of(request, changes, 15),
        "parts": parts_shown(
            contributed.beside_deployments,
            request.user,
            (initiative, request.build_absolute_uri("/")[:-1]),
        ),
        "too_early": initiative.stage in EARLY_STAGES,
        "dependants": list(initiative.dependants.filter(ended_at__isnull=True).select_related("executive")),
    }
    return render(request, "initiatives/deployments/deployments.html", context)


def _two_steps(request, initiative, form, *, look, save, done: str, **page):
    """A form that shows what it would change before it is saved: `look` says it, `save` is the one act.

    With `another`, the words of a button that saves and leads to the empty form again.
    """
    effects = None
    if request.method == "POST" and form.is_valid():
        if request.POST.get("step") == "look":
            effects = look()
        else:
            try:
                save()
            except ValidationError as error:
                fix(form, error)
            else:
                messages.success(request, done)
                if "another" in page and request.POST.get("step") == "another":
                    return redirect(request.path)
                return redirect("deployments", initiative.ref)
    return ask(
        request,
        initiative,
        "deployments",
        form,
        effects=effects,
        two_steps=True,
        seen=effects is not None,
        back_url=reverse("deployments", args=[initiative.ref]),
        verb=_("Record it"),
        **page,
    )


def component(request, ref):
    """Record a version of a component."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_change_what_runs(initiative, request.user).or_refuse()
    names = ("layer", "name", "vendor", "region", "listed", "replaces")
    form = ComponentForm(
        sent(request),
        initial={name: request.GET.get(name, "") for name in names},
        initiative=initiative,
        listed=seen_by(request.user),
    )

    def save():
        made = components_actions.record_component(initiative=initiative, by=request.user, **form.act())
        say_strange(request, [made.region])

    return _two_steps(
        request,
        initiative,
        form,
        look=lambda: preview.of_component(initiative, by=request.user, **form.act()),
        save=save,
        done="The version is recorded.",
        another=_("Record it, and another"),
        title=_("Record a version"),
        lede=_(
            "A new version ends evidence that names the one before; evidence that names the new one stands."
        ),
    )


def scope(request, ref):
    """Record the scope in force, or the one planned for the next stage."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_change_what_runs(initiative, request.user).or_refuse()
    rank = STAGE_RANK.get(initiative.stage, 0)
    next_stage = RUNNING_STAGES[rank + 1] if rank + 1 < len(RUNNING_STAGES) else ""
    current = (
        initiative.scopes.filter(starts_at__isnull=False, ended_at__isnull=True).order_by("-number").first()
    )
    initial = {name: getattr(current, name) for name in PlannedScopeForm.SCOPE} if current else {}
    form = PlannedScopeForm(
        sent(request), initial=initial, next_stage=next_stage, next_word=stage_word(next_stage)
    )

    def look():
        return preview.of_scope(initiative, form.scope(), form.cleaned_data["for_stage"], by=request.user)

    def save():
        scope_actions.record_scope(
            initiative=initiative, for_stage=form.cleaned_data["for_stage"], by=request.user, **form.scope()
        )

    return _two_steps(
        request,
        initiative,
        form,
        look=look,
        save=save,
        done="The scope is recorded.",
        title=_("Record the scope"),
        lede=_("A wider scope ends the evidence that was given for the narrower one."),
    )


def change(request, ref):
    """Report a change that no version shows."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_change_what_runs(initiative, request.user).or_refuse()
    form = ChangeForm(sent(request), rulebook=Rulebook.objects.current().parsed)
    return _two_steps(
        request,
        initiative,
        form,
        look=lambda: preview.of_change(initiative, form.cleaned_data["triggers"], by=request.user),
        save=lambda: change_actions.report_change(initiative=initiative, by=request.user, **form.act()),
        done="The change is recorded.",
        title=_("Report a change"),
        lede=_("For what no version shows: a source moved, terms changed, a workflow was redesigned."),
    )


ROW_ACTS["changes/complete"] = RowAct(
    rows=ChangeRecord.objects.select_related("initiative__unit"),
    may=on_initiative(initiative_permissions.may_change_what_runs),
    act=change_actions.complete_change,
    noun="change",
    page="deployments",
    form=CompleteForm,
    given=lambda row: {"initial": {"approver": row.approver, "rollback": row.rollback}},
    title=gettext_lazy("Complete the change"),
    lede=lambda row: row.what,
    verb=gettext_lazy("Save"),
    done=gettext_lazy("The change is complete."),
)


def decide(request, ref):
    """Record a decision on how the system is built."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_change_what_runs(initiative, request.user).or_refuse()
    return one_act(
        request,
        initiative,
        DecisionForm(sent(request)),
        lambda fields: control_mapping.record_architecture_decision(
            initiative=initiative, by=request.user, **fields
        ),
        _("The decision is recorded."),
        page="deployments",
        title=_("Record a decision on architecture"),
        lede=_(
            "The contract comes first: a decision made before it came into force is shown to the board as that."
        ),
        verb=_("Record it"),
    )


ROW_ACTS["architecture/withdraw"] = RowAct(
    rows=ArchitectureDecision.objects.select_related("initiative__unit"),
    may=on_initiative(initiative_permissions.may_change_what_runs),
    act=control_mapping.withdraw_architecture_decision,
    noun="decision",
    page="deployments",
    title=gettext_lazy("Withdraw a decision on architecture"),
    lede=lambda row: f"{row.title}, decided on {day(row.decided_on)}.",
    happens=(STRUCK_OUT,),
    verb=gettext_lazy("Withdraw it"),
    done=gettext_lazy("The decision is withdrawn."),
)
