"""Pages of the notifications in an inbox: open one, or mark all as read."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.models import Notification
from governance.runtime.signed_in_request import SignedInRequest


@require_safe
def open_notification(request: SignedInRequest, pk: int) -> HttpResponse:
    """Mark your notification as read and go to its link. Raises Http404 for other people's."""
    notification = get_object_or_404(Notification, pk=pk, person=request.user)
    if notification.read_at is None:
        Notification.objects.filter(pk=pk, read_at__isnull=True).update(read_at=clock.now())
    ours = url_has_allowed_host_and_scheme(notification.link, allowed_hosts={request.get_host()})
    return redirect(notification.link if notification.link and ours else "inbox")


@require_POST
def mark_read(request: SignedInRequest) -> HttpResponse:
    """Mark all your notifications as read."""
    request.user.notifications.unread().update(read_at=clock.now())
    return redirect("inbox")
