"""Pages on which the owner of a system agrees to a link or declines it (S1-37).

After the initiative has ended, the owner confirms here that the feed is shut.
"""

from functools import partial

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance import clock
from governance.database import row_history
from governance.models import User
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import ObligationKind
from governance.web.form_fields import ReasonForm
from initiatives.integration.links import actions, feed_shutdowns
from initiatives.integration.links.forms import AnswerForm
from initiatives.integration.systems import permissions as system_permissions
from initiatives.integration.systems.findings import digest
from initiatives.integration.systems.system_views import condition_of
from initiatives.lifecycle.access import initiative_lookup, visibility
from initiatives.lifecycle.initiative.initiative_frame import acted, sent
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, Frame, RowAct
from initiatives.models import Link, Obligation, System

TEMPLATE = "initiatives/integration/links/link_answer.html"
LINKS = Link.objects.select_related("initiative__unit", "system__owner", "account", "by")


def _seen(rows: QuerySet[Link], person: User) -> QuerySet[Link]:
    """Return the links that the person may read: as the owner of the system, or as a reader of the initiative.

    The owner sees this page, not the initiative: no one gains access to an initiative by owning a system that it
    depends on.
    """
    return rows.filter(Q(system__owner=person) | Q(initiative__in=visibility.visible_to(person)))


def answer(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show how the initiative depends on the system, and record the owner's agreement."""
    row = get_object_or_404(_seen(LINKS, request.user), pk=pk)
    row_history.concerns(row)
    if request.method == "POST":
        actions.answer_link(link=row, accepts=True, digest=request.POST.get("digest", ""), by=request.user)
        messages.success(request, _("You agreed. The people who work on the initiative see your answer."))
        return redirect(row.system.get_absolute_url())
    may = system_permissions.may_answer_link(row, request.user)
    return render(request, TEMPLATE, _context(row, request) | {"nav": "systems", "may": may})


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

    def confirm() -> None:
        words = form.cleaned_data["reason"]
        feed_shutdowns.confirm_shut(obligation=obligation, words=words, by=request.user)

    if acted(request, form, confirm):
        messages.success(
            request,
            _("The shutdown is confirmed in the audit log. You have no obligation for this feed now."),
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


def _context(row: Link, request: SignedInRequest) -> dict:
    """Return the context of the page of a link for its system's owner, with the digest of the link."""
    transfers = list(
        row.transfers.filter(ended_at__isnull=True).select_related("vendor").order_by("position")
    )
    today = clock.today()
    last = row.answers.select_related("by").order_by("-pk").first()
    mine = last is not None and last.by_id == row.system.owner_id
    now = digest(row, transfers)[1]
    return {
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


ROW_ACTS["links/decline"] = RowAct(
    rows=LINKS,
    frame=Frame(
        nav="systems",
        seen=_seen,
        page=lambda row: row.system.get_absolute_url(),
        template=TEMPLATE,
        initiative=lambda row: row.initiative,
    ),
    may=system_permissions.may_answer_link,
    act=partial(actions.answer_link, accepts=False),
    noun="link",
    form=AnswerForm,
    fields=lambda form: form.cleaned_data | {"digest": form.data.get("digest", "")},
    context=_context,
    title=gettext_lazy("Decline"),
    verb=gettext_lazy("Decline"),
    done=gettext_lazy("You declined. The people who work on the initiative see your reason."),
)
