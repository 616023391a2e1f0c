"""What one seat decides on an initiative at one time: risk tier, standalone, contract, signed together."""

from copy import copy

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance.identity.proofs import ceremony, demands
from governance.identity.proofs.batch_forms import BatchSigningForm, Row
from governance.models import ContractVersion, Rulebook, User
from governance.permission_result import Answer, no, yes
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Seat
from governance.vocabulary.phrases import phrase
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import permissions as contract_permissions
from initiatives.contracts.documents.views import columns_of
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.act import act, together
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.models import Initiative


class DecideForm(BatchSigningForm):
    """The ticked decisions, and the signature."""


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
        phrase("The contract comes into force when the last seat approves it."),
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


def steps_of(initiative: Initiative) -> list[tuple[PageStep, str]]:
    """Return the steps that can be signed together, each with the address of its own page."""
    found = [
        (INITIATIVE_ACTS[verb], reverse("initiative-act", args=[initiative.ref, verb]))
        for verb in ("confirm-tier", "accept-alone")
    ]
    return [*found, (APPROVAL, reverse("contract-approve", args=[initiative.ref]))]


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the decisions on this initiative that wait for a seat of the reader. Ticked ones are all signed, or none."""
    initiative, person = initiative_lookup.initiative_for(request.user, ref), request.user
    steps, ahead = {}, initiative
    for place, (step, alone) in enumerate(steps_of(initiative)):
        if (place or _tier_waits(initiative)) and step.may(ahead, person):
            steps[place] = (step, alone)
        if not place and steps:  # the tier says which seat decides the rest, and it is confirmed first
            ahead = copy(initiative)
            ahead.tier = initiative.proposed_tier
    given = {place: step.given(initiative, request) for place, (step, _alone) in steps.items()}
    form = DecideForm(
        sent(request),
        rows={place: _row(ahead, step, given[place], person) for place, (step, _alone) in steps.items()},
        request=request,
        purpose=f"decide on {initiative.ref}",
    )

    def sign() -> int:
        # A declaration is accepted in turn with what changes the register, so its lock comes first.
        with act("decide together", by=person, initiative=initiative, register=True), together():
            for place, proof in form.proofs.items():
                with ceremony.signing(proof, initiative.contract_id):
                    steps[place][0].act(initiative=initiative, by=person, **given[place].get("initial", {}))
        return len(form.proofs)

    if count := acted(request, form, sign):
        words = ngettext("You signed %(count)s decision.", "You signed %(count)s decisions.", count)
        messages.success(request, words % {"count": count})
        return redirect(request.path if count < len(steps) else "inbox")
    context = initiative_context(request, initiative, "initiative") | {
        "title": _("Decisions for your seat"),
        "frame": "form",
        "form": form,
        "decisions": [
            {
                "key": place,
                "title": step.title,
                "lede": step.lede(initiative) if callable(step.lede) else step.lede,
                "happens": form.rows[place].facts["effects"],
                "ticked": place in form.ticked,
                "why_not": form.rows[place].why_not,
                "statement": form.statement_of(place),
                "alone": alone,
                "columns": step.context(initiative, request).get("columns"),
            }
            for place, (step, alone) in steps.items()
        ],
    }
    return render(request, "initiatives/inbox/seat_decisions.html", context, status=form.status)


def _row(initiative: Initiative, step: PageStep, given: dict, person: User) -> Row:
    """Return the signed content of a decision: what its own page shows, and what it does."""
    named = step.signed or step.form.act
    facts = {name: value if isinstance(value, int) else str(value) for name, value in given["facts"].items()}
    return Row(
        label=str(step.title),
        purpose=given["purpose"],
        facts=facts
        | {"tier": initiative.tier, "effects": [str(words) for words in step.effects(initiative)]},
        tier=initiative.tier,
        why_not=demands.why_not_by_tier(person, named, [initiative.tier])[initiative.tier],
        act=named,
    )
