"""Messages owed to the person who is signed in."""

from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.models import Notice
from governance.notices.owe import readable
from governance.runtime.signed_in_request import SignedInRequest

PAGE = 25


@require_safe
def notices(request: SignedInRequest) -> HttpResponse:
    """One's own notices, unread first."""
    mine = request.user.notices.order_by(F("read_at").desc(nulls_first=True), "-owed_at", "-id")
    page = Paginator(mine, PAGE).get_page(request.GET.get("page"))
    shown = {row.pk for row in readable(request.user, page.object_list)}
    for row in page.object_list:
        row.hidden = row.pk not in shown
    return render(request, "governance/notices/notices.html", {"nav": "notices", "page": page})


@require_safe
def open_notice(request: SignedInRequest, pk: int) -> HttpResponse:
    """Mark one's own notice as read and go where it points. Raises Http404 for the notices of others."""
    notice = get_object_or_404(Notice, pk=pk, person=request.user)
    if notice.read_at is None:
        Notice.objects.filter(pk=pk, read_at__isnull=True).update(read_at=clock.now())
    ours = url_has_allowed_host_and_scheme(notice.link, allowed_hosts={request.get_host()})
    return redirect(notice.link if notice.link and ours else "notices")


@require_POST
def mark_read(request: SignedInRequest) -> HttpResponse:
    """Mark all of one's own notices as read."""
    request.user.notices.unread().update(read_at=clock.now())
    return redirect("notices")
