"""Pages of every kind of consent: its requests, the form, and the answer."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from governance.gates.separation_of_duties import said
from governance.models import User
from governance.permission_result import Answer, Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.transparency_log import as_of
from governance.vocabulary.phrases import Phrase, phrase
from governance.web.form_fields import WordsField
from initiatives.lifecycle.access.initiative_lookup import initiative_for
from initiatives.lifecycle.consents.consent_kinds import Kind, names, refuse_answered
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, insist
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, RowAct, SignedReasonForm
from initiatives.models import Initiative
from initiatives.models.reviews import Consent, ConsentState


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
        "agree": reverse("row-act", args=[f"{kind.slug}s", row.pk, "agree"]),
        "refuse": reverse("row-act", args=[f"{kind.slug}s", row.pk, "refuse"]),
    }


class RefusalForm(SignedReasonForm):
    """The reason to refuse a request, and the signature."""

    reason = WordsField(
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("The person who asked reads your text, and it stays in the audit log."),
    )


def declare_answers(kind: Kind) -> None:
    """Declare the steps that answer a request of this kind: agree in the person's part, or refuse with the reason."""
    noun = kind.slug.replace("-", "_")

    def declare(answer: str, may: Callable, act: Callable, **said: Any) -> None:
        def may_answer(row: Consent, person: User) -> Answer:
            refuse_answered(row)
            return may(row, row.initiative, person)

        ROW_ACTS[f"{kind.slug}s/{answer}"] = RowAct(
            rows=kind.rows(),
            may=may_answer,
            act=lambda **fields: act(row=fields.pop(noun), **fields),
            noun=noun,
            page=kind.section,
            back=lambda row: row.get_absolute_url(),
            signed=kind.signature,
            given=lambda row, request: _signed(kind, row),
            **said,
        )

    declare(
        "agree",
        lambda *asked: kind.part_of(*asked)[1],
        kind.agree,
        form=SigningForm,
        title=f"Agree to {kind.one}",
        context=lambda row, request: {"happens": _consequences(kind, row, request.user)},
        verb=gettext_lazy("Agree"),
        then=lambda request, row: messages.success(request, _agreed(kind, row).in_language()),
        done="",
    )
    declare(
        "refuse",
        kind.may_refuse,
        kind.refuse,
        form=RefusalForm,
        title=f"Refuse {kind.one}",
        happens=(kind.instead, gettext_lazy("The request is kept with your name and your reason.")),
        verb=gettext_lazy("Refuse"),
        done=gettext_lazy("Refused. The person who asked can ask again with another reason."),
    )


def _agreed(kind: Kind, row: Consent) -> Phrase:
    """Return what an agreement has done, in words."""
    return phrase(
        "Agreed. {}",
        "The agreement is in effect now." if row.granted_at else f"Still needed: {names(kind.missing(row))}.",
    )


def _consequences(kind: Kind, row: Consent, person: User) -> list[str]:
    """Return what the person's agreement does, and what was asked for, in sentences."""
    part: Any = kind.part_of(row, row.initiative, person)[0]  # the permission of the step asks for one
    others = [one for one in kind.missing(row) if one != part]
    return [
        f"You agree as {part.words}. {kind.what(row)}",
        f"The agreement takes effect when others have agreed too: {names(others)}."
        if others
        else kind.follows,
        f"{row.requested_by} asks for {kind.one}: {row.reason}",
        *(f"{label}: {words}" for label, words in kind.said(row)),
        *kind.warnings(row.initiative),
    ]


def _signed(kind: Kind, row: Consent) -> dict:
    """Return the facts that a signature on an answer covers, and what its page shows."""
    return {
        "facts": kind.facts(row) | {"requested by": row.requested_by_id},
        "shows": lambda: {
            phrase("the agreements"): names(kind.missing(row)),
            phrase("the remarks"): [*kind.warnings(row.initiative), *map(list, kind.said(row))],
        },
    }
