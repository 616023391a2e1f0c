"""Pages of proposals: propose a change on its ordinary form, and answer one."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from governance.permission_result import Answer
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import ReasonForm, WordsField
from initiatives.integration.proposals import actions, permissions
from initiatives.integration.proposals.actions import aimed, changes, read
from initiatives.integration.proposals.forms import DeclineForm
from initiatives.lifecycle.initiative.initiative_frame import acted, page_of, sent
from initiatives.models import ProposedChange
from initiatives.models.integration.proposals import CONFIRMED, DECLINED

WHY = "proposal_why"
TONES = {"": "warn", CONFIRMED: "ok", DECLINED: "bad"}
MOST_SHOWN = 50


@dataclass(frozen=True)
class Proposing:
    """A proposal that a form sends to the people who decide, instead of the change."""

    row: ProposedChange
    about: object

    @property
    def who(self) -> str:
        """Return who answers the proposal first, in words."""
        asked = permissions.owners_asked(self.row)
        if self.row.vendor is not None:
            return "The security seat or the risk seat"
        return str(asked[0]) if asked else "The architecture seat"

    def page(self, title: str) -> dict:
        """Return what the page of the form shows instead."""
        return {
            "title": f"Propose: {title}",
            "lede": _("You cannot change this yourself. You can propose a change here."),
            "happens": [
                f"{self.who} reads the proposal and confirms or declines it. No change is made before that."
            ],
            "verb": _("Propose this change"),
            "danger": False,
        }

    def ask_why(self, form) -> None:
        """Ask for a reason on the form, unless the form only asks for a reason."""
        if not isinstance(form, ReasonForm):
            form.fields[WHY] = WordsField(label=_("Why"), help_text=_("The person who decides reads this."))

    def send(self, request: SignedInRequest, form, fields: dict | None = None) -> ProposedChange:
        """Propose the values of the form. `fields`: as the act would take them."""
        said = dict(form.cleaned_data if fields is None else fields)
        asked = said.pop("reason", "") if isinstance(form, ReasonForm) else ""
        why = said.pop(WHY, "") or form.cleaned_data.get(WHY, "") or asked
        made = actions.propose_change(
            kind=self.row.kind, about=self.about, fields=said, reason=why, by=request.user
        )
        messages.success(
            request,
            phrase(
                "The change is proposed. {} is notified, and you are notified of the answer.", self.who
            ).in_language(),
        )
        return made


def instead(request: SignedInRequest, may: Answer, kind: str, about=None) -> Proposing | None:
    """Return None if the person may act, or else the proposal they may make. Raises Refused."""
    if may:
        return None
    row = aimed(kind, about)
    if not permissions.may_propose(row, request.user):
        may.or_refuse()
    return Proposing(row, about)


@require_safe
def proposals(request: SignedInRequest) -> HttpResponse:
    """Show the proposals that the person can answer, and those that the person made."""
    rows = ProposedChange.objects.select_related(
        "by", "system__owner", "account__owner", "definition", "term", "vendor", "decided_by"
    )
    waiting = [row for row in rows.waiting().order_by("pk") if permissions.may_answer(row, request.user)]
    mine = page_of(request, rows.filter(by=request.user).order_by("-pk"), 25)
    context = {
        "nav": "systems",
        "waiting": waiting[:MOST_SHOWN],
        "page": mine,
        "mine": [(row, row.get_outcome_display(), TONES.get(row.outcome, "")) for row in mine],
    }
    return render(request, "initiatives/integration/proposals/proposals.html", context)


def _proposal(request: SignedInRequest, pk: int) -> ProposedChange:
    """Return the proposal, for the people it concerns. Raises Http404 to all others."""
    rows = ProposedChange.objects.select_related(
        "by",
        "decided_by",
        "system__owner",
        "account__owner",
        "account__system",
        "definition__term",
        "definition__system",
        "term",
        "vendor",
    )
    row = rows.filter(pk=pk).first()
    if row is None or not permissions.may_read(row, request.user):
        raise Http404("This proposal does not exist, or you cannot see it.")
    return row


def proposal(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the proposal beside the present values, and confirm it."""
    row = _proposal(request, pk)
    if request.method == "POST":
        try:
            actions.confirm_change(proposal=row, digest=request.POST.get("digest", ""), by=request.user)
        except ValidationError as error:
            return _page(request, row, wrong=error.messages)
        messages.success(request, phrase("The change that {} proposed is made.", row.by).in_language())
        return redirect(row)
    return _page(request, row)


def decline(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form that declines a proposal."""
    row = _proposal(request, pk)
    permissions.may_answer(row, request.user).or_refuse()
    form = DeclineForm(sent(request))
    if acted(
        request, form, lambda: actions.decline_change(proposal=row, by=request.user, **form.cleaned_data)
    ):
        messages.success(
            request, phrase("The proposal is declined. {} can read your reason.", row.by).in_language()
        )
        return redirect(row)
    return _page(request, row, form=form)


@require_POST
def withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Withdraw a proposal that the person made."""
    row = _proposal(request, pk)
    actions.withdraw_change(proposal=row, by=request.user)
    messages.success(request, _("The proposal is withdrawn."))
    return redirect(row)


def _page(request, row: ProposedChange, *, form=None, wrong=()) -> HttpResponse:
    context = {
        "nav": "systems",
        "row": row,
        "tone": TONES.get(row.outcome, ""),
        "changes": [(name.replace("_", " ").capitalize(), *words) for name, *words in changes(row)],
        "digest": read(row),
        "form": form,
        "wrong": wrong,
        "may_answer": permissions.may_answer(row, request.user),
        "may_withdraw": permissions.may_withdraw(row, request.user),
    }
    return render(
        request, "initiatives/integration/proposals/proposal.html", context, status=422 if wrong else 200
    )
