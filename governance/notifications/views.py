"""Messages to the person who is signed in."""

from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.models import Notification
from governance.notifications.notify import readable
from governance.runtime.signed_in_request import SignedInRequest

PAGE = 25


@require_safe
def notifications(request: SignedInRequest) -> HttpResponse:
    """One's own notifications, unread first."""
    mine = request.user.notifications.order_by(F("read_at").desc(nulls_first=True), "-created_at", "-id")
    page = Paginator(mine, PAGE).get_page(request.GET.get("page"))
    shown = {row.pk for row in readable(request.user, page.object_list)}
    for row in page.object_list:
        row.hidden = row.pk not in shown
    return render(
        request, "governance/notifications/notifications.html", {"nav": "notifications", "page": page}
    )


@require_safe
def open_notification(request: SignedInRequest, pk: int) -> HttpResponse:
    """Mark one's own notification as read and go where it points. Raises Http404 for the notifications of others."""
    notification = get_object_or_404(Notification, pk=pk, person=request.user)
    if notification.read_at is None:
        Notification.objects.filter(pk=pk, read_at__isnull=True).update(read_at=clock.now())
    ours = url_has_allowed_host_and_scheme(notification.link, allowed_hosts={request.get_host()})
    return redirect(notification.link if notification.link and ours else "notifications")


@require_POST
def mark_read(request: SignedInRequest) -> HttpResponse:
    """Mark all of one's own notifications as read."""
    request.user.notifications.unread().update(read_at=clock.now())
    return redirect("notifications")
