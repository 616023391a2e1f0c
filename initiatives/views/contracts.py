"""The contract of a case as a document: read, drafted, sent to its seats, approved."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse

from governance import clock
from governance.middleware import on_any_day
from governance.models import ContractVersion, Rulebook
from governance.models.contracts import CLAUSE_KINDS
from governance.models.people import SEATS
from initiatives import actions, doors, impact, permissions
from initiatives.forms import ReasonForm
from initiatives.forms.contracts import ClauseFormSet, StartForm, clauses_of
from initiatives.views.shared import ask, case_context, mend, page_of, sent

PREPARING = (ContractVersion.DRAFT, ContractVersion.IN_REVIEW)


@on_any_day(doors.case_on_any_day)
def contract(request, ref):
    """The version asked for: the one in force, else the one in preparation; with all others below."""
    case = doors.case_for(request.user, ref)
    context = case_context(request, case, "contract")
    versions = list(
        case.contract.versions.select_related("author").prefetch_related("clauses").order_by("-number")
        if case.contract_id
        else ()
    )
    now = context["now"]
    in_force = next(
        (v for v in versions if v.starts_at and v.starts_at <= now and (not v.ends_at or v.ends_at > now)),
        None,
    )
    draft = next((v for v in versions if v.state in PREPARING), None)
    shown = in_force or draft or (versions[0] if versions else None)
    wanted = request.GET.get("version", "")
    if wanted:
        shown = next((v for v in versions if str(v.number) == wanted), None)
        if shown is None:
            raise Http404("There is no such version.")
    book = context["book"]
    kinds = {clause.kind for clause in draft.clauses.all()} if draft else set()
    context |= {
        "title": f"Contract, version {shown.number}" if shown else "Contract",
        "shown": shown,
        "in_force": in_force,
        "draft": draft,
        "groups": _groups(shown),
        "before": _difference(shown, versions),
        "approvals": _approvals(shown, book),
        "missing": [CLAUSE_KINDS[kind] for kind in book.contract.required_clauses if kind not in kinds],
        "record_owner": context["facts"].people.get("record_owner"),
        "page": page_of(request, versions, 20),
    }
    return render(request, "initiatives/contract.html", context)


def _groups(version) -> list[tuple[str, list]]:
    """The clauses by kind, in the order of the kinds."""
    if version is None:
        return []
    clauses = list(version.clauses.all())
    return [
        (words, [clause for clause in clauses if clause.kind == kind])
        for kind, words in CLAUSE_KINDS.items()
        if any(clause.kind == kind for clause in clauses)
    ]


def _difference(version, versions) -> dict | None:
    """Sentences that came and went against the version before; None for a first version."""
    before = next((v for v in versions if version and v.number < version.number), None)
    if before is None:
        return None
    old = [clause.sentence for clause in before.clauses.all()]
    new = [clause.sentence for clause in version.clauses.all()]
    return {
        "number": before.number,
        "added": [text for text in new if text not in old],
        "removed": [text for text in old if text not in new],
    }


def _approvals(version, book) -> list[tuple[str, object]]:
    """The seats that put a contract in force, each with its approval of exactly this text, or None."""
    if version is None or version.state == ContractVersion.DRAFT:
        return []
    given = {
        row.seat: row for row in version.approvals.filter(digest=version.digest).select_related("person")
    }
    return [(SEATS.get(seat, seat), given.get(seat)) for seat in book.contract.seats]


def edit(request, ref):
    """Write the draft of the next version: clauses with their kinds, and from when it is wanted."""
    case = doors.case_for(request.user, ref)
    permissions.may_manage(case, request.user).or_refuse()
    versions = (
        case.contract.versions.prefetch_related("clauses").order_by("-number") if case.contract_id else ()
    )
    base = next(iter(versions), None)
    if base:
        initial = [{"kind": c.kind, "sentence": c.sentence} for c in base.clauses.all()]
    else:  # a first version begins with the kinds that must be there
        required = Rulebook.objects.current().book.contract.required_clauses
        initial = [{"kind": kind, "sentence": ""} for kind in required]
    formset = ClauseFormSet(
        sent(request), initial=None if request.method == "POST" else initial, prefix="clause"
    )
    start = StartForm(
        sent(request),
        initial={"wanted_from": base.wanted_from if base and base.state == ContractVersion.DRAFT else None},
    )
    if request.method == "POST" and formset.is_valid() and start.is_valid():
        if request.POST.get("step") == "rows":
            rows = [form.cleaned_data for form in formset if any(form.cleaned_data.values())]
            formset = ClauseFormSet(initial=rows, prefix="clause")
        else:
            try:
                actions.save_contract(
                    case=case,
                    clauses=clauses_of(formset),
                    wanted_from=start.cleaned_data["wanted_from"],
                    by=request.user,
                )
            except ValidationError as error:
                mend(start, error)
            else:
                messages.success(request, "The draft is saved. It binds nobody until its seats approve it.")
                return redirect("contract", case.ref)
    context = case_context(request, case, "contract")
    context |= {
        "title": "Write the contract",
        "formset": formset,
        "start": start,
        "required": [CLAUSE_KINDS[kind] for kind in context["book"].contract.required_clauses],
    }
    return render(request, "initiatives/contract_edit.html", context)


def _in_preparation(case, state: str) -> ContractVersion:
    """The version in this state. Raises Http404 when there is none."""
    found = case.contract.versions.filter(state=state).first() if case.contract_id else None
    if found is None:
        raise Http404("No version is in that state.")
    return found


def propose(request, ref):
    """Send the draft to the seats that put contracts in force."""
    case = doors.case_for(request.user, ref)
    permissions.may_manage(case, request.user).or_refuse()
    version = _in_preparation(case, ContractVersion.DRAFT)
    if request.method == "POST":
        actions.propose_contract(case=case, by=request.user)
        messages.success(request, "The contract is with its seats.")
        return redirect("contract", case.ref)
    seats = [SEATS.get(seat, seat).lower() for seat in Rulebook.objects.current().book.contract.seats]
    return ask(
        request,
        case,
        "contract",
        None,
        title="Send the contract to the board",
        happens=[
            f"Version {version.number} can no longer be edited, unless you take it back.",
            f"It comes into force once these seats have approved its exact text: {', '.join(seats)}.",
        ],
        effects=impact.of_contract(case, version, by=request.user),
        impact_verb="Its coming into force",
        verb="Send it",
        back_url=reverse("contract", args=[case.ref]),
    )


def take_back(request, ref):
    """Take a version back from the board, to change it."""
    case = doors.case_for(request.user, ref)
    permissions.may_manage(case, request.user).or_refuse()
    _in_preparation(case, ContractVersion.IN_REVIEW)
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid():
        actions.take_back_contract(case=case, by=request.user, **form.cleaned_data)
        messages.success(request, "The contract is a draft again.")
        return redirect("contract", case.ref)
    return ask(
        request,
        case,
        "contract",
        form,
        title="Take the contract back",
        happens=["Approvals given so far count for the old text only, not for another one."],
        verb="Take it back",
        back_url=reverse("contract", args=[case.ref]),
    )


def approve(request, ref):
    """Read the text and approve exactly that, for a seat."""
    case = doors.case_for(request.user, ref)
    book = Rulebook.objects.current().book
    held = [seat for seat in book.contract.seats if permissions.holds_seat(case, request.user, seat)]
    if request.method == "POST":
        version = _latest_proposed(case)
        seat = request.POST.get("seat", "")
        actions.approve_contract(
            version=version, seat=seat, digest=request.POST.get("digest", ""), by=request.user
        )
        messages.success(request, "You approved the contract.")
        return redirect("contract", case.ref)
    version = _in_preparation(case, ContractVersion.IN_REVIEW)
    given = set(version.approvals.filter(digest=version.digest).values_list("seat", flat=True))
    seats = [
        {
            "key": seat,
            "word": SEATS.get(seat, seat),
            "may": permissions.may_approve_contract(case, seat, request.user),
            "given": seat in given,
        }
        for seat in (held or book.contract.seats)
    ]
    context = case_context(request, case, "contract")
    context |= {
        "title": f"Approve the contract, version {version.number}",
        "version": version,
        "groups": _groups(version),
        "seats": seats,
        "effects": impact.of_contract(case, version, by=request.user),
        "planned": version.wanted_from
        if version.wanted_from and version.wanted_from > clock.today()
        else None,
    }
    return render(request, "initiatives/contract_approve.html", context)


def _latest_proposed(case) -> ContractVersion:
    """The version an approval is for: in review, else the newest, so that a late click is told what happened."""
    found = case.contract.versions.order_by("-number").first() if case.contract_id else None
    if found is None:
        raise Http404("There is no contract.")
    return found
