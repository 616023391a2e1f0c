"""The acts on the public page of an initiative, for its owner and admins."""

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from adoption.models import PublicPage
from adoption.public_pages import actions, permissions
from adoption.public_pages.forms import PublicPageForm
from governance.permission_result import all_of
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import one_act, sent

TAB = "deployments"


@require_http_methods(["GET", "HEAD", "POST"])
def tell(request: SignedInRequest, ref: str) -> HttpResponse:
    """Make the public page, or change what it says the initiative is for."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    all_of(
        permissions.may_publish(initiative, request.user), permissions.may_be_public(initiative)
    ).or_refuse()
    row = PublicPage.objects.filter(initiative=initiative, ended_at__isnull=True).first()
    return one_act(
        request,
        initiative,
        PublicPageForm(sent(request), initial={"purpose": row.purpose if row else initiative.problem}),
        lambda fields: actions.tell_public(initiative=initiative, by=request.user, **fields),
        _("The public page says so.")
        if row
        else _("There is a public page. Its address and badge stand below."),
        page=TAB,
        title=_("Word the public page") if row else _("Make a public page"),
        lede=_("For those who use it: they read it without signing in."),
        happens=[
            _(
                "Anybody with the address reads: reference, title and what it is for; the stage, approved and "
                "supported; the scope in force; the names of owner and support owner."
            ),
            _(
                "They also read whether it is on hold, switched off, stopped or retired, as it is at that moment."
            ),
            _("Nothing else of the initiative is shown. You or an admin can withdraw the page at any time."),
        ],
        verb=_("Save") if row else _("Make it"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: SignedInRequest, ref: str) -> HttpResponse:
    """Withdraw the public page."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    permissions.may_publish(initiative, request.user).or_refuse()
    return one_act(
        request,
        initiative,
        forms.Form(sent(request)),
        lambda fields: actions.withdraw_public(initiative=initiative, by=request.user),
        _("The public page is withdrawn: its address and badge open nothing."),
        page=TAB,
        title=_("Withdraw the public page"),
        happens=[_("Its address and its badge open nothing at once. Another page gets another address.")],
        verb=_("Withdraw it"),
        danger=True,
    )
