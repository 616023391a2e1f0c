"""The page on which an admin confirms that files of evidence are gone."""

from collections import Counter

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from governance.people.permissions import may_keep_accounts
from governance.runtime.signed_in_request import SignedInRequest
from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.evidence import file_checks
from initiatives.lifecycle.evidence.file_checks import doubted_files, mark_of
from initiatives.lifecycle.initiative.initiative_frame import fix, sent
from initiatives.models import Evidence


@never_cache
def files_gone(request: SignedInRequest) -> HttpResponse:
    """By initiative, how many; no titles, for an admin need not be one who may read them.

    Posting confirms those shown.
    """
    may_keep_accounts(request.user).or_refuse()
    form, keys = ReasonForm(sent(request)), doubted_files()
    if request.method == "POST" and form.is_valid():
        try:
            gone = file_checks.confirm_gone(
                seen=request.POST.get("seen", ""), reason=form.cleaned_data["reason"], by=request.user
            )
        except ValidationError as error:
            fix(form, error)
        else:
            messages.success(request, f"Recorded: {len(gone)} of {len(keys)} are gone and do not count.")
            return redirect("status")
    rows = (
        Evidence.objects.filter(pk__in=keys).select_related("initiative").order_by("initiative__number", "pk")
    )
    return render(
        request,
        "initiatives/evidence/files_gone.html",
        {
            "nav": "status",
            "form": form,
            "count": len(keys),
            "seen": mark_of(keys),
            "initiatives": sorted(Counter(row.initiative.ref for row in rows).items()),
        },
    )
