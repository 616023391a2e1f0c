"""The systems of the organisation: found, described once for every initiative, looked after, retired."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.models import User
from governance.permission_result import Answer
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.form_errors import put_errors
from governance.web.form_fields import ReasonForm
from initiatives.integration.residency.unknown_regions import say_strange
from initiatives.integration.systems import (
    accounts,
    actions,
    charts,
    permissions,
    system_inventory,
)
from initiatives.integration.systems.actions import COLLECTION, DECIDED
from initiatives.integration.systems.findings import risk_notes
from initiatives.integration.systems.forms import (
    AccountForm,
    CustomisationForm,
    ReviewForm,
    SystemForm,
    SystemsForm,
)
from initiatives.lifecycle.access.visibility import accounts_seen_by
from initiatives.lifecycle.initiative.initiative_frame import back_to, page_of, sent
from initiatives.models import (
    Customisation,
    Obligation,
    RequirementFinding,
    ServiceAccount,
    System,
    TermDefinition,
)
from initiatives.models.integration.systems import CONDITIONS_OF_SYSTEMS

TONES = {"maintained": "ok", "stale": "warn", "frozen": "bad", "orphaned": "bad"}
MOST_WAITING = 50  # shown at once; the rest follows as these are answered
MOST_DEFINED, MOST_INITIATIVES = 50, 20  # definitions shown, and initiatives offered, the newest first
NEAR = 30  # days before its review an account says so


@require_safe
def systems(request: SignedInRequest) -> HttpResponse:
    """Show the systems in use, those with most initiatives first, with filters."""
    form, today = SystemsForm(request.GET or None), clock.today()
    wanted = form.wanted if form.is_bound else {}
    rows = System.objects.current()
    if "q" in wanted:
        rows = rows.filter(name__icontains=wanted["q"]) | rows.filter(location__icontains=wanted["q"])
    if "kind" in wanted:
        rows = rows.filter(kind=wanted["kind"])
    if "owner" in wanted:
        rows = rows.filter(owner__full_name__icontains=wanted["owner"])
    if "condition" in wanted:
        rows = rows.in_condition(wanted["condition"], today)
    weight = system_inventory.weights(request.user)
    page = page_of(request, system_inventory.ordered(rows, weight))
    shown = System.objects.select_related("owner").in_bulk(list(page))
    found = system_inventory.heaviest(weight)
    context = {
        "nav": "systems",
        "form": form,
        "filtered": bool(wanted),
        "page": page,
        "rows": [(shown[pk], weight.get(pk, 0), *condition_of(shown[pk], today)) for pk in page],
        "heaviest": found,
        "drawn": charts.heaviest(found),
        "may_import": permissions.may_import_systems(request.user),
    }
    return render(request, "initiatives/integration/systems/landscape.html", context)


def condition_of(system: System, today) -> tuple[str, str]:
    """Return the condition of a system in words, and the tone of the words."""
    condition = system.condition(today)
    return CONDITIONS_OF_SYSTEMS[condition], TONES[condition]


def conditions_of(system: System, today) -> list[tuple[str, str, str]]:
    """Return every condition of a system, the worst first: words, tone and reason."""
    return [(CONDITIONS_OF_SYSTEMS[one], TONES[one], _why(system, one)) for one in system.conditions(today)]


def _why(system: System, condition: str) -> str:
    if condition == "orphaned":
        last = f" The system was last organised in {system.organised_on:%Y}." if system.organised_on else ""
        gone = f"{system.owner}, the owner, has left." if system.owner else "No owner is named."
        return gone + last
    if condition == "frozen":
        return "No one can edit the system, so its errors cannot be corrected."
    last = system.last_updated_on
    if condition == "stale":
        known = (
            f"The last update was on {last:%-d %B %Y}" if last else "The day of the last update is not known"
        )
        return f"{known}. The system counts as out of date after {system.updated_every_days} days."
    until = system.stale_from()
    return (
        f"The system counts as out of date from {until:%-d %B %Y}, unless someone updates it."
        if until
        else ""
    )


@require_safe
def system(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one system: its condition, its owner, its accounts, and who depends on it."""
    row, today = _system(pk), clock.today()
    customisations = list(row.customisations.order_by("ended_on", "team", "pk"))
    dependents = system_inventory.dependents(request.user, row)
    mine = row.owner_id == request.user.pk
    may = permissions.may_change_system(row, request.user)
    decides = permissions.may_decide_on(row, request.user)
    context = {
        "nav": "systems",
        "system": row,
        "conditions": conditions_of(row, today),
        "risk_notes": risk_notes(row, customisations),
        "customisations": customisations,
        "members": _members(row, today),
        "defined": list(_defined(row)[: MOST_DEFINED + 1]),
        "most_defined": MOST_DEFINED,
        "duplicates": list(row.duplicates.current()),
        "is_collection": row.kind == COLLECTION,
        "accounts": _accounts(row, may, decides, request.user),
        "hidden_accounts": row.service_accounts.open()
        .exclude(pk__in=accounts_seen_by(request.user).values("pk"))
        .exists(),
        "page": page_of(request, dependents.links),
        "hidden": dependents.hidden,
        "tie_to": []
        if row.retired_at
        else list(permissions.worked_on(request.user).order_by("-pk")[:MOST_INITIATIVES]),
        "may_change": may,
        "may_decide": decides,
        "mine": mine,
        "waiting": _waiting(row) if mine else [],
    }
    return render(request, "initiatives/integration/systems/system.html", context)


def _members(system: System, today) -> list[tuple[System, str, str]]:
    """Return the sources of a collection, each with its condition and tone."""
    if system.kind != COLLECTION:
        return []
    return [(one, *condition_of(one, today)) for one in system.members.current().select_related("owner")]


def _defined(system: System):
    """Return the definitions of the system's fields, by term."""
    rows = TermDefinition.objects.current().filter(system=system).select_related("term")
    return rows.order_by("term__name", "field", "valid_from", "pk")


def _waiting(system: System) -> list[tuple[RequirementFinding, int]]:
    """Return the oldest links that wait for the system's owner, each with its key."""
    rows = system_inventory.waiting_answers(system, clock.now())[:MOST_WAITING]
    return [(row, int(row.source.split(":")[1])) for row in rows]


def _accounts(system: System, may: Answer, decides: Answer, person: User) -> list[dict]:
    """Return the accounts that this person may see, and what they may do with each."""
    today = clock.today()
    open_obligations = set(
        Obligation.objects.open()
        .filter(kind="service_account", responsible=person)
        .values_list("source", flat=True)
    )
    found = []
    for row in accounts_seen_by(person).filter(system=system).select_related("owner"):
        state, tone = _state_of(row, today)
        may_change = row.closed_at is None and (bool(may) or row.owner_id == person.pk)
        may_close = row.closed_at is None and (
            bool(decides) or row.owner_id == person.pk or f"account:{row.pk}" in open_obligations
        )
        found.append(
            {"row": row, "state": state, "tone": tone, "may_change": may_change, "may_close": may_close}
        )
    return found


def _state_of(account: ServiceAccount, today) -> tuple[str, str]:
    due = account.review_by
    if account.closed_at is not None:
        return "closed", ""
    if due is None:
        return "no review planned", "warn"
    if due < today:
        return "review overdue", "bad"
    return ("review due", "warn") if (due - today).days <= NEAR else ("open", "ok")


def _system(pk: int) -> System:
    """Return the system with this key, open to everyone signed in. Raises Http404."""
    rows = System.objects.select_related(
        "owner",
        "unit",
        "vendor",
        "knowledge_holder",
        "collection",
        "duplicate_of",
        "described_by",
        "retired_by",
    )
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404("This system does not exist.")
    return found


def _account(request, pk: int) -> ServiceAccount:
    """Return the account with this key, if the person may see it. Raises Http404."""
    found = accounts_seen_by(request.user).select_related("system__owner", "owner").filter(pk=pk).first()
    if found is None:
        raise Http404("This account does not exist.")
    return found


def _form(request, form, act, done: str, *, back: str, **page) -> HttpResponse:
    """Show a form for one act on a system, then go back. Errors are shown on the form.

    `back` is the return address, or None for the page of the system that the act returns. A `next` that ends in "="
    is then completed with the system's key, so that the form that the person came from continues with it.
    """
    if back and isinstance(form, OverwritingForm) and form.is_valid() and form.unchanged:
        messages.info(request, _("You changed no field. No entry was written."))
        return redirect(back_to(request, back))
    if request.method == "POST" and form.is_valid():
        try:
            made = act(form)
        except ValidationError as error:
            put_errors(form, error)
            page["known"] = _called(form.data.get("name", "")) if isinstance(form, SystemForm) else None
        else:
            messages.success(request, done)
            there = back_to(request, back or made.get_absolute_url())
            return redirect(f"{there}{made.pk}" if back is None and there.endswith("=") else there)
    back = back_to(request, back or reverse("systems"))
    context = {"nav": "systems", "form": form, "back_url": back, "next": request.GET.get("next", "")}
    context |= {"happens": [], "danger": False}
    status = getattr(form, "status", 200)
    return render(request, "initiatives/integration/systems/system_form.html", context | page, status=status)


def _called(name: str) -> System | None:
    return System.objects.current().filter(name__iexact=name.strip()).first()


def describe(request: SignedInRequest) -> HttpResponse:
    """Describe a system that is not here yet."""
    permissions.may_describe(request.user).or_refuse()
    initial = {"collection": request.GET.get("collection"), "name": request.GET.get("name", "")[:160]}
    if initial["collection"]:
        initial["kind"] = "wiki"
    form = SystemForm(sent(request), initial={name: value for name, value in initial.items() if value})
    return _form(
        request,
        form,
        lambda form: _told(request, actions.describe_system(by=request.user, **form.act())),
        "The system is added. Initiatives can be connected to it.",
        back=None,
        title=_("Add system"),
        lede=_(
            "Describe the system once for all initiatives. A system is software, a shared folder, a "
            "wiki, or a group of experts."
        ),
        verb=_("Add the system"),
    )


def _told(request, row: System) -> System:
    """Return the saved system, and show a warning if one of its regions is not known."""
    say_strange(request, row.regions)
    return row


def change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change the data of a system, its owner included."""
    row = _system(pk)
    decides = permissions.may_decide_on(row, request.user)
    permissions.may_change_system(row, request.user).or_refuse()
    return _form(
        request,
        SystemForm(sent(request), system=row, without=() if decides else DECIDED),
        lambda form: _told(request, actions.change_system(system=row, by=request.user, **form.act())),
        "The system is changed.",
        back=row.get_absolute_url(),
        title=_("Change %(row)s") % {"row": row},
        happens=[
            _(
                "If the system is frozen, moved, or loses its owner, evidence that depends on it no longer "
                "counts. This applies to every connected initiative."
            ),
        ],
        verb=_("Save"),
    )


def retire_system(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that a system is retired."""
    row = _system(pk)
    permissions.may_decide_on(row, request.user).or_refuse()
    return _form(
        request,
        ReasonForm(sent(request)),
        lambda form: actions.retire_system(system=row, by=request.user, **form.cleaned_data),
        f"{row} is retired.",
        back=row.get_absolute_url(),
        title=_("Retire %(row)s") % {"row": row},
        happens=[
            _(
                "Every initiative that is still connected is notified. Each initiative has a finding until "
                "it closes its link."
            )
        ],
        verb=_("Retire the system"),
        danger=True,
    )


def disown(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that the person named as owner does not own a system."""
    row = _system(pk)
    permissions.may_disown(row, request.user).or_refuse()
    return _form(
        request,
        ReasonForm(sent(request)),
        lambda form: actions.disown_system(system=row, by=request.user, **form.cleaned_data),
        f"{row} now has no owner.",
        back=row.get_absolute_url(),
        title=_("You are not the owner of %(row)s?") % {"row": row},
        happens=[
            _("The system has no owner until someone is named. The connected initiatives are notified.")
        ],
        verb=_("I am not the owner"),
        danger=True,
    )


def customise(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that a team changed it for itself."""
    row = _system(pk)
    permissions.may_change_system(row, request.user).or_refuse()
    return _form(
        request,
        CustomisationForm(sent(request)),
        lambda form: actions.add_customisation(system=row, by=request.user, **form.cleaned_data),
        "The customisation is recorded.",
        back=row.get_absolute_url(),
        title=_("A customisation of %(row)s") % {"row": row},
        lede=_(
            "Name the team, describe its change, and enter the first day. Many customisations are a risk to "
            "every initiative."
        ),
        verb=_("Record the customisation"),
    )


def close_customisation(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that a customisation is gone."""
    found = Customisation.objects.select_related("system__owner").filter(pk=pk).first()
    if found is None:
        raise Http404("This customisation does not exist.")
    permissions.may_change_system(found.system, request.user).or_refuse()
    if request.method == "POST":
        actions.close_customisation(customisation=found, by=request.user)
        messages.success(request, _("The customisation is recorded as ended."))
        return redirect(found.system.get_absolute_url())
    page = {
        "nav": "systems",
        "title": _("End a customisation"),
        "lede": f"{found.team}: {found.what}",
        "happens": [_("The customisation stays in the history, and no longer counts as a risk.")],
        "danger": False,
        "verb": _("End the customisation"),
        "back_url": found.system.get_absolute_url(),
    }
    return render(request, "initiatives/integration/systems/system_form.html", page)


# Service accounts


def open_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record an account in the system."""
    row = _system(pk)
    permissions.may_change_system(row, request.user).or_refuse()
    return _form(
        request,
        AccountForm(sent(request)),
        lambda form: accounts.open_account(system=row, by=request.user, **form.cleaned_data),
        "The account is recorded.",
        back=row.get_absolute_url(),
        title=_("A service account in %(row)s") % {"row": row},
        lede=_(
            "An account for software, not for a person. If the account has no owner or no review, each "
            "initiative that uses the account gets a finding."
        ),
        verb=_("Record the account"),
    )


def change_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change the data of an account."""
    row = _account(request, pk)
    permissions.may_change_account(row, request.user).or_refuse()
    said = {name: getattr(row, name) for name in ("name", "owner", "privileges", "review_by")}
    form = AccountForm(sent(request), row=row, initial=said)
    if not permissions.may_hand_over_account(row, request.user):
        del form.fields["owner"]
    return _form(
        request,
        form,
        lambda form: accounts.change_account(account=row, by=request.user, **said | form.cleaned_data),
        "The account is changed.",
        back=row.system.get_absolute_url(),
        title=_("Change the account %(row)s") % {"row": row},
        verb=_("Save"),
    )


def review_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record a review of an account."""
    row = _account(request, pk)
    permissions.may_change_account(row, request.user).or_refuse()
    return _form(
        request,
        ReviewForm(sent(request), row=row, initial={"privileges": row.privileges}),
        lambda form: accounts.review_account(account=row, by=request.user, **form.cleaned_data),
        "Your review is recorded.",
        back=row.system.get_absolute_url(),
        title=_("Review the account %(row)s") % {"row": row},
        verb=_("Record the review"),
    )


def close_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that an account is closed in its system."""
    row = _account(request, pk)
    permissions.may_close_account(row, request.user).or_refuse()
    return _form(
        request,
        ReasonForm(sent(request)),
        lambda form: accounts.close_account(account=row, by=request.user, **form.cleaned_data),
        "The account is recorded as closed.",
        back=row.system.get_absolute_url(),
        title=_("Close the account %(row)s") % {"row": row},
        happens=[
            _("Close the account in its system first, then record it here."),
            _("Tasks for this account are resolved. Links that still name the account get a finding."),
        ],
        verb=_("Record as closed"),
        danger=True,
    )
