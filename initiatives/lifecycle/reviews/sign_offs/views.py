"""Pages of sign-offs: the statement to sign, the signature, the result."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from governance import clock
from governance.gates import sign_off_statement
from governance.models.audit_log import Entry
from governance.permission_result import yes
from governance.templatetags.plumbline import seat_word
from governance.transparency_log import as_of
from governance.vocabulary import APPROVING, Seat, SignOffVerdict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access.initiative_lookup import review_for, sign_off_on_any_day
from initiatives.lifecycle.evidence.verification import second_looks
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, insist, pick
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, RowAct
from initiatives.lifecycle.reviews import permissions as review_permissions
from initiatives.lifecycle.reviews import presentation as review_presentation
from initiatives.lifecycle.reviews import review_turn
from initiatives.lifecycle.reviews.decision_views import insist_open
from initiatives.lifecycle.reviews.forms import ReasonOfActForm, ReplyForm, people_around
from initiatives.lifecycle.reviews.sign_offs import actions
from initiatives.lifecycle.reviews.sign_offs.actions import may_approve, statement_for
from initiatives.lifecycle.reviews.sign_offs.forms import SignOffForm, StatementForm
from initiatives.models import Review, SignOff

VERDICTS = {
    SignOffVerdict.APPROVE: "Approve",
    SignOffVerdict.CONDITION: "Approve with a condition",
    SignOffVerdict.OBJECT: "Object",
    SignOffVerdict.RECUSE: "Recuse yourself",
}
MEANINGS = {
    SignOffVerdict.APPROVE: "Your approval counts while the facts in the statement do not change.",
    SignOffVerdict.CONDITION: (
        "Someone must meet the condition by a day. The chair sets the text, the person and the day."
    ),
    SignOffVerdict.OBJECT: "Your objection counts until you withdraw it, or sign off again after new evidence.",
    SignOffVerdict.RECUSE: "You give no verdict. The quorum stays the same.",
}
SALT = "statement"
STATEMENT = "statement"  # the step of the page on which it is read and signed
WORDS = "words of sign-offs"  # where the session keeps them
OPEN_FOR = timedelta(hours=1)
# How many statements a session remembers, so that a conflict can say what changed since each was shown.
REMEMBERED = 5


@sensitive_post_parameters("password", "reason", "condition_text")
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request, pk, seat):
    """Write the words of a sign-off, read its statement, and sign that.

    The words are posted and kept in the session until they are signed. No address contains them, so no log, history
    or Referer does.
    """
    row = review_for(request.user, pk)
    if seat not in review_presentation.seats_of_gate(row.parsed_rulebook, row.gate):
        raise Http404("This seat does not sign at this gate.")
    verdict = pick(request.GET.get("verdict"), VERDICTS, SignOffVerdict.APPROVE)
    if not row.is_open and request.method != "POST":
        return redirect(row)
    insist_open(request, row, "sign off")
    may = initiative_permissions.may_sign(row, seat, request.user, verdict=verdict)
    insist(request, may, "sign off", row.initiative)
    if verdict in APPROVING:
        second_looks.refuse_before_looking(row.initiative, request.user)
    if request.method == "POST" and "statement" in request.POST:
        return _signed(request, row, seat, verdict)
    if request.method == "POST":
        form = _words_form(row, seat, verdict, request.POST)
        if not form.is_valid():
            return _words_page(request, row, seat, verdict, form)
        _keep_words(request, row, seat, verdict)
        return redirect(f"{request.path}?{_step(verdict)}")
    kept = _kept_words(request, row, seat, verdict)
    if verdict == SignOffVerdict.APPROVE or request.GET.get("step") == STATEMENT:
        return _statement_of(request, row, seat, verdict, kept)
    return _words_page(request, row, seat, verdict, _words_form(row, seat, verdict, None, kept))


def _step(verdict: str) -> str:
    """Return the query under which the statement of this verdict is read and signed."""
    return urlencode(
        {"verdict": verdict} | ({} if verdict == SignOffVerdict.APPROVE else {"step": STATEMENT})
    )


def _words_form(row: Review, seat: str, verdict: str, sent, kept: QueryDict | None = None) -> SignOffForm:
    form = SignOffForm(
        sent,
        verdict=verdict,
        criteria=row.parsed_rulebook.criteria_of(row.gate, seat),
        people=people_around(row.initiative),
    )
    for name in form.fields.keys() & (kept or {}).keys():
        many = name == "criteria"
        form.fields[name].initial = kept.getlist(name) if many else kept[name]
    return form


def _words_page(request, row: Review, seat: str, verdict: str, form: SignOffForm):
    """Show the form for the words, with the reasons if the approval would be refused."""
    blocked = yes()
    if verdict == SignOffVerdict.CONDITION:
        snapshot = review_state.snapshot_of(row)
        _, covered = statement_for(snapshot, seat, request.user, verdict=verdict, at=clock.now())
        blocked = may_approve(snapshot, covered, request.user)
    return _page(
        request,
        row,
        seat,
        verdict,
        "initiatives/reviews/sign_offs/sign_words.html",
        form=form,
        blocked=blocked.reasons,
    )


def _statement_of(request, row: Review, seat: str, verdict: str, kept: QueryDict | None, password=None):
    """Show the statement of the kept words, or the form for them if none are valid."""
    if kept is None and verdict == SignOffVerdict.APPROVE:
        kept = QueryDict("reason=")
    form = _words_form(row, seat, verdict, kept)
    if not form.is_bound or not form.is_valid():
        return _words_page(request, row, seat, verdict, form)
    return _statement_page(request, row, seat, verdict, form.words(), password)


def _signed(request, row: Review, seat: str, verdict: str):
    """Sign a statement shown to this person within the hour, else show it again.

    The act alone judges the review, after its lock. This page judges only for showing the statement again.
    """
    shown, late = _shown(request.POST["statement"], row, seat, verdict, request.user)
    password = _signature(request, row, seat, shown)
    if shown is None or late:
        password.add_error(
            None,
            "The page was open too long, so the statement below is new. Read the new statement, then sign.",
        )
    if shown is None:
        return _statement_of(request, row, seat, verdict, _kept_words(request, row, seat, verdict), password)
    if late or _sign_off_on(request, row, seat, verdict, shown, password) is None:
        return _statement_page(
            request, row, seat, verdict, shown["words"], password, shown=None if late else shown
        )
    _forget_words(request, row, seat)
    said = phrase("Signed as {}: {}.", seat_word(seat).lower(), row.initiative)
    messages.success(request, said.in_language())
    return redirect("inbox")


def _sign_off_on(
    request, row: Review, seat: str, verdict: str, shown: dict, password: StatementForm
) -> SignOff | None:
    """Return the sign-off on the shown statement, or None on errors."""
    if not password.is_valid():
        return None
    words = shown["words"]
    try:
        return actions.sign_off(
            review=row,
            seat=seat,
            verdict=verdict,
            digest=shown["digest"],
            prepared_at=shown["at"],
            replaces=shown["replaces"],
            seen=request.session.get("statements", {}).get(shown["digest"]),
            by=request.user,
            **words | {"criteria": tuple(words["criteria"])},
        )
    except ValidationError as error:
        put_errors(password, error)
        return None


def _place(row: Review, seat: str, verdict: str) -> str:
    return f"{row.pk}:{seat}:{verdict}"


def _keep_words(request, row: Review, seat: str, verdict: str) -> None:
    """Keep the input for this sign-off, and the newest few others of this session."""
    place = _place(row, seat, verdict)
    kept = {key: words for key, words in request.session.get(WORDS, {}).items() if key != place}
    typed = {name: values for name, values in request.POST.lists() if name in SignOffForm.base_fields}
    request.session[WORDS] = dict([*kept.items()][-(REMEMBERED - 1) :]) | {place: typed}


def _kept_words(request, row: Review, seat: str, verdict: str) -> QueryDict | None:
    """Return the unsigned words of this session for this sign-off, or None."""
    typed = request.session.get(WORDS, {}).get(_place(row, seat, verdict))
    if typed is None:
        return None
    kept = QueryDict(mutable=True)
    for name, values in typed.items():
        kept.setlist(name, values)
    return kept


def _forget_words(request, row: Review, seat: str) -> None:
    """Remove the kept words of a signed sign-off, under any verdict."""
    mine = {_place(row, seat, verdict) for verdict in VERDICTS}
    kept = request.session.get(WORDS, {})
    if mine & kept.keys():
        request.session[WORDS] = {key: words for key, words in kept.items() if key not in mine}


def _page(request, row: Review, seat: str, verdict: str, template: str, *, status=200, facts=None, **more):
    context = initiative_context(request, row.initiative, "review-open", facts=facts) | {
        "frame": "form",
        "title": f"{VERDICTS[verdict]}: {row.parsed_rulebook.gates[row.gate].title}",
        "review": row,
        "seat": seat,
        "verdict": verdict,
        "meaning": MEANINGS[verdict],
        "verdicts": [(key, word) for key, word in VERDICTS.items() if key != verdict],
    }
    return render(request, template, context | more, status=status)


def _statement_page(
    request, row: Review, seat: str, verdict: str, words: dict, password=None, shown: dict | None = None
):
    """Show the statement with its password field, and errors for `shown`."""
    person, snapshot = request.user, review_state.snapshot_of(row)
    password = password or _signature(request, row, seat)
    at = shown["at"] if shown else clock.now()
    text, covered = statement_for(snapshot, seat, person, verdict=verdict, at=at, **words)
    digest = sign_off_statement.digest(text)
    if shown is not None and shown["digest"] != digest:
        password.conflict = "the statement"
        password.add_error(None, "The statement changed after you opened this page. Read it again.")
        at = clock.now()
        text, covered = statement_for(snapshot, seat, person, verdict=verdict, at=at, **words)
        digest = sign_off_statement.digest(text)
    _remember(request, digest, covered)
    password.data = password.data.copy() if password.is_bound else password.data
    sealed = _seal(row, seat, verdict, person, digest, at, words)
    if password.is_bound:
        password.data["statement"] = sealed
    password.initial["statement"] = sealed
    cast = review_presentation.live_sign_offs(snapshot)
    return _page(
        request,
        row,
        seat,
        verdict,
        "initiatives/reviews/sign_offs/sign_statement.html",
        status=password.status,
        facts=snapshot.judged.facts,
        sentence=text.partition("\n")[0],
        text=text,
        digest=digest,
        covered=covered,
        lines=_signed_lines(snapshot, seat, verdict, words),
        words=words,
        asked=review_presentation.seats_table(snapshot, cast),
        new=cast[seat].stale if seat in cast else (),
        early=review_turn.fast_lane(row.initiative, row.gate, row.opened_at),
        form=password,
        remark=words["reason"],
        step=_step(verdict),
        may_approve=may_approve(snapshot, covered, person) if verdict in APPROVING else yes(),
        stays=_quorum_after_recusal(snapshot, person) if verdict == SignOffVerdict.RECUSE else "",
        current_sign_off=next((sign_off for sign_off in snapshot.sign_offs if sign_off.seat == seat), None),
    )


def _signed_lines(snapshot: review_state.ReviewSnapshot, seat: str, verdict: str, words: dict) -> list:
    """Return the criteria of the signature in the form of review pages. A recusal has none."""
    if verdict == SignOffVerdict.RECUSE:
        return []
    own = [line for line in review_presentation.live_lines(snapshot) if line.seat == seat]
    objecting = verdict == SignOffVerdict.OBJECT
    return [line for line in own if not objecting or line.key in words["criteria"]]


def _seal(row: Review, seat: str, verdict: str, person, digest: str, at: datetime, words: dict) -> str:
    """Return the sealed content, reader and moment of the page."""
    last = row.sign_offs.filter(seat=seat, replaced_by__isnull=True).values_list("pk", flat=True).first()
    shown = {
        "review": row.pk,
        "seat": seat,
        "verdict": verdict,
        "person": person.pk,
        "digest": digest,
        "at": at.isoformat(),
        "replaces": last,
        "words": words,
    }
    return signing.dumps(shown, salt=SALT)


def _shown(sealed: str, row: Review, seat: str, verdict: str, person) -> tuple[dict | None, bool]:
    """Return the content shown to this person, and True if it expired.

    A foreign seal gives None, and so do criteria that the rulebook of the review no longer has.
    """
    try:
        shown, late = signing.loads(sealed, salt=SALT, max_age=OPEN_FOR), False
    except signing.SignatureExpired:
        shown, late = signing.loads(sealed, salt=SALT), True
    except signing.BadSignature:
        return None, False
    asked = (row.pk, seat, verdict, person.pk)
    if tuple(shown.get(name) for name in ("review", "seat", "verdict", "person")) != asked:
        return None, False
    if not row.parsed_rulebook.criteria.keys() >= {*shown["words"].get("criteria", ())}:
        return None, False
    return shown | {"at": datetime.fromisoformat(shown["at"])}, late


def _remember(request, digest: str, covered: dict) -> None:
    """Keep the facts behind the shown statement, the newest few of this session."""
    kept = {key: seen for key, seen in request.session.get("statements", {}).items() if key != digest}
    request.session["statements"] = dict([*kept.items()][-(REMEMBERED - 1) :]) | {digest: covered}


def _signature(request, row: Review, seat: str, shown: dict | None = None) -> StatementForm:
    """Return the form that signs, bound only if a statement was sent."""
    purpose = f"sign as {seat_word(seat).lower()} on {row.initiative.ref}"
    sent = request.POST if "statement" in request.POST else None
    facts = {"digest": shown["digest"]} if shown else None
    return StatementForm(sent, request=request, purpose=purpose, facts=facts)


def _quorum_after_recusal(snapshot: review_state.ReviewSnapshot, person) -> str:
    able = [
        seat
        for seat in snapshot.seats.values()
        if any(name != person.full_name for name in seat.eligible) and seat.seat in Seat
    ]
    count = len(able)
    return (
        f"The quorum stays {snapshot.verdict.quorum}. If you recuse yourself, {count} seat{'' if count == 1 else 's'} "
        "can still sign."
    )


def _sign_off(request, pk) -> SignOff:
    """Return a sign-off on an initiative that this person may see. Raises Http404."""
    found = SignOff.objects.filter(pk=pk).select_related("person", "replaces__person").first()
    if found is None:
        raise Http404("This sign-off does not exist, or you cannot see it.")
    found.review = review_for(request.user, found.review_id)
    return found


@on_any_day(sign_off_on_any_day)
@require_safe
def statement(request, pk):
    """Show a signed sign-off: words, digest, moment, and if it counts."""
    sign_off = _sign_off(request, pk)
    second_looks.refuse_before_looking(sign_off.review.initiative, request.user)
    if request.GET.get("as") == "text":
        return HttpResponse(sign_off.statement, content_type="text/plain; charset=utf-8")
    row = sign_off.review
    after = SignOff.objects.filter(replaces=sign_off).select_related("person").first()
    sign_offs = (
        review_presentation.live_sign_offs(review_state.snapshot_of(row))
        if row.is_open
        else review_presentation.frozen_sign_offs(row)
    )
    cast = sign_offs.get(sign_off.seat)
    stands = cast is not None and cast.row.pk == sign_off.pk
    context = initiative_context(request, row.initiative, "review-open") | {
        "title": f"{sign_off.get_verdict_display()}: {sign_off.get_seat_display().lower()}",
        "review": row,
        "sign_off": sign_off,
        "after": after,
        "stands": stands,
        "stale": cast.stale if stands else (),
        "entry": _entry_of(sign_off),
        "gate": row.parsed_rulebook.gates[row.gate],
        "may_withdraw": as_of.current() is None
        and row.is_open
        and stands
        and review_permissions.may_withdraw_sign_off(sign_off, request.user),
    }
    return render(request, "initiatives/reviews/sign_offs/sign_off.html", context)


SIGN_OFFS = SignOff.objects.select_related("person", "review__initiative__unit", "review__rulebook")
ROW_ACTS["sign-offs/reply"] = RowAct(
    rows=SIGN_OFFS,
    of="review",
    may=actions.may_reply,
    act=actions.reply,
    noun="objection",
    page="review-open",
    form=ReplyForm,
    given=lambda row, request: {
        "objection": row,
        "initial": {"criterion": request.GET.get("criterion", "")},
    },
    back=lambda row: f"{row.review.get_absolute_url()}#{row.criteria[0]}",
    title=gettext_lazy("Reply to the objection"),
    lede=lambda row: f"{row.person} objects as {row.get_seat_display().lower()}: {row.reason}",
    happens=(
        lambda row: f"Plumbline asks the seat {row.get_seat_display().lower()} to review again.",
        gettext_lazy("The objection counts until the seat signs again or withdraws it."),
    ),
    verb=gettext_lazy("Send the reply"),
    done=lambda row: f"The reply is shown beside the criterion. {row.person} was notified.",
)


def _entry_of(sign_off: SignOff) -> Entry | None:
    """Return the audit entry with this statement, first of its kind since."""
    entries = (
        Entry.objects.acts()
        .of_initiative(sign_off.review.initiative.ref)
        .filter(
            kind__in=[EntryKind.SIGNED_OFF, EntryKind.SIGN_OFF_WITHDRAWN],
            actor_id=sign_off.person_id,
            at__gte=sign_off.at,
        )
    )
    return next(
        (row for row in entries.order_by("id") if row.facts["facts"].get("digest") == sign_off.digest), None
    )


ROW_ACTS["sign-offs/withdraw"] = RowAct(
    rows=SIGN_OFFS,
    of="review",
    may=review_permissions.may_withdraw_sign_off,
    act=actions.withdraw_sign_off,
    noun="sign_off",
    page="review-open",
    form=ReasonOfActForm,
    given=lambda row, request: {
        "label": _("Why"),
        "help_text": _("The board and the team read your reason."),
    },
    back=lambda row: row.review.get_absolute_url(),
    title=gettext_lazy("Withdraw a sign-off"),
    happens=(
        lambda row: (
            f"The seat {row.get_seat_display().lower()} has no sign-off until its holder signs off again."
        ),
        gettext_lazy("The statement stays readable, with this reason."),
    ),
    verb=gettext_lazy("Withdraw the sign-off"),
    danger=True,
    done=gettext_lazy("The sign-off is withdrawn. You can still read the statement."),
)
