"""The page on which a person who did not grant a new seat confirms it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance.models import Membership
from governance.organisation import actions
from governance.people.permissions import may_confirm_seat
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.vocabulary.phrases import phrase


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a new seat with its person and granter. A confirmed seat counts at once for higher stages."""
    rows = Membership.objects.select_related("board", "person", "granted_by", "delegate_of__person")
    seat = get_object_or_404(rows, pk=pk)
    may_confirm_seat(seat, request.user).or_refuse()
    form = SigningForm(
        request.POST if request.method == "POST" else None,
        request=request,
        purpose=f"confirm a seat of {seat.board}",
        act="seat",
        facts={"seat": seat.pk, "person": seat.person_id},
    )
    if request.method == "POST" and form.is_valid():
        actions.confirm_seat(membership=seat, by=request.user)
        messages.success(request, phrase("{} signs in this seat from now on.", seat.person).in_language())
        return redirect("inbox")
    happens = [
        f"{seat.person} can approve in this seat at once, without waiting for a day.",
        "The audit log records that you confirmed the seat.",
    ]
    context = {"seat": seat, "happens": happens, "form": form}
    return render(request, "governance/organisation/seat_confirm.html", context, status=form.status)
