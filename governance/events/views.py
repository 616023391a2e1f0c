"""Admin pages of event receivers: the list, one receiver with its deliveries, and acts."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.events import actions
from governance.events.event_types import EVENT_TYPES
from governance.events.forms import EndForm, ReceiverForm
from governance.models import EventDelivery, EventReceiver
from governance.people.permissions import may_keep_accounts
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.form_errors import put_errors

SHOWN = 50  # deliveries on one page
STATES = {
    "waiting": Q(sent_at__isnull=True, given_up_at__isnull=True),
    "delivered": Q(sent_at__isnull=False),
    "given-up": Q(given_up_at__isnull=False),
}


@never_cache
@require_safe
def receivers(request: SignedInRequest) -> HttpResponse:
    """Show every receiver, ended ones last, with what waits and what was given up."""
    may_keep_accounts(request.user).or_refuse()
    rows = EventReceiver.objects.select_related("owner", "unit", "reader").annotate(
        waits=Count(
            "deliveries",
            filter=Q(deliveries__isnull=False, deliveries__sent_at=None, deliveries__given_up_at=None),
        ),
        given_up=Count("deliveries", filter=Q(deliveries__given_up_at__isnull=False)),
    )
    context = {"nav": "units", "receivers": sorted(rows, key=lambda row: row.ended_at is not None)}
    return render(request, "governance/events/receivers.html", context)


@sensitive_post_parameters("address")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: SignedInRequest) -> HttpResponse:
    """Add a receiver. Its secret is shown once."""
    may_keep_accounts(request.user).or_refuse()
    form = ReceiverForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = actions.add_receiver(by=request.user, **form.cleaned_data)
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            if secret:
                context = {"nav": "units", "receiver": row, "secret": secret}
                return render(request, "governance/events/receiver_secret.html", context)
            messages.success(request, _("The receiver is added. Send a test event."))
            return redirect("event-receiver", pk=row.pk)
    return render(request, "governance/events/receiver_form.html", {"nav": "units", "form": form})


@never_cache
@require_safe
def receiver(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one receiver and each delivery, the newest first."""
    may_keep_accounts(request.user).or_refuse()
    row = get_object_or_404(
        EventReceiver.objects.select_related("owner", "unit", "reader", "made_by", "ended_by"), pk=pk
    )
    state = request.GET.get("state", "")
    found = EventDelivery.objects.filter(STATES.get(state, Q()), receiver=row).order_by("-pk")
    context = {
        "nav": "units",
        "receiver": row,
        "types": [EVENT_TYPES[name].words for name in row.event_types],
        "state": state if state in STATES else "",
        "page": Paginator(found, SHOWN).get_page(request.GET.get("page")),
    }
    return render(request, "governance/events/receiver.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a receiver."""
    may_keep_accounts(request.user).or_refuse()
    row = get_object_or_404(EventReceiver, pk=pk)
    form = EndForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.end_receiver(receiver=row, reason=form.cleaned_data["reason"], by=request.user)
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            messages.success(request, _("The receiver is ended."))
            return redirect("event-receivers")
    return render(
        request, "governance/events/receiver_end.html", {"nav": "units", "form": form, "receiver": row}
    )


@require_POST
def test(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send a test event."""
    may_keep_accounts(request.user).or_refuse()
    row = get_object_or_404(EventReceiver, pk=pk)
    actions.send_test(receiver=row, by=request.user)
    messages.success(
        request, _("A test event is sent when a worker is free. Open this page again to see the answer.")
    )
    return redirect("event-receiver", pk=pk)


@require_POST
def again(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send an event again."""
    may_keep_accounts(request.user).or_refuse()
    row = get_object_or_404(EventDelivery.objects.select_related("receiver"), pk=pk)
    actions.send_again(delivery=row, by=request.user)
    messages.success(request, _("The event is sent again when a worker is free."))
    return redirect("event-receiver", pk=row.receiver_id)
