"""Pages of the contract as a document: read, compare, send to the seats, approve.

The pages to write it are in `clause_views`.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from governance import clock
from governance.contracts.clauses import ASK
from governance.contracts.templates import STARTERS
from governance.contracts.wording import differences, marked
from governance.gates import separation_of_duties
from governance.models import Clause, ClauseComment, ContractVersion, Rulebook, User
from governance.permission_result import Answer, Conflict, no
from governance.transparency_log import as_of
from governance.vocabulary import ClauseKind, Seat
from governance.vocabulary.form_errors import put_errors
from governance.web.middleware import on_any_day
from initiatives.contracts.documents import actions, comments
from initiatives.contracts.documents import permissions as contract_permissions
from initiatives.contracts.documents.actions import gaps_of, link_of_gap
from initiatives.contracts.documents.control_views import enforced
from initiatives.contracts.documents.forms import VerdictForm
from initiatives.lifecycle.access import initiative_lookup, roles_and_seats
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.initiative_frame import ask, initiative_context, page_of
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.lifecycle.roles.actions import owner_keeps_records
from initiatives.models import Initiative

PREPARING = (ContractVersion.DRAFT, ContractVersion.IN_REVIEW)
MOST_CHANGES = 5  # beside a version; all of them have a page


@on_any_day(initiative_lookup.initiative_on_any_day)
def contract(request, ref):
    """Show the version asked for, else the one in force or in preparation. List all others."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "contract")
    versions = versions_of(initiative)
    now = context["now"]
    in_force, draft, shown = version_shown(versions, request.GET.get("version", ""), now)
    before = next((v for v in versions if shown and v.number < shown.number), None)
    said = clauses_of(shown, before)
    clauses = said[shown.pk] if shown else []
    count_comments(initiative, clauses)
    changes = changes_shown(said[before.pk], clauses) if before else []
    context |= {
        "title": f"Contract, version {shown.number}" if shown else _("Contract"),
        "shown": shown,
        "in_force": in_force,
        "draft": draft,
        "columns": columns_of(clauses),
        "comments": sum(clause.comments for clause in clauses),
        "before": before,
        "changes": changes[:MOST_CHANGES],
        "more_changes": max(0, len(changes) - MOST_CHANGES),
        "approvals": approvals_shown(initiative, shown, context["rulebook"]),
        "gaps": gaps_shown(initiative, clauses) if shown and shown.state == ContractVersion.DRAFT else [],
        "objections": objections_shown(initiative, request.user) if as_of.current() is None else [],
        "record_owner": context["facts"].people.get("record_owner"),
        "owner_keeps_records": owner_keeps_records(initiative),
        "starters": STARTERS.values(),
        "page": page_of(request, versions, 20),
    }
    context |= enforced(initiative, shown, clauses, context)
    context["blocked"] = any(gap["blocking"] for gap in context["gaps"])
    context["signs"] = (
        context["draft"] is not None
        and context["draft"].state == "in_review"
        and any(
            contract_permissions.may_approve_contract(initiative, seat, request.user)
            for seat in context["rulebook"].contract.seats
        )
    )
    return render(request, "initiatives/contracts/contract.html", context)


def versions_of(initiative: Initiative) -> list[ContractVersion]:
    """Return the versions of the initiative's contract, the newest first."""
    if not initiative.contract_id:
        return []
    return list(initiative.contract.versions.select_related("author").order_by("-number"))


def version_shown(versions: list[ContractVersion], wanted: str, now):
    """Return the version in force, the one in preparation, and the one to show, each or None.

    `wanted` is a number, or "" for the usual one. Raises Http404 for an unknown number.
    """
    in_force = next(
        (v for v in versions if v.starts_at and v.starts_at <= now and (not v.ends_at or v.ends_at > now)),
        None,
    )
    draft = next((v for v in versions if v.state in PREPARING), None)
    shown = in_force or draft or (versions[0] if versions else None)
    if wanted:
        shown = next((v for v in versions if str(v.number) == wanted), None)
        if shown is None:
            raise Http404("This version of the contract does not exist.")
    return in_force, draft, shown


def clauses_of(*versions: ContractVersion | None) -> dict[int, list[Clause]]:
    """Return the clauses of these versions in order, by key of the version. Uses one query."""
    found = {version.pk: [] for version in versions if version}
    for clause in Clause.objects.filter(version__in=found).order_by("position", "id") if found else ():
        found[clause.version_id].append(clause)
    return found


def count_comments(initiative, clauses: list[Clause]) -> list[tuple[int, int]]:
    """Set each clause's open comments. Returns (number, comments) of removed clauses."""
    if not clauses:
        return []
    rows = ClauseComment.objects.filter(contract=initiative.contract_id, resolved_at=None, seat="")
    open_on = Counter(rows.values_list("number", flat=True))
    for clause in clauses:
        clause.comments = open_on.pop(clause.number, 0)
    return sorted(open_on.items())


def groups_of(clauses: Iterable[Clause]) -> list[tuple[str, list]]:
    """Return the clauses by kind, in the order of the kinds."""
    by_kind: dict[str, list] = {kind: [] for kind in ClauseKind}
    for clause in clauses:
        by_kind[clause.kind].append(clause)
    return [(words, by_kind[kind]) for kind, words in ClauseKind.choices if by_kind[kind]]


def columns_of(clauses: Iterable[Clause]) -> list[tuple[str, list[Clause]]]:
    """Return the clauses by what the system may do: alone, with a person, never. Clauses on other things come last."""
    alone, asked, never, others = [], [], [], []
    for clause in clauses:
        if clause.kind == ClauseKind.AUTONOMY:
            alone.append(clause)
        elif clause.kind == ClauseKind.HUMAN_APPROVAL or clause.said.then == ASK:
            asked.append(clause)
        else:
            (never if clause.kind == ClauseKind.EDGE_POLICY else others).append(clause)
    return [(_("Alone"), alone), (_("With a person"), asked), (_("Does nothing"), never), ("", others)]


def gaps_shown(initiative, clauses: list[Clause]) -> list[dict]:
    """Return the gaps of the clauses, blocking ones first, with fixes and links."""
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
    """Return the changes by clause: number, kind of change, and marked sentence."""
    changes = differences(*([(clause.number, clause.sentence) for clause in side] for side in (old, new)))
    happened = {(False, True): "came", (True, False): "went", (True, True): "reads differently"}
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


def approvals_shown(initiative, version, rulebook) -> list[tuple[str, Any]]:
    """Return the approving seats, each with its approval of exactly this text or None.

    While the version waits, `lapsed` of an approval has why it does not count now, or "".
    """
    if version is None or version.state == ContractVersion.DRAFT:
        return []
    given = {row.seat: row for row in actions.newest_approvals(version)}
    waits = version.state == ContractVersion.IN_REVIEW and as_of.current() is None
    lapsed = actions.why_lapsed(initiative, version, given.values()) if waits else {}
    for seat, row in given.items():
        row.lapsed = separation_of_duties.said(lapsed[seat]) if lapsed.get(seat) else ""
    return [(Seat.word(seat), given.get(seat)) for seat in rulebook.contract.seats]


@require_safe
def changes(request, ref):
    """Show the differences of two versions, by default of the newest two."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    versions = versions_of(initiative)
    if not versions:
        raise Http404("This initiative has no contract.")
    by_number = {str(version.number): version for version in versions}
    new = _version(by_number, request.GET.get("new"), versions[0])
    older = next((version for version in versions if version.number < new.number), new)
    old = _version(by_number, request.GET.get("old"), older)
    said = clauses_of(old, new)
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
    """Return the version asked for. Raises Http404 for an unknown number."""
    if not wanted:
        return otherwise
    if wanted not in by_number:
        raise Http404("This version of the contract does not exist.")
    return by_number[wanted]


def _in_preparation(initiative, state: str) -> ContractVersion:
    """Return the version in this state. Raises Http404 if there is none."""
    found = initiative.contract.versions.filter(state=state).first() if initiative.contract_id else None
    if found is None:
        raise Http404("No version of the contract is in this state.")
    return found


def _in_state(initiative: Initiative, person: User, state: str, why: str) -> Answer:
    """Return whether the person manages the initiative and a version is in this state."""
    may = initiative_permissions.may_manage(initiative, person)
    if may and not (initiative.contract_id and initiative.contract.versions.filter(state=state).exists()):
        return no(why, "Open the contract.", reverse("contract", args=[initiative.ref]))
    return may


def _sent_to(initiative: Initiative) -> str:
    seats = [Seat.word(seat).lower() for seat in Rulebook.objects.current().parsed.contract.seats]
    return f"The contract comes into force when these seats have approved its exact text: {', '.join(seats)}."


INITIATIVE_ACTS["send-contract"] = PageStep(
    may=lambda row, person: _in_state(
        row, person, ContractVersion.DRAFT, "No version of the contract is a draft."
    ),
    act=actions.propose_contract,
    form=Form,
    page="contract",
    title=gettext_lazy("Send the contract to the board"),
    happens=(
        gettext_lazy("The version can no longer be edited, unless you withdraw it."),
        _sent_to,
    ),
    verb=gettext_lazy("Send the contract"),
    done=gettext_lazy("The contract is with the board."),
)


INITIATIVE_ACTS["withdraw-contract"] = PageStep(
    may=lambda row, person: _in_state(
        row, person, ContractVersion.IN_REVIEW, "No version of the contract is with the board."
    ),
    act=actions.withdraw_contract,
    page="contract",
    title=gettext_lazy("Withdraw the contract"),
    happens=(gettext_lazy("Approvals given so far do not count for a changed text."),),
    verb=gettext_lazy("Withdraw the contract"),
    done=gettext_lazy("The contract is a draft again."),
)


@sensitive_post_parameters("password", "reason")
def approve(request, ref):
    """Show the text to approve for a seat or to object to. Either is signed."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    rulebook = Rulebook.objects.current().parsed
    held = [
        seat for seat in rulebook.contract.seats if roles_and_seats.holds_seat(initiative, request.user, seat)
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
    approved = dict(approvals_shown(initiative, version, rulebook))
    seats = [
        {
            "word": Seat.word(seat),
            "may": contract_permissions.may_approve_contract(initiative, seat, request.user),
            "approval": approved.get(Seat.word(seat)),
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
        title=gettext("Approve the contract, version %(number)s") % {"number": version.number},
        version=version,
        columns=columns_of(clauses),
        seats=seats,
        objections=objections_shown(initiative, request.user),
        planned=planned if planned and planned > clock.today() else None,
        back_url=reverse("contract", args=[initiative.ref]),
    )


def _signed(version: ContractVersion, seat: str, form: VerdictForm | None, *, by) -> str:
    """Return the message for the recorded verdict, or "" if the form has errors."""
    initiative = version.contract.initiative
    may = (
        contract_permissions.may_approve_contract(initiative, seat, by)
        if form
        else no("No seat was named. Open the contract again.")
    )
    if not may:
        with act("approve contract", by=by, initiative=initiative):
            may.or_refuse()
    if version.state != ContractVersion.IN_REVIEW or version.digest != form.data.get("digest"):
        raise Conflict("The contract changed after you opened it.", "Read the contract again.")
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
        put_errors(form, error)
        return ""
    return (
        "Your objection is recorded, and the owner is notified. The contract cannot come into force until "
        "the objection is withdrawn."
    )


def objections_shown(initiative, person) -> list[ClauseComment]:
    """Return the open objections, each with whether this person may withdraw it."""
    if not initiative.contract_id:
        return []
    rows = list(initiative.contract.comments.objections().select_related("by"))
    for row in rows:
        row.may_resolve = bool(comments.may_resolve(initiative, row, person))
    return rows


def _latest_proposed(initiative) -> ContractVersion:
    """Return the newest version, decided or not, so that a late click gets a Conflict."""
    found = initiative.contract.versions.order_by("-number").first() if initiative.contract_id else None
    if found is None:
        raise Http404("This initiative has no contract.")
    return found
