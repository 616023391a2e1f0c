"""The page on which somebody who did not grant a new seat confirms it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from governance.models import Membership
from governance.organisation import actions
from governance.people.permissions import may_confirm_seat
from governance.runtime.signed_in_request import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who was given which seat by whom; confirmed, it signs at once what lets an initiative rise."""
    rows = Membership.objects.select_related("board", "person", "granted_by", "delegate_of__person")
    seat = get_object_or_404(rows, pk=pk)
    may_confirm_seat(seat, request.user).or_refuse()
    if request.method == "POST":
        actions.confirm_seat(membership=seat, by=request.user)
        messages.success(request, f"{seat.person} signs in this seat from now on.")
        return redirect("inbox")
    happens = [
        f"{seat.person} can approve in this seat at once, and not only from the end of its first day.",
        "The audit log says that you confirmed it.",
    ]
    return render(request, "governance/organisation/seat_confirm.html", {"seat": seat, "happens": happens})
