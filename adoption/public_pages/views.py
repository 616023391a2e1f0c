"""The acts on the public page of an initiative, for its owner and admins."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adoption.models import PublicPage
from adoption.public_pages import actions, permissions
from adoption.public_pages.forms import PublicPageForm
from governance.permission_result import all_of
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.models import Initiative

TAB = "deployments"


def _page_of(initiative: Initiative) -> PublicPage | None:
    return PublicPage.objects.filter(initiative=initiative, ended_at__isnull=True).first()


def _page_form(initiative: Initiative, request: SignedInRequest) -> dict:
    row = _page_of(initiative)
    return {"initial": {"purpose": row.purpose if row else initiative.problem}}


INITIATIVE_ACTS["edit-public-page"] = PageStep(
    may=lambda row, person: all_of(permissions.may_publish(row, person), permissions.may_be_public(row)),
    act=actions.tell_public,
    form=PublicPageForm,
    given=_page_form,
    page=TAB,
    title=lambda row: _("Edit the public page") if _page_of(row) else _("Make a public page"),
    lede=gettext_lazy("People who use the system read this page without signing in."),
    happens=(
        gettext_lazy(
            "Everyone with the address can read the reference, title and purpose, and the approved and "
            "supported stage. The page also shows the scope in force, and the names of the owner and the "
            "support owner."
        ),
        gettext_lazy(
            "The page also shows whether the initiative is on hold, switched off, stopped or retired."
        ),
        gettext_lazy("The page shows nothing else. You or an admin can withdraw the page at any time."),
    ),
    verb=gettext_lazy("Save public page"),
    done=gettext_lazy("The public page is saved. The address and the badge are below."),
)


INITIATIVE_ACTS["withdraw-public-page"] = PageStep(
    may=permissions.may_publish,
    act=actions.withdraw_public,
    form=forms.Form,
    page=TAB,
    title=gettext_lazy("Withdraw the public page"),
    happens=(gettext_lazy("The address and the badge stop working at once. A new page gets a new address."),),
    verb=gettext_lazy("Withdraw public page"),
    danger=True,
    done=gettext_lazy("The public page is withdrawn. The address and the badge no longer work."),
)
