"""Pages of the status of the installation, for admins."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.database.rehearsing import not_rehearsed
from governance.events import deliveries
from governance.identity.factors import second_step
from governance.operations import corrections, readiness, status
from governance.people.permissions import may_keep_accounts
from governance.runtime import spool_files
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import sealing, witnesses
from governance.vocabulary.phrases import phrase


@never_cache
@require_safe
def status_page(request: SignedInRequest) -> HttpResponse:
    """Show the whole status, with problems first."""
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
        "failing_receivers": list(deliveries.failing()),
        "backlog": backlog,
        "oldest": clock.now() - backlog.age,
        "witnesses": witnesses.progress(),
        "not_cosigned": witnesses.failure(),
        "room": status.room(),
        "without_factor": second_step.lost(),
        "address": settings.ADDRESS,
        "replica": status.read_replica(),
        "corrections": [(entry, corrections.words_of(entry)) for entry in corrections.recent()],
    }
    return render(request, "governance/pages/status.html", context)


@not_rehearsed
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
            mails = "One email is" if count == 1 else f"{count} emails are"
            messages.success(request, phrase("{} sent again when a worker is free.", mails).in_language())
        else:
            messages.success(request, _("No email waits to be sent again."))
    return redirect("status")


def _test(request: SignedInRequest) -> None:
    wrong, to = status.send_test(by=request.user), request.user.email
    if wrong:
        messages.error(request, phrase("The test email was not sent. {}", wrong).in_language())
    elif settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        said = phrase("EMAIL_URL is not set. The test email to {} is a file in the folder mail.", to)
        messages.warning(request, said.in_language())
    else:
        said = phrase("A test email to {} was sent to the mail server. Check that it arrives.", to)
        messages.success(request, said.in_language())


def _one(request: SignedInRequest, key: str) -> None:
    sent = status.try_again(key=key, by=request.user)
    if sent is None:
        messages.success(
            request, _("This email no longer waits: it was sent, or a worker is sending it now.")
        )
    elif sent:
        messages.success(request, _("The email was sent."))
    else:
        messages.error(request, _("The email was not sent. See the reason below."))
