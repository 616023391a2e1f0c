"""Pages of directories: their keys, accounts, and units that groups propose."""

from dataclasses import replace

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, F, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.models import Directory, ManagedAccount, ManagedGroup, ManagedMembership, Unit
from governance.people.permissions import may_keep_accounts
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.portfolio.provisioning import actions
from initiatives.portfolio.provisioning.forms import DirectoryForm, GroupForm, KeyForm
from initiatives.portfolio.provisioning.resources import ROOT
from initiatives.portfolio.units.views import ON_ORGANISATION

TAKES = ["GET", "HEAD", "POST"]
SHOWN = 50  # proposals at a time


@require_safe
def directories(request: SignedInRequest) -> HttpResponse:
    """Show each directory with its key, accounts and groups, and the proposed units."""
    may_keep_accounts(request.user).or_refuse()
    now = clock.now()
    kept = Count("accounts", filter=Q(accounts__removed_at=None), distinct=True)
    rows = Directory.objects.select_related("provider").annotate(
        kept=kept, grouped=Count("groups", distinct=True)
    )
    proposals = (
        ManagedMembership.objects.filter(account__removed_at=None, account__person__is_active=True)
        .filter(group__proposes__isnull=False)
        .exclude(account__person__unit=F("group__proposes"))
        .select_related("account__person__unit", "group__proposes", "group__directory")
        .order_by("account__person__full_name", "pk")
    )
    context = {
        "nav": "units",
        "directories": [(row, state_of(row, now)) for row in rows],
        "groups": ManagedGroup.objects.select_related("directory", "proposes").annotate(
            people=Count("memberships")
        ),
        "proposals": list(proposals[:SHOWN]),
        "waiting": proposals.count(),
        "address": f"{settings.ADDRESS}{ROOT.rstrip('/')}",
    }
    return render(request, "initiatives/provisioning/directories.html", context)


def state_of(row: Directory, now) -> tuple[str, str]:
    """Return the state of a directory's key, in words, and its tone."""
    if row.revoked_at is not None:
        return "revoked", "bad"
    if row.expires_at <= now:
        return "expired", "bad"
    return "opens", "ok"


@require_POST
def accept(request: SignedInRequest, pk: int, unit: int) -> HttpResponse:
    """Move a person into the unit that a group of theirs proposes."""
    may_keep_accounts(request.user).or_refuse()
    account = get_object_or_404(ManagedAccount, pk=pk)
    person = actions.accept_proposed_unit(
        account=account, unit=get_object_or_404(Unit, pk=unit), by=request.user
    )
    messages.success(request, phrase("{} now works in {}.", person, person.unit).in_language())
    return redirect(f"{reverse('directories')}#proposed")


def _key(request, row, token) -> HttpResponse:
    address = f"{settings.ADDRESS}{ROOT.rstrip('/')}"
    context = {"nav": "units", "row": row, "token": token, "address": address}
    return render(request, "initiatives/provisioning/directory_key.html", context)


ON_DIRECTORIES = replace(ON_ORGANISATION, page=lambda row: reverse("directories"))
ROW_ACTS["directories/renew"] = RowAct(
    rows=Directory.objects.all(),
    frame=ON_DIRECTORIES,
    may=lambda row, person: may_keep_accounts(person),
    act=actions.renew_key,
    then=lambda request, token: _key(request, Directory.objects.get(public=token.public), token),
    noun="directory",
    form=KeyForm,
    fields=lambda form: {"expires_at": form.expires_at},
    title=lambda row: phrase("A new key for {}", row),
    happens=(
        _("The current key stops working when you make a new one. Change the key in the directory too."),
    ),
    context=lambda row, request: {"back_words": _("Directories")},
    verb=_("Make a new key"),
    done="",
)
ROW_ACTS["directories/revoke"] = RowAct(
    rows=Directory.objects.all(),
    frame=ON_DIRECTORIES,
    may=lambda row, person: may_keep_accounts(person),
    act=actions.revoke_key,
    noun="directory",
    title=lambda row: phrase("Revoke the key of {}", row),
    happens=(
        _("The directory can no longer create, change or deactivate accounts."),
        _("Accounts of the directory stay as they are."),
    ),
    context=lambda row, request: {"back_words": _("Directories")},
    verb=_("Revoke the key"),
    danger=True,
    done=lambda row: phrase("The key of {} is revoked.", row),
)
ROW_ACTS["groups/propose-unit"] = RowAct(
    rows=ManagedGroup.objects.select_related("directory"),
    frame=ON_DIRECTORIES,
    may=lambda row, person: may_keep_accounts(person),
    act=actions.propose_unit,
    noun="group",
    form=GroupForm,
    given=lambda row, request: {"initial": {"unit": row.proposes_id}},
    title=lambda row: phrase("The unit of {}", row),
    context=lambda row, request: {"back_words": _("Directories")},
    verb=_("Save"),
    done=lambda row: phrase("{} is saved. People move to the unit only after you accept it.", row),
)
PLAIN_ACTS["connect-directory"] = PageStep(
    frame=ON_DIRECTORIES,
    may=lambda __, person: may_keep_accounts(person),
    act=actions.add_directory,
    then=lambda request, made: _key(request, *made),
    noun="by",
    form=DirectoryForm,
    fields=lambda form: {
        "name": form.cleaned_data["name"],
        "provider": form.cleaned_data["provider"],
        "expires_at": form.expires_at,
    },
    title=_("Connect a directory"),
    happens=(
        _(
            "The directory can create accounts here by SCIM 2.0. The directory can change and deactivate "
            "only accounts that it created."
        ),
        _("New accounts have no role, no seat and no password. Existing accounts do not change."),
        _(
            "If the directory deactivates an account, its person is signed out at once. The roles and "
            "seats of that person end."
        ),
    ),
    context=lambda __, request: {"back_words": _("Directories")},
    verb=_("Make the key"),
    done="",
)
