"""The page on which a person outside the team verifies an item."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from governance.files import file_previews
from governance.gates import remarks
from governance.models import User
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import initiative_lookup, roles_and_seats
from initiatives.lifecycle.evidence import file_views
from initiatives.lifecycle.evidence.verification import actions
from initiatives.lifecycle.evidence.verification.forms import VerificationForm
from initiatives.lifecycle.evidence.verification.permissions import may_verify
from initiatives.lifecycle.evidence.verification.queries import waiting_for
from initiatives.lifecycle.evidence.views import holds_of
from initiatives.lifecycle.facts.wording import drawn_words
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import ask, back_to, initiative_context, sent
from initiatives.models import Answer, Evidence, EvidenceOpening


@sensitive_post_parameters("password")
def verify(request, ref, pk, key):
    """Show an item of evidence beside its requirement, and record the verification."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    row = initiative_lookup.evidence_for(request.user, initiative, pk)
    context = initiative_context(request, initiative, "evidence")
    asked = context["rulebook"].requirements.get(key)
    if asked is None or not row.coverage.filter(requirement=key).exists():
        raise Http404("This item is not linked to that requirement.")
    may_verify(initiative, row, context["rulebook"], key, request.user).or_refuse()
    said = Answer.objects.filter(initiative=initiative, requirement=key).select_related("by").first()
    form = VerificationForm(
        sent(request),
        request=request,
        purpose=f"verify evidence of {initiative.ref}",
        facts=lambda: _facts(row, key, said, request.user),
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.verify(
                evidence=row,
                requirement=key,
                fingerprint=request.POST.get("fingerprint", ""),
                answer_version=_number(request.POST.get("answer", "")),
                by=request.user,
                **form.said(),
            )
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(
                request,
                phrase("Verified: {}.", row.title).in_language()
                if form.said()["shows"]
                else phrase("Recorded: {} does not support the answer.", row.title).in_language(),
            )
            return redirect(_next(request, initiative))
    left = len(waiting_for(initiative, context["rulebook"], context["states"], request.user))
    return ask(
        request,
        initiative,
        "evidence",
        form,
        template="initiatives/evidence/verification.html",
        title=_("Verify evidence"),
        item=row,
        asked=asked,
        said=said,
        holds=holds_of(initiative, context["facts"], row),
        same=" ".join(remarks.of_answer(context["facts"], key, context["now"])),
        drawn=drawn_words(context["facts"], context["rulebook"], key, context["now"]),
        left=left,
        has_file=bool(row.file),
        names=row.names.select_related("deployment__version", "scope_version", "contract_version__contract"),
        hidden={"fingerprint": row.fingerprint, "answer": said.version if said else 0},
        verb=_("Save and go to next item") if left > 1 else _("Save"),
        back_url=back_to(request, reverse("requirement", args=[initiative.ref, key])),
        **_seen(request, initiative, row),
    )


def _facts(row: Evidence, key: str, said: Answer | None, person: User) -> dict:
    """Return the signed facts: item, content, time of opening and answer."""
    opening = EvidenceOpening.objects.filter(evidence=row, person=person).first()
    return {
        "item": row.pk,
        "title": row.title,
        "fingerprint": row.fingerprint,
        "opened": opening.at if opening else None,
        "question": key,
        "answer version": said.version if said else 0,
    }


def _number(words: str) -> int:
    return int(words) if words.isdecimal() else -1


def _seen(request, initiative, row) -> dict:
    """Return the item for the page and record its opening. A picture or PDF opens in its frame, others by download."""
    if not row.file:
        actions.open_item(initiative=initiative, evidence=row, way="look", by=request.user)
        return {"told": None, "sent_as": "", "table": False}
    found = file_views.opened_file(row)
    if found.file is None:
        return {"told": None, "sent_as": "", "table": False, "gone": True}
    content = file_views.content_of(found.file)
    told = file_previews.told(content, row.content_type, captured=bool(row.captured_at))
    if told is not None:
        actions.open_item(initiative=initiative, evidence=row, way="look", by=request.user)
    return {
        "told": told,
        "table": isinstance(told, file_previews.Table),
        "sent_as": "" if told is not None else file_previews.sent_as(content),
    }


@require_safe
def begin(request, ref):
    """Go to the next item that waits for this person on the initiative."""
    return redirect(_next(request, initiative_lookup.initiative_for(request.user, ref)))


def _next(request, initiative) -> str:
    """Return the page of the next item that waits for this person.

    Without an item, it is the review that waits for their sign-off, else the initiative, with a message.
    """
    context = initiative_context(
        request, initiative_lookup.initiative_for(request.user, initiative.ref), "evidence"
    )
    waiting = waiting_for(initiative, context["rulebook"], context["states"], request.user)
    if waiting:
        key, item = waiting[0]
        return reverse("evidence-verify", args=[initiative.ref, item, key])
    review, person = context["open_review"], request.user
    signing = review.parsed_rulebook.gates[review.gate].seats if review is not None else ()
    seats = [seat for seat in roles_and_seats.seats_of(initiative, person) if seat in signing]
    if any(initiative_permissions.may_sign(review, seat, person) for seat in seats):
        messages.success(
            request, phrase("You have verified everything. Now sign {}.", initiative.title).in_language()
        )
        return f"{review.get_absolute_url()}#mine"
    messages.success(request, phrase("You have verified everything on {}.", initiative.title).in_language())
    return initiative.get_absolute_url()
