"""Sign-offs: the statement exactly as it will be signed, the signature, the statement as it was signed."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
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
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.access.initiative_lookup import review_for, sign_off_on_any_day
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.initiative_frame import fix, initiative_context, insist, pick
from initiatives.lifecycle.reviews import presentation as review_presentation
from initiatives.lifecycle.reviews import review_turn
from initiatives.lifecycle.reviews.decision_views import act_page, insist_open
from initiatives.lifecycle.reviews.forms import ReasonOfActForm, people_around
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
    SignOffVerdict.APPROVE: "Your approval counts while what the statement names stays as it is.",
    SignOffVerdict.CONDITION: "Somebody has to meet it by a day. The chair fixes the words, the person and the day.",
    SignOffVerdict.OBJECT: "It stands until you withdraw it, or new evidence and a new sign-off answer it.",
    SignOffVerdict.RECUSE: "You give no verdict. The quorum is not lowered by it.",
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
    """Write the words of a sign-off, read the statement made of them, and sign exactly that, with one's password.

    The words are posted and kept in the session until they are signed; no address, and so no log, history or Referer,
    ever holds them.
    """
    row = review_for(request.user, pk)
    if seat not in review_presentation.seats_of_gate(row.parsed_rulebook, row.gate):
        raise Http404("This seat signs nothing at this gate.")
    verdict = pick(request.GET.get("verdict"), VERDICTS, SignOffVerdict.APPROVE)
    if not row.is_open and request.method != "POST":
        return redirect(row)
    insist_open(request, row, "sign off")
    may = initiative_permissions.may_sign(row, seat, request.user, verdict=verdict)
    insist(request, may, "sign off", row.initiative)
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
    """The query under which the statement of this verdict is read and signed."""
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
    """The form for the words; of an approval that would be refused it says so before anything is typed."""
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
    """The statement made of the words that were kept; the form for them where there are none, or they do no longer."""
    if kept is None and verdict == SignOffVerdict.APPROVE:
        kept = QueryDict("reason=")
    form = _words_form(row, seat, verdict, kept)
    if not form.is_bound or not form.is_valid():
        return _words_page(request, row, seat, verdict, form)
    return _statement_page(request, row, seat, verdict, form.words(), password)


def _signed(request, row: Review, seat: str, verdict: str):
    """What comes with a password: signed when it was shown to this person within the hour, else shown anew.

    The act alone judges the review, after its lock; here it is judged only where the statement is shown again.
    """
    shown, late = _shown(request.POST["statement"], row, seat, verdict, request.user)
    password = _signature(request, row, seat, shown)
    if shown is None or late:
        password.add_error(
            None, "The statement below was made anew, for this page was open too long. Read it and sign it."
        )
    if shown is None:
        return _statement_of(request, row, seat, verdict, _kept_words(request, row, seat, verdict), password)
    if late or (sign_off := _sign_off_on(request, row, seat, verdict, shown, password)) is None:
        return _statement_page(
            request, row, seat, verdict, shown["words"], password, shown=None if late else shown
        )
    _forget_words(request, row, seat)
    messages.success(request, f"Signed as {seat_word(seat).lower()}. This is what you signed.")
    return redirect("sign-off", sign_off.pk)


def _sign_off_on(
    request, row: Review, seat: str, verdict: str, shown: dict, password: StatementForm
) -> SignOff | None:
    """The sign-off on what was shown; None where the password form now says what was wrong."""
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
        fix(password, error)
        return None


def _place(row: Review, seat: str, verdict: str) -> str:
    return f"{row.pk}:{seat}:{verdict}"


def _keep_words(request, row: Review, seat: str, verdict: str) -> None:
    """Keep what was typed for this sign-off, and the newest few others of this session."""
    place = _place(row, seat, verdict)
    kept = {key: words for key, words in request.session.get(WORDS, {}).items() if key != place}
    typed = {name: values for name, values in request.POST.lists() if name in SignOffForm.base_fields}
    request.session[WORDS] = dict([*kept.items()][-(REMEMBERED - 1) :]) | {place: typed}


def _kept_words(request, row: Review, seat: str, verdict: str) -> QueryDict | None:
    """What this session typed for this sign-off and has not signed; None where that is nothing."""
    typed = request.session.get(WORDS, {}).get(_place(row, seat, verdict))
    if typed is None:
        return None
    kept = QueryDict(mutable=True)
    for name, values in typed.items():
        kept.setlist(name, values)
    return kept


def _forget_words(request, row: Review, seat: str) -> None:
    """A sign-off was signed: what was typed for it under any verdict goes."""
    mine = {_place(row, seat, verdict) for verdict in VERDICTS}
    kept = request.session.get(WORDS, {})
    if mine & kept.keys():
        request.session[WORDS] = {key: words for key, words in kept.items() if key not in mine}


def _page(request, row: Review, seat: str, verdict: str, template: str, *, status=200, facts=None, **more):
    context = initiative_context(request, row.initiative, "review-open", facts=facts) | {
        "nav": "reviews",
        "frame": "form",
        "title": f"{VERDICTS[verdict]}: {seat_word(seat).lower()}",
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
    """The statement with its password field, and what was wrong with the password for what was `shown`."""
    person, snapshot = request.user, review_state.snapshot_of(row)
    password = password or _signature(request, row, seat)
    at = shown["at"] if shown else clock.now()
    text, covered = statement_for(snapshot, seat, person, verdict=verdict, at=at, **words)
    digest = sign_off_statement.digest(text)
    if shown is not None and shown["digest"] != digest:
        password.add_error(None, "What you would sign changed since you opened this page. Read it again.")
        at = clock.now()
        text, covered = statement_for(snapshot, seat, person, verdict=verdict, at=at, **words)
        digest = sign_off_statement.digest(text)
    _remember(request, digest, covered)
    password.data = password.data.copy() if password.is_bound else password.data
    sealed = _seal(row, seat, verdict, person, digest, at, words)
    if password.is_bound:
        password.data["statement"] = sealed
    password.initial["statement"] = sealed
    return _page(
        request,
        row,
        seat,
        verdict,
        "initiatives/reviews/sign_offs/sign_statement.html",
        status=password.status,
        facts=snapshot.judged.facts,
        text=text,
        digest=digest,
        early=review_turn.fast_lane(row.initiative, row.gate, row.opened_at),
        form=password,
        remark=words["reason"],
        step=_step(verdict),
        may_approve=may_approve(snapshot, covered, person) if verdict in APPROVING else yes(),
        stays=_quorum_after_recusal(snapshot, person) if verdict == SignOffVerdict.RECUSE else "",
        current_sign_off=next((sign_off for sign_off in snapshot.sign_offs if sign_off.seat == seat), None),
    )


def _seal(row: Review, seat: str, verdict: str, person, digest: str, at: datetime, words: dict) -> str:
    """What the page showed, to whom and when, so that the signature is for exactly that."""
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
    """What was shown to this person for this sign-off, and whether that was too long ago; None for anything else."""
    try:
        shown, late = signing.loads(sealed, salt=SALT, max_age=OPEN_FOR), False
    except signing.SignatureExpired:
        shown, late = signing.loads(sealed, salt=SALT), True
    except signing.BadSignature:
        return None, False
    asked = (row.pk, seat, verdict, person.pk)
    if tuple(shown.get(name) for name in ("review", "seat", "verdict", "person")) != asked:
        return None, False
    return shown | {"at": datetime.fromisoformat(shown["at"])}, late


def _remember(request, digest: str, covered: dict) -> None:
    """Keep the facts behind the statement as they were seen, the newest few of this session."""
    kept = {key: seen for key, seen in request.session.get("statements", {}).items() if key != digest}
    request.session["statements"] = dict([*kept.items()][-(REMEMBERED - 1) :]) | {digest: covered}


def _signature(request, row: Review, seat: str, shown: dict | None = None) -> StatementForm:
    """The form that signs; bound to what was sent with a statement, empty where only its words were."""
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
        f"The quorum stays {snapshot.verdict.quorum}; "
        f"{count} seat{'' if count == 1 else 's'} can still be signed for without you."
    )


def _sign_off(request, pk) -> SignOff:
    """A sign-off on an initiative that this person may see. Raises Http404."""
    found = SignOff.objects.filter(pk=pk).select_related("person", "replaces__person").first()
    if found is None:
        raise Http404("No such sign-off, or not yours to see.")
    found.review = review_for(request.user, found.review_id)
    return found


@on_any_day(sign_off_on_any_day)
@require_safe
def statement(request, pk):
    """A sign-off as it was signed: the words, their digest, when it was recorded, whether it counts and why not."""
    sign_off = _sign_off(request, pk)
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
        "nav": "reviews",
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
        and initiative_permissions.may_withdraw_sign_off(sign_off, request.user),
    }
    return render(request, "initiatives/reviews/sign_offs/sign_off.html", context)


def _entry_of(sign_off: SignOff) -> Entry | None:
    """The entry of the audit log that holds this statement: the first of its kind by this person from that moment
    on.
    """
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


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request, pk):
    """Withdraw one's own sign-off: a new row; the old one stays readable."""
    sign_off = _sign_off(request, pk)
    insist(
        request,
        initiative_permissions.may_withdraw_sign_off(sign_off, request.user),
        "withdraw sign-off",
        sign_off.review.initiative,
    )
    form = ReasonOfActForm(
        request.POST or None, label=_("Why"), help_text=_("The board and the team read it.")
    )
    if request.method == "POST" and form.is_valid():
        actions.withdraw_sign_off(sign_off=sign_off, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, _("The sign-off is withdrawn. What was signed stays readable."))
        return redirect(sign_off.review)
    happens = [
        f"The seat {sign_off.get_seat_display().lower()} has no sign-off until somebody in it signs off again.",
        "What was signed stays readable, with this reason.",
    ]
    return act_page(
        request,
        sign_off.review.initiative,
        title=_("Withdraw a sign-off"),
        form=form,
        verb=_("Withdraw it"),
        happens=happens,
        danger=True,
        back=sign_off.review.get_absolute_url(),
    )
