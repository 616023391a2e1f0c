"""Pages of the status of the installation, for admins."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.operations import corrections, readiness, status
from governance.people.permissions import may_keep_accounts
from governance.runtime import spool_files
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import sealing


@never_cache
@require_safe
def status_page(request: SignedInRequest) -> HttpResponse:
    """Everything at once; what is wrong comes first."""
    may_keep_accounts(request.user).or_refuse()
    heartbeats = status.heartbeats()
    workers = status.workers(heartbeats)
    backlog = sealing.backlog()
    context = {
        "nav": "status",
        "beat": status.beat(heartbeats),
        "workers": workers,
        "working": sum(not one.silent for one in workers),
        "broker": readiness.broker_condition(),
        "clocks": status.clocks_off(heartbeats),
        "decisions": spool_files.waiting(settings.DECISIONS_DIR),
        "tasks": status.tasks(),
        "mails": status.undelivered(),
        "backlog": backlog,
        "oldest": clock.now() - backlog.age,
        "room": status.room(),
        "corrections": [(entry, corrections.words_of(entry)) for entry in corrections.recent()],
    }
    return render(request, "governance/pages/status.html", context)


@require_POST
def mail(request: SignedInRequest) -> HttpResponse:
    """Send a test mail to oneself, or try undelivered mails again: the one with the key, or all."""
    may_keep_accounts(request.user).or_refuse()
    key = request.POST.get("key", "")
    if request.POST.get("act") == "test":
        _test(request)
    elif key:
        _one(request, key)
    else:
        count = status.try_all_again(by=request.user)
        if count:
            mails = "One mail is" if count == 1 else f"{count} mails are"
            messages.success(request, f"{mails} tried again as soon as a worker is free.")
        else:
            messages.success(request, _("No mail waits to be tried again."))
    return redirect("status")


def _test(request: SignedInRequest) -> None:
    wrong = status.send_test(by=request.user)
    if wrong:
        messages.error(request, f"The test mail did not go out. {wrong}")
    else:
        messages.success(
            request, f"A test mail to {request.user.email} was handed over. See that it arrives."
        )


def _one(request: SignedInRequest, key: str) -> None:
    sent = status.try_again(key=key, by=request.user)
    if sent is None:
        messages.success(request, _("That mail waits no more: it was sent, or a worker is at it now."))
    elif sent:
        messages.success(request, _("The mail went out."))
    else:
        messages.error(request, _("The mail did not go out; the reason is below."))
