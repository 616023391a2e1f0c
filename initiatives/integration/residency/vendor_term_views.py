"""Terms of vendors: filed, and confirmed, from when on they bind."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from governance import clock
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.integration.residency import actions, permissions, term_effects
from initiatives.integration.residency.actions import bound_of, initiatives_of_vendor
from initiatives.integration.residency.findings import VENDOR, WhatIf
from initiatives.integration.residency.views import found_or_404, page_with, term_form, told_ahead
from initiatives.models import Vendor, VendorTerm


def term_add(request: SignedInRequest, pk: int) -> HttpResponse:
    """File a term; who looks first sees which initiatives it would hold."""
    row = found_or_404(Vendor.objects.shared(), pk)
    permissions.may_file_terms(row, request.user).or_refuse()
    return term_form(
        request, row, None, title=_("File a term of %(row)s") % {"row": row}, verb=_("File the term")
    )


def term_confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let a term bind that somebody else filed; who confirms sees which initiatives it holds then."""
    term = found_or_404(VendorTerm.objects.current().select_related("vendor", "by"), pk)
    permissions.may_confirm_terms(request.user).or_refuse()
    if not term.awaits_confirmation:
        raise Conflict("This term is confirmed already.")
    if request.method == "POST":
        actions.confirm_vendor_term(term=term, by=request.user)
        messages.success(
            request,
            _(
                "The term applies from its first day. Initiatives with data in a region that the term "
                "forbids get a hold."
            ),
        )
        return redirect(term.vendor)
    found = term_effects.look(initiatives_of_vendor(term.vendor), WhatIf(also=bound_of(VENDOR, term)))
    return page_with(
        request,
        None,
        told_ahead(request.user, found),
        back=term.vendor.get_absolute_url(),
        parent=term.vendor.name,
        row=term,
        title=_("Confirm %(reference)s of %(vendor)s") % {"reference": term.reference, "vendor": term.vendor},
        lede=f"{term.by} filed this term on {clock.local_day(term.at):%-d %B %Y}. The term has no effect "
        "until someone confirms it.",
        verb=_("Confirm the term"),
    )
