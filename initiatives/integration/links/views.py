"""Pages on which the owner of a system agrees to a link or declines it (S1-37).

After the initiative has ended, the owner confirms here that the feed is shut.
"""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from governance import clock
from governance.database import row_history
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import ObligationKind
from governance.vocabulary.form_errors import put_errors
from governance.web.form_fields import ReasonForm
from initiatives.integration.links import actions, feed_shutdowns
from initiatives.integration.links.forms import AnswerForm
from initiatives.integration.systems import permissions as system_permissions
from initiatives.integration.systems.findings import digest
from initiatives.integration.systems.system_views import condition_of
from initiatives.lifecycle.access import initiative_lookup, visibility
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.models import Link, Obligation, System


def _asked(request, pk: int) -> Link:
    """Return the link for the owner of its system or a reader of the initiative.

    Raises Http404 to all others. The owner sees this page, not the initiative: no one gains access to an initiative
    by owning a system that it depends on.
    """
    rows = Link.objects.select_related("initiative__unit", "system__owner", "account", "by")
    row = rows.filter(pk=pk, system__owner=request.user).first()
    if row is None:
        row = initiative_lookup.of_initiative(rows, request.user, pk)
    if not request.user.is_active:
        raise Http404("This link does not exist, or you cannot see it.")
    row_history.concerns(row)
    return row


def answer(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show how the initiative depends on the system, and record the owner's agreement."""
    row = _asked(request, pk)
    if request.method == "POST":
        actions.answer_link(link=row, accepts=True, digest=request.POST.get("digest", ""), by=request.user)
        messages.success(request, _("You agreed. The people who work on the initiative see your answer."))
        return redirect(row.system.get_absolute_url())
    return _page(request, row, may=system_permissions.may_answer_link(row, request.user))


def decline(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form that declines the link with a reason."""
    row = _asked(request, pk)
    system_permissions.may_answer_link(row, request.user).or_refuse()
    form = AnswerForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.answer_link(
                link=row,
                accepts=False,
                words=form.cleaned_data["words"],
                digest=request.POST.get("digest", ""),
                by=request.user,
            )
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(
                request, _("You declined. The people who work on the initiative see your reason.")
            )
            return redirect(row.system.get_absolute_url())
    return _page(request, row, form=form)


def shut(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the links of an ended initiative, and record that their feed is shut.

    Raises Http404 to others.
    """
    rows = Obligation.objects.filter(kind=ObligationKind.FEED).select_related(
        "initiative__unit", "responsible", "completed_by"
    )
    owned = System.objects.filter(owner=request.user).order_by().values_list("pk", flat=True)
    mine = Q(responsible=request.user) | Q(source__in=[f"system:{key}" for key in owned])
    obligation = rows.filter(mine, pk=pk).first() or initiative_lookup.of_initiative(rows, request.user, pk)
    initiative, system = obligation.initiative, System.objects.get(pk=obligation.system_key)
    row_history.concerns(obligation)
    form = ReasonForm(sent(request))
    form.fields["reason"].label = "How do you know?"
    form.fields["reason"].help_text = "Name what was switched off, where, and on which day."
    if request.method == "POST":
        system_permissions.may_confirm_shut(obligation, request.user).or_refuse()
        if form.is_valid():
            try:
                feed_shutdowns.confirm_shut(
                    obligation=obligation, words=form.cleaned_data["reason"], by=request.user
                )
            except ValidationError as error:
                put_errors(form, error)
            else:
                messages.success(
                    request,
                    _(
                        "The shutdown is confirmed in the audit log. You have no obligation for this "
                        "feed now."
                    ),
                )
                return redirect("feed-shut", obligation.pk)
    context = {
        "nav": "systems",
        "obligation": obligation,
        "initiative": initiative,
        "system": system,
        "links": initiative.links.filter(system=system, ended_at__isnull=False).select_related("account"),
        "may": system_permissions.may_confirm_shut(obligation, request.user),
        "form": form,
        "visible": visibility.may_see(initiative, request.user),
    }
    return render(request, "initiatives/integration/links/feed_shut.html", context)


def _page(request, row: Link, **more) -> HttpResponse:
    """Return the page of a link for its system's owner, with the digest of the link."""
    transfers = list(
        row.transfers.filter(ended_at__isnull=True).select_related("vendor").order_by("position")
    )
    today = clock.today()
    last = row.answers.select_related("by").order_by("-pk").first()
    mine = last is not None and last.by_id == row.system.owner_id
    now = digest(row, transfers)[1]
    context = {
        "nav": "systems",
        "row": row,
        "initiative": row.initiative,
        "transfers": transfers,
        "condition": condition_of(row.system, today),
        "digest": now,
        "last": last if mine else None,
        "unchanged": mine and last.digest == now,
        "visible": visibility.may_see(row.initiative, request.user),
        "may_name": not row.ended_at and system_permissions.may_decide_on(row.system, request.user),
    }
    return render(request, "initiatives/integration/links/link_answer.html", context | more)
