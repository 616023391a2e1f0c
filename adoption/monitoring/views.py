"""The monitoring of an initiative: how it stands, alerts, what they count as, how a sender is connected."""

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adoption.models import Alert, AlertMapping
from adoption.models.monitoring import HEARTBEAT
from adoption.monitoring import actions
from adoption.monitoring.findings import status_of
from adoption.monitoring.forms import MappingForm, PromiseForm
from adoption.monitoring.permissions import may_set_monitoring
from governance.models.sign_in import ALERTS
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.contracts.enforcement.code_examples import as_alert_senders
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, one_act, page_of, sent
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, RowAct, on_initiative

PAGE = "monitoring"
DAYS = 14  # on which it was heard of, shown


@require_safe
def monitoring(request: SignedInRequest, ref: str) -> HttpResponse:
    """How the monitoring stands, what it found, and how it is connected."""
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
        "mappings": actions.mappings_of(initiative),
        "keys": [key for key in keys if key.good_at(context["now"])],
        "senders": as_alert_senders(settings.ADDRESS).items(),
        "may_set": may_set_monitoring(initiative, request.user),
        "bodies_kept": actions.BODIES_KEPT.days,
        "kept": actions.KEPT.days,
    }
    return render(request, "adoption/monitoring/monitoring.html", context)


def promise(request: SignedInRequest, ref: str) -> HttpResponse:
    """Promise how often it is heard of."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    may_set_monitoring(initiative, request.user).or_refuse()
    there = initiative.monitoring_promises.filter(ended_at__isnull=True).first()
    form = PromiseForm(sent(request), initial={"every_days": there.every_days} if there else None)
    return one_act(
        request,
        initiative,
        form,
        lambda fields: actions.promise_monitoring(initiative=initiative, by=request.user, **fields),
        "It is promised.",
        page=PAGE,
        title="Promise how often it is heard of",
        happens=[
            "While it keeps the promise for a week and two such periods, and drafts are read within a week, the "
            "requirement about monitoring is measured.",
            "When it is silent for longer, nothing is held against the initiative: the requirement is "
            "unmeasured again, "
            "and owner and technical lead are told.",
        ],
        verb="Promise it",
    )


def map_alerts(request: SignedInRequest, ref: str) -> HttpResponse:
    """Say what alerts of a rule or a severity count as."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    may_set_monitoring(initiative, request.user).or_refuse()
    return one_act(
        request,
        initiative,
        MappingForm(sent(request)),
        lambda fields: actions.map_alerts(initiative=initiative, by=request.user, **fields),
        "Alerts that come from now on count so.",
        page=PAGE,
        title="Say what alerts count as",
        happens=[
            "What names a rule goes before what names a severity alone. Alerts that came before stay what they were.",
            "A draft becomes an incident only when a person says so.",
        ],
        verb="Have them count so",
    )


ROW_ACTS["alert-mappings/close"] = RowAct(
    rows=AlertMapping.objects.select_related("initiative__unit"),
    may=on_initiative(may_set_monitoring),
    act=actions.close_mapping,
    noun="mapping",
    page=PAGE,
    form=forms.Form,
    title="Withdraw what alerts count as",
    lede=lambda row: (
        f"{str(row).capitalize()}: {row.get_becomes_display()[:1].lower()}{row.get_becomes_display()[1:]}."
    ),
    verb="Withdraw it",
    done="Such alerts count as all others do.",
)


@require_safe
def alert(request: SignedInRequest, pk: int) -> HttpResponse:
    """One alert, with what its sender said."""
    rows = Alert.objects.select_related("initiative__unit", "initiative__contract", "key", "draft")
    row = initiative_lookup.of_initiative(rows, request.user, pk)
    context = initiative_context(request, row.initiative, PAGE) | {
        "title": "An alert",
        "alert": row,
        "bodies_kept": actions.BODIES_KEPT.days,
    }
    return render(request, "adoption/monitoring/alert.html", context)
