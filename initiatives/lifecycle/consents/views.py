"""The pages of every kind of consent: its requests with the form for another, and the answer to one."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance.models import User
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.transparency_log import as_of
from initiatives.lifecycle.access.initiative_lookup import of_initiative
from initiatives.lifecycle.consents.consent_kinds import Kind, Part, names, refuse_answered
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, insist, sent
from initiatives.lifecycle.reviews.decision_views import act_page
from initiatives.lifecycle.reviews.forms import SignedReasonForm
from initiatives.models import Initiative
from initiatives.models.reviews import Consent, ConsentState

AGREE = "agree"


@require_http_methods(["GET", "HEAD", "POST"])
def requests(request: SignedInRequest, kind: Kind, ref: str = "", pk: int = 0) -> HttpResponse:
    """The requests of a kind: running, asked for, past; and for whoever may ask the form for another."""
    subject = kind.subject(request.user, ref or pk)
    initiative = subject if isinstance(subject, Initiative) else subject.initiative
    may = kind.may_ask(initiative, request.user)
    if request.method == "POST":
        insist(request, may, f"request {kind.name}", initiative)
    rows = list(kind.rows().filter(**{kind.model.SAME[0]: subject}).order_by("-id"))
    context = initiative_context(request, initiative, kind.section)
    form = kind.form(request, subject, context, rows) if may and as_of.current() is None else None
    if request.method == "POST" and form is None:
        raise Conflict(f"Now nobody can ask for {kind.one} here.", "Look at what waits and what runs.")
    if form and acted(request, form, lambda: kind.ask(subject, by=request.user, **form.cleaned_data)):
        messages.success(request, f"Asked for. It waits for {kind.needs}.")
        return redirect(request.path)
    lines = [_line(kind, row, initiative, request.user) for row in rows]
    context |= {
        "title": kind.title,
        "kind": kind,
        "subject": subject,
        "groups": [
            (words, [line for line in lines if line["row"].state == state])
            for state, words in (
                (ConsentState.RUNNING, _("Running")),
                (ConsentState.ASKED, _("Asked for")),
                (ConsentState.PAST, _("Past")),
            )
        ],
        "warnings": kind.warnings(initiative),
        "form": form,
    }
    return render(request, "initiatives/consents/consents.html", context)


def _line(kind: Kind, row: Consent, initiative: Initiative, person: User) -> dict:
    """A request as its page shows it, with what the person may answer."""
    asked = row.state == ConsentState.ASKED
    agreed = [(part.words, getattr(row, part.column)) for part in kind.parts if part not in kind.missing(row)]
    return {
        "row": row,
        "what": kind.what(row),
        "agreed": agreed,
        "waits": names(kind.missing(row)) if asked else "",
        "part": kind.part_of(row, initiative, person)[0] if asked else None,
        "refuses": asked and bool(kind.may_refuse(row, initiative, person)),
        "use": kind.use(row, person) if row.state == ConsentState.RUNNING else None,
        "agree": _address(kind, row, AGREE),
        "refuse": _address(kind, row, "refuse"),
    }


def _address(kind: Kind, row: Consent, verb: str) -> str:
    return reverse("consent-answer", args=[f"{kind.slug}s", row.pk, verb])


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: SignedInRequest, kinds: dict[str, Kind], rows: str, pk: int, verb: str) -> HttpResponse:
    """Answer a request of one of these kinds: agree in the part that the person has, or refuse with the reason."""
    if rows not in kinds or verb not in (AGREE, "refuse"):
        raise Http404("No such answer.")
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
        then = "It holds now." if done.granted_at else f"It waits for {names(kind.missing(done))}."
        messages.success(request, f"Agreed. {then}")
        return redirect(row)
    others = [one for one in kind.missing(row) if one != part]
    happens = [
        f"You agree as {part.words}. {kind.what(row)}",
        f"It does not hold yet: {names(others)} must agree too." if others else kind.follows,
        f"{row.requested_by} asks for it: {row.reason}",
        *kind.warnings(row.initiative),
    ]
    return _page(request, kind, row, form, _("Agree"), f"Agree to {kind.one}", happens, danger=kind.danger)


def _refuse(request: SignedInRequest, kind: Kind, row: Consent) -> HttpResponse:
    form = SignedReasonForm(
        sent(request),
        **_signed(request, kind, row, "refuse"),
        label=_("Why"),
        help_text=_("Whoever asked reads it, and it stays in the audit log."),
    )
    if request.method == "POST" and form.is_valid():
        kind.refuse(row=row, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, _("Refused. Whoever asked may ask again with other words."))
        return redirect(row)
    happens = [kind.instead, _("The request is kept with your name and your reason.")]
    return _page(request, kind, row, form, _("Refuse"), f"Refuse {kind.one}", happens)


def _signed(request: SignedInRequest, kind: Kind, row: Consent, verb: str) -> dict:
    """What a signature on an answer rests on."""
    return {
        "request": request,
        "purpose": f"{verb} {kind.one} on {row.initiative.ref}",
        "act": kind.signature,
        "facts": kind.facts(row) | {"requested by": row.requested_by_id},
    }


def _page(request, kind: Kind, row: Consent, form, verb, title, happens, danger=False) -> HttpResponse:
    """The page of one answer, in the frame of the initiative."""
    return act_page(
        request,
        row.initiative,
        title=title,
        form=form,
        verb=verb,
        happens=happens,
        danger=danger,
        back=row.get_absolute_url(),
        page=kind.section,
    )
