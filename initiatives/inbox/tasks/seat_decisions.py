"""What one seat decides on an initiative at one time: risk tier, standalone, contract, signed together."""

from copy import copy

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance import clock
from governance.identity.proofs import ceremony, demands
from governance.identity.proofs.batch_forms import BatchSigningForm, Row
from governance.models import ContractVersion, Rulebook, User
from governance.permission_result import Answer, Conflict, no, yes
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Seat
from governance.vocabulary.phrases import phrase
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import permissions as contract_permissions
from initiatives.contracts.documents.views import columns_of
from initiatives.inbox.tasks.inbox_tasks import own_pages
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.act import act, together
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.models import Initiative


def _waiting_version(initiative: Initiative) -> ContractVersion | None:
    if initiative.contract_id is None:
        return None
    rows = initiative.contract.versions.filter(state=ContractVersion.IN_REVIEW)
    return rows.select_related("author", "contract").first()


def _seat_to_approve(initiative: Initiative, version: ContractVersion | None, person: User) -> str:
    """Return the seat for which the person can approve the contract now, or "". One that objects is left out."""
    if version is None:
        return ""
    counting = contract_actions.counting_approvals(initiative, version)
    if accounts_of(person) & {row.person_id for row in counting.values()}:
        return ""
    objecting = {*version.contract.comments.objections().values_list("seat", flat=True)}
    for seat in Rulebook.objects.current().parsed.contract.seats:
        spoken = seat in counting or seat in objecting
        if not spoken and contract_permissions.may_approve_contract(initiative, seat, person):
            return seat
    return ""


def _may_approve(initiative: Initiative, person: User) -> Answer:
    if _seat_to_approve(initiative, _waiting_version(initiative), person):
        return yes()
    return no("No version of the contract waits for your seat.", "Open the contract.")


def _approve(*, initiative: Initiative, by: User, seat: str, digest: str) -> ContractVersion:
    version = _waiting_version(initiative)
    if version is None:
        raise Conflict("The contract changed after you opened it.", "Read the contract again.")
    return contract_actions.approve_contract(version=version, seat=seat, digest=digest, by=by)


def _contract_given(initiative: Initiative, request: SignedInRequest) -> dict:
    version = _waiting_version(initiative)
    seat = _seat_to_approve(initiative, version, request.user)
    return {
        "purpose": f"sign as {Seat.word(seat).lower()} on the contract of {initiative.ref}",
        "facts": {
            "version": version.number,
            "digest": version.digest,
            "start": str(version.wanted_from or ""),
        },
        "initial": {"seat": seat, "digest": version.digest},
    }


def _contract_happens(initiative: Initiative) -> list[str]:
    version = _waiting_version(initiative)
    return [
        phrase(
            "You approve exactly this text of version {}, proposed by {}.", version.number, version.author
        ),
        phrase("The contract comes into force on {}, if the last seat has approved it.", version.wanted_from)
        if version.wanted_from and version.wanted_from > clock.today()
        else phrase("The contract comes into force when the last seat approves it."),
    ]


APPROVAL = PageStep(
    may=_may_approve,
    act=_approve,
    given=_contract_given,
    signed="contract",
    title=gettext_lazy("Approve the contract"),
    happens=_contract_happens,
    context=lambda row, request: {"columns": columns_of(_waiting_version(row).clauses.all())},
    verb=gettext_lazy("Approve the contract"),
    done="",
)


def _tier_waits(initiative: Initiative) -> bool:
    """Return True if the tier is proposed, or was confirmed for another scope or purpose."""
    scopes = initiative_rows.rows(initiative, "scopes")
    return initiative.proposed_tier != initiative.tier or bool(
        initiative_rows.beyond_tier(initiative, scopes)
    )


def _waiting(initiative: Initiative, person: User) -> dict[int, tuple[PageStep, Initiative]]:
    """Return by place the decisions that wait for the person, each with the initiative as it is decided.

    The tier is confirmed first, because the seat of the other decisions depends on the tier.
    """
    ahead, found = copy(initiative), {}
    if _tier_waits(initiative) and (tier := INITIATIVE_ACTS["confirm-tier"]).may(initiative, person):
        found[0] = (tier, initiative)
        ahead.tier = initiative.proposed_tier
    for place, step in enumerate((INITIATIVE_ACTS["accept-alone"], APPROVAL), 1):
        if step.may(ahead, person):
            found[place] = (step, ahead)
    return found


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the decisions on this initiative that wait for a seat of the reader. Ticked ones are all signed, or none."""
    initiative, person = initiative_lookup.initiative_for(request.user, ref), request.user
    waiting = _waiting(initiative, person)
    given = {place: step.given(initiative, request) for place, (step, _about) in waiting.items()}
    form = BatchSigningForm(
        sent(request),
        rows={place: _row(about, step, given[place], person) for place, (step, about) in waiting.items()},
        request=request,
        purpose=f"decide on {initiative.ref}",
    )

    def sign() -> int:
        # A declaration is accepted in turn with what changes the register, so its lock comes first.
        with act("decide together", by=person, initiative=initiative, register=True), together():
            for place, proof in form.proofs.items():
                with ceremony.signing(proof, initiative.contract_id):
                    waiting[place][0].act(initiative=initiative, by=person, **given[place].get("initial", {}))
        return len(form.proofs)

    if count := acted(request, form, sign):
        words = ngettext("You signed %(count)s decision.", "You signed %(count)s decisions.", count)
        messages.success(request, words % {"count": count})
        return redirect(request.path if count < len(waiting) else "inbox")
    alone = own_pages(initiative.ref)
    context = initiative_context(request, initiative, "initiative") | {
        "title": _("Decisions for your seat"),
        "frame": "form",
        "form": form,
        "decisions": [
            {
                "key": place,
                "title": step.title,
                "lede": step.lede(initiative) if callable(step.lede) else step.lede,
                "happens": step.effects(about),
                "ticked": place in form.ticked,
                "why_not": form.rows[place].why_not,
                "statement": form.statement_of(place),
                "alone": alone[place],
                "columns": step.context(initiative, request).get("columns"),
            }
            for place, (step, about) in waiting.items()
        ],
    }
    return render(request, "initiatives/inbox/seat_decisions.html", context, status=form.status)


def _row(about: Initiative, step: PageStep, given: dict, person: User) -> Row:
    """Return the signed content of a decision: what its own page shows, and what it does."""
    named = step.signed or step.form.act
    facts = {name: value if isinstance(value, int) else str(value) for name, value in given["facts"].items()}
    tier = about.tier or about.proposed_tier  # whose strength of signature the rulebook names
    return Row(
        label=str(step.title),
        purpose=given["purpose"],
        facts=facts | {"tier": about.tier, "effects": [str(words) for words in step.effects(about)]},
        tier=tier,
        why_not=demands.why_not_by_tier(person, named, [tier])[tier],
        act=named,
    )
