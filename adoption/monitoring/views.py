"""The pages of an initiative's monitoring: state, alerts, mapping, senders."""

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from adoption.models import Alert, AlertMapping
from adoption.models.monitoring import HEARTBEAT, OTHER
from adoption.monitoring import actions
from adoption.monitoring.findings import status_of
from adoption.monitoring.forms import MappingForm, PromiseForm
from adoption.monitoring.permissions import may_set_monitoring
from governance.models.sign_in import ALERTS
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.contracts.enforcement.code_examples import as_alert_senders
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, page_of
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    PageStep,
    RowAct,
    on_initiative,
)
from initiatives.models import Initiative

PAGE = "monitoring"
DAYS = 14  # on which it was heard of, shown


@require_safe
def monitoring(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the state of the monitoring, its alerts, and its connection."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    alerts = initiative.alerts.select_related("key", "draft").order_by("-first_at", "-pk")
    heartbeats = request.GET.get("heartbeats") == "1"
    keys = initiative.contract.keys.filter(scopes__contains=[ALERTS]) if initiative.contract else ()
    context = initiative_context(request, initiative, PAGE)
    context |= {
        "title": "Monitoring",
        "status": status_of(initiative),
        "promise": initiative.monitoring_promises.filter(ended_at__isnull=True).first(),
        "drafts": initiative.incident_drafts.waiting().count(),
        "page": page_of(request, alerts if heartbeats else alerts.exclude(counts_as=HEARTBEAT)),
        "heartbeats": heartbeats,
        "heard": initiative.monitoring_looks.select_related("key")[:DAYS],
        "missing": alerts.filter(rule__in=[actions.LEFT_OUT[0], actions.NOT_KEPT[0]], sender=OTHER)[:DAYS],
        "mappings": actions.mappings_of(initiative),
        "keys": [key for key in keys if key.good_at(context["now"])],
        "senders": as_alert_senders(settings.ADDRESS).items(),
        "may_set": may_set_monitoring(initiative, request.user),
        "bodies_kept": actions.BODIES_KEPT.days,
        "kept": actions.KEPT.days,
    }
    return render(request, "adoption/monitoring/monitoring.html", context)


def _promise_form(initiative: Initiative, request: SignedInRequest) -> dict:
    there = initiative.monitoring_promises.filter(ended_at__isnull=True).first()
    return {"initial": {"every_days": there.every_days} if there else None}


INITIATIVE_ACTS["promise-monitoring"] = PageStep(
    may=may_set_monitoring,
    act=actions.promise_monitoring,
    form=PromiseForm,
    given=_promise_form,
    page=PAGE,
    title=gettext_lazy("Set how often monitoring must send data"),
    happens=(
        "The requirement about monitoring is measured while data arrives in time and drafts are "
        "read within a week.",
        "If no data arrives within this interval, the requirement is not measured. The owner and the "
        "technical lead are notified.",
    ),
    verb=gettext_lazy("Save the interval"),
    done=gettext_lazy("The interval is saved."),
)


INITIATIVE_ACTS["map-alerts"] = PageStep(
    may=may_set_monitoring,
    act=actions.map_alerts,
    form=MappingForm,
    page=PAGE,
    title=gettext_lazy("Choose the meaning of alerts"),
    happens=(
        "If two choices match an alert, the choice with a rule name is used. Earlier alerts do not change.",
        "A draft becomes an incident only when a person decides so.",
    ),
    verb=gettext_lazy("Save the choice"),
    done=gettext_lazy("The choice applies to alerts that arrive from now on."),
)


ROW_ACTS["alert-mappings/close"] = RowAct(
    rows=AlertMapping.objects.select_related("initiative__unit"),
    may=on_initiative(may_set_monitoring),
    act=actions.close_mapping,
    noun="mapping",
    page=PAGE,
    form=forms.Form,
    title=gettext_lazy("Withdraw this rule for alerts"),
    lede=lambda row: (
        f"{str(row).capitalize()}: {row.get_becomes_display()[:1].lower()}{row.get_becomes_display()[1:]}."
    ),
    verb=gettext_lazy("Withdraw the rule"),
    done=gettext_lazy("Plumbline now treats these alerts like all other alerts."),
)


@require_safe
def alert(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one alert, with the text of its sender."""
    rows = Alert.objects.select_related("initiative__unit", "initiative__contract", "key", "draft")
    row = initiative_lookup.of_initiative(rows, request.user, pk)
    context = initiative_context(request, row.initiative, PAGE) | {
        "title": "Alert",
        "alert": row,
        "bodies_kept": actions.BODIES_KEPT.days,
    }
    return render(request, "adoption/monitoring/alert.html", context)
