"""The contract of an initiative as a document: read, compared, sent to its seats, approved.

Writing it: `views.clauses`.
"""

from collections import Counter
from collections.abc import Iterable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from governance import clock
from governance.contracts.templates import STARTERS
from governance.contracts.wording import differences, marked
from governance.models import Clause, ClauseComment, ContractVersion, Rulebook
from governance.permission_result import Conflict, no
from governance.transparency_log import as_of
from governance.vocabulary import ClauseKind, Seat
from governance.web.form_fields import ReasonForm
from governance.web.middleware import on_any_day
from initiatives.contracts.documents import actions, comments, preview
from initiatives.contracts.documents.actions import gaps_of, link_of_gap
from initiatives.contracts.documents.forms import VerdictForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.initiative_frame import ask, fix, initiative_context, page_of, sent

PREPARING = (ContractVersion.DRAFT, ContractVersion.IN_REVIEW)
MOST_CHANGES = 5  # beside a version; all of them have a page


@on_any_day(initiative_lookup.initiative_on_any_day)
def contract(request, ref):
    """The version asked for: the one in force, else the one in preparation; with all others below."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "contract")
    versions = list(
        initiative.contract.versions.select_related("author").order_by("-number")
        if initiative.contract_id
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
    before = next((v for v in versions if shown and v.number < shown.number), None)
    said = _clauses_of(shown, before)
    clauses = said[shown.pk] if shown else []
    count_comments(initiative, clauses)
    changes = changes_shown(said[before.pk], clauses) if before else []
    context |= {
        "title": f"Contract, version {shown.number}" if shown else _("Contract"),
        "shown": shown,
        "in_force": in_force,
        "draft": draft,
        "groups": groups_of(clauses),
        "comments": sum(clause.comments for clause in clauses),
        "before": before,
        "changes": changes[:MOST_CHANGES],
        "more_changes": max(0, len(changes) - MOST_CHANGES),
        "approvals": _approvals(shown, context["rulebook"]),
        "gaps": gaps_shown(initiative, clauses) if shown and shown.state == ContractVersion.DRAFT else [],
        "objections": objections_shown(initiative, request.user) if as_of.current() is None else [],
        "record_owner": context["facts"].people.get("record_owner"),
        "starters": STARTERS.values(),
        "page": page_of(request, versions, 20),
    }
    context["blocked"] = any(gap["blocking"] for gap in context["gaps"])
    return render(request, "initiatives/contracts/contract.html", context)


def _clauses_of(*versions: ContractVersion | None) -> dict[int, list[Clause]]:
    """The clauses of these versions in order, by key of the version; read together."""
    found = {version.pk: [] for version in versions if version}
    for clause in Clause.objects.filter(version__in=found).order_by("position", "id") if found else ():
        found[clause.version_id].append(clause)
    return found


def count_comments(initiative, clauses: list[Clause]) -> list[tuple[int, int]]:
    """Put beside each clause how many comments on it are open; those on clauses that are gone: (number, how many)."""
    if not clauses:
        return []
    rows = ClauseComment.objects.filter(contract=initiative.contract_id, resolved_at=None, seat="")
    open_on = Counter(rows.values_list("number", flat=True))
    for clause in clauses:
        clause.comments = open_on.pop(clause.number, 0)
    return sorted(open_on.items())


def groups_of(clauses: Iterable[Clause]) -> list[tuple[str, list]]:
    """The clauses by kind, in the order of the kinds."""
    by_kind: dict[str, list] = {kind: [] for kind in ClauseKind}
    for clause in clauses:
        by_kind[clause.kind].append(clause)
    return [(words, by_kind[kind]) for kind, words in ClauseKind.choices if by_kind[kind]]


def gaps_shown(initiative, clauses: list[Clause]) -> list[dict]:
    """What the check for completeness finds, each with its fix and where it is fixed; blocking ones first."""
    edit = reverse("contract-edit", args=[initiative.ref])
    return [
        {
            "words": gap.words,
            "fix": gap.fix,
            "blocking": gap.blocking,
            "clauses": [(number, f"{edit}{number}/") for number in gap.numbers],
            "link": "" if gap.numbers else link_of_gap(initiative, gap),
        }
        for gap in sorted(gaps_of(initiative, clauses), key=lambda gap: not gap.blocking)
    ]


def changes_shown(old: list[Clause], new: list[Clause]) -> list[dict]:
    """What changed between two versions, clause by clause: number, what happened, and the sentence with its marks."""
    changes = differences(*([(clause.number, clause.sentence) for clause in side] for side in (old, new)))
    happened = {(False, True): "came", (True, False): "went", (True, True): "reads otherwise"}
    return [
        {
            "number": one.number,
            "what": happened[bool(one.before), bool(one.after)],
            "before": one.before,
            "after": one.after,
            "pieces": marked(one.before, one.after),
        }
        for one in changes
    ]


def _approvals(version, rulebook) -> list[tuple[str, object]]:
    """The seats that put a contract in force, each with its approval of exactly this text, or None."""
    if version is None or version.state == ContractVersion.DRAFT:
        return []
    given = {
        row.seat: row for row in version.approvals.filter(digest=version.digest).select_related("person")
    }
    return [(Seat.word(seat), given.get(seat)) for seat in rulebook.contract.seats]


@require_safe
def changes(request, ref):
    """Any two versions compared in sentences; at first the newest with the one before."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    versions = list(
        initiative.contract.versions.select_related("author").order_by("-number")
        if initiative.contract_id
        else ()
    )
    if not versions:
        raise Http404("There is no contract.")
    by_number = {str(version.number): version for version in versions}
    new = _version(by_number, request.GET.get("new"), versions[0])
    older = next((version for version in versions if version.number < new.number), new)
    old = _version(by_number, request.GET.get("old"), older)
    said = _clauses_of(old, new)
    context = initiative_context(request, initiative, "contract")
    context |= {
        "title": f"Versions {old.number} and {new.number} of the contract",
        "versions": versions,
        "old": old,
        "new": new,
        "changes": changes_shown(said[old.pk], said[new.pk]),
        "count": len(said[new.pk]),
    }
    return render(request, "initiatives/contracts/contract_changes.html", context)


def _version(by_number: dict[str, ContractVersion], wanted: str | None, otherwise) -> ContractVersion:
    """The version asked for. Raises Http404 when there is none of that number."""
    if not wanted:
        return otherwise
    if wanted not in by_number:
        raise Http404("There is no such version.")
    return by_number[wanted]


@require_safe
def read(request, ref):
    """A version to be read aloud or printed: every sentence with its number, kind by kind."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    versions = list(
        initiative.contract.versions.select_related("author").order_by("-number")
        if initiative.contract_id
        else ()
    )
    if not versions:
        raise Http404("There is no contract.")
    version = _version({str(one.number): one for one in versions}, request.GET.get("version"), versions[0])
    context = initiative_context(request, initiative, "contract")
    context |= {
        "title": f"Contract, version {version.number}, to be read",
        "version": version,
        "groups": groups_of(version.clauses.all()),
        "approvals": _approvals(version, context["rulebook"]),
        "record_owner": context["facts"].people.get("record_owner"),
    }
    return render(request, "initiatives/contracts/contract_read.html", context)


def _in_preparation(initiative, state: str) -> ContractVersion:
    """The version in this state. Raises Http404 when there is none."""
    found = initiative.contract.versions.filter(state=state).first() if initiative.contract_id else None
    if found is None:
        raise Http404("No version is in that state.")
    return found


def propose(request, ref):
    """Send the draft to the seats that put contracts in force."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_manage(initiative, request.user).or_refuse()
    version = _in_preparation(initiative, ContractVersion.DRAFT)
    if request.method == "POST":
        actions.propose_contract(initiative=initiative, by=request.user)
        messages.success(request, _("The contract is with its seats."))
        return redirect("contract", initiative.ref)
    seats = [Seat.word(seat).lower() for seat in Rulebook.objects.current().parsed.contract.seats]
    return ask(
        request,
        initiative,
        "contract",
        None,
        title=_("Send the contract to the board"),
        happens=[
            f"Version {version.number} can no longer be edited, unless you take it back.",
            f"It comes into force once these seats have approved its exact text: {', '.join(seats)}.",
        ],
        effects=preview.of_contract(initiative, version, by=request.user),
        impact_verb=_("Its coming into force"),
        verb=_("Send it"),
        back_url=reverse("contract", args=[initiative.ref]),
    )


def withdraw(request, ref):
    """Take a version back from the board, to change it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_manage(initiative, request.user).or_refuse()
    _in_preparation(initiative, ContractVersion.IN_REVIEW)
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid():
        actions.withdraw_contract(initiative=initiative, by=request.user, **form.cleaned_data)
        messages.success(request, _("The contract is a draft again."))
        return redirect("contract", initiative.ref)
    return ask(
        request,
        initiative,
        "contract",
        form,
        title=_("Take the contract back"),
        happens=[_("Approvals given so far count for the old text only, not for another one.")],
        verb=_("Withdraw it"),
        back_url=reverse("contract", args=[initiative.ref]),
    )


@sensitive_post_parameters("password", "reason")
def approve(request, ref):
    """Read the text, and approve exactly that for a seat, or object to it; either is signed."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    rulebook = Rulebook.objects.current().parsed
    held = [
        seat
        for seat in rulebook.contract.seats
        if initiative_permissions.holds_seat(initiative, request.user, seat)
    ]
    sending = request.method == "POST"
    version = (
        _latest_proposed(initiative) if sending else _in_preparation(initiative, ContractVersion.IN_REVIEW)
    )
    clauses = list(version.clauses.all())
    wanted = request.POST.get("seat", "")
    forms = {
        seat: VerdictForm(
            request.POST if sending and seat == wanted else None,
            clauses=clauses,
            initial={"seat": seat, "digest": version.digest},
            auto_id=f"id_{seat}_%s",
            request=request,
            purpose=f"sign as {Seat.word(seat).lower()} on the contract of {initiative.ref}",
        )
        for seat in (held or rulebook.contract.seats)
    }
    if sending:
        done = _signed(version, wanted, forms.get(wanted), by=request.user)
        if done:
            messages.success(request, done)
            return redirect("contract", initiative.ref)
    given = set(version.approvals.filter(digest=version.digest).values_list("seat", flat=True))
    seats = [
        {
            "word": Seat.word(seat),
            "may": initiative_permissions.may_approve_contract(initiative, seat, request.user),
            "given": seat in given,
            "form": form,
        }
        for seat, form in forms.items()
    ]
    count_comments(initiative, clauses)
    planned = version.wanted_from
    return ask(
        request,
        initiative,
        "contract",
        None,
        template="initiatives/contracts/contract_approve.html",
        status=forms[wanted].status if wanted in forms else 200,
        title=f"Approve the contract, version {version.number}",
        version=version,
        groups=groups_of(clauses),
        seats=seats,
        objections=objections_shown(initiative, request.user),
        effects=preview.of_contract(initiative, version, by=request.user),
        planned=planned if planned and planned > clock.today() else None,
        back_url=reverse("contract", args=[initiative.ref]),
    )


def _signed(version: ContractVersion, seat: str, form: VerdictForm | None, *, by) -> str:
    """What is said once the seat's verdict is recorded; empty where the form now says what is missing."""
    initiative = version.contract.initiative
    may = (
        initiative_permissions.may_approve_contract(initiative, seat, by)
        if form
        else no("No seat was named.")
    )
    if not may:
        with act("approve contract", by=by, initiative=initiative):
            may.or_refuse()
    if version.state != ContractVersion.IN_REVIEW or version.digest != form.data.get("digest"):
        raise Conflict("The contract changed since you opened it.", "Read it again.")
    if not form.is_valid():
        return ""
    said, digest = form.cleaned_data, form.cleaned_data["digest"]
    try:
        if said["verdict"] == VerdictForm.APPROVE:
            actions.approve_contract(version=version, seat=seat, digest=digest, by=by)
            return "You approved the contract."
        comments.object_to_contract(
            version=version, seat=seat, number=said["number"], text=said["reason"], digest=digest, by=by
        )
    except ValidationError as error:
        fix(form, error)
        return ""
    return (
        "Your objection is recorded, and the owner is told. The contract does not come into force meanwhile."
    )


def objections_shown(initiative, person) -> list[ClauseComment]:
    """The objections that stand against the contract, each with whether this person may withdraw it."""
    if not initiative.contract_id:
        return []
    rows = list(initiative.contract.comments.objections().select_related("by"))
    for row in rows:
        row.may_resolve = bool(comments.may_resolve(initiative, row, person))
    return rows


def _latest_proposed(initiative) -> ContractVersion:
    """The version an approval is for: in review, else the newest, so that a late click is told what happened."""
    found = initiative.contract.versions.order_by("-number").first() if initiative.contract_id else None
    if found is None:
        raise Http404("There is no contract.")
    return found
