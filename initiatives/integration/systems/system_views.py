"""The systems of the organisation: found, described once for every initiative, looked after, retired."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import User
from governance.permission_result import Answer
from governance.runtime.signed_in_request import SignedInRequest
from governance.web.form_fields import ReasonForm
from initiatives.integration.proposals.views import Proposing, instead
from initiatives.integration.residency.unknown_regions import say_strange
from initiatives.integration.systems import (
    accounts,
    actions,
    charts,
    import_permissions,
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
from initiatives.lifecycle.initiative.initiative_frame import back_to, fix, page_of, sent
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
    """All systems in use, those on which most initiatives hang first; found by name, kind, condition and owner."""
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
        "may_import": import_permissions.may_bring_any(request.user),
    }
    return render(request, "initiatives/integration/systems/landscape.html", context)


def condition_of(system: System, today) -> tuple[str, str]:
    """Its condition in words, and their tone."""
    condition = system.condition(today)
    return CONDITIONS_OF_SYSTEMS[condition], TONES[condition]


def conditions_of(system: System, today) -> list[tuple[str, str, str]]:
    """Every condition that it is in, the worst first: in words, their tone, and why in a sentence."""
    return [(CONDITIONS_OF_SYSTEMS[one], TONES[one], _why(system, one)) for one in system.conditions(today)]


def _why(system: System, condition: str) -> str:
    if condition == "orphaned":
        last = f" It was last organised in {system.organised_on:%Y}." if system.organised_on else ""
        gone = f"{system.owner}, its owner, has left." if system.owner else "Nobody is named as its owner."
        return gone + last
    if condition == "frozen":
        return "Nobody can edit it: what is wrong in it stays wrong."
    last = system.last_updated_on
    if condition == "stale":
        known = (
            f"It was last worked on on {last:%-d %B %Y}"
            if last
            else "Nobody knows when it was last worked on"
        )
        return f"{known}; it counts as out of date after {system.updated_every_days} days."
    until = system.stale_from()
    return (
        f"It counts as out of date from {until:%-d %B %Y} on, unless somebody works on it." if until else ""
    )


@require_safe
def system(request: SignedInRequest, pk: int) -> HttpResponse:
    """One system: its condition and why, who looks after it, its accounts, and who else depends on it."""
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
        "may_propose": not decides and permissions.may_propose_on(row, request.user),
        "mine": mine,
        "waiting": _waiting(row) if mine else [],
    }
    return render(request, "initiatives/integration/systems/system.html", context)


def _members(system: System, today) -> list[tuple[System, str, str]]:
    """The sources of a collection, each with its condition and its tone."""
    if system.kind != COLLECTION:
        return []
    return [(one, *condition_of(one, today)) for one in system.members.current().select_related("owner")]


def _defined(system: System):
    """What its fields mean, by term."""
    rows = TermDefinition.objects.current().filter(system=system).select_related("term")
    return rows.order_by("term__name", "field", "valid_from", "pk")


def _waiting(system: System) -> list[tuple[RequirementFinding, int]]:
    """The oldest links that wait for the word of the system's owner, each with its key."""
    rows = system_inventory.waiting_answers(system, clock.now())[:MOST_WAITING]
    return [(row, int(row.source.split(":")[1])) for row in rows]


def _accounts(system: System, may: Answer, decides: Answer, person: User) -> list[dict]:
    """The accounts in the system that this person may see, as the page shows them, and what they may do with each."""
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
    """The system with this key: open to everybody who signed in. Raises Http404."""
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
        raise Http404("No such system.")
    return found


def _account(request, pk: int) -> ServiceAccount:
    """The account with this key, as far as the person may see it. Raises Http404."""
    found = accounts_seen_by(request.user).select_related("system__owner", "owner").filter(pk=pk).first()
    if found is None:
        raise Http404("No such account.")
    return found


def _form(
    request, form, act, done: str, *, back: str, proposing: Proposing | None = None, **page
) -> HttpResponse:
    """One form on a system, one act, then back; what was wrong is put on the form, nothing typed is lost.

    `proposing`: what the form says is proposed in place of done.

    `back`: where it leads back to; None for the page of the system that the act returns. A `next` that ends in "=" is
    then completed with the system's key: the form that the person came from goes on with it.
    """
    if proposing is not None:
        proposing.ask_why(form)
        page |= proposing.page(page["title"])
    if request.method == "POST" and form.is_valid():
        try:
            made = act(form) if proposing is None else proposing.send(request, form, _said(form))
        except ValidationError as error:
            fix(form, error)
            page["known"] = _called(form.data.get("name", "")) if isinstance(form, SystemForm) else None
        else:
            if proposing is None:
                messages.success(request, done)
            there = back_to(request, back or made.get_absolute_url())
            return redirect(f"{there}{made.pk}" if back is None and there.endswith("=") else there)
    back = back_to(request, back or reverse("systems"))
    context = {"nav": "systems", "form": form, "back_url": back, "next": request.GET.get("next", "")}
    context |= {"happens": [], "danger": False}
    return render(request, "initiatives/integration/systems/system_form.html", context | page)


def _said(form) -> dict:
    """What the form says, as the act takes it."""
    return form.act() if isinstance(form, SystemForm) else form.cleaned_data


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
        "The system is described; initiatives can be connected to it.",
        back=None,
        title=_("Add system"),
        lede=_(
            "Once, for every initiative that will use it: bought, home-grown, a share, a wiki, subject-matter experts."
        ),
        verb=_("Describe it"),
    )


def _told(request, row: System) -> System:
    """The system as it is saved; where nobody knows one of its regions, the page says so."""
    say_strange(request, row.regions)
    return row


def change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change what is said of a system, its owner among it; or propose that to whoever decides on it."""
    row = _system(pk)
    decides = permissions.may_decide_on(row, request.user)
    asks = "propose" in request.GET
    may = decides if asks else permissions.may_change_system(row, request.user)
    proposing = instead(request, may, "system_changed", row)
    return _form(
        request,
        SystemForm(sent(request), system=row, without=() if decides or proposing else DECIDED),
        lambda form: _told(request, actions.change_system(system=row, by=request.user, **form.act())),
        "It is changed.",
        back=row.get_absolute_url(),
        proposing=proposing,
        title=f"Change {row}",
        happens=[
            _(
                "Frozen, moved to another place or region, or left without an owner: evidence that rests on it ends "
                "in every "
                "initiative that is connected to it."
            ),
        ],
        verb=_("Save"),
    )


def retire_system(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that a system is no longer there."""
    row = _system(pk)
    proposing = instead(request, permissions.may_decide_on(row, request.user), "system_retired", row)
    return _form(
        request,
        ReasonForm(sent(request)),
        lambda form: actions.retire_system(system=row, by=request.user, **form.cleaned_data),
        f"{row} is retired.",
        back=row.get_absolute_url(),
        proposing=proposing,
        title=f"Retire {row}",
        happens=[
            _(
                "Every initiative that is still connected to it is told, and is short of it until it ends its link."
            )
        ],
        verb=_("Retire it"),
        danger=True,
    )


def disown(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say that a system is not one's own."""
    row = _system(pk)
    permissions.may_disown(row, request.user).or_refuse()
    return _form(
        request,
        ReasonForm(sent(request)),
        lambda form: actions.disown_system(system=row, by=request.user, **form.cleaned_data),
        f"{row} has no owner now.",
        back=row.get_absolute_url(),
        title=f"{row} is not mine",
        happens=[
            _("It counts as orphaned until somebody is named who looks after it; its initiatives are told.")
        ],
        verb=_("It is not mine"),
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
        "It is recorded.",
        back=row.get_absolute_url(),
        title=f"A customisation of {row}",
        lede=_(
            "Who changed it for themselves, what, and since when. Many of them are a risk to every initiative."
        ),
        verb=_("Record it"),
    )


def close_customisation(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that a customisation is gone."""
    found = Customisation.objects.select_related("system__owner").filter(pk=pk).first()
    if found is None:
        raise Http404("No such customisation.")
    permissions.may_change_system(found.system, request.user).or_refuse()
    if request.method == "POST":
        actions.close_customisation(customisation=found, by=request.user)
        messages.success(request, _("It is recorded as gone."))
        return redirect(found.system.get_absolute_url())
    page = {
        "nav": "systems",
        "title": _("Close a customisation"),
        "lede": f"{found.team}: {found.what}",
        "happens": [_("It stays in the history, and no longer counts as a risk.")],
        "danger": False,
        "verb": _("It is gone"),
        "back_url": found.system.get_absolute_url(),
    }
    return render(request, "initiatives/integration/systems/system_form.html", page)


# Service accounts


def open_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record an account in the system."""
    row = _system(pk)
    proposing = instead(request, permissions.may_change_system(row, request.user), "account_opened", row)
    return _form(
        request,
        AccountForm(sent(request)),
        lambda form: accounts.open_account(system=row, by=request.user, **form.cleaned_data),
        "The account is recorded.",
        back=row.get_absolute_url(),
        proposing=proposing,
        title=f"A service account in {row}",
        lede=_(
            "An account under which something that is no person works. Without an owner or a review, each "
            "initiative that "
            "uses it is short of an identity."
        ),
        verb=_("Record it"),
    )


def change_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change what is said of an account."""
    row = _account(request, pk)
    proposing = instead(request, permissions.may_change_account(row, request.user), "account_changed", row)
    said = {name: getattr(row, name) for name in ("name", "owner", "privileges", "review_by")}
    form = AccountForm(sent(request), initial=said)
    if proposing is None and not permissions.may_hand_over_account(row, request.user):
        del form.fields["owner"]
    return _form(
        request,
        form,
        lambda form: accounts.change_account(account=row, by=request.user, **said | form.cleaned_data),
        "It is changed.",
        back=row.system.get_absolute_url(),
        proposing=proposing,
        title=f"Change the account {row}",
        verb=_("Save"),
    )


def review_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say that one looked at what an account may do."""
    row = _account(request, pk)
    permissions.may_change_account(row, request.user).or_refuse()
    return _form(
        request,
        ReviewForm(sent(request), initial={"privileges": row.privileges}),
        lambda form: accounts.review_account(account=row, by=request.user, **form.cleaned_data),
        "It is recorded that you looked.",
        back=row.system.get_absolute_url(),
        title=f"Look at the account {row}",
        verb=_("I looked at it"),
    )


def close_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that an account is closed in its system."""
    row = _account(request, pk)
    proposing = instead(request, permissions.may_close_account(row, request.user), "account_closed", row)
    return _form(
        request,
        ReasonForm(sent(request)),
        lambda form: accounts.close_account(account=row, by=request.user, **form.cleaned_data),
        "The account is recorded as closed.",
        back=row.system.get_absolute_url(),
        proposing=proposing,
        title=f"Close the account {row}",
        happens=[
            _("Close it in its system first; here it is recorded."),
            _("What was due for it is resolved. Links that still name it are short of an identity."),
        ],
        verb=_("It is closed"),
        danger=True,
    )
