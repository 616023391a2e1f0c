"""The systems of the organisation: found, described once for every initiative, looked after, retired."""

from dataclasses import replace

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import User
from governance.permission_result import Answer
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
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
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, ROW_ACTS, Frame, PageStep, RowAct
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
SYSTEMS = System.objects.select_related(
    "owner", "unit", "vendor", "knowledge_holder", "collection", "duplicate_of", "described_by", "retired_by"
)


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
    found = SYSTEMS.filter(pk=pk).first()
    if found is None:
        raise Http404("This system does not exist.")
    return found


def _described(person: User, request: SignedInRequest) -> dict:
    """Return the form of a system as the address fills it in."""
    said = {"collection": request.GET.get("collection"), "name": request.GET.get("name", "")[:160]}
    if said["collection"]:
        said["kind"] = "wiki"
    return {"row": None, "initial": {name: value for name, value in said.items() if value}}


def _known(person: User, request: SignedInRequest) -> dict:
    """Return the system that has this name already, for the page."""
    name = request.POST.get("name", "").strip()
    return {"known": System.objects.current().filter(name__iexact=name).first()}


ON_SYSTEMS = Frame(nav="systems", seen=lambda rows, person: rows)  # everyone signed in sees every system
ON_ACCOUNTS = Frame(
    nav="systems",
    seen=lambda rows, person: rows.filter(pk__in=accounts_seen_by(person).values("pk")),
    page=lambda account: account.system.get_absolute_url(),
)
_ACCOUNTS = ServiceAccount.objects.select_related("system__owner", "owner")

PLAIN_ACTS["describe-system"] = PageStep(
    frame=ON_SYSTEMS,
    may=lambda _, person: permissions.may_describe(person),
    act=actions.describe_system,
    noun="by",
    form=SystemForm,
    given=_described,
    then=lambda request, made: say_strange(request, made.regions),
    back=lambda _: reverse("systems"),
    after=lambda _, made, person: made.get_absolute_url(),
    context=_known,
    title=gettext_lazy("Add system"),
    lede=gettext_lazy(
        "Describe the system once for all initiatives. A system is software, a shared folder, a "
        "wiki, or a group of experts."
    ),
    verb=gettext_lazy("Add the system"),
    done=gettext_lazy("The system is added. Initiatives can be connected to it."),
)
ROW_ACTS["systems/change"] = RowAct(
    rows=SYSTEMS,
    frame=ON_SYSTEMS,
    may=permissions.may_change_system,
    act=actions.change_system,
    noun="system",
    form=SystemForm,
    given=lambda row, request: {"without": () if permissions.may_decide_on(row, request.user) else DECIDED},
    then=lambda request, row: say_strange(request, row.regions),
    title=lambda row: phrase("Change {}", row),
    happens=(
        gettext_lazy(
            "If the system is frozen, moved, or loses its owner, evidence that depends on it no longer "
            "counts. This applies to every connected initiative."
        ),
    ),
    verb=gettext_lazy("Save"),
    done=gettext_lazy("The system is changed."),
)
ROW_ACTS["systems/retire"] = RowAct(
    rows=SYSTEMS,
    frame=ON_SYSTEMS,
    may=permissions.may_decide_on,
    act=actions.retire_system,
    noun="system",
    title=lambda row: phrase("Retire {}", row),
    happens=(
        gettext_lazy(
            "Every initiative that is still connected is notified. Each initiative has a finding until "
            "it closes its link."
        ),
    ),
    verb=gettext_lazy("Retire the system"),
    danger=True,
    done=lambda row: phrase("{} is retired.", row),
)
ROW_ACTS["systems/disown"] = RowAct(
    rows=SYSTEMS,
    frame=ON_SYSTEMS,
    may=permissions.may_disown,
    act=actions.disown_system,
    noun="system",
    title=lambda row: phrase("You are not the owner of {}?", row),
    happens=(
        gettext_lazy(
            "The system has no owner until someone is named. The connected initiatives are notified."
        ),
    ),
    verb=gettext_lazy("I am not the owner"),
    danger=True,
    done=lambda row: phrase("{} now has no owner.", row),
)
ROW_ACTS["systems/customise"] = RowAct(
    rows=SYSTEMS,
    frame=ON_SYSTEMS,
    may=permissions.may_change_system,
    act=actions.add_customisation,
    noun="system",
    form=CustomisationForm,
    title=lambda row: phrase("A customisation of {}", row),
    lede=gettext_lazy(
        "Name the team, describe its change, and enter the first day. Many customisations are a risk to "
        "every initiative."
    ),
    verb=gettext_lazy("Record the customisation"),
    done=gettext_lazy("The customisation is recorded."),
)
ROW_ACTS["customisations/close"] = RowAct(
    rows=Customisation.objects.select_related("system__owner"),
    frame=replace(ON_SYSTEMS, page=lambda row: row.system.get_absolute_url()),
    may=lambda row, person: permissions.may_change_system(row.system, person),
    act=actions.close_customisation,
    noun="customisation",
    form=forms.Form,
    title=gettext_lazy("End a customisation"),
    lede=lambda row: f"{row.team}: {row.what}",
    happens=(gettext_lazy("The customisation stays in the history, and no longer counts as a risk."),),
    verb=gettext_lazy("End the customisation"),
    done=gettext_lazy("The customisation is recorded as ended."),
)


# Service accounts

ROW_ACTS["systems/open-account"] = RowAct(
    rows=SYSTEMS,
    frame=ON_SYSTEMS,
    may=permissions.may_change_system,
    act=accounts.open_account,
    noun="system",
    form=AccountForm,
    given=lambda row, request: {"row": None},
    title=lambda row: phrase("A service account in {}", row),
    lede=gettext_lazy(
        "An account for software, not for a person. If the account has no owner or no review, each "
        "initiative that uses the account gets a finding."
    ),
    verb=gettext_lazy("Record the account"),
    done=gettext_lazy("The account is recorded."),
)
ROW_ACTS["service-accounts/change"] = RowAct(
    rows=_ACCOUNTS,
    frame=ON_ACCOUNTS,
    may=permissions.may_change_account,
    act=accounts.change_account,
    noun="account",
    form=AccountForm,
    given=lambda row, request: {"hands_over": bool(permissions.may_hand_over_account(row, request.user))},
    title=lambda row: phrase("Change the account {}", row),
    verb=gettext_lazy("Save"),
    done=gettext_lazy("The account is changed."),
)
ROW_ACTS["service-accounts/review"] = RowAct(
    rows=_ACCOUNTS,
    frame=ON_ACCOUNTS,
    may=permissions.may_change_account,
    act=accounts.review_account,
    noun="account",
    form=ReviewForm,
    given=lambda row, request: {"initial": {"privileges": row.privileges}},
    title=lambda row: phrase("Review the account {}", row),
    verb=gettext_lazy("Record the review"),
    done=gettext_lazy("Your review is recorded."),
)
ROW_ACTS["service-accounts/close"] = RowAct(
    rows=_ACCOUNTS,
    frame=ON_ACCOUNTS,
    may=permissions.may_close_account,
    act=accounts.close_account,
    noun="account",
    title=lambda row: phrase("Close the account {}", row),
    happens=(
        gettext_lazy("Close the account in its system first, then record it here."),
        gettext_lazy("Tasks for this account are resolved. Links that still name the account get a finding."),
    ),
    verb=gettext_lazy("Record as closed"),
    danger=True,
    done=gettext_lazy("The account is recorded as closed."),
)
