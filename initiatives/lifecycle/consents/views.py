"""Pages of every kind of consent: its requests, the form, and the answer."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance.gates.separation_of_duties import said
from governance.models import User
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.transparency_log import as_of
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.initiative_lookup import initiative_for, of_initiative
from initiatives.lifecycle.consents.consent_kinds import Kind, Part, names, refuse_answered
from initiatives.lifecycle.initiative.initiative_frame import acted, ask, initiative_context, insist, sent
from initiatives.lifecycle.reviews.forms import SignedReasonForm
from initiatives.models import Initiative
from initiatives.models.reviews import Consent, ConsentState

AGREE = "agree"


@require_http_methods(["GET", "HEAD", "POST"])
def requests(request: SignedInRequest, kind: Kind, ref: str) -> HttpResponse:
    """Show the requests of a kind: in effect, open and past. People who may ask also get the form."""
    initiative = initiative_for(request.user, ref)
    may = kind.may_ask(initiative, request.user)
    if request.method == "POST":
        insist(request, may, f"request {kind.name}", initiative)
    rows = list(kind.rows().filter(initiative=initiative).order_by("-id"))
    context = initiative_context(request, initiative, kind.section)
    form = kind.form(request, initiative, context, rows) if may and as_of.current() is None else None
    if request.method == "POST" and form is None:
        raise Conflict(
            phrase("No one can ask for {} here now.", kind.one),
            "Read the requests that are open or in effect.",
        )
    if form and acted(request, form, lambda: kind.ask(initiative, by=request.user, **form.cleaned_data)):
        messages.success(request, phrase("Requested. Now {} must agree.", kind.needs).in_language())
        return redirect(request.path)
    lines = [_line(kind, row, initiative, request.user) for row in rows]
    context |= {
        "title": kind.title,
        "kind": kind,
        "groups": [
            (words, [line for line in lines if line["row"].state == state])
            for state, words in (
                (ConsentState.RUNNING, _("In effect")),
                (ConsentState.ASKED, _("Requested")),
                (ConsentState.PAST, _("Past")),
            )
        ],
        "warnings": kind.warnings(initiative),
        "form": form,
    }
    return render(request, "initiatives/consents/consents.html", context)


def _line(kind: Kind, row: Consent, initiative: Initiative, person: User) -> dict:
    """Return a request as its page shows it, with the person's possible answers."""
    asked = row.state == ConsentState.ASKED
    missing = kind.missing(row)
    return {
        "row": row,
        "what": kind.what(row),
        "agreed": [(part.words, getattr(row, part.column)) for part in kind.parts if part not in missing],
        "lapsed": [
            (part.words, getattr(row, part.column), said(reasons))
            for part, reasons in kind.lapsed(row).items()
        ],
        "waits": names(missing) if asked else "",
        "part": kind.part_of(row, initiative, person)[0] if asked else None,
        "refuses": asked and bool(kind.may_refuse(row, initiative, person)),
        "said": kind.said(row),
        "acts": kind.acts(row, person) if as_of.current() is None else [],
        "agree": _address(kind, row, AGREE),
        "refuse": _address(kind, row, "refuse"),
    }


def _address(kind: Kind, row: Consent, verb: str) -> str:
    return reverse("consent-answer", args=[f"{kind.slug}s", row.pk, verb])


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: SignedInRequest, kinds: dict[str, Kind], rows: str, pk: int, verb: str) -> HttpResponse:
    """Answer a request: agree in the person's part, or refuse with the reason."""
    if rows not in kinds or verb not in (AGREE, "refuse"):
        raise Http404("This answer does not exist.")
    kind = kinds[rows]
    row = of_initiative(kind.rows(), request.user, pk)
    initiative = row.initiative
    part, may, name = None, kind.may_refuse(row, initiative, request.user), f"refuse {kind.name}"
    if verb == AGREE:
        (part, may), name = kind.part_of(row, initiative, request.user), f"agree to {kind.name}"
    if request.method != "POST" and not (may and row.state == ConsentState.ASKED):
        return redirect(row)
    refuse_answered(row)
    insist(request, may, name, initiative)
    return _refuse(request, kind, row) if part is None else _agree(request, kind, row, part)


def _agree(request: SignedInRequest, kind: Kind, row: Consent, part: Part) -> HttpResponse:
    form = SigningForm(sent(request), **_signed(request, kind, row, "agree to"))
    if request.method == "POST" and form.is_valid():
        done = kind.agree(row=row, by=request.user)
        then = (
            "The agreement is in effect now."
            if done.granted_at
            else f"Still needed: {names(kind.missing(done))}."
        )
        messages.success(request, phrase("Agreed. {}", then).in_language())
        return redirect(row)
    others = [one for one in kind.missing(row) if one != part]
    happens = [
        f"You agree as {part.words}. {kind.what(row)}",
        f"The agreement takes effect when others have agreed too: {names(others)}."
        if others
        else kind.follows,
        f"{row.requested_by} asks for {kind.one}: {row.reason}",
        *(f"{label}: {words}" for label, words in kind.said(row)),
        *kind.warnings(row.initiative),
    ]
    return ask(
        request,
        row.initiative,
        kind.section,
        form,
        title=f"Agree to {kind.one}",
        verb=_("Agree"),
        happens=happens,
        back_url=row.get_absolute_url(),
    )


def _refuse(request: SignedInRequest, kind: Kind, row: Consent) -> HttpResponse:
    form = SignedReasonForm(
        sent(request),
        **_signed(request, kind, row, "refuse"),
        label=_("Why"),
        help_text=_("The person who asked reads your text, and it stays in the audit log."),
    )
    if request.method == "POST" and form.is_valid():
        kind.refuse(row=row, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, _("Refused. The person who asked can ask again with another reason."))
        return redirect(row)
    happens = [kind.instead, _("The request is kept with your name and your reason.")]
    return ask(
        request,
        row.initiative,
        kind.section,
        form,
        title=f"Refuse {kind.one}",
        verb=_("Refuse"),
        happens=happens,
        back_url=row.get_absolute_url(),
    )


def _signed(request: SignedInRequest, kind: Kind, row: Consent, verb: str) -> dict:
    """Return the facts that a signature on an answer covers."""
    return {
        "request": request,
        "purpose": f"{verb} {kind.one} on {row.initiative.ref}",
        "act": kind.signature,
        "facts": kind.facts(row) | {"requested by": row.requested_by_id},
        "shows": lambda: {
            phrase("the agreements"): names(kind.missing(row)),
            phrase("the remarks"): [*kind.warnings(row.initiative), *map(list, kind.said(row))],
        },
    }
