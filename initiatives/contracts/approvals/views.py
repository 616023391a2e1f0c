"""Pages of approvals: all calls of an initiative, and one call with its content."""

from datetime import datetime

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Case, Count, F, Q, Value, When
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from governance import clock
from governance.authorization import approval_patterns, approval_previews
from governance.contracts import wording as contract_wording
from governance.models import User
from governance.templatetags.plumbline import moment
from governance.vocabulary import Role
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.readable_text import shown
from initiatives.contracts.approvals import actions, queries
from initiatives.contracts.approvals.forms import ApprovalForm
from initiatives.contracts.approvals.permissions import (
    may_answer_approval,
    may_read_preview,
    may_see_stamping,
)
from initiatives.lifecycle.access import initiative_lookup, roles_and_seats
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, page_of, pick, sent
from initiatives.models import ApprovalOpening, ApprovalPreview, ApprovalRequest
from initiatives.models.approvals import APPROVE, APPROVED, EXPIRED, REFUSED, STATES, USED, WAITING

FILTERS = {
    WAITING: "Waiting",
    APPROVED: "Approved, not used",
    USED: "Approved and used",
    REFUSED: "Refused",
    EXPIRED: "Ran out",
}
TONES = {WAITING: "warn", APPROVED: "ok", USED: "ok", REFUSED: "bad", EXPIRED: ""}


@require_safe
def approvals(request, ref):
    """Show every call of the initiative that needed approval, waiting ones first. The board also sees signs."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    now = clock.now()
    chosen = pick(request.GET.get("outcome"), FILTERS)
    rows = ApprovalRequest.objects.filter(initiative=initiative).with_state(now)
    counts = rows.aggregate(**{state: Count("pk", filter=Q(state=state)) for state in FILTERS})
    if chosen:
        rows = rows.filter(state=chosen)
    ends = Case(When(state=WAITING, then=F("expires_at")))
    rows = rows.in_words().annotate(first=Case(When(state=WAITING, then=Value(0)), default=Value(1)))
    rows = rows.select_related("key").prefetch_related("answers__person")
    page = page_of(request, rows.order_by("first", ends.asc(nulls_last=True), "-asked_at", "-pk"))
    given = queries.answers_of(initiative, now) if may_see_stamping(initiative, request.user) else None
    signs = None if given is None else approval_patterns.signs(given)
    context = initiative_context(request, initiative, "contract") | {
        "title": _("Approval requests"),
        "page": page,
        "lines": [_line(row, now) for row in page],
        "filters": [(state, words, counts[state]) for state, words in FILTERS.items()],
        "chosen": chosen,
        "all_of_them": sum(counts.values()),
        "signs": signs,
        "approvers": approval_patterns.approvers(given or ()),
        "current": [sign for sign in signs or () if sign.stands],
        "looked_back": approval_patterns.LOOKED_BACK.days,
    }
    return render(request, "initiatives/approvals/approvals.html", context)


def _line(row: ApprovalRequest, now: datetime) -> dict:
    return {
        "row": row,
        "amount": queries.amount_of(row.arguments["action"]),
        "word": STATES[row.state],
        "tone": TONES[row.state],
        "when": queries.time_left(row.expires_at, now)
        if row.state == WAITING
        else f"asked {moment(row.asked_at)}".replace("Today", "today"),
    }


@never_cache  # it may hold what only this person reads
@require_http_methods(["GET", "HEAD", "POST"])
def approval(request, reference):
    """Show one call: its arguments, the clause that needs a person, the two answers."""
    row = initiative_lookup.approval_for(request.user, reference)
    initiative, now = row.initiative, clock.now()
    answers = list(row.answers.select_related("person", "on_behalf_of"))
    may = may_answer_approval(row, request.user, answers=answers)
    form = ApprovalForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            answered = actions.answer_approval(
                request=row,
                verdict=request.POST.get("verdict", ""),
                digest=request.POST.get("digest", ""),
                reason=form.cleaned_data["reason"],
                opened_at=_first_look(row, request.user, now) if may else now,
                by=request.user,
            )
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _told(answered))
            return redirect(row)
    elif request.method == "GET" and may:
        _first_look(row, request.user, now)
    state = row.state_at(now)
    roles = initiative_rows.roles(initiative)
    context = initiative_context(request, initiative, "contract") | {
        "title": f"{row.key.system} asks: {row.does}",
        "row": row,
        "form": form if may else None,
        "may_answer": may,
        "may_stand": bool(roles_and_seats.roles_of(initiative, request.user) & set(row.approvers)),
        "voice": queries.voice_of(row, roles, request.user),
        "state": state,
        "word": STATES[state],
        "tone": TONES[state],
        "waiting": state == WAITING,
        "left": queries.time_left(row.expires_at, now),
        "until": queries.until_words(row),
        "amount": queries.amount_of(row.arguments["action"]),
        "preview": _preview(row, request.user, answers),
        "groups": [(heading, rows) for heading, rows in queries.rows_of(row.arguments) if rows],
        "clauses": row.version.clauses.filter(number__in=row.clauses),
        "answers": [_answer(answer, roles, state) for answer in answers],
        "asked": _asked(row, roles, answers) if state == WAITING else [],
        "approvers": contract_wording.role_words(row.approvers),
    }
    return render(request, "initiatives/approvals/approval.html", context)


def _preview(row: ApprovalRequest, person: User, answers) -> dict | None:
    """Return the content to send, as far as this person may read it, or None."""
    found = ApprovalPreview.objects.filter(request=row).defer("content").first()
    if found is None:
        return None
    readable = bool(may_read_preview(row, person, answers=answers))
    content = found.content if readable else ""
    is_link = found.kind == approval_previews.LINK
    return {
        "row": found,
        "readable": readable,
        "erased": readable and not content,
        "text": "" if is_link else shown(content.replace("\r\n", "\n")),
        "link": content if is_link else "",
        "host": approval_previews.host_of(content),
        "days": actions.PREVIEW_KEPT.days,
    }


def _first_look(row: ApprovalRequest, person: User, now: datetime) -> datetime:
    """Return when the person first opened the request, or now if they never did. The browser cannot set it."""
    look, _ = ApprovalOpening.objects.get_or_create(request=row, person=person, defaults={"at": now})
    return look.at


def _told(row: ApprovalRequest) -> str:
    if row.granted:
        return "You approved the call. The approval is for this call only."
    if row.decided_at:
        return "You refused the call. The system receives your reason, and the call is denied."
    return "You approved the call. A second person must also approve the call. Otherwise the call is denied."


def _answer(answer, roles, state: str) -> dict:
    lapses = answer.verdict == APPROVE and state in (WAITING, APPROVED)
    return {
        "row": answer,
        "lapsed": queries.why_lapsed(answer, roles) if lapses else "",
        "role": Role.word(answer.role).lower(),
        "done": "approved" if answer.verdict == APPROVE else "refused",
        "took": approval_patterns.seconds(answer.at - answer.opened_at),
    }


def _asked(row: ApprovalRequest, roles, answers) -> list[tuple[str, str]]:
    """Return those a request waits for as (name, why this person)."""
    heard = {answer.person_id for answer in answers}
    heard |= {answer.on_behalf_of_id for answer in queries.counting(answers, roles)}
    asked = [
        (key, voice)
        for key, voice in queries.people_asked(row, roles)
        if key not in heard and (voice.holder is None or voice.holder.pk not in heard)
    ]
    people = {role.person_id: role.person for role in roles}
    missing = [key for key, _ in asked if key not in people]
    people |= User.objects.in_bulk(missing) if missing else {}
    return [
        (
            people[key].full_name,
            Role(voice.role).label.lower() + (f", for {voice.holder}, who is away" if voice.holder else ""),
        )
        for key, voice in asked
    ]
